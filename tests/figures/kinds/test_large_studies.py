"""Figures of studies with many seeds and many arms: small, and true to the runs."""

import base64
import json
import re
import zlib
from collections.abc import Callable, Mapping
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from matplotlib.patches import Polygon
from numpy.typing import NDArray

from normreport.config.figure_kinds import figure_kinds
from normreport.figures.drawing import Drawing
from normreport.figures.style import arm_styles
from normreport.figures.svg import MOST_BYTES, to_svg
from tests.figures import synthetic
from tests.figures.cases import KINDS, SVG

STARTS = (
    "pretrained",
    "scratch",
    "scratch_uniform",
    "scratch_laplace",
    "pretrained_head",
    "scratch_head",
)
LAYER = {"features.0": 0.0589}
PAGE_INCHES = 9.5  # the height of a printed page
SHAPES: Mapping[str, Mapping[str, Any]] = {
    "ten arms of ten seeds": {"arms": synthetic.TWELVE[:10], "seeds": 10, "starts": STARTS},
    "three arms of forty seeds": {"seeds": 40},
    "six arms of six seeds": {"arms": synthetic.TWELVE[:6], "seeds": 6},
}
MOVING = ("density", "histogram", "quantiles")
MAKERS: Mapping[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "density": synthetic.densities,
    "spread": synthetic.measures,
    "curves": synthetic.histories,
    "quantiles": synthetic.quantiles,
}
KEY = {"model": "vgg16", "start": "scratch", "layer": "features.0"}


@pytest.fixture(scope="module", params=SHAPES, ids=lambda shape: shape.replace(" ", "-"))
def gallery(request: pytest.FixtureRequest) -> dict[str, Drawing]:
    """Draw every kind for a study of 36 epochs."""
    return synthetic.drawings(synthetic.runs(layers=LAYER, **SHAPES[request.param]))


@pytest.fixture(scope="module")
def many_seeds() -> pd.DataFrame:
    return synthetic.runs(epochs=4, seeds=9, layers=LAYER)


@pytest.fixture(scope="module")
def many_arms() -> pd.DataFrame:
    return synthetic.runs(epochs=4, seeds=2, arms=synthetic.TWELVE, layers=LAYER)


@pytest.mark.parametrize("kind", KINDS)
def test_no_figure_is_larger_than_200_kb_and_those_that_move_still_do(
    kind: str, gallery: dict[str, Drawing]
) -> None:
    svg = to_svg(gallery[kind], f"fig-{kind}")
    assert len(svg.encode()) <= MOST_BYTES == 200_000
    known = json.loads(ElementTree.fromstring(svg).findtext(f"{SVG}metadata") or "{}")
    assert ("frames" in known) == (kind in MOVING)


@pytest.fixture(scope="module")
def many_layers() -> pd.DataFrame:
    """Thirteen kept layers of one network and two of another, 20 epochs."""
    layers = {f"features.{number}": 0.04 + 0.002 * number for number in range(13)}
    one = synthetic.runs(epochs=20, layers=layers)
    other = synthetic.runs(epochs=20, model="mobilenet_v2", layers={"first": 0.1, "second": 0.08})
    return pd.concat([one, other], ignore_index=True)


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("separation", synthetic.products),
        ("histogram", synthetic.histograms),
        ("quantiles", synthetic.quantiles),
    ],
)
def test_a_figure_of_one_of_many_layers_shows_and_names_it(
    kind: str, make: Any, many_layers: pd.DataFrame
) -> None:
    assert figure_kinds()[kind].splits_layers
    drawing = synthetic.drawn(kind, make(many_layers), model="vgg16", layer="features.3")
    assert "VGG16, features.3: " in drawing.alt
    assert set(drawing.data["layer"]) == {"features.3"}
    assert len(to_svg(drawing, "fig").encode()) <= MOST_BYTES
    assert drawing.figure.get_size_inches()[1] < PAGE_INCHES


