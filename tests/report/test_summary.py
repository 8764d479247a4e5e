"""Tables beside the claims, from studies with a known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from normreport.config.experiment import load_config
from normreport.config.manifests import Evaluation, HeldoutEvaluations, PretrainingManifest
from normreport.config.results import FailureResult
from normreport.normalizations import NORMALIZATIONS
from normreport.report.summary import failed_run_result, headline, pretraining_result, run_result
from tests.claims.studies import (
    LAYERS,
    replace_tables,
    study,
    with_failed_run,
    with_holes,
    without_runs,
)
from tests.reports import manifest


def test_no_average_is_taken_over_survivors():
    whole = with_failed_run(
        study(), gate="finite", model="vgg16", start="scratch", normalization="raw", seed=0
    )
    for row in headline(whole).layers:
        touched = (row.model, row.start) == ("vgg16", "scratch")
        assert (row.std_last is None) == touched


def test_pretraining_helped_if_the_interval_of_the_paired_difference_is_above_zero():
    for accuracy, outcome in (
        ({"pretrained": 0.9, "scratch": 0.7}, "helped"),
        ({"pretrained": 0.5, "scratch": 0.7}, "harmed"),
        ({"pretrained": 0.7, "scratch": 0.7}, "not shown"),
    ):
        checks = headline(study(accuracy=accuracy, noise=0.01)).pretraining_checks
        assert [check.model for check in checks] == list(LAYERS)
        assert [check.outcome for check in checks] == [outcome] * 2
        expected = accuracy["pretrained"] - accuracy["scratch"]
        for check in checks:
            assert check.difference.mean == pytest.approx(expected, abs=0.02)
            assert check.probe_difference.mean == pytest.approx(expected)
            assert [arm.arm for arm in check.arms] == ["raw", "unit", "imagenet"]


def test_the_difference_is_paired_by_seed_and_averaged_over_the_articles_arms():
    whole = study()
    runs = whole.runs.rows
    seeds, arms = runs["seed"], runs["normalization"]
    raw = np.where(arms == "raw", -0.3, 0.0)  # does not count
    gain = np.where(runs["start"] == "pretrained", 0.1 * (seeds + 1) + raw, 0.0)
    runs["heldout_accuracy"] = 0.4 + 0.05 * seeds + gain
    check = headline(whole).pretraining_checks[0]
    assert check.difference.mean == pytest.approx(0.2)
    expected = stats.ttest_1samp([0.1, 0.2, 0.3], 0).confidence_interval(0.95)
    assert (check.difference.low, check.difference.high) == pytest.approx(tuple(expected))
    assert check.outcome == "not shown"


def test_pretraining_cannot_be_checked_without_three_complete_seeds_and_both_starts():
    assert headline(study(starts=("scratch",))).pretraining_checks == []
    pretrained = with_holes(
        study(), lambda model, start, *_: model == "vgg16" or start == "scratch"
    )
    assert [check.model for check in headline(pretrained).pretraining_checks] == ["vgg16"]
    for seeds in ((0,), (0, 1)):
        (few, _) = headline(study(seeds=seeds)).pretraining_checks
        assert (few.outcome, few.reason) == ("not evaluable", "it needs three seeds or more")
    whole = study()
    whole.runs.rows.loc[0, "heldout_accuracy"] = np.nan  # a raw run
    assert headline(whole).pretraining_checks[0].outcome == "helped"
    without = replace_tables(whole, runs=lambda rows: rows.assign(heldout_accuracy=np.nan))
    (failed, _) = headline(without).pretraining_checks
    assert (failed.outcome, failed.reason) == ("not evaluable", "a run diverged or failed")
    (other, _) = headline(study(arms=("raw",))).pretraining_checks
    assert other.outcome == "not evaluable"


def is_planned(model, start, arm, seed):
    """Plan raw with two seeds, and no pretrained start of VGG16."""
    return (arm != "raw" or seed < 2) and (model, start) != ("vgg16", "pretrained")


def test_tables_have_only_what_is_planned():
    whole = study()
    found = headline(with_holes(whole, is_planned))
    assert [(row.model, row.start, row.normalization, row.runs) for row in found.arms] == [
        (model, start, arm, 2 if arm == "raw" else 3)
        for model, start in (
            ("vgg16", "scratch"),
            ("mobilenet_v2", "pretrained"),
            ("mobilenet_v2", "scratch"),
        )
        for arm in ("raw", "unit", "imagenet")
    ]
    places = {(row.model, row.start) for row in found.layers}
    assert places == {(row.model, row.start) for row in found.arms}
    assert found.runs.total == 3 * (2 + 3 + 3)


VERSIONS = {"python": "3.11.0", "torch": "2.14.1"}
FETCHED = {"model": "vgg16", "architecture": "vgg16", "weights": "w/IMAGENET1K_V1"}
TRAINED = {
    "model": "vgg16", "architecture": "vgg16", "train_images": 20, "epochs": 3, "batch_size": 2,
    "learning_rate": 0.1, "weights": "train", "normalization": "unit", "seed": 1000,
}  # fmt: skip


def pretraining(**origin):
    """Give the result of a manifest with this origin, among all arms."""
    manifest = PretrainingManifest.model_validate({
        "model": "vgg16",
        "origin": origin,
        "digests": {"weights": "1" * 64, "code": "2" * 64},
        "files": {},
        "versions": VERSIONS,
    })  # fmt: skip
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    return pretraining_result(manifest, {arm: arm for arm in NORMALIZATIONS}, images)


def fetched(preprocessing):
    return pretraining(
        kind="fetched",
        settings=FETCHED,
        file="0" * 64,
        preprocessing=preprocessing,
        unwrapping=None,
    )


UNIT = {"unit", "placebo", "published_none", "published_minmax"}
IMAGENET = {"imagenet", "published_meanstd"}


@pytest.mark.parametrize(
    ("mean", "std", "same"),
    [
        ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225], IMAGENET),
        ([0.0] * 3, [1.0] * 3, UNIT),
        ([0.0] * 3, [1 / 255] * 3, {"raw"}),
        ([0.5] * 3, [0.5] * 3, set()),
    ],
)
def test_arms_are_told_apart_from_published_preprocessing_by_their_values(mean, std, same):
    known = {"mean": mean, "std": std, "resize_px": 256, "crop_px": 224}
    result = fetched(known)
    assert set(result.other_arms) == set(NORMALIZATIONS) - same
    assert (result.weights, result.file) == ("IMAGENET1K_V1", "0" * 64)


def test_arms_are_told_apart_from_that_of_a_pretraining_in_the_workflow():
    rates = {"learning_rate": 0.1, "batch_loss": None, "train_loss": 0.4, "train_accuracy": 0.8}
    last = {"epoch": 3, **rates, "heldout_loss": 0.2, "heldout_accuracy": 1.0}
    result = pretraining(
        kind="trained",
        settings=TRAINED,
        classes=2,
        data={},
        history=[last],
        evaluation={"loss": 0.5, "accuracy": 0.75, "images": 100},
    )
    assert set(result.other_arms) == set(NORMALIZATIONS) - UNIT
    assert (result.train_images, result.epochs, result.normalization) == (20, 3, "unit")
    assert (result.heldout_loss, result.heldout_accuracy) == (0.5, 0.75)
    assert result.heldout_images == 100


def test_the_accuracy_of_a_run_is_that_on_all_held_out_images(default_values):
    run = manifest("vgg16/scratch/unit/seed0", load_config(default_values))
    ends = {
        "initial": Evaluation(loss=2.5, accuracy=0.125, images=600),
        "final": Evaluation(loss=0.5, accuracy=0.875, images=600),
    }
    heldout = HeldoutEvaluations(**ends, probe_accuracy=0.75)
    result = run_result(run.model_copy(update={"heldout": heldout}))
    assert (result.heldout_loss, result.heldout_accuracy) == (0.5, 0.875)
    assert (result.initial_heldout_accuracy, result.probe_accuracy) == (0.125, 0.75)
    nothing = run_result(run)
    assert nothing.heldout_loss is None
    assert nothing.initial_heldout_accuracy is None


def test_the_inputs_of_a_checkpoint_are_unknown():
    result = fetched(None)
    assert result.preprocessing is None
    assert result.other_arms is None


def test_runs_that_failed_are_counted_and_leave_no_average():
    whole = without_runs(study(), model="vgg16", start="scratch")
    found = headline(whole)
    assert found.runs.failed == 9
    rows: list[tuple[float | None, Any]] = [
        *((layer.weights, layer) for layer in found.layers),
        *((arm.train_loss, arm) for arm in found.arms),
    ]
    for number, row in rows:
        assert (number is None) == ((row.model, row.start) == ("vgg16", "scratch"))


def test_a_failed_run_passes_no_check_and_has_no_numbers():
    run = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 1}
    name = "vgg16/scratch/raw/seed1"
    result = failed_run_result(FailureResult(**run, id=name, what="it was not tried", log=""))
    assert (result.id, result.state, result.what) == (name, "FAILED", "it was not tried")
    assert not any((result.finite, result.learned, result.moved))
    assert result.train_loss is None
    assert result.initial_weights is None
