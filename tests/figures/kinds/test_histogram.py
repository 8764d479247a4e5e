"""The histograms of the weights."""

import base64
import zlib
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Polygon

from normreport.figures.drawing import Drawing
from normreport.text.labels import start_label
from tests.figures import synthetic
from tests.figures.synthetic import two


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.histograms(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("histogram", table, model="vgg16")


def test_the_data_are_the_weights_of_all_seeds(table: pd.DataFrame, drawing: Drawing) -> None:
    keys = ["layer", "start", "normalization", "left"]
    last = table[table["epoch"] == 6].groupby(keys)["count"].sum()
    arms = drawing.data[drawing.data["normalization"] != "all"]
    assert (arms["epoch"] == 6).all()
    assert arms.set_index(keys)["count"].sort_index().equals(last.sort_index())
    before = drawing.data[drawing.data["normalization"] == "all"]
    assert (before["epoch"] == 0).all()
    assert set(before.groupby(["layer", "start"])["count"].sum()) == {9 * 1728, 9 * 86_400}
    area = drawing.data["density"] * (drawing.data["right"] - drawing.data["left"])
    assert np.allclose(area.groupby([drawing.data[key] for key in keys[:3]]).sum(), 1)


def test_the_outlines_are_the_data_and_begin_and_end_at_zero(drawing: Drawing) -> None:
    places = drawing.data.groupby(["layer", "start"], sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, places, strict=True):
        lines = [line.get_xydata() for line in ax.lines]
        area = ax.patches[0]
        assert isinstance(area, Polygon)
        shapes = [*lines, area.get_xy()[:-1]]  # the grey area is closed
        arms = rows.groupby("normalization", sort=False)
        for corners, (_, bins) in zip(shapes, arms, strict=True):
            x, y = np.transpose(corners)
            assert y[0] == y[-1] == 0
            assert np.array_equal(x[::2], [*bins["left"], bins["right"].iloc[-1]])
            assert np.array_equal(y[1:-1:2], bins["density"])
            assert np.array_equal(y[2:-1:2], bins["density"])


def test_a_single_weight_is_visible_and_an_empty_bin_is_at_the_foot(drawing: Drawing) -> None:
    places = drawing.data.groupby(["layer", "start"], sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, places, strict=True):
        height = ax.yaxis.get_transform().transform
        bottom, top = height(np.array(ax.get_ylim()))
        single = rows.loc[rows["count"] == 1, "density"].min()
        assert bottom < 0
        assert height(np.array([single]))[0] > 0.05 * (top - bottom)


def test_the_panels_of_a_layer_share_their_axes(drawing: Drawing) -> None:
    limits = [(ax.get_xlim(), ax.get_ylim()) for ax in drawing.figure.axes]
    assert limits[0] == limits[1]
    assert limits[2] == limits[3]
    assert limits[0] != limits[2]


def test_frames_hold_the_height_of_every_outline_on_the_axis(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    frames = drawing.frames
    assert frames is not None
    assert len(frames["runs"]) == 2 * 2 * 3
    steps = np.frombuffer(zlib.decompress(base64.b64decode(frames["curves"])), dtype="<i2")
    levels = np.cumsum(steps.reshape(len(frames["runs"]), 7, -1).astype(int), axis=2)
    for (panel, arm, _, _), run in zip(frames["runs"], levels, strict=True):
        layer, start = panel.split(", ")
        in_panel = (table["layer"] == layer) & (table["start"].map(start_label) == start)
        bins = table[in_panel & (table["normalization"] == arm)]
        counts = bins.groupby(["epoch", "left"])["count"].sum().unstack()
        edges = [*counts.columns, bins["right"].max()]
        assert np.allclose(frames["grids"][panel][::2], edges, rtol=1e-5)
        density = counts.to_numpy() / counts.sum(axis=1).to_numpy()[:, None] / np.diff(edges)
        ax = drawing.figure.axes[frames["values"][panel]["panel"]]
        expected = ax.yaxis.get_transform().transform(density.ravel())
        expected = expected.reshape(density.shape)
        first, later = frames["units"][panel]
        heights = run[0] * first + run[1:] * later
        tolerance = expected.max() / 1000
        assert np.allclose(heights[:, 1:-1:2], expected[1:], atol=tolerance)
        assert np.allclose(heights[:, [0, -1]], 0, atol=tolerance)


def test_an_arm_ends_with_the_first_of_its_runs() -> None:
    table = synthetic.runs(epochs=6, diverged={("raw", 1): 2, ("imagenet", 0): 0})
    drawing = synthetic.drawn("histogram", synthetic.histograms(table), model="vgg16")
    assert drawing.frames is not None
    lengths: dict[str, dict[str, int]] = {}
    for panel, arm, _, epochs in drawing.frames["runs"]:
        lengths.setdefault(panel, {})[arm] = epochs
    assert lengths == {
        f"{layer}, {start_label(start)}": {"raw": raw, "unit": 7, "imagenet": imagenet}
        for layer in synthetic.LAYERS
        for start, raw, imagenet in (("scratch", 3, 1), ("pretrained", 7, 7))
    }
    drawn = drawing.data.groupby(["start", "layer"])["normalization"].agg(set)
    assert all(drawn["scratch"].map(lambda arms: arms == {"all", "unit"}))
    assert all(drawn["pretrained"].map(lambda arms: arms == {"all", "raw", "unit", "imagenet"}))


def test_a_panel_without_bins_says_that_all_weights_are_equal(table: pd.DataFrame) -> None:
    is_missing = (table["start"] == "scratch") & (table["layer"] == "features.0")
    drawing = synthetic.drawn("histogram", table[~is_missing], model="vgg16")
    says_so = {
        ax.get_label(): "All weights are equal." in [text.get_text() for text in ax.texts]
        for ax in drawing.figure.axes
    }
    assert says_so == {
        f"{layer}, {start}": (layer, start) == ("features.0", "from scratch")
        for layer in synthetic.LAYERS
        for start in ("from scratch", "pretrained")
    }


def test_the_words_say_how_many_weights_arm_and_seed_move(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    last = table[table["epoch"] == 6]
    largest: dict[str, dict[tuple[str, str], float]] = {"arm": {}, "seed": {}}
    for (layer, start), rows in last.groupby(["layer", "start"]):
        runs = {
            key: run["count"].to_numpy() for key, run in rows.groupby(["normalization", "seed"])
        }
        for (one, a), (other, b) in combinations(runs.items(), 2):
            differs_only_in = {"arm": one[1] == other[1], "seed": one[0] == other[0]}
            for factor in (name for name, holds in differs_only_in.items() if holds):
                moved = np.maximum(a - b, 0).sum() / a.sum()
                place = (str(layer), start_label(str(start)))
                largest[factor][place] = max(moved, largest[factor].get(place, 0))
    place, share = max(largest["arm"].items(), key=lambda item: item[1])
    text = (
        f"The histograms of two runs with the same seed in different arms differ most in "
        f"{place[0]}, {place[1]}, by {two(100 * share)}% of the weights. Those of two seeds of one "
        f"arm differ by up to {two(100 * largest['seed'][place])}% there."
    )
    assert text in drawing.caption
    assert text in drawing.alt


def test_with_one_arm_no_words_compare_arms() -> None:
    table = synthetic.histograms(synthetic.runs(arms=["unit"], epochs=1))
    drawing = synthetic.drawn("histogram", table, model="vgg16")
    assert "differ" not in drawing.caption
    assert drawing.caption == "VGG16: histograms of the weights at epoch 1."
