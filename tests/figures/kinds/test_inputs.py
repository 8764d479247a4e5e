"""The distribution of the input values."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import StepPatch

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return synthetic.input_histograms()


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn_prepared("inputs", histograms=table)


def test_the_data_are_the_steps_of_every_channel(table: pd.DataFrame, drawing: Drawing) -> None:
    assert np.allclose(drawing.data["share_percent"], 100 * table["share"])
    groups = drawing.data.groupby("normalization", sort=False)
    for ax, (_, rows) in zip(drawing.figure.axes, groups, strict=True):
        for steps, channel in zip(ax.patches, "rgb", strict=True):
            assert isinstance(steps, StepPatch)
            values, edges, _ = steps.get_data()
            own = rows[rows["channel"] == channel]
            assert np.array_equal(values, own["share_percent"])
            assert np.array_equal(edges[:-1], own["left"])
            assert edges[-1] == own["right"].iloc[-1]


def test_arms_have_their_own_units_and_share_the_shares(drawing: Drawing) -> None:
    limits = [ax.get_xlim() for ax in drawing.figure.axes]
    assert limits[0][1] > 255 > 2 > limits[1][1] > 1
    assert len({ax.get_ylim() for ax in drawing.figure.axes}) == 1


def test_a_spike_of_background_asks_for_decades_and_even_shares_do_not(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    assert "by decades" in drawing.method
    even = synthetic.drawn_prepared("inputs", histograms=table.assign(share=1 / 64))
    assert "by decades" not in even.method
    assert even.figure.axes[0].get_yscale() == "linear"


def test_the_words_give_range_mean_and_spread(table: pd.DataFrame, drawing: Drawing) -> None:
    rows = table.query("normalization == 'imagenet'")
    middle = (rows["left"] + rows["right"]) / 2
    mean = (middle * rows["share"]).sum() / 3
    std = np.sqrt(((middle - mean) ** 2 * rows["share"]).sum() / 3)
    text = f"imagenet \u22122.12 to 2.64, mean {three(mean)}, standard deviation {three(std)}"
    assert text in drawing.caption
    assert text in drawing.alt
    assert "raw 0 to 255" in drawing.caption
