"""The excess kurtosis of every measured layer at every epoch."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.text import Annotation

from normreport.figures.drawing import Drawing
from tests.figures import synthetic


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.layer_summaries(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("kurtosis", table, model="vgg16")


def color_at(ax: Axes, x: float, y: float) -> tuple[float, float, float]:
    """Return the colour of the one shape that covers a point."""
    (covering,) = [patch for patch in ax.patches if patch.get_path().contains_point((x, y))]
    return to_rgb(covering.get_facecolor())


def test_the_data_are_the_means_over_all_runs(table: pd.DataFrame, drawing: Drawing) -> None:
    expected = table.groupby(["start", "layer", "epoch"])["excess_kurtosis"].mean()
    means = drawing.data.set_index(["start", "layer", "epoch"])["excess_kurtosis"]
    assert len(means) == len(expected) == 2 * 13 * 7
    assert np.allclose(means, expected.reindex(means.index))


def test_a_cell_is_red_above_0_blue_below_and_full_at_the_limit(drawing: Drawing) -> None:
    _, limit = drawing.figure.axes[2].get_xlim()
    rows = drawing.data[drawing.data["start"] == "scratch"]
    for row in rows.to_dict("records"):
        red, _, blue = color_at(drawing.figure.axes[0], row["epoch"], row["index"])
        step = round(10 * row["excess_kurtosis"] / limit)
        assert np.sign(round(red - blue, 6)) == np.sign(step)
    for at, color in ((-limit, "#08427a"), (0, "#ffffff"), (limit, "#b5400a")):
        assert color_at(drawing.figure.axes[2], 0.99 * at, 0.5) == to_rgb(color)


def test_only_cells_below_0_have_a_line_at_their_foot(drawing: Drawing) -> None:
    _, limit = drawing.figure.axes[2].get_xlim()
    rows = drawing.data[drawing.data["start"] == "scratch"]
    marked = set()
    for line in drawing.figure.axes[0].lines:
        x, y = (np.asarray(values, dtype=float) for values in line.get_data())
        for left, right, foot in zip(x[::3], x[1::3], y[::3], strict=True):
            marked |= {(epoch, round(foot)) for epoch in range(7) if left < epoch < right}
    below = rows[(10 * rows["excess_kurtosis"] / limit).round() < 0]
    assert marked == set(zip(below["epoch"], below["index"], strict=True)) != set()


def test_the_scale_is_symmetric_and_the_caption_counts_the_values_beyond_it(
    drawing: Drawing,
) -> None:
    low, high = drawing.figure.axes[2].get_xlim()
    assert low == -high
    beyond = int((drawing.data["excess_kurtosis"].abs() > high).sum())
    assert beyond <= 0.1 * len(drawing.data)
    assert f"end at \u00b1{high:g}; {beyond} of {len(drawing.data)} values" in drawing.method


def test_every_cell_has_its_number_in_the_figure_and_for_the_page(
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


def test_with_many_epochs_only_the_numbers_of_the_last_one_are_written() -> None:
    table = synthetic.layer_summaries(synthetic.runs(seeds=1, layers={"features.0": 0.05}))
    drawing = synthetic.drawn("kurtosis", table, model="vgg16")
    final = drawing.data[(drawing.data["start"] == "scratch") & (drawing.data["epoch"] == 35)]
    title, *written = [text.get_text() for text in drawing.figure.axes[0].texts]
    assert title == "from scratch"
    numbers = [float(text.replace("\u2212", "-")) for text in written]
    assert numbers == pytest.approx(list(final["excess_kurtosis"]), abs=0.006)


def test_an_epoch_that_some_run_does_not_reach_is_grey(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("kurtosis", synthetic.layer_summaries(diverged_runs), model="vgg16")
    scratch = drawing.data[drawing.data["start"] == "scratch"]
    assert set(scratch["epoch"]) == {0}  # imagenet's first run has no later one
    panel = drawing.figure.axes[0]
    grey = {color_at(panel, epoch, layer) for epoch in range(1, 7) for layer in range(1, 14)}
    assert grey == {to_rgb("#f2f2f2")}
    assert drawing.cells is not None
    assert {tuple(row[1:]) for row in drawing.cells["grids"]["0"]} == {(None,) * 6}


def test_chance_is_the_95_percent_range_of_normal_samples(drawing: Drawing) -> None:
    samples = np.random.default_rng(0).standard_normal((4000, 1728))
    samples -= samples.mean(axis=1, keepdims=True)
    excess = (samples**4).mean(axis=1) / (samples**2).mean(axis=1) ** 2 - 3
    half = np.quantile(np.abs(excess), 0.95)
    assert drawing.data["chance"].unique() == pytest.approx([half], rel=0.06)


def test_the_words_count_the_layers_within_chance(drawing: Drawing) -> None:
    final = drawing.data.query("start == 'pretrained' and epoch == 6")
    near = int((final["excess_kurtosis"].abs() <= final["chance"]).sum())
    assert f"Pretrained, {near} of 13 layers are within the 95% range" in drawing.caption
