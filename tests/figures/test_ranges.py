"""Ranges, which stand for many runs and for the means of many arms."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from normreport.figures.ranges import (
    are_many,
    arms_by_panel,
    arms_in_color,
    describe_lines,
    draw_runs,
    has_many_seeds,
    range_curves,
    range_of_means,
    run_curves,
    runs_or_ranges,
)
from normreport.figures.style import arm_styles


def runs(arms: int, seeds: int) -> pd.DataFrame:
    """Make two epochs of each run, with the value 100 * arm + 10 * seed + epoch."""
    rows = [
        (f"arm{arm}", seed, epoch, 100.0 * arm + 10 * seed + epoch)
        for arm in range(arms)
        for seed in range(seeds)
        for epoch in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["normalization", "seed", "epoch", "std"])


@pytest.mark.parametrize(
    ("arms", "seeds", "many"),
    [(3, 6, False), (1, 6, False), (1, 7, True), (18, 1, False), (19, 1, True), (4, 5, True)],
)
def test_seven_seeds_or_nineteen_runs_are_many(arms: int, seeds: int, many: bool) -> None:
    table = runs(arms, seeds)
    assert are_many(table) == many
    assert has_many_seeds(table) == (seeds > 6)
    assert ("Thin lines" in describe_lines(table)) == (not many)


def test_the_runs_of_each_model_and_start_count_alone() -> None:
    table = runs(3, 6)
    parts = [table.assign(model="vgg16", start=start) for start in ("scratch", "pretrained")]
    assert not are_many(pd.concat(parts))


def test_few_runs_are_returned_as_they_are() -> None:
    table = runs(3, 6)
    assert runs_or_ranges(table, ["std"]) is table


def test_of_many_runs_the_smallest_and_the_largest_value_remain() -> None:
    ranges = runs_or_ranges(runs(2, 7), ["std"])
    assert ranges.set_index(["seed", "normalization", "epoch"])["std"].to_dict() == {
        ("smallest", "arm0", 0): 0,
        ("smallest", "arm0", 1): 1,
        ("smallest", "arm1", 0): 100,
        ("smallest", "arm1", 1): 101,
        ("largest", "arm0", 0): 60,
        ("largest", "arm0", 1): 61,
        ("largest", "arm1", 0): 160,
        ("largest", "arm1", 1): 161,
    }


def test_a_range_needs_only_the_runs_that_reached_an_epoch() -> None:
    table = runs(1, 7)
    early = table[~((table["seed"] == 6) & (table["epoch"] == 1))]
    ranges = runs_or_ranges(early, ["std"]).set_index(["seed", "epoch"])["std"]
    assert ranges["largest"].to_dict() == {0: 60, 1: 51}


def test_the_range_of_means_is_over_all_arms() -> None:
    means = pd.DataFrame({"normalization": ["a", "b", "c"], "epoch": 0, "std": [2.0, 1.0, 3.0]})
    ranges = range_of_means(means, ["std"])
    assert ranges.to_dict("list") == {
        "epoch": [0, 0],
        "std": [1.0, 3.0],
        "seed": ["smallest", "largest"],
        "normalization": ["all", "all"],
    }


def test_seven_arms_have_panels_of_their_own() -> None:
    arms = [f"arm{number}" for number in range(7)]
    assert arms_by_panel(arms[:6]) == [arms[:6]]
    assert arms_by_panel(arms) == [[arm] for arm in arms]


def test_of_seven_arms_those_of_the_contrast_have_a_colour_or_else_the_first_two() -> None:
    arms = [f"arm{number}" for number in range(7)]
    assert arms_in_color(arms[:6], ("arm1", "arm2")) == arms[:6]
    assert arms_in_color(arms, ("arm5", "arm2")) == ["arm2", "arm5"]
    assert arms_in_color(arms, ("arm5", "other")) == ["arm5"]
    assert arms_in_color(arms, ("another", "other")) == ["arm0", "arm1"]
    assert arms_in_color(arms, None) == ["arm0", "arm1"]


def test_a_range_is_filled_between_its_ends_and_a_run_is_a_line() -> None:
    styles = arm_styles(["arm0", "arm1"])
    ends = []
    panels = {seeds: Figure().add_axes((0, 0, 1, 1)) for seeds in (2, 7)}
    for seeds, ax in panels.items():
        lines = runs_or_ranges(runs(2, seeds), ["std"])
        draw_runs(ax, lines, styles, x="epoch", y="std", mark_end=lambda *end: ends.append(end))
    assert [list(line.get_ydata()) for line in panels[2].lines] == [
        [0, 1], [10, 11], [100, 101], [110, 111]
    ]  # fmt: skip
    assert len(panels[2].patches) == len(panels[7].lines) == 0
    assert [patch.get_path().vertices[:4].tolist() for patch in panels[7].patches] == [
        [[0, 0], [1, 1], [1, 61], [0, 60]],
        [[0, 100], [1, 101], [1, 161], [0, 160]],
    ]
    assert len(ends) == 4


def test_arms_without_a_style_are_not_drawn() -> None:
    ax = Figure().add_axes((0, 0, 1, 1))
    draw_runs(ax, runs(2, 2), arm_styles(["arm1"]), x="epoch", y="std")
    assert [line.get_ydata()[0] for line in ax.lines] == [100, 110]


def test_the_page_gets_the_runs_or_the_means_and_the_outlines_of_ranges() -> None:
    table = pd.concat([runs(1, 7).assign(x=x) for x in (1, 2)])
    lines = runs_or_ranges(table, ["std"], by=["epoch", "x"])
    means = table.groupby(["normalization", "epoch", "x"], as_index=False)["std"].mean()
    assert set(run_curves(table, means, x="x", y="std", of="")) == {
        ("", "arm0", str(seed)) for seed in range(7)
    }
    curves = run_curves(lines, means, x="x", y="std", of="")
    assert {run: curve.to_numpy().tolist() for run, curve in curves.items()} == {
        ("", "arm0", "mean"): [[30, 30], [31, 31]]
    }
    outlines = range_curves(lines, x="x", y="std", of="std")
    assert list(outlines) == [("std range", "arm0", "")]
    outline = outlines["std range", "arm0", ""]
    assert outline.columns.tolist() == [1, 2, 2, 1]
    assert outline.to_numpy().tolist() == [[0, 0, 60, 60], [1, 1, 61, 61]]
