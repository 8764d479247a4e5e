"""Excess kurtosis of every measured layer at every epoch."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation

from normreport.figures.drawing import Drawing
from normreport.figures.kinds import kurtosis
from tests.figures import synthetic


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.layer_summaries(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return kurtosis.draw(table, model="vgg16")


def color_at(ax: Axes, x: float, y: float) -> tuple[float, float, float]:
    """Return the colour of the one shape that covers a point."""
    (covering,) = [patch for patch in ax.patches if patch.get_path().contains_point((x, y))]
    return to_rgb(covering.get_facecolor())


def test_the_data_are_the_means_over_all_runs(table: pd.DataFrame, drawing: Drawing) -> None:
    expected = table.groupby(["start", "layer", "epoch"])["excess_kurtosis"].mean()
    found = drawing.data.set_index(["start", "layer", "epoch"])["excess_kurtosis"]
    assert len(found) == len(expected) == 2 * 13 * 7
    assert np.allclose(found, expected.reindex(found.index))


def test_a_cell_is_red_above_0_blue_below_and_full_at_the_limit(drawing: Drawing) -> None:
    _, limit = drawing.figure.axes[2].get_xlim()
    rows = drawing.data[drawing.data["start"] == "scratch"]
    for row in rows.to_dict("records"):
        red, _, blue = color_at(drawing.figure.axes[0], row["epoch"], row["index"])
        step = round(10 * row["excess_kurtosis"] / limit)
        assert np.sign(round(red - blue, 6)) == np.sign(step)
    for at, color in ((-limit, "#08427a"), (0, "#ffffff"), (limit, "#b5400a")):
        assert color_at(drawing.figure.axes[2], 0.99 * at, 0.5) == to_rgb(color)


def test_every_cell_below_0_has_a_line_at_its_foot_and_no_other_has(drawing: Drawing) -> None:
    _, limit = drawing.figure.axes[2].get_xlim()
    rows = drawing.data[drawing.data["start"] == "scratch"]
    struck = set()
    for line in drawing.figure.axes[0].lines:
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        for left, right, foot in zip(x[::3], x[1::3], y[::3], strict=True):
            struck |= {(epoch, round(foot)) for epoch in range(7) if left < epoch < right}
    below = rows[(10 * rows["excess_kurtosis"] / limit).round() < 0]
    assert struck == set(zip(below["epoch"], below["index"], strict=True)) != set()


def test_the_scale_is_symmetric_and_the_caption_says_what_it_clips(drawing: Drawing) -> None:
    low, high = drawing.figure.axes[2].get_xlim()
    assert low == -high
    beyond = int((drawing.data["excess_kurtosis"].abs() > high).sum())
    assert beyond <= 0.1 * len(drawing.data)
    assert f"end at \u00b1{high:g}; {beyond} of {len(drawing.data)} values" in drawing.caption


def test_every_cell_has_its_number_written_where_it_fits_and_for_the_page(
    drawing: Drawing,
) -> None:
    panel = drawing.figure.axes[0]
    written = {text.xy: text.get_text() for text in panel.texts if isinstance(text, Annotation)}
    rows = drawing.data[drawing.data["start"] == "scratch"]
    assert drawing.cells is not None
    for row in rows.to_dict("records"):
        cell = written[row["epoch"], row["index"]]
        assert float(cell.replace("\u2212", "-")) == pytest.approx(
            row["excess_kurtosis"], abs=0.006
        )
        number = drawing.cells["grids"]["0"][row["index"] - 1][row["epoch"]]
        assert number == pytest.approx(row["excess_kurtosis"], rel=0.006)
    assert drawing.cells["chance"] == pytest.approx([rows["chance"].iloc[0]] * 13, rel=0.006)


def test_many_epochs_leave_room_for_the_numbers_of_the_last_one_only() -> None:
    table = synthetic.layer_summaries(synthetic.runs(seeds=1, layers={"features.0": 0.05}))
    drawing = kurtosis.draw(table, model="vgg16")
    final = drawing.data[(drawing.data["start"] == "scratch") & (drawing.data["epoch"] == 35)]
    title, *written = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert title == "from scratch"
    numbers = [float(text.replace("\u2212", "-")) for text in written]
    assert numbers == pytest.approx(list(final["excess_kurtosis"]), abs=0.006)


def test_epochs_that_a_run_does_not_reach_are_grey(diverged_runs: pd.DataFrame) -> None:
    drawing = kurtosis.draw(synthetic.layer_summaries(diverged_runs), model="vgg16")
    scratch = drawing.data[drawing.data["start"] == "scratch"]
    assert set(scratch["epoch"]) == {0}  # imagenet's first run has no later one
    panel = drawing.figure.axes[0]
    grey = {color_at(panel, epoch, layer) for epoch in range(1, 7) for layer in range(1, 14)}
    assert grey == {to_rgb("#f2f2f2")}
    assert drawing.cells is not None
    assert {tuple(row[1:]) for row in drawing.cells["grids"]["0"]} == {(None,) * 6}


def test_chance_is_that_of_the_kurtosis_of_normal_samples(drawing: Drawing) -> None:
    samples = np.random.default_rng(0).standard_normal((4000, 1728))
    samples -= samples.mean(axis=1, keepdims=True)
    excess = (samples**4).mean(axis=1) / (samples**2).mean(axis=1) ** 2 - 3
    half = np.quantile(np.abs(excess), 0.95)
    assert drawing.data["chance"].unique() == pytest.approx([half], rel=0.06)


def test_the_words_count_what_chance_explains(drawing: Drawing) -> None:
    final = drawing.data.query("start == 'pretrained' and epoch == 6")
    near = int((final["excess_kurtosis"].abs() <= final["chance"]).sum())
    assert f"Pretrained, {near} of 13 layers are at epoch 6 as near to 0" in drawing.caption