@pytest.mark.parametrize("kind", ["answer", "switch_or_seed"])
def test_of_many_layers_the_ends_and_those_that_shift_most_are_drawn(
    kind: str, many_layers: pd.DataFrame
) -> None:
    drawing = synthetic.drawn(
        kind, synthetic.products(many_layers), normalizations=("raw", "imagenet")
    )
    assert len(to_svg(drawing, "fig").encode()) <= MOST_BYTES
    assert drawing.figure.get_size_inches()[1] < PAGE_INCHES
    place = ["model", "layer"]
    data = drawing.data[drawing.data["epoch"] == 20]
    assert len(data.drop_duplicates(place)) == 15
    ends = {"features.0", "features.12", "first", "second"}
    shifts = data.groupby(place)["delta_percent"].max().sort_values(ascending=False)
    others = [layer for _, layer in shifts.index if layer not in ends]
    texts = [text.get_text() for ax in drawing.figure.axes for text in (*ax.texts, ax.title)]
    labels = [str(ax.get_label()) for ax in drawing.figure.axes]
    words = {word for text in (*texts, *labels) for word in re.split(r"[, ]+", text)}
    assert words.intersection([*ends, *others]) == {*ends, *others[:2]}
    assert "The figure shows 6 of 15 layers" in f"{drawing.caption} {drawing.method}"
    assert others[0] in drawing.alt
    assert f"VGG16, {others[2]}, " not in drawing.alt
    assert "of 30 cases" in drawing.caption


def test_of_many_layers_some_from_the_first_to_the_last_compare_the_centres(
    many_layers: pd.DataFrame,
) -> None:
    drawing = synthetic.drawn("centre", synthetic.measures(many_layers))
    assert len(to_svg(drawing, "fig").encode()) <= MOST_BYTES
    shown = [tick.get_text() for tick in drawing.figure.axes[0].get_yticklabels()]
    assert [name.partition(", ")[2] for name in shown] == [
        *(f"features.{number}" for number in (0, 4, 8, 12)),
        *("first", "second"),
    ]
    assert len(set(drawing.data["layer"])) == 15
    assert "for 6 of 15 kept layers" in drawing.method
    few = synthetic.drawn("centre", synthetic.measures(synthetic.runs(epochs=2, layers=LAYER)))
    assert "for every kept layer." in few.method


def test_a_figure_that_would_be_larger_does_not_move(many_seeds: pd.DataFrame) -> None:
    drawing = synthetic.drawn("density", synthetic.densities(many_seeds), **KEY)
    assert drawing.frames is not None
    noise = np.random.default_rng(0).bytes(150_000)
    frames = {**drawing.frames, "curves": base64.b64encode(noise).decode()}
    svg = to_svg(Drawing(**{**vars(drawing), "frames": frames}), "fig")
    known = json.loads(ElementTree.fromstring(svg).findtext(f"{SVG}metadata") or "{}")
    assert "frames" not in known
    assert len(known["panels"]) == 2


def ranges_of(drawing: Drawing) -> pd.DataFrame:
    """The ends of the ranges that a figure shows."""
    return drawing.data[drawing.data["seed"].isin(["smallest", "largest"])]


def test_the_ranges_of_densities_hold_every_run(many_seeds: pd.DataFrame) -> None:
    table = synthetic.densities(many_seeds)
    drawing = synthetic.drawn("density", table, **KEY)
    rows = table.query("start == 'scratch'")
    last = rows[rows["epoch"] == 4].groupby(["normalization", "weight"])["density"]
    drawn = ranges_of(drawing).set_index(["normalization", "weight"])
    assert drawn.query("seed == 'smallest'")["density"].sort_index().equals(last.min())
    assert drawn.query("seed == 'largest'")["density"].sort_index().equals(last.max())
    runs = rows.pivot(index=["normalization", "seed", "weight"], columns="epoch", values="density")
    changes = (runs[4] - runs[0]).groupby(["normalization", "weight"])
    assert (
        drawn.query("seed == 'largest'")["change"]
        .sort_index()
        .equals(changes.max().rename("change"))
    )
    before = drawing.data.query("normalization == 'all'")
    assert set(before["seed"]) == {"mean"}
    expected = rows[rows["epoch"] == 0].groupby("weight")["density"].mean()
    assert np.allclose(before["density"], expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["density", "spread", "curves", "quantiles"])
