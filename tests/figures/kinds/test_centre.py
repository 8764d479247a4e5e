"""The width of the densities' centre."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three, x_values


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    other = synthetic.runs(epochs=6, model="mobilenet_v2", layers={"features.0.0": 0.083})
    return synthetic.measures(pd.concat([runs, other], ignore_index=True))


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("centre", table)


def test_the_data_are_the_marks(drawing: Drawing) -> None:
    for i, ax in enumerate(drawing.figure.axes):
        rows = drawing.data[drawing.data["start"] == ("scratch", "pretrained")[i // 2]]
        marks = [line for line in ax.lines if len(x_values(line)) == 1]
        found = sorted(float(x_values(line)[0]) for line in marks)
        assert found == sorted(rows[("iqr_ratio", "iqr")[i % 2]])


def test_the_band_is_what_normal_samples_show(drawing: Drawing) -> None:
    samples = np.random.default_rng(0).standard_normal((4000, 1728))
    low, high = np.quantile(samples, [0.25, 0.75], axis=1)
    ratios = (high - low) / (1.349 * samples.std(axis=1, ddof=1))
    half = np.quantile(np.abs(ratios - 1), 0.95)
    assert drawing.data["chance"].unique() == pytest.approx([half], rel=0.06)
    for ax in drawing.figure.axes[::2]:
        drawn = [band.get_paths()[0].get_extents() for band in ax.collections]
        assert [round(band.y0 + band.y1) / 2 for band in drawn] == [0, 1, 2]
        assert {band.x1 for band in drawn} == {1 + drawing.data["chance"].iloc[0]}


def test_every_run_is_a_point_and_the_means_are_over_all(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    rows = table[table["epoch"] == 6].assign(iqr=lambda t: t["p75"] - t["p25"])
    keys = ["model", "start", "layer"]
    singles = drawing.data[drawing.data["normalization"] != "all"]
    assert len(singles) == len(rows) == 3 * 2 * 3 * 3
    means = drawing.data[drawing.data["seed"] == "mean"].set_index(keys)[["iqr_ratio", "iqr"]]
    expected = rows.groupby(keys)[["iqr_ratio", "iqr"]].mean()
    assert np.allclose(means, expected.reindex(means.index))


def test_a_place_that_lost_a_run_has_points_but_no_mean(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("centre", synthetic.measures(diverged_runs))
    scratch = drawing.data[drawing.data["start"] == "scratch"]
    assert "mean" not in set(scratch["seed"])
    assert set(scratch["seed"]) == {"0", "1", "2", "epoch 0"}
    notes = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "VGG16: From scratch, raw: 1 of 3 runs diverged" in notes


def test_a_network_without_a_start_has_no_marks_there(table: pd.DataFrame) -> None:
    planned = (table["model"] == "vgg16") | (table["start"] == "scratch")
    drawing = synthetic.drawn("centre", table[planned])
    absent = [[text.get_text() for text in ax.texts].count("no run") for ax in drawing.figure.axes]
    assert absent == [0, 0, 1, 1]  # from scratch, pretrained
    marks = drawing.data[drawing.data["start"] == "pretrained"]
    assert set(marks["model"]) == {"vgg16"}


def test_the_words_compare_the_networks_first_layers(drawing: Drawing) -> None:
    means = drawing.data[drawing.data["seed"] == "mean"].set_index(["start", "model", "layer"])
    for model, layer in (("vgg16", "features.0"), ("mobilenet_v2", "features.0.0")):
        row = means.loc[("scratch", model, layer)]
        text = f"{three(row['iqr_ratio'])} (interquartile range {three(row['iqr'])})"
        assert text in drawing.caption
