"""How many runs a figure shows, and how many were planned."""

import itertools

import pandas as pd
import pytest

from normreport.figures.counts import seeds_sentence, shown_runs, with_planned_numbers

COLUMNS = ["model", "start", "normalization", "seed"]


def runs(counts: dict[tuple[str, str, str], int]) -> pd.DataFrame:
    """Make so many seeds of each model, start and arm."""
    rows = [(*arm, seed) for arm, count in counts.items() for seed in range(count)]
    return pd.DataFrame(rows, columns=COLUMNS)


def design(**exceptions: int) -> dict[tuple[str, str, str], int]:
    """Give three seeds to each arm, and others to those whose model, start or arm is named."""
    return {
        place: next((exceptions[name] for name in place if name in exceptions), 3)
        for place in itertools.product(
            ("vgg16", "mobilenet_v2"), ("pretrained", "scratch"), ("raw", "unit", "imagenet")
        )
    }


def test_equal_numbers_need_no_sentence() -> None:
    assert seeds_sentence(runs(design())) is None


@pytest.mark.parametrize(
    ("exceptions", "numbers"),
    [
        ({"raw": 1}, "1 for raw; 3 for unit and imagenet"),
        ({"vgg16": 2}, "2 for VGG16; 3 for MobileNetV2"),
        ({"scratch": 6}, "3 for pretrained; 6 for from scratch"),
        ({"raw": 1, "unit": 2}, "1 for raw; 2 for unit; 3 for imagenet"),
    ],
)
def test_the_sentence_names_what_the_number_depends_on(
    exceptions: dict[str, int], numbers: str
) -> None:
    assert seeds_sentence(runs(design(**exceptions))) == (
        f"The number of seeds differs: {numbers}."
    )


def test_a_number_may_depend_on_two_things() -> None:
    counts = {
        ("vgg16", "pretrained", "raw"): 2,
        ("vgg16", "pretrained", "unit"): 3,
        ("vgg16", "scratch", "raw"): 3,
        ("vgg16", "scratch", "unit"): 2,
    }
    assert seeds_sentence(runs(counts)) == (
        "The number of seeds differs: 2 for raw (pretrained) and unit (from scratch); 3 for "
        "unit (pretrained) and raw (from scratch)."
    )


def test_the_runs_of_pairs_are_those_of_both_sides() -> None:
    pairs = pd.DataFrame(
        [("vgg16", "scratch", 0, "raw", 0, "unit", 1), ("vgg16", "scratch", 1, "raw", 0, "raw", 2)],
        columns=["model", "start", "epoch", "normalization_a", "seed_a", "normalization_b",
                 "seed_b"],
    )  # fmt: skip
    found = shown_runs(pairs, model="vgg16", start=None)
    assert found.to_records(index=False).tolist() == [
        ("vgg16", "scratch", "raw", 0),
        ("vgg16", "scratch", "unit", 1),
    ]
    assert shown_runs(pairs, model="vgg11").empty


def test_failed_runs_count_as_planned_and_runs_that_were_not_planned_do_not() -> None:
    table = runs({("vgg16", "scratch", "raw"): 1, ("vgg16", "scratch", "unit"): 3})
    failed = [("vgg16", "scratch", "raw", 5), ("vgg16", "scratch", "imagenet", 0)]
    found = with_planned_numbers(table, failed)
    assert found[COLUMNS].equals(table)
    assert list(found["seeds"]) == [2, 3, 3, 3]
    assert set(found["runs"]) == {6}


def test_failed_runs_of_pairs_count_as_planned_for_the_first_run() -> None:
    pairs = pd.DataFrame(
        [
            ("vgg16", "scratch", "raw", 0, "raw", 0),
            ("vgg16", "scratch", "raw", 0, "unit", 0),
            ("vgg16", "scratch", "unit", 0, "unit", 0),
        ],
        columns=["model", "start", "normalization_a", "seed_a", "normalization_b", "seed_b"],
    )
    found = with_planned_numbers(pairs, [("vgg16", "scratch", "unit", 1)])
    assert list(found["seeds"]) == [1, 1, 2]
    assert set(found["runs"]) == {3}
