"""The percentiles of a layer's weights."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three

KEY = {"model": "vgg16", "layer": "features.0"}


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.measures(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("ribbon", table, start="scratch", **KEY)


def test_the_data_are_the_bands_and_the_median(drawing: Drawing) -> None:
    for ax, (_, rows) in zip(
        drawing.figure.axes, drawing.data.groupby("normalization", sort=False), strict=True
    ):
        bands = (("p01", "p99"), ("p05", "p95"), ("p25", "p75"))
        for band, (low, high) in zip(ax.patches, bands, strict=True):
            corners = {tuple(point) for point in np.asarray(band.get_path().vertices)}
            for name in (low, high):
                assert set(zip(rows["epoch"], rows[name], strict=True)) <= corners
        (median,) = ax.lines
        assert np.array_equal(median.get_ydata(), rows["p50"])


def test_percentiles_are_averaged_over_seeds(table: pd.DataFrame, drawing: Drawing) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0' and normalization == 'unit'")
    expected = rows.groupby("epoch")["p95"].mean()
    drawn = drawing.data.query("normalization == 'unit'").set_index("epoch")["p95"]
    assert np.allclose(drawn, expected, rtol=1e-12)


def test_panels_are_in_the_order_of_the_arms_and_share_axes_with_every_start(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    titles = [ax.texts[0].get_text() for ax in drawing.figure.axes]
    assert titles == ["raw (0-255)", "unit (/255)", "imagenet (mean/std)"]
    other = synthetic.drawn("ribbon", table, start="pretrained", **KEY)
    axes = drawing.figure.axes + other.figure.axes
    assert len({ax.get_ylim() for ax in axes}) == len({ax.get_xlim() for ax in axes}) == 1


def test_an_arm_that_this_start_does_not_have_gets_no_panel(table: pd.DataFrame) -> None:
    planned = (table["start"] == "pretrained") | (table["normalization"] != "unit")
    for start, arms in (("scratch", 2), ("pretrained", 3)):
        drawing = synthetic.drawn("ribbon", table[planned], **(KEY | {"start": start}))
        assert len(drawing.figure.axes) == arms


def test_the_words_give_the_largest_change_of_the_outer_band(drawing: Drawing) -> None:
    width = drawing.data["p99"] - drawing.data["p01"]
    table = drawing.data.assign(width=width).pivot(
        index="epoch", columns="normalization", values="width"
    )
    share = table.loc[6] / table.loc[0] - 1
    arm = str(share.abs().idxmax())
    assert f"changes most in {arm}" in drawing.caption
    assert f"{three(table[arm][0])} at epoch 0 to {three(table[arm][6])}" in drawing.alt
    assert "3 seeds" in drawing.method


def test_a_ribbon_ends_where_the_first_run_diverges(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("ribbon", synthetic.measures(diverged_runs), start="scratch", **KEY)
    ends = drawing.data.groupby("normalization")["epoch"].max()
    assert ends.to_dict() == {"raw": 2, "imagenet": 0}
    words = {ax.texts[0].get_text(): [t.get_text() for t in ax.texts] for ax in drawing.figure.axes}
    assert "a run diverged" in words["raw (0-255)"]
    assert "unit (/255)" not in words
