"""Tables beside the claims, from studies with a known truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from normreport.claims.pairs import compare_arms_by_permanova
from normreport.config.manifests import PretrainingManifest
from normreport.config.results import FailureResult
from normreport.normalizations import NORMALIZATIONS
from normreport.report.summary import failed_run_result, headline, pretraining_result
from tests.claims.studies import LAYERS, study, with_failed_run, without_runs

ARMS = ("raw", "unit", "placebo", "imagenet")


def test_the_ladder_of_noise_has_a_rung_for_each_kind_of_pair():
    whole = study(arms=ARMS, floor=0.001, apart={"pretrained": 0.005, "scratch": 0.1})
    rows = headline(whole).layers
    assert len(rows) == 2 * sum(map(len, LAYERS.values()))
    for row in rows:
        assert row.between_placebo == pytest.approx(0.001, abs=1e-3)
        apart = 0.1 if row.start == "scratch" else 0.005
        assert row.between_arms == pytest.approx(apart, abs=1e-3)
        assert row.between_seeds == pytest.approx(0.05, abs=1e-3)
        found = compare_arms_by_permanova(whole, row.model, row.start, row.layer)
        assert (row.pseudo_f, row.permanova_p) == found


def test_a_rung_that_the_experiment_lacks_is_none():
    row = headline(study(seeds=(0,))).layers[0]
    assert row.between_placebo is None
    assert row.between_seeds is None
    assert row.permanova_p is None
    assert row.between_arms is not None


def test_no_average_is_taken_over_survivors():
    whole = with_failed_run(
        study(), gate="finite", model="vgg16", start="scratch", normalization="raw", seed=0
    )
    for row in headline(whole).layers:
        touched = (row.model, row.start) == ("vgg16", "scratch")
        assert (row.std_last is None) == touched
        assert (row.between_arms is None) == touched


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
    return pretraining_result(manifest, NORMALIZATIONS, images)


def fetched(preprocessing):
    return pretraining(kind="fetched", settings=FETCHED, file="0" * 64, preprocessing=preprocessing)


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
    last = {"epoch": 3, **rates, "heldout_loss": 0.5, "heldout_accuracy": 0.75}
    result = pretraining(kind="trained", settings=TRAINED, classes=2, data={}, history=[last])
    assert set(result.other_arms) == set(NORMALIZATIONS) - UNIT
    assert (result.train_images, result.epochs, result.normalization) == (20, 3, "unit")
    assert (result.heldout_loss, result.heldout_accuracy) == (0.5, 0.75)


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
