"""The densities of one layer at one epoch."""

import base64
import re
import zlib

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import two, x_values, y_values

KEY = {"model": "vgg16", "layer": "features.0"}


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.densities(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("density", table, start="scratch", **KEY)


def test_the_data_are_the_curves_in_both_panels(drawing: Drawing) -> None:
    for ax, value in zip(drawing.figure.axes, ("density", "change"), strict=True):
        curves = [curve for _, curve in drawing.data.groupby(["normalization", "seed"])]
        lines = {tuple(y_values(line)): line for line in ax.lines}
        assert len(ax.lines) == len(curves) == 3 + 9 + 3  # epoch 0, runs, means
        for curve in curves:
            assert np.array_equal(lines[tuple(curve[value])].get_xdata(), curve["weight"])


def test_the_mean_and_epoch_0_are_those_of_the_table(table: pd.DataFrame, drawing: Drawing) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0'")
    raw = rows.query("normalization == 'raw' and epoch == 6")
    mean = raw.pivot(index="weight", columns="seed", values="density").mean(axis=1)
    drawn = drawing.data.query("normalization == 'raw' and seed == 'mean'")
    assert np.allclose(drawn["density"], mean, rtol=1e-12)
    before = rows.query("epoch == 0 and seed == 1").groupby("weight")["density"].mean()
    drawn = drawing.data.query("normalization == 'all' and seed == '1'")
    assert np.allclose(drawn["density"], before, rtol=1e-12)
    assert set(drawn["epoch"]) == {0}


def test_the_change_is_taken_run_by_run(table: pd.DataFrame, drawing: Drawing) -> None:
    run = table.query(
        "start == 'scratch' and layer == 'features.0' and normalization == 'unit' and seed == 2"
    )
    wide = run.pivot(index="weight", columns="epoch", values="density")
    drawn = drawing.data.query("normalization == 'unit' and seed == '2'")
    assert np.allclose(drawn["change"], wide[6] - wide[0], atol=1e-12)


def test_every_start_has_the_same_axes(table: pd.DataFrame, drawing: Drawing) -> None:
    other = synthetic.drawn("density", table, start="pretrained", **KEY)
    for a, b in zip(drawing.figure.axes, other.figure.axes, strict=True):
        assert a.get_xlim() == b.get_xlim()
        assert a.get_ylim() == b.get_ylim()


def test_the_words_give_bandwidth_seeds_and_the_largest_differences(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    rows = table.query("start == 'scratch' and layer == 'features.0' and epoch == 6")
    wide = rows.pivot(index="weight", columns=["normalization", "seed"], values="density")
    means = wide.T.groupby(level=0).mean().T
    peak = means.max().max()
    between = (means["imagenet"] - means["raw"]).abs().max() / peak
    within = max(np.ptp(wide[[arm]].to_numpy(), axis=1).max() / peak for arm in means.columns)
    for text in (drawing.caption, drawing.alt):
        assert f"at most {two(100 * between)}% of the highest peak" in text
        assert f"up to {two(100 * within)}% of that peak" in text
    assert "bandwidth 0.0125" in drawing.method
    assert "3 seeds" in drawing.method
    assert re.search(r"\((imagenet against raw|raw against imagenet)\)", drawing.caption)


def test_any_epoch_can_be_drawn(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn("density", table, start="scratch", density_epoch=3, **KEY)
    assert set(drawing.data["epoch"]) == {0, 3}
    assert "at epoch 3" in drawing.alt


def test_an_arm_with_a_diverged_run_has_no_mean_and_is_named(diverged_runs: pd.DataFrame) -> None:
    table = synthetic.densities(diverged_runs)
    drawing = synthetic.drawn("density", table, start="scratch", **KEY)
    assert set(drawing.data.query("normalization == 'raw'")["seed"]) == {"0", "2"}
    assert "mean" not in set(drawing.data["seed"])
    words = " ".join(text.get_text() for text in drawing.figure.texts)
    assert "raw: 1 of 3 runs diverged (seed 1 after epoch 2)" in words
    assert "unit" not in words


def test_a_fine_grid_is_thinned_to_200_points(runs: pd.DataFrame) -> None:
    table = synthetic.densities(runs.query("layer == 'features.0'"), points=513)
    drawing = synthetic.drawn("density", table, start="scratch", **KEY)
    sizes = drawing.data.groupby(["normalization", "seed"]).size()
    assert set(sizes) == {200}


def test_frames_hold_every_run_at_every_epoch(table: pd.DataFrame, drawing: Drawing) -> None:
    frames = drawing.frames
    assert frames is not None
    assert frames["epoch"] == 6
    title = drawing.figure.texts[0].get_text()
    assert frames["title"].replace("{epoch}", "6") == title != frames["title"]
    assert frames["runs"] == [
        ["", arm, str(seed), 7] for arm in ("raw", "unit", "imagenet") for seed in range(3)
    ]
    steps = np.frombuffer(zlib.decompress(base64.b64decode(frames["curves"])), dtype="<i2")
    levels = np.cumsum(steps.reshape(9, 7, -1).astype(int), axis=2)
    rows = table.query("start == 'scratch' and layer == 'features.0'")
    for (_, arm, seed, _), run in zip(frames["runs"], levels, strict=True):
        own = rows[(rows["normalization"] == arm) & (rows["seed"] == int(seed))]
        wide = own.pivot(index="epoch", columns="weight", values="density").to_numpy()
        assert np.allclose(run[0] * frames["units"][""][0], wide[0], atol=frames["units"][""][0])
        change = run[1:] * frames["units"][""][1]
        assert np.allclose(change, wide[1:] - wide[0], atol=frames["units"][""][1])


def test_frames_are_for_the_marks_of_both_panels(drawing: Drawing) -> None:
    frames = drawing.frames
    assert frames is not None
    for ax, (value, shown) in zip(drawing.figure.axes, frames["values"].items(), strict=True):
        assert drawing.figure.axes[shown["panel"]] is ax
        assert shown["change"] == (value == "change")
        moved = [line for line in ax.lines if f'"value": "{value}"' in (line.get_gid() or "")]
        assert len(moved) == 9 + 3
        assert all(np.allclose(x_values(line), frames["grids"][""], rtol=1e-5) for line in moved)


def test_a_figure_of_epoch_0_alone_has_nothing_to_move_through() -> None:
    only = synthetic.densities(synthetic.runs(epochs=0))
    assert synthetic.drawn("density", only, start="scratch", **KEY).frames is None
