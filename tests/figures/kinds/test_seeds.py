"""The article's plot from seeds alone."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic

KEY = {
    "model": "vgg16",
    "start": "scratch",
    "layer": "features.0",
    "normalizations": ("unit", "imagenet"),
}


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.densities(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("seeds", table, **KEY)


def curve(table: pd.DataFrame, arm: str, seed: int) -> np.ndarray:
    rows = table.query("start == 'scratch' and layer == 'features.0' and epoch == 6")
    own = rows[(rows["normalization"] == arm) & (rows["seed"] == seed)]
    return np.asarray(own["density"])


def test_curves_have_a_seed_each_at_the_left_and_one_seed_at_the_right(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    designs = (
        [("unit", 0), ("unit", 1), ("imagenet", 2)],
        [("unit", 0), ("unit", 0), ("imagenet", 0)],
    )
    for ax, design in zip(drawing.figure.axes, designs, strict=False):
        for line, (arm, seed) in zip(ax.lines, design, strict=True):
            assert np.array_equal(line.get_ydata(), curve(table, arm, seed))


def test_the_bars_are_the_largest_differences_in_percent_of_the_peak(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    none, minmax, third = (
        curve(table, "unit", 0),
        curve(table, "unit", 1),
        curve(table, "imagenet", 2),
    )
    expected = [
        100 * np.abs(a - b).max() / max(a.max(), b.max())
        for a, b in ((none, minmax), (none, third), (minmax, third))
    ]
    left, right = drawing.figure.axes[2:]
    assert [line.get_xdata()[1] for line in left.lines] == pytest.approx(expected)
    assert right.lines[0].get_xdata()[1] == 0
    assert left.get_xlim() == right.get_xlim()


def test_too_few_seeds_are_used_in_turn(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn("seeds", table[table["seed"] < 2], **KEY)
    pipelines = drawing.data[drawing.data["design"] == "a seed each"].drop_duplicates("pipeline")
    assert list(zip(pipelines["normalization"], pipelines["seed"], strict=True)) == [
        ("unit", 0),
        ("unit", 1),
        ("imagenet", 0),
    ]


def test_seeds_are_chosen_among_those_that_an_arm_has(table: pd.DataFrame) -> None:
    seeds = {"raw": {0, 1, 2}, "unit": {1, 2}, "imagenet": {0, 2}}
    planned = [row.seed in seeds[row.normalization] for row in table.itertuples()]
    data = synthetic.drawn("seeds", table[planned], **KEY).data
    chosen = data.drop_duplicates(["design", "pipeline"]).set_index(["design", "pipeline"])["seed"]
    assert chosen["a seed each"].to_dict() == {"none": 1, "min/max": 2, "mean/std": 0}
    assert set(chosen["one seed"]) == {2}


def test_without_a_common_seed_the_panel_says_so(table: pd.DataFrame) -> None:
    seeds = {"raw": {0, 1, 2}, "unit": {0, 1}, "imagenet": {2}}
    planned = [row.seed in seeds[row.normalization] for row in table.itertuples()]
    drawing = synthetic.drawn("seeds", table[planned], **KEY)
    assert set(drawing.data["design"]) == {"a seed each"}
    words = " ".join(text.get_text() for text in drawing.figure.axes[1].texts)
    assert "No runs of the two arms share a seed." in words


def test_a_design_with_a_run_that_ended_early_says_so(table: pd.DataFrame) -> None:
    lost = (table["normalization"] == "unit") & (table["seed"] == 1) & (table["epoch"] > 2)
    drawing = synthetic.drawn("seeds", table[~lost], **KEY)
    assert set(drawing.data["design"]) == {"one seed"}
    words = " ".join(text.get_text() for text in drawing.figure.axes[0].texts)
    assert "No run that this needs reached epoch 6." in words
    assert "With one seed, the two curves" in drawing.caption
