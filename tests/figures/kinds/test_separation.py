"""The distances between pairs of runs."""

import math
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection

from normreport.figures.drawing import Drawing
from normreport.figures.svg import to_svg
from tests.figures import synthetic
from tests.figures.synthetic import three


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.products(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("separation", table, model="vgg16")


def pairings(rows: pd.DataFrame) -> pd.Series:
    """Say what the two runs of every pair share, pair by pair."""

    def pairing(row: pd.Series) -> str:
        if row["normalization_a"] == row["normalization_b"]:
            return "same arm, other seed"
        has_one_seed = row["seed_a"] == row["seed_b"]
        return "other arm, same seed" if has_one_seed else "other arm, other seed"

    return rows.apply(pairing, axis=1)


def check_positions(ax: Axes, rows: pd.DataFrame, diameter: float) -> None:
    """Check that every pair is a point at its distance, beside the other points of its row."""
    kinds = ["other arm, same seed", "other arm, other seed", "same arm, other seed"]
    swarms = iter(ax.collections)
    for y, kind in enumerate(kinds):
        distances = rows[rows["pair"] == kind]["w2_over_sigma0"]
        if distances.empty:
            continue
        points = next(swarms)
        assert isinstance(points, PathCollection)
        assert points.get_sizes().tolist() == pytest.approx([diameter**2])
        places = np.asarray(points.get_offsets())
        assert places[:, 0].tolist() == distances.tolist()
        # The figure has 72 dots per inch, so a dot is a point of the diameter.
        dots = ax.transData.transform(places)
        _, middle = ax.transData.transform((distances.iloc[0], y))
        row_height = ax.bbox.height / 3
        assert np.abs(dots[:, 1] - middle).max() + diameter / 2 < row_height / 2
        assert min(math.dist(*both) for both in combinations(dots, 2)) > diameter - 1e-6
    assert next(swarms, None) is None


def test_distances_are_those_of_gaussians(runs: pd.DataFrame, drawing: Drawing) -> None:
    """W2^2 of N(m, s^2) and N(M, S^2) is (m - M)^2 + (s - S)^2 (Dowson and Landau 1982)."""
    keys = ["start", "layer", "normalization", "seed"]
    final = runs[runs["epoch"] == 6].set_index(keys)[["mean", "std"]]
    for row in drawing.data.itertuples():
        a = final.loc[row.start, row.layer, row.normalization_a, row.seed_a]
        b = final.loc[row.start, row.layer, row.normalization_b, row.seed_b]
        expected = math.hypot(*(a - b)) / synthetic.LAYERS[row.layer]
        assert row.w2_over_sigma0 == pytest.approx(expected, rel=1e-6, abs=1e-9)


def test_every_pair_of_the_last_epoch_is_drawn_once_in_its_row(drawing: Drawing) -> None:
    panels = iter(drawing.figure.axes)
    for layer in ("features.0", "features.28"):
        for start in ("scratch", "pretrained"):
            rows = drawing.data.query(f"layer == '{layer}' and start == '{start}'")
            assert len(rows) == 36
            check_positions(next(panels), rows, diameter=2.6)


def test_points_shrink_until_120_pairs_of_a_kind_fit_into_a_row() -> None:
    table = synthetic.products(synthetic.runs(epochs=2, seeds=12))
    drawing = synthetic.drawn("separation", table, model="vgg16")
    for ax, (_, rows) in zip(
        drawing.figure.axes, drawing.data.groupby(["layer", "start"], sort=False), strict=True
    ):
        assert rows["pair"].value_counts().max() == 120
        check_positions(ax, rows, diameter=1.2)


def test_the_svg_has_the_points_apart_and_the_same_bytes_every_time(drawing: Drawing) -> None:
    svg = to_svg(drawing, "fig")
    swarms = ElementTree.fromstring(svg).findall(".//*[@data-line='a pair of runs']")
    assert len(swarms) == 12
    for swarm in swarms:
        uses = [element for element in swarm.iter() if element.tag.endswith("}use")]
        assert len(uses) in (9, 18)
        dots = [(float(use.attrib["x"]), float(use.attrib["y"])) for use in uses]
        rounding = 0.02
        assert min(math.dist(*both) for both in combinations(dots, 2)) > 2.6 - rounding
    assert to_svg(drawing, "fig") == svg


def test_dozens_of_equal_distances_stay_in_their_row() -> None:
    runs = synthetic.runs(epochs=1, seeds=12, layers={"features.0": 0.0589})
    table = synthetic.products(runs)
    # Points with a dimension each are equally far apart.
    same = (table["normalization_a"] == table["normalization_b"]) & (
        table["seed_a"] == table["seed_b"]
    )
    equal = table.assign(product=same * 0.005)
    for ax in synthetic.drawn("separation", equal, model="vgg16").figure.axes:
        for y, points in enumerate(ax.collections):
            heights = np.asarray(points.get_offsets())[:, 1]
            assert isinstance(points, PathCollection)
            assert points.get_sizes().tolist() == pytest.approx([0.8**2])
            assert np.abs(heights - y).max() == pytest.approx(0.4)


def test_settings_of_matplotlib_do_not_change(table: pd.DataFrame) -> None:
    before = dict(rcParams)
    synthetic.drawn("separation", table, model="vgg16")
    assert dict(rcParams) == before


def test_pairs_are_grouped_by_arm_and_seed(drawing: Drawing) -> None:
    assert (pairings(drawing.data) == drawing.data["pair"]).all()
    assert drawing.data["pair"].value_counts().to_dict() == {
        "other arm, other seed": 72,
        "other arm, same seed": 36,
        "same arm, other seed": 36,
    }


def test_bars_and_numbers_are_the_means(drawing: Drawing) -> None:
    ax = drawing.figure.axes[0]
    rows = drawing.data.query("layer == 'features.0' and start == 'scratch'")
    means = rows.groupby("pair", sort=False)["w2_over_sigma0"].mean()
    bars = [line.get_xdata()[0] for line in ax.lines]
    assert bars == pytest.approx(list(means))
    assert [text.get_text() for text in ax.texts[1:]] == [three(mean) for mean in means]
    assert list(rows.drop_duplicates("pair")["mean"]) == pytest.approx(list(means))


def test_the_words_give_the_means_at_the_last_epoch_and_at_epoch_0(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    rows = synthetic.distances(table.query("start == 'scratch'"))
    rows = rows.assign(pair=pairings(rows))
    means = rows.groupby(["pair", "epoch"])["w2_over_sigma0"].mean()
    for pairing, words in (
        ("other arm, other seed", "arms of different seeds"),
        ("same arm, other seed", "seeds of one arm"),
    ):
        text = f"{three(means[pairing, 6])} for {words} ({three(means[pairing, 0])})"
        assert text in drawing.caption
        assert text in drawing.alt
    assert f"{three(means['other arm, same seed', 6])} for arms of one seed (0)" in drawing.alt


def test_distances_of_zero_have_a_place_on_the_axis(table: pd.DataFrame) -> None:
    # Products of runs at one epoch: all runs of a seed are equal at epoch 0.
    first = table[table["epoch"] == 0]
    ax = synthetic.drawn("separation", first, model="vgg16").figure.axes[-1]
    assert ax.get_xscale() == "symlog"
    assert ax.get_xlim()[0] < 0
    assert ax.get_xticklabels()[0].get_text() == "0"


def test_many_pairs_are_thinned_by_rank_and_averaged_in_full() -> None:
    runs = synthetic.runs(epochs=1, seeds=12, layers={"features.0": 0.0589})
    table = synthetic.products(runs)
    drawing = synthetic.drawn("separation", table, model="vgg16")
    pairing = "other arm, other seed"
    drawn = drawing.data.query(f"start == 'scratch' and pair == '{pairing}'")
    rows = synthetic.distances(table.query("start == 'scratch' and epoch == 1"))
    distances = rows[pairings(rows) == pairing]["w2_over_sigma0"]
    assert len(drawn) == 120 < len(distances)
    assert drawn["w2_over_sigma0"].min() == pytest.approx(distances.min())
    assert drawn["w2_over_sigma0"].max() == pytest.approx(distances.max())
    assert drawn["mean"].iloc[0] == pytest.approx(distances.mean())
    assert "At most 120 pairs of each kind" in drawing.method


def test_a_note_names_the_diverged_runs(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("separation", synthetic.products(diverged_runs), model="vgg16")
    words = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "raw: 1 of 3 runs diverged (seed 1 after epoch 2)" in words
    assert "Means are over the pairs of runs that both continue." in words


def test_a_single_run_has_no_pair_to_compare(table: pd.DataFrame) -> None:
    one = table.query("normalization_a == normalization_b == 'unit' and seed_a == seed_b == 0")
    assert len(one)
    drawing = synthetic.drawn("separation", one, model="vgg16")
    assert drawing.caption == "There is no pair of runs of VGG16 to compare."
    assert list(drawing.data.columns)[:3] == ["layer", "start", "pair"]
