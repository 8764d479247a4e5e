"""Whether the pretrained start is better than a random one."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.claims.pretraining_check import check_pretraining
from normreport.figures.drawing import Drawing
from tests.claims.studies import study, with_failed_run, with_holes
from tests.figures import synthetic
from tests.figures.synthetic import two, x_values, y_values

KIND = "pretraining_gain"
DIFFERENCE = "pretrained - scratch"


@pytest.fixture(scope="module")
def table(runs: pd.DataFrame) -> pd.DataFrame:
    other = synthetic.runs(epochs=6, model="mobilenet_v2", layers={"features.0.0": 0.083})
    return synthetic.final_runs(pd.concat([runs, other], ignore_index=True))


@pytest.fixture(scope="module")
def drawing(table: pd.DataFrame) -> Drawing:
    return synthetic.drawn(KIND, table)


def gains(table: pd.DataFrame, model: str, column: str) -> list[float]:
    """Average pretrained minus scratch over the article's arms, in points."""
    values = table.set_index(["model", "start", "normalization", "seed"])[column]
    return [
        float(
            np.mean([
                100 * (values[model, "pretrained", arm, seed] - values[model, "scratch", arm, seed])
                for arm in ("unit", "imagenet")
            ])
        )
        for seed in range(3)
    ]  # fmt: skip


@pytest.mark.parametrize("column", ["heldout_accuracy", "probe_accuracy"])
@pytest.mark.parametrize("model", ["vgg16", "mobilenet_v2"])
def test_the_difference_is_paired_by_seed_and_averaged_over_the_articles_arms(
    table: pd.DataFrame, drawing: Drawing, model: str, column: str
) -> None:
    rows = drawing.data[(drawing.data["model"] == model) & (drawing.data["accuracy"] == column)]
    found = rows[rows["start"] == DIFFERENCE].set_index("seed")["percent"]
    values = gains(table, model, column)
    assert [found[str(seed)] for seed in range(3)] == pytest.approx(values)
    interval = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    ends = [found["mean"], found["95% low"], found["95% high"]]
    assert ends == pytest.approx([np.mean(values), interval.low, interval.high])


def test_every_arm_has_a_row_with_a_line_between_the_two_runs_of_a_seed(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    ax = drawing.figure.axes[0]
    assert [tick.get_text() for tick in ax.get_yticklabels()] == [
        "raw (0-255)", "unit (/255)", "imagenet (mean/std)"
    ]  # fmt: skip
    lines = [line for line in ax.lines if len(x_values(line)) == 2]
    assert len(lines) == 3 * 3
    own = table[table["model"] == "vgg16"].set_index(["start", "normalization", "seed"])
    expected = [
        [100 * own.loc[(start, arm, seed), "heldout_accuracy"]
         for start in ("scratch", "pretrained")]
        for arm in ("raw", "unit", "imagenet") for seed in range(3)
    ]  # fmt: skip
    assert [list(x_values(line)) for line in lines] == [pytest.approx(pair) for pair in expected]
    assert [round(float(y_values(line)[0])) for line in lines] == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    points = [line for line in ax.lines if len(x_values(line)) == 1]
    hollow = [line for line in points if line.get_markerfacecolor() == "#ffffff"]
    assert len(points) == 2 * len(hollow) == 18


def test_both_panels_share_their_axes_between_networks_and_zero_is_marked(
    drawing: Drawing,
) -> None:
    axes = drawing.figure.axes
    assert axes[0].get_xlim() == axes[2].get_xlim()
    assert axes[1].get_xlim() == axes[3].get_xlim()
    for ax in axes[1::2]:
        assert list(x_values(ax.lines[0])) == [0, 0]
        low, high = ax.get_xlim()
        assert low < 0 < high


def test_the_words_begin_with_the_outcome_and_its_numbers(
    table: pd.DataFrame, drawing: Drawing
) -> None:
    values = gains(table, "vgg16", "heldout_accuracy")
    low, high = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    mean, low, high = map(float, (np.mean(values), low, high))
    numbers = f"{two(mean)} points [{two(low)}, {two(high)}]"
    expected = f"In held-out accuracy, pretraining helped VGG16 ({numbers}, 3 seeds) and "
    assert drawing.caption.startswith(expected)
    assert expected in drawing.alt
    assert "averaged over unit and imagenet" in drawing.method
    assert [ax.get_label() for ax in drawing.figure.axes] == [
        "VGG16", "Pretraining helped", "MobileNetV2", "Pretraining helped"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (-0.9, "In held-out accuracy, pretraining harmed VGG16 ("),
        (None, "In held-out accuracy, pretraining is not shown to have helped VGG16 ("),
    ],
)
def test_a_start_that_harms_or_decides_nothing_is_named_as_such(
    table: pd.DataFrame, shift: float | None, words: str
) -> None:
    own = table[table["model"] == "vgg16"].copy()
    better = own["start"] == "pretrained"
    if shift is None:
        own["heldout_accuracy"] = 0.5 + np.where(better, 0.1 * (own["seed"] - 1), 0.0)
    else:
        own["heldout_accuracy"] += np.where(better, shift, 0.0)
    assert synthetic.drawn(KIND, own).caption.startswith(words)


