"""A run is complete when its manifest is there, and that of its pretrained weights."""

from __future__ import annotations

from pathlib import Path

import pytest

from normreport.config.failures import FailedRun
from normreport.config.runs import Run
from normreport.plan.available_runs import failed_runs, missing_stage

SCRATCH = Run("vgg16", "scratch", "unit", 0)
PRETRAINED = Run("vgg16", "pretrained", "unit", 0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(path: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).touch()


def test_a_run_without_its_manifest_misses_its_training() -> None:
    assert missing_stage(SCRATCH) == "train_run"
    _write("results/runs/vgg16/scratch/unit/seed0/manifest.json")
    assert missing_stage(SCRATCH) is None


def test_a_pretrained_run_without_pretrained_weights_misses_the_pretraining() -> None:
    _write("results/runs/vgg16/pretrained/unit/seed0/manifest.json")
    assert missing_stage(PRETRAINED) == "pretrain_model"
    _write("results/pretrained/vgg16/manifest.json")
    assert missing_stage(PRETRAINED) is None


def test_a_tuned_run_without_its_learning_rate_misses_the_sweep() -> None:
    _write("results/runs/vgg16/scratch/unit/seed0/manifest.json")
    assert missing_stage(SCRATCH, is_tuned=True) == "tune_rate"
    _write("results/tuning/vgg16/scratch/unit/rate.json")
    assert missing_stage(SCRATCH, is_tuned=True) is None


@pytest.mark.parametrize(
    ("stage", "output"),
    [
        ("digest_weights", "results/weights/vgg16/scratch/unit/seed0.json"),
        ("measure_weights", "results/measures/vgg16/scratch/unit/seed0.parquet"),
    ],
)
def test_a_trained_run_misses_a_later_stage_only_if_it_was_tried(stage: str, output: str) -> None:
    _write("results/runs/vgg16/scratch/unit/seed0/manifest.json")
    assert missing_stage(SCRATCH) is None
    log = f"logs/{stage}/vgg16/scratch/unit/seed0.log"
    _write(log)
    (failure,) = failed_runs([SCRATCH]).values()
    assert (failure.stage, failure.log) == (stage, log)
    _write(output)
    assert missing_stage(SCRATCH) is None


def test_a_failed_sweep_has_one_log_for_all_seeds() -> None:
    _write("logs/tune_rate/vgg16/scratch/unit.log")
    (failure,) = failed_runs([SCRATCH], ["vgg16"]).values()
    assert (failure.stage, failure.log) == ("tune_rate", "logs/tune_rate/vgg16/scratch/unit.log")
    (untuned,) = failed_runs([SCRATCH]).values()
    assert (untuned.stage, untuned.log) == ("train_run", None)


def test_failed_runs_name_their_stage_and_its_log_in_the_given_order() -> None:
    _write("logs/train_run/vgg16/scratch/unit/seed0.log")
    _write("results/runs/vgg16/scratch/imagenet/seed0/manifest.json")
    complete = Run("vgg16", "scratch", "imagenet", 0)
    failed = failed_runs([PRETRAINED, complete, SCRATCH])
    common = {"model": "vgg16", "normalization": "unit", "seed": 0}
    assert list(failed.items()) == [
        (PRETRAINED, FailedRun(**common, start="pretrained", stage="pretrain_model", log=None)),
        (
            SCRATCH,
            FailedRun(
                **common,
                start="scratch",
                stage="train_run",
                log="logs/train_run/vgg16/scratch/unit/seed0.log",
            ),
        ),
    ]


def test_a_failed_pretraining_has_one_log_for_all_runs_of_the_model() -> None:
    _write("logs/pretrain_model/vgg16.log")
    (failure,) = failed_runs([PRETRAINED]).values()
    assert failure.log == "logs/pretrain_model/vgg16.log"


def test_a_run_can_miss_the_pretraining_of_another_model() -> None:
    _write("logs/pretrain_model/vgg16.log")
    slow = Run("slow", "pretrained", "unit", 0)
    (failure,) = failed_runs([slow], pretrained_as={"slow": "vgg16"}).values()
    assert (failure.model, failure.log) == ("slow", "logs/pretrain_model/vgg16.log")
    _write("results/pretrained/vgg16/manifest.json")
    assert missing_stage(slow, pretrained_as="vgg16") == "train_run"
