"""A training asks for at least the memory that it was measured to take."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.config.runs import Run
from normreport.config.training import TrainingSettings
from normreport.plan.resources import (
    comparing_mb,
    small_stage_mb,
    training_gpus,
    training_mb,
    training_minutes,
)

Changed = Callable[..., dict[str, Any]]


def _asked(values: dict[str, Any], normalization: str) -> int:
    config = load_config(values)
    run = Run("vgg16", "scratch", normalization, 0)
    return training_mb(config.run_settings(run), config.data.target)


@pytest.mark.parametrize(("size", "measured"), [(32, 1700), (224, 5500)])
def test_vgg16_gets_its_measured_memory_and_at_most_half_as_much_again(
    changed: Changed, size: int, measured: int
) -> None:
    values = changed(
        {
            "experiment.models": ["vgg16"],
            "data.target.image_size_px": size,
            "data.pretraining.image_size_px": size,
            "data.target.train_images": 64,
            "data.target.heldout_images": 32,
            "models.vgg16.train_images": 64,
            "models.vgg16.batch_size": 32,
        }
    )
    assert measured <= _asked(values, "unit") <= 1.5 * measured


def test_an_arm_that_enlarges_images_gets_the_memory_of_the_larger_ones(changed: Changed) -> None:
    small, large = (
        changed({}),
        changed({"data.target.image_size_px": 224, "data.pretraining.image_size_px": 224}),
    )
    assert _asked(small, "published_meanstd") == _asked(large, "unit") > 2 * _asked(small, "unit")


def test_many_images_get_the_memory_to_normalize_them(changed: Changed) -> None:
    """In float64, with three copies at most: 25 bytes for each of 3 x 32 x 32 values."""
    values = changed({"data.target.train_images": 1_000_000})
    assert _asked(values, "unit") >= 1_000_000 * 3 * 32**2 * 25 / 1e6


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("cuda", 1), ("mps", 1), ("auto", 1)])
def test_a_training_asks_for_a_gpu_if_it_may_use_one(device: str, gpus: int) -> None:
    assert training_gpus(TrainingSettings.model_validate({"device": device})) == gpus


def test_a_comparison_gets_the_memory_of_one_epoch_of_its_runs() -> None:
    """Measured: 150 runs of 2,359,296 weights, 1,350 MB of float32, take 1,440 MB."""
    one_epoch = 150 * 2_359_296 * 4 / 1e6
    assert comparing_mb(36 * one_epoch, epochs=35) >= 1440
    assert comparing_mb(36 * one_epoch, epochs=35) < 1000 + 1.01 * one_epoch


def test_retries_request_more_memory_and_time() -> None:
    assert [training_minutes(None, attempt) for attempt in (1, 2, 3, 4)] == [240, 480, 1440, 1440]
    assert [small_stage_mb(None, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]