def test_every_band_is_filled_between_the_ends_of_its_range(
    kind: str, many_seeds: pd.DataFrame
) -> None:
    x, values = {
        "density": ("weight", ("density", "change")),
        "spread": ("epoch", ("std",)),
        "curves": ("epoch", ("train_loss", "heldout_loss", "heldout_accuracy_percent")),
        "quantiles": ("score", ("departure",)),
    }[kind]
    drawing = synthetic.drawn(kind, MAKERS[kind](many_seeds), **KEY)
    expected = []
    ranges = ranges_of(drawing)
    if "start" in ranges:
        ranges = ranges[ranges["start"] == "scratch"]
    for _, rows in ranges.groupby("normalization"):
        low, high = (rows[rows["seed"] == end] for end in ("smallest", "largest"))
        for value in values:
            y = [*low[value], *high[value][::-1]]
            expected.append(np.column_stack([[*low[x], *high[x][::-1]], y]).tolist())
    drawn = [
        # A polygon repeats its first corner at its end.
        patch.get_xy()[: 2 * len(set(ranges[x]))].tolist()
        for ax in drawing.figure.axes
        for patch in ax.patches
        if isinstance(patch, Polygon)
    ]
    assert len(expected) == 3 * len(values)
    assert all(outline in drawn for outline in expected)


@pytest.mark.parametrize("kind", ["density", "spread", "curves", "quantiles"])
def test_the_words_say_what_bands_and_colours_are(
    kind: str, many_seeds: pd.DataFrame, many_arms: pd.DataFrame
) -> None:
    lines = "its band is the range of its runs"
    few = synthetic.runs(epochs=2, seeds=2, layers=LAYER)
    of_many, of_few, method = (
        synthetic.drawn(kind, MAKERS[kind](table), **KEY).method
        for table in (many_seeds, few, many_arms)
    )
    assert lines in of_many
    assert lines not in of_few
    grey = (
        "Each panel shows one arm; its grey band is the range of all arms' means."
        if kind in ("density", "spread")
        else "Of the 12 arms, only raw and unit are drawn in colour. Darker grey marks the range"
    )
    assert grey in method


@pytest.mark.parametrize("kind", ["density", "spread", "violin", "ribbon"])
def test_each_of_many_arms_has_a_panel(kind: str, many_arms: pd.DataFrame) -> None:
    make = synthetic.densities if kind in ("density", "violin") else synthetic.measures
    drawing = synthetic.drawn(kind, make(many_arms), **KEY)
    labels = {arm: style.label for arm, style in arm_styles(synthetic.TWELVE).items()}
    titles = [str(ax.get_label()) for ax in drawing.figure.axes if ax.get_label()]
    assert titles == list(labels.values())
    for ax in drawing.figure.axes:
        if ax.get_label():
            marks = [*ax.lines, *ax.patches]
            arms = {json.loads(mark.get_gid() or "{}").get("arm") for mark in marks}
            (own,) = arms - {None, "all arms"}
            assert labels[own] == ax.get_label()


@pytest.mark.parametrize(
    ("kind", "make"),
    [
        ("curves", synthetic.histories),
        ("quantiles", synthetic.quantiles),
        ("histogram", synthetic.histograms),
        ("displacement", synthetic.layer_summaries),
        ("centre", synthetic.measures),
    ],
)
def test_of_many_arms_the_contrast_has_colours(
    kind: str, make: Any, many_arms: pd.DataFrame
) -> None:
    drawing = synthetic.drawn(kind, make(many_arms), model="vgg16", contrast=("dataset", "unit"))
    root = ElementTree.fromstring(to_svg(drawing, "fig"))
    arms = {mark.get("data-arm") for mark in root.iter(f"{SVG}g")}
    assert arms - {None} == {"unit", "dataset", "all arms"}
    assert {"unit", "dataset"} <= set(drawing.data["normalization"])
    assert "gamma" not in set(drawing.data["normalization"])


def test_the_grey_band_is_the_range_of_all_means(many_arms: pd.DataFrame) -> None:
    table = synthetic.measures(many_arms)
    drawing = synthetic.drawn("spread", table, **KEY)
    rows = table[(table["start"] == "scratch") & (table["layer"] == "features.0")]
    means = rows.groupby(["epoch", "normalization"])["std"].mean().groupby("epoch")
    drawn = drawing.data[drawing.data["normalization"] == "all"].set_index("epoch")["std"]
    ends = drawing.data[drawing.data["normalization"] == "all"]["seed"]
    assert np.allclose(drawn[(ends == "smallest").to_numpy()], means.min())
    assert np.allclose(drawn[(ends == "largest").to_numpy()], means.max())


def test_the_observation_is_about_all_arms(many_arms: pd.DataFrame) -> None:
    drawing = synthetic.drawn("quantiles", synthetic.quantiles(many_arms), model="vgg16")
    assert "gamma" in drawing.caption
    assert "Of 24 means" in drawing.caption


