"""The quantiles of the weights against those of a normal distribution."""

import base64
import zlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.figures.drawing import Drawing
from normreport.text.labels import start_label
from tests.figures import synthetic
from tests.figures.synthetic import y_values


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.quantiles(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("quantiles", table, model="vgg16")


def test_the_data_are_the_curves_of_every_layer_and_start(drawing: Drawing) -> None:
    places = drawing.data.groupby(["layer", "start"], sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, places, strict=True):
        curves = rows.groupby(["normalization", "seed"], sort=False)
        drawn = {tuple(y_values(line)) for line in ax.lines[1:]}  # the first line is the diagonal
        assert drawn == {tuple(curve["departure"]) for _, curve in curves}


def test_a_departure_is_the_quantile_minus_the_normal_one(drawing: Drawing) -> None:
    data = drawing.data
    assert np.allclose(data["departure"], data["quantile"] - data["score"])
    means = data[(data["seed"] == "mean") & (data["normalization"] == "imagenet")]
    bent = (0.0005 * 6 * 3 + 0.002) * means["score"] ** 3  # as synthetic.quantiles bends them
    assert np.allclose(means["departure"], bent)


def test_the_band_is_the_95_percent_range_of_normal_samples() -> None:
    """Simulate the 95% ranges of standardized quantiles; the formula is for large samples."""
    n, scores = 1728, np.array([-2.0, -1.0, 0.0, 1.5])
    samples = np.random.default_rng(0).standard_normal((4000, n))
    samples -= samples.mean(axis=1, keepdims=True)
    samples /= samples.std(axis=1, ddof=1, keepdims=True)
    departures = np.quantile(samples, stats.norm.cdf(scores), axis=1) - scores[:, None]
    half_width = np.quantile(np.abs(departures), 0.95, axis=1)
    rows = pd.DataFrame(
        {"model": "m", "start": "scratch", "normalization": "unit", "seed": 0, "layer": "l",
         "epoch": 0, "n": n, "score": scores, "quantile": scores}
    )  # fmt: skip
    chance = synthetic.drawn("quantiles", rows, model="m").data.drop_duplicates("score")["chance"]
    assert np.allclose(chance, half_width, rtol=0.06)


def test_the_panels_of_a_layer_share_their_axis(drawing: Drawing) -> None:
    limits = [ax.get_ylim() for ax in drawing.figure.axes]
    assert limits[0] == limits[1]
    assert limits[2] == limits[3]


def test_frames_hold_every_departure_and_fit_the_axes(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    frames = drawing.frames
    assert frames is not None
    steps = np.frombuffer(zlib.decompress(base64.b64decode(frames["curves"])), dtype="<i2")
    levels = np.cumsum(steps.reshape(len(frames["runs"]), 7, -1).astype(int), axis=2)
    assert len(frames["runs"]) == 2 * 2 * 9
    for (panel, arm, seed, _), run in zip(frames["runs"], levels, strict=True):
        layer, start = panel.split(", ")
        in_panel = (table["layer"] == layer) & (table["start"].map(start_label) == start)
        is_run = (table["normalization"] == arm) & (table["seed"] == int(seed))
        rows = table[in_panel & is_run]
        rows = rows.assign(departure=rows["quantile"] - rows["score"])
        expected = rows.pivot(index="epoch", columns="score", values="departure").to_numpy()
        units = frames["units"][panel]
        later = run[0] * units[0] + run[1:] * units[1]
        assert np.allclose(later, expected[1:], atol=sum(units))
        low, high = drawing.figure.axes[frames["values"][panel]["panel"]].get_ylim()
        assert low < expected.min() < expected.max() < high


def test_with_six_starts_every_row_is_of_one_layer() -> None:
    starts = [f"start{i}" for i in range(6)]
    table = synthetic.quantiles(synthetic.runs(epochs=1, seeds=1, starts=starts))
    axes = synthetic.drawn("quantiles", table, model="vgg16").figure.axes
    rows = [round(ax.get_position().y0, 3) for ax in axes]
    assert [rows.count(y) for y in dict.fromkeys(rows)] == [3, 3, 3, 3]


def test_the_words_name_the_largest_departure(drawing: Drawing) -> None:
    text = "imagenet: \u22123.30 where a normal distribution has \u22123.00."
    assert text in drawing.caption
    assert text in drawing.alt
    assert "Of 12 means," in drawing.alt
