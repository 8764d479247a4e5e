"""The violins of a layer's weights."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from normreport.figures.kinds import violin
from tests.figures import synthetic
from tests.figures.synthetic import three

KEY = {"model": "vgg16", "layer": "features.0"}


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.densities(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("violin", table, start="scratch", **KEY)


def test_the_data_are_the_outlines_and_the_medians(drawing: Drawing) -> None:
    groups = drawing.data.groupby("normalization", sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, groups, strict=True):
        outlines = np.vstack([patch.get_path().vertices for patch in ax.patches])
        medians = np.concatenate([tick.get_ydata() for tick in ax.lines])
        right = rows["epoch"] + rows["half_width"]
        left = rows["epoch"] - rows["half_width"]
        corners = {tuple(point) for point in outlines}
        assert set(zip(right, rows["weight"], strict=True)) <= corners
        assert set(zip(left, rows["weight"], strict=True)) <= corners
        assert np.array_equal(np.unique(medians), np.unique(rows["median"]))


def test_a_violin_has_40_points_a_side_and_one_scale_for_all_starts(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    assert set(drawing.data.groupby(["normalization", "epoch"]).size()) == {40}
    scale = drawing.data["half_width"] / drawing.data["density"]
    other = synthetic.drawn("violin", table, start="pretrained", **KEY)
    assert np.allclose(scale, 0.47 / table.query("layer == 'features.0'")["density"].max())
    assert np.allclose(other.data["half_width"] / other.data["density"], scale.iloc[0])
    axes = drawing.figure.axes + other.figure.axes
    assert len({ax.get_ylim() for ax in axes}) == len({ax.get_xlim() for ax in axes}) == 1


def test_no_violin_leaves_its_panel(drawing: Drawing) -> None:
    for ax in drawing.figure.axes:
        low, high = ax.get_ylim()
        x, y = np.vstack([patch.get_path().vertices for patch in ax.patches]).T
        assert low < y.min() < y.max() < high
        assert ax.get_xlim()[0] < x.min() < x.max() < ax.get_xlim()[1]


def test_the_median_is_that_of_the_mean_density(table: pd.DataFrame, drawing: Drawing) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0' and normalization == 'raw'")
    mean = rows.query("epoch == 0").groupby("weight")["density"].mean()
    mass = mean.cumsum() / mean.sum()
    expected = np.interp(0.5, mass, mass.index)
    drawn = drawing.data.query("normalization == 'raw' and epoch == 0")["median"].iloc[0]
    step = mean.index[1] - mean.index[0]
    assert drawn == pytest.approx(expected, abs=step)


def test_the_words_give_the_largest_change_of_a_peak(table: pd.DataFrame, drawing: Drawing) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0'")
    peaks = (
        rows.groupby(["normalization", "epoch", "weight"])["density"]
        .mean()
        .groupby(level=[0, 1])
        .max()
        .unstack()
    )
    arm = str((peaks[6] / peaks[0] - 1).abs().idxmax())
    text = f"in {arm}: from {three(peaks[0][arm])} at epoch 0 to {three(peaks[6][arm])}"
    assert text in drawing.caption
    assert text in drawing.alt


def test_a_start_with_far_wider_weights_still_has_violins(
    table: pd.DataFrame,
) -> None:
    wide = table["start"] == "pretrained"
    scaled = table.assign(
        weight=table["weight"].where(~wide, 300 * table["weight"]),
        density=table["density"].where(~wide, table["density"] / 300),
    )
    drawing = synthetic.drawn("violin", scaled, start="pretrained", **KEY)
    assert len(drawing.data) == 3 * 7 * 40


@pytest.mark.parametrize(
    ("last", "steps"), [(0, set()), (1, {1}), (8, {1}), (30, {3}), (37, {4, 5}), (100, {10})]
)
def test_epochs_are_evenly_spaced_if_enough_remain(last: int, steps: set[int]) -> None:
    epochs = violin._epochs(last, 3)
    assert (epochs[0], epochs[-1]) == (0, last)
    assert set(np.diff(epochs).tolist()) == steps


def test_as_many_epochs_are_drawn_as_fit() -> None:
    table = synthetic.runs(epochs=35, seeds=1, layers={"features.0": 0.0589})
    drawing = synthetic.drawn("violin", synthetic.densities(table), start="scratch", **KEY)
    epochs = drawing.data["epoch"].unique()
    assert epochs.tolist() == [0, 5, 10, 15, 20, 25, 30, 35]
    widest = drawing.data.groupby("epoch")["half_width"].max()
    assert (widest.to_numpy()[1:] + widest.to_numpy()[:-1] < np.diff(epochs)).all()
    assert "at 8 of 36 epochs" in drawing.method