def decoded(frames: Mapping[str, Any]) -> dict[tuple[str, str, str], NDArray[np.float64]]:
    """Read the curves of every epoch as the page does."""
    steps = np.frombuffer(zlib.decompress(base64.b64decode(frames["curves"])), dtype="<i2")
    curves, start = {}, 0
    for of, arm, seed, epochs in frames["runs"]:
        size = epochs * len(frames["grids"][of])
        levels = np.cumsum(steps[start : start + size].reshape(epochs, -1).astype(int), axis=1)
        start += size
        first, later = frames["units"][of]
        total = np.vstack([levels[:1] * first, levels[:1] * first + levels[1:] * later])
        curves[of, arm, seed] = total
    assert start == len(steps)
    return curves


def test_the_page_moves_means_and_ranges_through_the_epochs(many_seeds: pd.DataFrame) -> None:
    table = synthetic.densities(many_seeds)
    drawing = synthetic.drawn("density", table, **KEY)
    assert drawing.frames is not None
    curves = decoded(drawing.frames)
    arms = ("raw", "unit", "imagenet")
    assert set(curves) == {
        *(("", arm, "mean") for arm in arms),
        *((f"{value} range", arm, "") for value in ("density", "change") for arm in arms),
    }
    rows = table.query("start == 'scratch' and normalization == 'unit'")
    runs = rows.pivot(index=["epoch", "weight"], columns="seed", values="density")
    low, high = (getattr(runs, end)(axis=1).unstack("weight").to_numpy() for end in ("min", "max"))
    near = 2 * sum(drawing.frames["units"]["density range"])
    outline = curves["density range", "unit", ""]
    assert np.allclose(outline, np.hstack([low, high[:, ::-1]]), atol=near)
    mean = runs.mean(axis=1).unstack("weight").to_numpy()
    assert np.allclose(curves["", "unit", "mean"], mean, atol=near)
    values = drawing.frames["values"]
    marked = {
        json.loads(patch.get_gid() or "")["value"]
        for ax in drawing.figure.axes
        for patch in ax.patches
    }
    assert marked == {value for value in values if value.endswith("range")}


def test_accuracies_of_many_seeds_are_a_mean_and_a_range(many_seeds: pd.DataFrame) -> None:
    table = synthetic.final_runs(many_seeds)
    drawing = synthetic.drawn("pretraining_gain", table)
    own = table.query("start == 'scratch' and normalization == 'unit'")["heldout_accuracy"]
    drawn = drawing.data.query("start == 'scratch' and normalization == 'unit'")
    assert drawn.set_index("seed")["percent"].to_dict() == pytest.approx(
        {"smallest": 100 * own.min(), "largest": 100 * own.max(), "mean": 100 * own.mean()}
    )
    assert "lines are the range of its runs" in drawing.method


@pytest.mark.parametrize("kind", ["displacement", "centre"])
def test_points_of_many_seeds_are_a_range(kind: str, many_seeds: pd.DataFrame) -> None:
    make = synthetic.layer_summaries if kind == "displacement" else synthetic.measures
    value = "displacement" if kind == "displacement" else "iqr_ratio"
    table = make(many_seeds)
    drawing = synthetic.drawn(kind, table, model="vgg16")
    place = ["start", "layer", "normalization"]
    last = table[table["epoch"] == 4].groupby(place)[value]
    ranges = ranges_of(drawing).set_index(place)
    for end, expected in (("smallest", last.min()), ("largest", last.max())):
        drawn = ranges.loc[ranges["seed"] == end, value]
        assert np.allclose(drawn.sort_index(), expected)
    assert re.search("(its line is|bars are) the range of (its|an arm's) runs", drawing.method)


def test_large_pictures_are_reduced_until_the_figure_fits() -> None:
    noise = np.random.default_rng(0).random((8, 80, 80, 3)).astype(np.float32)
    drawing = synthetic.drawn_prepared(
        "examples", examples=dict.fromkeys(synthetic.TWELVE, noise), labels=["a"] * 8
    )
    assert len(to_svg(drawing, "fig")) <= MOST_BYTES
    images = [image for ax in drawing.figure.axes for image in ax.images]
    assert {image.get_array().shape for image in images} == {(20, 20, 3)}
