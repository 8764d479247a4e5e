"""How far every measured layer has moved."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Annotation

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import two, x_values, y_values


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.layer_summaries(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("displacement", table, model="vgg16")


def test_the_data_are_the_points_and_the_lines(drawing: Drawing) -> None:
    for ax, start in zip(drawing.figure.axes, ("scratch", "pretrained"), strict=True):
        rows = drawing.data[drawing.data["start"] == start]
        points = {
            point for line in ax.lines for point in zip(x_values(line), y_values(line), strict=True)
        }
        assert points == set(zip(rows["x"], 100 * rows["displacement"], strict=True))


def test_layers_stand_in_network_order_from_1(drawing: Drawing) -> None:
    order = drawing.data.drop_duplicates("layer").set_index("layer")["index"]
    assert order.to_dict() == {name: i + 1 for i, name in enumerate(synthetic.VGG_CONVS)}
    assert (drawing.data["x"] - drawing.data["index"]).abs().max() < 0.5


def test_starts_share_a_logarithmic_axis(drawing: Drawing) -> None:
    assert len({ax.get_ylim() for ax in drawing.figure.axes}) == 1
    assert {ax.get_yscale() for ax in drawing.figure.axes} == {"log"}


def test_layers_that_did_not_move_are_drawn_at_zero(table: pd.DataFrame) -> None:
    frozen = table["layer"] == "features.0"
    still = table.assign(displacement=table["displacement"].where(~frozen, 0.0))
    ax = synthetic.drawn("displacement", still, model="vgg16").figure.axes[0]
    assert ax.get_yscale() == "symlog"
    assert ax.get_yticklabels()[0].get_text() == "0%"
    assert ax.get_ylim()[0] < 0


def test_52_layers_stay_readable(runs: pd.DataFrame) -> None:
    table = synthetic.layer_summaries(runs, synthetic.MOBILENET_CONVS)
    drawing = synthetic.drawn("displacement", table, model="vgg16")
    named = [
        text
        for text in drawing.figure.axes[-1].texts
        if text.get_text() in synthetic.MOBILENET_CONVS
    ]
    places = [text.xy[0] for text in named if isinstance(text, Annotation)]
    assert len(places) == len(named)
    assert len(synthetic.MOBILENET_CONVS) == 52
    assert len(named) >= 5
    assert min(np.diff(places)) * 6.28 / 52 > 0.8  # inches between names of some 0.75


def test_a_line_joins_the_layers_of_one_place_in_neighbouring_blocks(runs: pd.DataFrame) -> None:
    table = synthetic.layer_summaries(runs, synthetic.MOBILENET_CONVS)
    drawing = synthetic.drawn("displacement", table, model="vgg16")
    order = {name: i + 1 for i, name in enumerate(synthetic.MOBILENET_CONVS)}
    expected = {
        tuple(order[f"features.{block}.conv.{place}"] for block in range(first, 18))
        for place, first in (("0.0", 1), ("1.0", 2), ("2", 2))
    } | {(order[name],) for name in ("features.0.0", "features.1.conv.1", "features.18.0")}
    lines = drawing.figure.axes[0].lines
    joined = {
        tuple(x_values(line).round().astype(int)) for line in lines if line.get_linestyle() == "-"
    }
    assert joined == expected
    assert "from block to block" in drawing.method


def test_the_words_give_the_median_and_the_largest_mean(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    final = table[table["epoch"] == 6]
    means = final.groupby(["start", "layer", "normalization"])["displacement"].mean()
    for start, name in (("scratch", "From scratch"), ("pretrained", "Pretrained")):
        layer, arm = means[start].idxmax()
        text = (
            f"{name}, the median over layers and arms is {two(100 * means[start].median())}% "
            f"and the largest mean {two(100 * means[start].max())}% ({layer}, {arm})"
        )
        assert text in drawing.caption
        assert text in drawing.alt


def test_an_arm_with_a_diverged_run_has_points_but_no_line(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn(
        "displacement", synthetic.layer_summaries(diverged_runs), model="vgg16"
    )
    rows = drawing.data.query("start == 'scratch' and normalization == 'raw'")
    assert set(rows["seed"]) == {"0", "2"}
