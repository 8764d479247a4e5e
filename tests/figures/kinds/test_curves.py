"""The training curves of a model."""

import numpy as np
import pandas as pd
import pytest

from normreport.figures.drawing import Drawing
from tests.figures import synthetic
from tests.figures.synthetic import three, y_values

MEASURES = ("train_loss", "heldout_loss", "heldout_accuracy_percent")


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    return synthetic.histories(runs)


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn("curves", table, model="vgg16")


def test_the_data_are_the_lines_of_six_panels(drawing: Drawing) -> None:
    axes = iter(drawing.figure.axes)
    for measure in MEASURES:
        for start in ("scratch", "pretrained"):
            rows = drawing.data[drawing.data["start"] == start]
            expected = {
                tuple(curve[measure]) for _, curve in rows.groupby(["normalization", "seed"])
            }
            drawn = {tuple(y_values(line)) for line in next(axes).lines}
            assert expected <= drawn
            assert len(drawn - expected) == {"train_loss": 2}.get(measure, 1)  # reference lines


def test_the_reference_lines_are_chance_and_the_gate(drawing: Drawing) -> None:
    train, _, held, _, accuracy, _ = drawing.figure.axes
    chance = np.log(10)
    assert [y_values(line)[0] for line in train.lines[-2:]] == pytest.approx([chance, 0.9 * chance])
    assert held.lines[-1].get_ydata()[0] == pytest.approx(chance)
    assert accuracy.lines[-1].get_ydata()[0] == pytest.approx(10.0)


def test_a_row_shares_its_axis(drawing: Drawing) -> None:
    for left, right in zip(drawing.figure.axes[::2], drawing.figure.axes[1::2], strict=True):
        assert left.get_ylim() == right.get_ylim()
        assert left.get_yscale() == right.get_yscale()


@pytest.mark.parametrize(("factor", "scale"), [(1.0, "linear"), (1e-4, "log"), (0.0, "symlog")])
def test_the_loss_axis_goes_by_decades_where_the_range_asks_for_it(
    table: pd.DataFrame, factor: float, scale: str
) -> None:
    loss = table["train_loss"].where(table["epoch"] < 6, factor * table["train_loss"])
    drawing = synthetic.drawn("curves", table.assign(train_loss=loss), model="vgg16")
    assert drawing.figure.axes[0].get_yscale() == scale


def test_the_words_count_the_runs_that_learned_and_give_the_accuracies(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    for start, name in (("scratch", "From scratch"), ("pretrained", "Pretrained")):
        final = table[(table["start"] == start) & (table["epoch"] == 6)]
        learned = (final["train_loss"] < 0.9 * np.log(10)).sum()
        means = 100 * final.groupby("normalization")["heldout_accuracy"].mean()
        low, high = str(means.idxmin()), str(means.idxmax())
        for words in (drawing.caption, drawing.alt):
            assert f"{name}, {learned} of 9 runs learned" in words
            assert f"{three(means[low])}% ({low}) to {three(means[high])}% ({high})" in words
            assert "on the 24 held-out images" in words
    assert "ln 10 = 2.30" in drawing.method
    assert "the training images and on 24 held-out images" in drawing.method
    assert "(2.07)" in drawing.method


def test_a_run_that_failed_has_not_learned(diverged_runs: pd.DataFrame) -> None:
    drawing = synthetic.drawn("curves", synthetic.histories(diverged_runs), model="vgg16")
    assert "From scratch, 4 of 6 runs learned." in drawing.caption
    crosses = [line for line in drawing.figure.axes[0].lines if line.get_marker() == "x"]
    assert len(crosses) == 2


def test_a_run_that_diverged_has_not_learned_even_if_no_run_went_on(table: pd.DataFrame) -> None:
    low = table.assign(train_loss=0.1)
    assert (
        "From scratch, 9 of 9 runs learned" in synthetic.drawn("curves", low, model="vgg16").caption
    )
    lost = low.assign(status=np.where(low["start"] == "scratch", "DIVERGED", "OK"))
    assert (
        "From scratch, 0 of 9 runs learned"
        in synthetic.drawn("curves", lost, model="vgg16").caption
    )


def test_rows_without_a_finite_loss_are_left_out(table: pd.DataFrame) -> None:
    lost = (table["seed"] == 0) & (table["normalization"] == "raw") & (table["epoch"] > 3)
    broken = table.assign(train_loss=table["train_loss"].where(~lost, np.nan))
    drawing = synthetic.drawn("curves", broken, model="vgg16")
    run = drawing.data.query("normalization == 'raw' and seed == '0'")
    assert run["epoch"].max() == 3
