"""Excess kurtosis of every measured layer at every epoch."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures import kurtosis
from normreport.figures.drawing import Drawing

from . import synthetic


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.layer_summaries(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return kurtosis.draw(table, model="vgg16")


def test_the_data_are_the_means_over_all_runs(table: pd.DataFrame, drawing: Drawing) -> None:
    expected = table.groupby(["start", "layer", "epoch"])["excess_kurtosis"].mean()
    found = drawing.data.set_index(["start", "layer", "epoch"])["excess_kurtosis"]
    assert len(found) == len(expected) == 2 * 13 * 7
    assert np.allclose(found, expected.reindex(found.index))


def test_a_cell_is_red_above_0_blue_below_and_full_at_the_limit(drawing: Drawing) -> None:
    first = np.asarray(drawing.figure.axes[0].images[0].get_array()).astype(int)
    assert first.shape == (13, 7, 3)
    rows = drawing.data[drawing.data["start"] == "scratch"]
    for row in rows[rows["excess_kurtosis"].abs() > 0.01].to_dict("records"):
        red, _, blue = first[row["index"] - 1, row["epoch"]]
        assert (red > blue) == (row["excess_kurtosis"] > 0)
    scale = np.asarray(drawing.figure.axes[2].images[0].get_array())
    assert scale[0, 0].tolist() == [8, 66, 122]
    assert scale[0, 20].tolist() == [255, 255, 255]
    assert scale[0, 40].tolist() == [181, 64, 10]


def test_the_scale_is_symmetric_and_the_caption_says_what_it_clips(drawing: Drawing) -> None:
    low, high = drawing.figure.axes[2].get_xlim()
    assert low == -high
    beyond = int((drawing.data["excess_kurtosis"].abs() > high).sum())
    assert beyond <= 0.1 * len(drawing.data)
    assert f"end at \u00b1{high:g}; {beyond} of {len(drawing.data)} values" in drawing.caption


def test_epochs_that_a_run_does_not_reach_are_grey(diverged_runs: pd.DataFrame) -> None:
    drawing = kurtosis.draw(synthetic.layer_summaries(diverged_runs), model="vgg16")
    scratch = drawing.data[drawing.data["start"] == "scratch"]
    assert set(scratch["epoch"]) == {0}  # imagenet's first run has no later one
    cells = np.asarray(drawing.figure.axes[0].images[0].get_array())
    assert np.all(cells[:, 1:] == 0xF2)


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