def test_the_figure_and_the_check_agree_on_any_design() -> None:
    """Holes, other seeds per start, failed runs, few seeds: the same outcome and numbers."""
    accuracy = {"pretrained": 0.75, "scratch": 0.7}
    whole = study(accuracy=accuracy, noise=0.01, seeds=(0, 1, 2, 3))
    lost = with_failed_run(
        whole, gate="finite", model="vgg16", start="scratch", normalization="unit", seed=1
    )
    run = {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": 1}
    lost.runs.rows.loc[
        (lost.runs.rows[list(run)] == pd.Series(run)).all(axis="columns"), "heldout_accuracy"
    ] = np.nan
    studies = [
        whole,
        lost,
        study(accuracy=accuracy, noise=0.01, seeds=(0, 1)),
        study(accuracy=accuracy, noise=0.01, arms=("raw",)),
        with_holes(whole, lambda model, start, arm, seed: arm != "imagenet" or start == "scratch"),
        with_holes(whole, lambda model, start, arm, seed: seed < 3 or start == "scratch"),
        with_holes(whole, lambda model, start, arm, seed: (seed < 2) == (start == "scratch")),
        with_holes(whole, lambda model, start, arm, seed: arm != "raw" or seed == 0),
    ]
    outcomes = set()
    for one in studies:
        data = synthetic.drawn(KIND, one.runs.rows).data
        for check in check_pretraining(one):
            outcomes.add(check.outcome)
            own = data[(data["model"] == check.model) & (data["start"] == DIFFERENCE)]
            for name, interval in (
                ("heldout_accuracy", check.difference),
                ("probe_accuracy", check.probe_difference),
            ):
                found = own[own["accuracy"] == name].set_index("seed")["percent"]
                if interval is None:
                    assert found.empty
                    continue
                ends = {"mean": interval.mean, "95% low": interval.low, "95% high": interval.high}
                known = {key: 100 * end for key, end in ends.items() if end is not None}
                assert {key: found[key] for key in ends if key in found} == pytest.approx(known)
    assert outcomes >= {"helped", "not evaluable"}


def test_a_run_without_an_accuracy_leaves_its_partner_and_no_difference(
    table: pd.DataFrame,
) -> None:
    own = table[table["model"] == "vgg16"].copy()
    lost = (own["start"] == "scratch") & (own["normalization"] == "unit") & (own["seed"] == 1)
    own.loc[lost, "heldout_accuracy"] = np.nan
    drawing = synthetic.drawn(KIND, own)
    runs = drawing.data[drawing.data["accuracy"] == "heldout_accuracy"]
    assert len(runs) == 2 * 3 * 3 - 1
    assert DIFFERENCE not in set(runs["start"])
    assert "VGG16 cannot be checked: a run diverged or failed." in drawing.caption
    texts = [text.get_text() for text in drawing.figure.axes[1].texts]
    assert "a run diverged or failed" in texts
    probes = drawing.data[drawing.data["accuracy"] == "probe_accuracy"]
    assert set(probes["seed"]) == {"0", "1", "2", "mean", "95% low", "95% high"}


def test_a_raw_run_without_an_accuracy_leaves_the_difference(table: pd.DataFrame) -> None:
    own = table[table["model"] == "vgg16"].copy()
    own.loc[own["normalization"] == "raw", "heldout_accuracy"] = np.nan
    assert "pretraining helped VGG16" in synthetic.drawn(KIND, own).caption


def test_one_seed_has_differences_without_an_interval(table: pd.DataFrame) -> None:
    drawing = synthetic.drawn(KIND, table[table["seed"] == 0])
    differences = drawing.data[drawing.data["start"] == DIFFERENCE]
    assert set(differences["seed"]) == {"0", "mean"}
    assert "cannot be checked: it needs three seeds or more" in drawing.caption


def test_networks_without_both_starts_have_no_panel(table: pd.DataFrame) -> None:
    partly = table[(table["model"] == "vgg16") | (table["start"] == "scratch")]
    titles = [ax.get_label() for ax in synthetic.drawn(KIND, partly).figure.axes]
    assert titles == ["VGG16", "Pretraining helped"]
    scratch = synthetic.drawn(KIND, table[table["start"] == "scratch"])
    assert scratch.data.empty
    assert scratch.caption == "No run to compare: no network has runs from both starts."
