"""What another arm does, beside what another seed does."""

import math
from itertools import combinations, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import two, x_values, y_values

ARMS = ("unit", "imagenet")


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.products(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("switch_or_seed", table, normalizations=ARMS)


def effects(runs: pd.DataFrame, layer: str, start: str, epoch: int) -> tuple[float, float]:
    """Compute both effects for Gaussians: a quantile function is a pair (mean, std)."""
    rows = runs[
        (runs["layer"] == layer) & (runs["start"] == start) & (runs["epoch"] == epoch)
    ].set_index(["normalization", "seed"])
    sigma = synthetic.LAYERS[layer]
    point = {run: np.array([row["mean"], row["std"]]) / sigma for run, row in rows.iterrows()}
    shifts = [point["imagenet", seed] - point["unit", seed] for seed in range(3)]
    repeated = np.mean([one @ other for one, other in permutations(shifts, 2)])
    squares = [
        ((point[arm, a] - point[arm, b]) ** 2).sum()
        for arm in ARMS
        for a, b in combinations(range(3), 2)
    ]
    return 100 * math.sqrt(max(0.0, float(repeated))), 100 * math.sqrt(float(np.mean(squares)))


def test_every_layer_start_and_epoch_has_both_effects(runs: pd.DataFrame, drawing: Drawing) -> None:
    assert len(drawing.data) == 2 * 2 * 7
    row: Any
    for row in drawing.data.itertuples():
        delta, between_seeds = effects(runs, row.layer, row.start, row.epoch)
        assert row.delta_percent == pytest.approx(delta, rel=1e-5, abs=1e-6)
        assert row.between_seeds_percent == pytest.approx(between_seeds, rel=1e-6)
        assert row.seeds == 3


def test_a_panel_has_a_line_per_effect_with_its_last_value(drawing: Drawing) -> None:
    places = [(layer, start) for layer in synthetic.LAYERS for start in ("scratch", "pretrained")]
    for ax, (layer, start) in zip(drawing.figure.axes, places, strict=True):
        rows = drawing.data.query(f"layer == '{layer}' and start == '{start}'")
        shift, seed = ax.lines
        assert list(x_values(shift)) == list(range(7))
        assert list(y_values(shift)) == list(rows["delta_percent"])
        assert list(y_values(seed)) == list(rows["between_seeds_percent"])
        last = rows.iloc[-1]
        numbers = [f"{two(last[column])}%" for column in ("delta_percent", "between_seeds_percent")]
        assert [text.get_text() for text in ax.texts[1:]] == numbers


def test_arms_that_begin_alike_stand_at_the_zero_of_the_axis(drawing: Drawing) -> None:
    for ax in drawing.figure.axes:
        assert y_values(ax.lines[0])[0] == 0
        assert ax.get_yscale() == "symlog"
        assert ax.get_ylim()[0] < 0
    first = drawing.figure.axes[0]
    assert all(ax.get_ylim() == first.get_ylim() for ax in drawing.figure.axes)


def test_numbers_of_equal_lines_do_not_overlap(table: pd.DataFrame) -> None:
    """Two seeds whose shifts equal their distance: both lines end at 10%."""
    points = {("unit", 0): (0.0, 0.0), ("imagenet", 0): (0.1, 0.0)}
    points |= {("unit", 1): (0.0, 0.1), ("imagenet", 1): (0.1, 0.1)}
    rows = [
        {"model": "vgg16", "layer": "features.0", "start": "scratch", "epoch": epoch,
         "normalization_a": a[0], "seed_a": a[1], "normalization_b": b[0], "seed_b": b[1],
         "product": float(np.dot(points[a], points[b]))}
        for epoch in (0, 1) for a in points for b in points if a <= b
    ]  # fmt: skip
    drawing = synthetic.drawn("switch_or_seed", pd.DataFrame(rows), normalizations=ARMS)
    assert drawing.data["delta_percent"].tolist() == pytest.approx([10, 10])
    assert drawing.data["between_seeds_percent"].tolist() == pytest.approx([10, 10])
    (ax,) = drawing.figure.axes
    low, high = sorted(text.xyann[1] for text in ax.texts[1:])  # type: ignore[attr-defined]
    assert high - low >= 8


def test_the_words_begin_with_what_to_see(drawing: Drawing) -> None:
    final = drawing.data[drawing.data["epoch"] == 6]
    more = (final["between_seeds_percent"] > final["delta_percent"]).sum()
    largest = final.iloc[int(final["delta_percent"].argmax())]
    assert drawing.caption.startswith(
        "At the end of training (epoch 6), another seed changes the distribution of the weights "
        f"more than switching from {ARMS[0]} to {ARMS[1]} in {more} of 4 cases. A case is a layer "
        "and a start, with 3 seeds. The largest shift by the switch "
        f"is {two(largest['delta_percent'])}% (VGG16, {largest['layer']}, "
    )
    row: Any
    for row in final.itertuples():
        numbers = f"{two(row.delta_percent)}%, seed {two(row.between_seeds_percent)}%."
        assert f"switch {numbers}" in drawing.alt


def test_an_article_start_stands_without_the_others(runs: pd.DataFrame) -> None:
    laplace = runs[runs["start"] == "scratch"].assign(start="scratch_laplace")
    mixed = synthetic.products(pd.concat([runs, laplace]))
    drawing = synthetic.drawn("switch_or_seed", mixed, normalizations=ARMS)
    assert set(drawing.data["start"]) == {"scratch", "pretrained"}
    alone = synthetic.drawn("switch_or_seed", synthetic.products(laplace), normalizations=ARMS)
    assert set(alone.data["start"]) == {"scratch_laplace"}


def test_lines_end_with_the_first_of_their_runs_and_a_note_names_it() -> None:
    runs = synthetic.runs(epochs=6, diverged={("imagenet", 1): 2, ("raw", 0): 1})
    drawing = synthetic.drawn("switch_or_seed", synthetic.products(runs), normalizations=ARMS)
    ends = drawing.data.groupby("start")["epoch"].max()
    assert ends.to_dict() == {"pretrained": 6, "scratch": 2}
    words = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "VGG16: From scratch, imagenet: 1 of 3 runs diverged (seed 1 after epoch 2)." in words
    assert "raw" not in words
    assert words.count("A line ends with the first of its runs.") == 1
    stopped, complete = drawing.figure.axes[:2]
    assert "a run diverged" in [text.get_text() for text in stopped.texts]
    assert "a run diverged" not in [text.get_text() for text in complete.texts]


def test_a_failed_run_leaves_no_effect_of_the_remaining_seeds(table: pd.DataFrame) -> None:
    lost = (table["start"] == "scratch") & (
        ((table["normalization_a"] == "unit") & (table["seed_a"] == 2))
        | ((table["normalization_b"] == "unit") & (table["seed_b"] == 2))
    )
    planned = table[~lost].assign(seeds=3)
    drawing = synthetic.drawn("switch_or_seed", planned, normalizations=ARMS)
    assert set(drawing.data["start"]) == {"pretrained"}


def test_arms_with_other_seeds_are_compared_where_both_have_runs(runs: pd.DataFrame) -> None:
    sparse = runs[(runs["normalization"] != "unit") | (runs["seed"] != 1)]
    drawing = synthetic.drawn("switch_or_seed", synthetic.products(sparse), normalizations=ARMS)
    assert set(drawing.data["seeds"]) == {2}
    assert len(drawing.data) == 2 * 2 * 7


def test_a_start_that_a_network_lacks_has_no_panel(runs: pd.DataFrame) -> None:
    other = synthetic.runs(epochs=6, model="vgg11", layers={"features.0": 0.06}, starts=["scratch"])
    table = synthetic.products(pd.concat([other, runs], ignore_index=True))
    drawing = synthetic.drawn("switch_or_seed", table, normalizations=ARMS)
    titles = [str(ax.get_label()) for ax in drawing.figure.axes]
    assert [title for title in titles if title.startswith("VGG11")] == [
        "VGG11, features.0, from scratch"
    ]
    assert len(titles) == 1 + 2 * 2


def test_constant_layers_and_single_seeds_say_why_there_is_no_line(table: pd.DataFrame) -> None:
    constant = table.assign(product=np.nan)
    single = table[(table["seed_a"] == 0) & (table["seed_b"] == 0)]
    for rows in (constant, single):
        drawing = synthetic.drawn("switch_or_seed", rows, normalizations=ARMS)
        assert drawing.data.empty
        assert drawing.caption.startswith("No run of two seeds in both arms (unit and imagenet).")
        words = " ".join(text.get_text() for ax in drawing.figure.axes for text in ax.texts)
        assert "No run of two seeds" in words


def test_networks_without_both_arms_are_left_out(table: pd.DataFrame) -> None:
    one_arm = table.query("normalization_a == 'unit' and normalization_b == 'unit'")
    both = pd.concat([table, one_arm.assign(model="vgg16_bn")], ignore_index=True)
    drawing = synthetic.drawn("switch_or_seed", both, normalizations=ARMS)
    assert "VGG16-BN" not in " ".join(str(ax.get_label()) for ax in drawing.figure.axes)
    assert len(drawing.figure.axes) == 4
    alone = synthetic.drawn("switch_or_seed", one_arm, normalizations=ARMS)
    assert "No run of two seeds in both arms" in alone.caption
