"""Which runs a table holds."""

import pandas as pd
import pytest

from normreport.figures.runs import (
    comparable_rows,
    in_order,
    largest_change,
    mean_over_seeds,
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


def test_rows_come_in_the_order_of_epochs() -> None:
    rows = rows_of(TABLE.iloc[::-1], normalization="unit")
    assert list(rows["epoch"]) == [0, 0, 1, 1]


def test_rows_to_compare_must_exist() -> None:
    with pytest.raises(ValueError, match=r"no row with normalization 'placebo'"):
        comparable_rows(TABLE, normalization="placebo")


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


def test_notes_name_missing_arms_and_diverged_runs() -> None:
    assert run_notes({"scratch": TABLE}, ["raw", "unit", "imagenet"], 1) == [
        "From scratch, raw: 1 of 2 runs diverged (seed 1 after epoch 0).",
        "From scratch, imagenet: no run.",
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
