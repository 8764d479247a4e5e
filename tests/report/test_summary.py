"""Tables beside the claims, from studies with a known truth."""

from __future__ import annotations

import numpy as np
import pytest

from normreport.claims.distances import arms_apart
from normreport.normalizations import NORMALIZATIONS
from normreport.report.summary import RUN_COLUMNS, failed_rows, headline, pretraining_rows
from tests.claims.studies import LAYERS, study, with_failed_run, without_runs

ARMS = ("raw", "unit", "placebo", "imagenet")


def test_the_ladder_of_noise_has_a_rung_for_each_kind_of_pair():
    whole = study(arms=ARMS, floor=0.001, apart={"pretrained": 0.005, "scratch": 0.1})
    rows = headline(whole)["layers"]
    assert len(rows) == 2 * sum(map(len, LAYERS.values()))
    for row in rows:
        assert row["between_placebo"] == pytest.approx(0.001, abs=1e-3)
        apart = 0.1 if row["start"] == "scratch" else 0.005
        assert row["between_arms"] == pytest.approx(apart, abs=1e-3)
        assert row["between_seeds"] == pytest.approx(0.05, abs=1e-3)
        found = arms_apart(whole, row["model"], row["start"], row["layer"])
        assert (row["pseudo_f"], row["permanova_p"]) == found


def test_a_rung_that_the_experiment_lacks_is_none():
    row = headline(study(seeds=(0,)))["layers"][0]
    assert row["between_placebo"] is None
    assert row["between_seeds"] is None
    assert row["permanova_p"] is None
    assert row["between_arms"] is not None


def test_no_average_is_taken_over_survivors():
    whole = with_failed_run(
        study(), gate="finite", model="vgg16", start="scratch", normalization="raw", seed=0
    )
    for row in headline(whole)["layers"]:
        touched = (row["model"], row["start"]) == ("vgg16", "scratch")
        assert (row["std_last"] is None) == touched
        assert (row["between_arms"] is None) == touched


def pretraining_row(**changes):
    """Row of weights that were fetched, among all arms."""
    manifest = {
        "model": "vgg16",
        "source": "IMAGENET1K_V1",
        "file": "0" * 64,
        "preprocessing": None,
        "settings": {"train_images": 2, "epochs": 1, "normalization": "imagenet"},
    }
    images = np.random.default_rng(1).integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    (row,) = pretraining_rows([manifest | changes], NORMALIZATIONS, images)
    return row


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
    row = pretraining_row(preprocessing=known)
    assert set(row["other_arms"]) == set(NORMALIZATIONS) - same


def test_arms_are_told_apart_from_that_of_a_pretraining_in_the_workflow():
    settings = {"train_images": 20, "epochs": 3, "normalization": "unit"}
    last = {"heldout_loss": 0.5, "heldout_accuracy": 0.75}
    row = pretraining_row(source="train", file=None, settings=settings, history=[last])
    assert set(row["other_arms"]) == set(NORMALIZATIONS) - UNIT
    assert (row["train_images"], row["epochs"], row["normalization"]) == (20, 3, "unit")


def test_nothing_is_said_of_what_a_checkpoint_does_not_tell():
    row = pretraining_row(source="w/vgg16.pth")
    unknown = ("train_images", "epochs", "normalization", "preprocessing", "other_arms")
    assert {row[key] for key in (*unknown, "heldout_loss", "heldout_accuracy")} == {None}


def test_runs_that_failed_are_counted_and_leave_no_average():
    whole = without_runs(study(), model="vgg16", start="scratch")
    found = headline(whole)
    assert found["runs"]["failed"] == 9
    for row in found["layers"] + found["arms"]:
        touched = (row["model"], row["start"]) == ("vgg16", "scratch")
        assert (row.get("weights", row.get("train_loss")) is None) == touched


def test_a_run_that_failed_passes_no_gate_and_has_no_numbers():
    condition = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 1}
    (row,) = failed_rows([condition | {"what": "it was not tried", "log": ""}])
    assert set(row) == set(RUN_COLUMNS)
    assert (row["id"], row["state"]) == ("vgg16/scratch/raw/seed1", "FAILED")
    assert not any(row[gate] for gate in ("finite", "learned", "moved"))
    assert row["train_loss"] is row["initial_weights"] is None
