"""The standard deviation of a layer's weights."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Rectangle
from scipy import stats

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three, x_values, y_values

KEY = {"model": "vgg16", "layer": "features.0"}


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.measures(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("spread", table, start="scratch", **KEY)


def test_the_data_are_the_lines_and_the_end_markers(drawing: Drawing) -> None:
    lines = [line for line in drawing.figure.axes[0].lines if len(x_values(line)) > 1]
    markers = [line for line in drawing.figure.axes[0].lines if len(x_values(line)) == 1]
    curves = drawing.data.groupby(["normalization", "seed"])
    drawn = {tuple(y_values(line)) for line in lines}
    assert drawn == {tuple(curve["std"]) for _, curve in curves}
    ends = drawing.data.query("seed != 'mean' and epoch == 6")["std"]
    assert sorted(float(y_values(marker)[0]) for marker in markers) == sorted(ends)


def test_the_right_axis_is_in_percent_of_the_mean_at_epoch_0(drawing: Drawing) -> None:
    left, right = drawing.figure.axes
    reference = drawing.data.query("seed != 'mean' and epoch == 0")["std"].mean()
    assert right.get_ylim() == pytest.approx([100 * y / reference for y in left.get_ylim()])
    assert np.allclose(drawing.data["percent_of_epoch_0"], 100 * drawing.data["std"] / reference)


def test_the_band_holds_95_percent_of_random_inits(drawing: Drawing) -> None:
    """n - 1 times the variance is chi-squared with n - 1 degrees of freedom; n is 1728."""
    low, high = 0.0589 * np.sqrt(stats.chi2.ppf([0.025, 0.975], 1727) / 1727)
    ax = drawing.figure.axes[0]
    (band,) = ax.patches
    assert isinstance(band, Rectangle)
    assert (band.get_y(), band.get_y() + band.get_height()) == pytest.approx((low, high))
    assert ax.get_ylim()[0] < low
    assert "95% of random inits" in [text.get_text() for text in drawing.figure.texts]
    assert f"{three(low)} to {three(high)}" in drawing.method


def test_weights_of_another_law_have_no_band(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn("spread", table.assign(std=2 * table["std"]), start="scratch", **KEY)
    assert not drawing.figure.axes[0].patches
    assert "95% of random inits" not in [text.get_text() for text in drawing.figure.texts]
    assert "band" not in drawing.method


def test_without_the_scratch_start_there_is_no_band(table: pd.DataFrame) -> None:
    pretrained = table[table["start"] == "pretrained"]
    drawing = synthetic.drawn("spread", pretrained, start="pretrained", **KEY)
    assert not drawing.figure.axes[0].patches
    assert "band" not in drawing.method


def test_every_start_has_the_same_axis(table: pd.DataFrame, drawing: Drawing) -> None:
    other = synthetic.drawn("spread", table, start="pretrained", **KEY)
    assert other.figure.axes[0].get_ylim() == drawing.figure.axes[0].get_ylim()


def test_the_words_give_the_final_means_and_the_largest_change(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0'")
    wide = rows.pivot(index=["normalization", "seed"], columns="epoch", values="std")
    final = wide[6].groupby(level=0).mean()
    low, high = str(final.idxmin()), str(final.idxmax())
    text = f"are {three(final[low])} ({low}) to {three(final[high])} ({high})"
    changes = (wide[6] / wide[0] - 1).abs()
    arm, seed = changes.index[int(changes.argmax())]
    for words in (drawing.caption, drawing.alt):
        assert text in words
        assert f"({arm}, seed {seed}, epoch 0 to 6)" in words


def test_a_diverged_run_ends_in_a_cross(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("spread", synthetic.measures(diverged_runs), start="scratch", **KEY)
    crosses = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "x"]
    assert sorted(int(x_values(cross)[0]) for cross in crosses) == [0, 2]
    assert drawing.data.query("seed == 'mean'")["epoch"].max() == 2


def test_the_name_of_the_axis_stays_clear_of_long_tick_labels(
    table: pd.DataFrame,
) -> None:
    close = table.assign(std=0.0295 + (table["std"] - table["std"].mean()) / 1000)
    figure = synthetic.drawn("spread", close, start="scratch", **KEY).figure
    figure.draw_without_rendering()
    ax = figure.axes[0]
    name = ax.yaxis.label.get_window_extent()
    ticks = [label.get_window_extent() for label in ax.get_yticklabels() if label.get_text()]
    assert max(len(label.get_text()) for label in ax.get_yticklabels()) > 6
    assert name.x0 >= 0
    assert name.x1 <= min(tick.x0 for tick in ticks)
