"""Which runs a table holds."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normreport.figures.runs import (
    NoRowsError,
    arms_in_order,
    arms_of,
    comparable_rows,
    in_order,
    largest_change,
    mean_over_seeds,
    row_of_largest,
    rows_of,
    run_notes,
    seeds_phrase,
)

TABLE = pd.DataFrame(
    [
        ("raw", 0, 0, 1.0),
        ("raw", 1, 0, 3.0),
        ("raw", 0, 1, 5.0),
        ("unit", 0, 0, 2.0),
        ("unit", 1, 0, 4.0),
        ("unit", 0, 1, 6.0),
        ("unit", 1, 1, 10.0),
    ],
    columns=["normalization", "seed", "epoch", "std"],
)


def test_names_keep_the_order_of_first_appearance() -> None:
    assert in_order(pd.Series(["b", "a", "b", "c"])) == ["b", "a", "c"]


def _table(groups: list[list[str]]) -> pd.DataFrame:
    rows = [(f"start {number}", arm) for number, arms in enumerate(groups) for arm in arms]
    return pd.DataFrame(rows, columns=["start", "normalization"])


def test_an_arm_that_the_first_start_lacks_keeps_its_place() -> None:
    table = _table([["raw", "imagenet"], ["raw", "unit", "imagenet"]])
    assert arms_in_order(table) == ["raw", "unit", "imagenet"]


@given(st.lists(st.sets(st.sampled_from("abcdef"), min_size=1), min_size=1, max_size=5))
def test_merged_names_are_in_the_order_of_every_group(groups: list[set[str]]) -> None:
    ordered = [sorted(names) for names in groups]
    found = arms_in_order(_table(ordered))
    assert sorted(found) == sorted(set().union(*groups))
    for names in ordered:
        assert [name for name in found if name in names] == names


def test_groups_that_disagree_lose_no_name() -> None:
    assert sorted(arms_in_order(_table([["a", "b"], ["b", "a"]]))) == ["a", "b"]


def test_arms_without_runs_are_left_out_unless_there_is_no_run() -> None:
    arms = ["imagenet", "unit", "raw"]
    assert arms_of(TABLE, arms) == ["unit", "raw"]
    assert arms_of(TABLE.iloc[:0], arms) == arms


def test_rows_come_in_the_order_of_epochs() -> None:
    rows = rows_of(TABLE.iloc[::-1], normalization="unit")
    assert list(rows["epoch"]) == [0, 0, 1, 1]


def test_rows_to_compare_must_exist() -> None:
    table = TABLE.assign(model="vgg16", layer="a")
    assert len(comparable_rows(table, model="vgg16", layer="a")) == len(table)
    with pytest.raises(NoRowsError, match="The weights do not vary, so there is nothing to draw"):
        comparable_rows(table, model="vgg16", layer="b")
    with pytest.raises(NoRowsError, match=r"Another reason\."):
        comparable_rows(table, model="resnet18", reason="Another reason.")


def test_a_mean_needs_every_seed_of_its_arm() -> None:
    means = mean_over_seeds(TABLE, ["std"])
    assert means.to_dict("list") == {
        "normalization": ["raw", "unit", "unit"],
        "epoch": [0, 0, 1],
        "std": [2.0, 3.0, 8.0],
    }


def test_there_is_no_mean_where_a_run_of_the_arm_failed() -> None:
    table = TABLE[~((TABLE["normalization"] == "raw") & (TABLE["seed"] == 1))]
    means = mean_over_seeds(table.assign(seeds=2), ["std"])
    assert set(means["normalization"]) == {"unit"}


def test_seeds_are_counted_per_arm() -> None:
    assert seeds_phrase(TABLE) == "2 seeds"
    assert seeds_phrase(TABLE.iloc[[0]]) == "1 seed"
    assert seeds_phrase(TABLE.iloc[:4]) == "1 to 2 seeds"


def test_the_row_of_the_largest_value_skips_nan_and_is_the_first_of_equal_ones() -> None:
    table = pd.DataFrame(
        {"layer": list("abcd"), "value": [1.0, -5.0, float("nan"), 5.0]}, index=[0, 0, 0, 0]
    )
    assert row_of_largest(table, table["value"])["layer"] == "d"
    assert row_of_largest(table, table["value"].abs())["layer"] == "b"


def test_notes_name_diverged_runs_and_no_arm_that_was_not_planned() -> None:
    assert run_notes({"scratch": TABLE}, ["raw", "unit", "imagenet"], 1) == [
        "From scratch, raw: 1 of 2 runs diverged (seed 1 after epoch 0).",
        "An arm's mean ends where the first of its runs does.",
    ]


def test_a_run_that_diverged_in_the_last_epoch_is_named_by_its_status() -> None:
    table = TABLE.assign(status="OK").query("normalization == 'unit'")
    assert run_notes({"scratch": table}, ["unit"], 1) == []
    notes = run_notes({"pretrained": table.assign(status="DIVERGED")}, ["unit"], 1)
    assert notes[0] == (
        "Pretrained, unit: 2 of 2 runs diverged (seed 0 after epoch 1 and seed 1 after epoch 1)."
    )


def test_the_largest_change_is_relative_and_of_either_sign() -> None:
    arms = {
        "raw": pd.Series([2.0, 9.0, 2.2], index=[0, 1, 2]),  # what lies between does not count
        "unit": pd.Series([1.0, 0.75], index=[0, 1]),
        "imagenet": pd.Series([5.0], index=[0]),
    }
    assert largest_change(arms) == (-0.25, 1.0, 0.75, "unit", 1)
    assert largest_change({"imagenet": arms["imagenet"]}) is None
