"""Quantiles of the weights against the normal."""

import base64
import zlib

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.figures.drawing import Drawing
from normreport.figures.kinds import quantiles
from normreport.text.labels import start_label
from tests.figures import synthetic


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.quantiles(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return quantiles.draw(table, model="vgg16")


def test_the_data_are_the_curves_of_every_layer_and_start(drawing: Drawing) -> None:
    places = drawing.data.groupby(["layer", "start"], sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, places, strict=True):
        curves = rows.groupby(["normalization", "seed"], sort=False)
        drawn = {tuple(line.get_ydata()) for line in ax.lines[1:]}  # the first is the diagonal
        assert drawn == {tuple(curve["departure"]) for _, curve in curves}


def test_a_departure_is_the_quantile_minus_the_normal_one(drawing: Drawing) -> None:
    data = drawing.data
    assert np.allclose(data["departure"], data["quantile"] - data["score"])
    means = data[(data["seed"] == "mean") & (data["normalization"] == "imagenet")]
    bent = (0.0005 * 6 * 3 + 0.002) * means["score"] ** 3  # as synthetic.quantiles bends them
    assert np.allclose(means["departure"], bent)


def test_the_band_is_what_normal_samples_show() -> None:
    """Simulate 95% ranges of standardized quantiles; the formula is for large samples."""
    n, scores = 1728, np.array([-2.0, -1.0, 0.0, 1.5])
    samples = np.random.default_rng(0).standard_normal((4000, n))
    samples -= samples.mean(axis=1, keepdims=True)
    samples /= samples.std(axis=1, ddof=1, keepdims=True)
    found = np.quantile(samples, stats.norm.cdf(scores), axis=1) - scores[:, None]
    half = np.quantile(np.abs(found), 0.95, axis=1)
    rows = pd.DataFrame(
        {"model": "m", "start": "scratch", "normalization": "unit", "seed": 0, "layer": "l",
         "epoch": 0, "n": n, "score": scores, "quantile": scores}
    )  # fmt: skip
    chance = quantiles.draw(rows, model="m").data.drop_duplicates("score")["chance"]
    assert np.allclose(chance, half, rtol=0.06)


def test_the_panels_of_a_layer_share_their_axis(drawing: Drawing) -> None:
    limits = [ax.get_ylim() for ax in drawing.figure.axes]
    assert limits[0] == limits[1]
    assert limits[2] == limits[3]


def test_frames_hold_every_departure_and_have_room(table: pd.DataFrame, drawing: Drawing) -> None:
    frames = drawing.frames
    assert frames is not None
    steps = np.frombuffer(zlib.decompress(base64.b64decode(frames["curves"])), dtype="<i2")
    levels = np.cumsum(steps.reshape(len(frames["runs"]), 7, -1).astype(int), axis=2)
    assert len(frames["runs"]) == 2 * 2 * 9
    for (of, arm, seed, _), run in zip(frames["runs"], levels, strict=True):
        layer, start = of.split(", ")
        chosen = (table["layer"] == layer) & (table["start"].map(start_label) == start)
        own = table[chosen & (table["normalization"] == arm) & (table["seed"] == int(seed))]
        departure = own.assign(departure=own["quantile"] - own["score"])
        wide = departure.pivot(index="epoch", columns="score", values="departure").to_numpy()
        units = frames["units"][of]
        later = run[0] * units[0] + run[1:] * units[1]
        assert np.allclose(later, wide[1:], atol=sum(units))
        low, high = drawing.figure.axes[frames["values"][of]["panel"]].get_ylim()
        assert low < wide.min() < wide.max() < high


def test_six_starts_stand_in_rows_of_one_layer() -> None:
    starts = [f"start{i}" for i in range(6)]
    table = synthetic.quantiles(synthetic.runs(epochs=1, seeds=1, starts=starts))
    axes = quantiles.draw(table, model="vgg16").figure.axes
    rows = [round(ax.get_position().y0, 3) for ax in axes]
    assert [rows.count(y) for y in dict.fromkeys(rows)] == [3, 3, 3, 3]


def test_the_words_name_the_largest_departure(drawing: Drawing) -> None:
    text = "imagenet: \u22123.30 where a normal distribution has \u22123.00."
    assert text in drawing.caption
    assert text in drawing.alt
    assert "Of 12 means," in drawing.alt
