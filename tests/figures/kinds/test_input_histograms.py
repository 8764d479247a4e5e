"""The histograms of the figure `inputs`, against counting by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from normreport.figures.kinds.inputs import BINS, input_histograms
from normreport.normalizations import Images, Inputs, normalize

ARMS = ("raw", "minmax", "dataset")


@pytest.fixture(scope="module")
def images() -> Images:
    """Make images that are more than one batch; the last ones alone have the extremes."""
    images = np.random.default_rng(0).integers(9, 200, (300, 32, 32, 3), dtype=np.uint8)
    images[-1, 0, 0] = 0, 0, 255
    images[..., 2] //= 3  # channels that differ
    return images


@pytest.fixture(scope="module")
def inputs(images: Images) -> dict[str, Inputs]:
    return {arm: normalize(images, arm) for arm in ARMS}


@pytest.fixture(scope="module")
def histograms(images: Images) -> pd.DataFrame:
    return input_histograms(images, {arm: arm for arm in ARMS})


def test_every_arm_and_channel_has_its_bins_in_order(histograms: pd.DataFrame) -> None:
    columns = ["normalization", "channel", "left", "right", "share"]
    assert histograms.columns.tolist() == columns
    groups = histograms.groupby(["normalization", "channel"], sort=False).size()
    assert groups.index.tolist() == [(arm, c) for arm in ARMS for c in "rgb"]
    assert (groups == BINS).all()


def test_shares_are_what_counting_by_hand_gives(
    inputs: dict[str, Inputs], histograms: pd.DataFrame
) -> None:
    for (arm, channel), group in histograms.groupby(["normalization", "channel"]):
        values = inputs[arm][..., "rgb".index(str(channel))].astype(np.float64).ravel()
        last = len(group) - 1
        for i, row in enumerate(group.itertuples()):
            below = values <= row.right if i == last else values < row.right
            expected = ((values >= row.left) & below).mean()
            assert row.share == pytest.approx(expected, abs=1e-12)


def test_shares_sum_to_one_so_that_no_value_is_lost(histograms: pd.DataFrame) -> None:
    sums = histograms.groupby(["normalization", "channel"])["share"].sum()
    assert sums.to_numpy() == pytest.approx(np.ones(9))


def test_every_arm_has_its_own_range_and_its_channels_share_it(
    inputs: dict[str, Inputs], histograms: pd.DataFrame
) -> None:
    for (arm, _), group in histograms.groupby(["normalization", "channel"]):
        assert group["left"].iloc[0] == inputs[arm].min()
        assert group["right"].iloc[-1] == inputs[arm].max()
        assert np.array_equal(group["right"].iloc[:-1], group["left"].iloc[1:])
        assert np.ptp(group["right"] - group["left"]) < 1e-6 * np.ptp(group["right"])


def test_images_of_one_colour_are_one_full_bin() -> None:
    histograms = input_histograms(np.full((2, 4, 4, 3), 7, dtype=np.uint8), {"raw": "raw"})
    assert np.isfinite(histograms["share"]).all()
    assert histograms.groupby("channel")["share"].sum().tolist() == [1, 1, 1]
    assert histograms.groupby("channel")["share"].max().tolist() == [1, 1, 1]
