"""A job asks for the memory and time that it was measured to take, and not for far more."""

from __future__ import annotations

from typing import Any

import pytest

from normreport.config.data import DataSettings
from normreport.config.training import RunPlan, SweepSettings, TrainedWeights, TrainingSettings
from normreport.plan.network_sizes import SIZES
from normreport.plan.resources import (
    comparing_mb,
    digesting_mb,
    drawing_mb,
    judging_mb,
    measuring_mb,
    small_stage_mb,
    training_gpus,
    training_mb,
    training_minutes,
)

# Two processes of Snakemake start a job on another node.
SNAKEMAKE_MB = 2 * 180
RUN: dict[str, Any] = {
    "model": "vgg16",
    "architecture": "vgg16",
    "start": "scratch",
    "normalization": "unit",
    "seed": 0,
    "train_images": 40,
    "batch_size": 20,
    "layers": ["features.0", "features.10"],
}
DATA: dict[str, Any] = {"source": "digits", "train_images": 128, "heldout_images": 600}


def _data(**changes: Any) -> DataSettings:
    return DataSettings.model_validate(DATA | changes)


def _mb(px: int = 32, **changes: Any) -> int:
    few = _data(image_size_px=px, train_images=64, heldout_images=32)
    return training_mb(RunPlan.model_validate(RUN | changes), few)


def _minutes(data: dict[str, Any], attempt: int = 1, **changes: Any) -> int:
    return training_minutes(RunPlan.model_validate(RUN | changes), _data(**data), attempt)


@pytest.mark.parametrize(
    ("architecture", "size", "batch", "measured"),
    [
        ("mobilenet_v2", 32, 16, 1020),
        ("mobilenet_v2", 224, 8, 1804),
        ("mobilenet_v2", 224, 32, 4242),
        ("vgg16", 32, 20, 2228),
        ("vgg16", 64, 20, 3327),
        ("vgg16", 224, 8, 3987),
        ("vgg16", 224, 32, 4453),
        ("resnet50", 224, 8, 2342),
        ("densenet121", 64, 32, 1332),
        ("vit_b_16", 224, 4, 3238),
    ],
)
def test_a_training_gets_its_measured_memory_and_at_most_twice_as_much(
    architecture: str, size: int, batch: int, measured: int
) -> None:
    """The peak memory of short trainings with a checkpoint after every epoch."""
    measured += SNAKEMAKE_MB
    assert measured <= _mb(size, architecture=architecture, batch_size=batch) <= 2 * measured


def test_an_arm_that_enlarges_images_gets_the_memory_of_the_larger_ones() -> None:
    network = {"architecture": "mobilenet_v2", "batch_size": 16}
    enlarged = _mb(32, **network, normalization="published_meanstd")
    assert enlarged == _mb(224, **network) > _mb(32, **network)
    assert 2827 + SNAKEMAKE_MB <= enlarged <= 2 * (2827 + SNAKEMAKE_MB)  # measured


def test_many_images_get_the_memory_to_normalize_them() -> None:
    """In float64, with three copies at most: 25 bytes for each of 3 x 32 x 32 values."""
    many = _data(train_images=1_000_000)
    assert training_mb(RunPlan.model_validate(RUN), many) >= 1_000_000 * 3 * 32**2 * 25 / 1e6


def test_a_folded_layer_and_absent_moments_take_no_memory() -> None:
    """Folding removes 100 million weights of VGG16; Adam keeps two arrays of each weight."""
    folded = _mb()
    assert _mb(layers=["classifier.0"]) - folded > 1600
    assert _mb(optimizer={"name": "adam", "weight_decay": 0.1}) - folded > 1600
    without, momentum = (_mb(optimizer={"name": "sgd", "momentum": m}) for m in (0.0, 0.9))
    assert without < momentum < folded


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("cuda", 1), ("mps", 1), ("auto", 1)])
def test_a_training_asks_for_a_gpu_if_it_may_use_one(device: str, gpus: int) -> None:
    assert training_gpus(TrainingSettings.model_validate({"device": device})) == gpus


@pytest.mark.parametrize(("weights", "measured"), [(2_360_000, 440), (20_000_000, 2427)])
def test_measuring_gets_the_memory_of_an_epoch_of_the_largest_layer(
    weights: int, measured: int
) -> None:
    assert measured + SNAKEMAKE_MB <= measuring_mb(weights) <= 2 * (measured + SNAKEMAKE_MB)


def test_a_comparison_gets_the_memory_of_one_epoch_of_its_runs() -> None:
    """Measured: 150 runs of 2,359,296 weights, 1,350 MB of float32, take 1,440 MB."""
    measured = 1440 + SNAKEMAKE_MB
    assert measured <= comparing_mb(150 * 2_359_296) <= 2 * measured


@pytest.mark.parametrize(
    ("runs", "epochs", "drawn", "judged"),
    [
        (12, 864, 248, 198),
        (192, 6_912, 325, 238),
        (768, 27_648, 614, 333),
        (3000, 43_200, 809, 729),
    ],
)
def test_drawing_and_judging_get_the_memory_of_what_they_read(
    runs: int, epochs: int, drawn: int, judged: int
) -> None:
    """The peaks of the largest kind of figure and of all claims, which the benchmark measures.

    A histogram reads all epochs of two layers in all runs of one model.
    """
    assert drawn <= drawing_mb(epochs) <= 2 * drawn
    assert judged <= judging_mb(runs) <= 2 * judged


def test_retries_of_small_stages_request_more_memory() -> None:
    assert [digesting_mb(None, attempt) for attempt in (1, 2)] == [500, 1000]
    assert 69 + SNAKEMAKE_MB <= digesting_mb(None) <= 2 * (69 + SNAKEMAKE_MB)
    assert [small_stage_mb(None, attempt) for attempt in (1, 2, 3)] == [1000, 2000, 3000]


# Time


def test_a_short_run_asks_for_half_an_hour() -> None:
    """Those of the default experiment take about a minute."""
    assert _minutes({}) == 30
    assert _minutes({}, architecture="mobilenet_v2", train_images=128, batch_size=16) == 30


@pytest.mark.parametrize(
    ("architecture", "images_per_second"), [("vgg16", 65), ("mobilenet_v2", 550)]
)
def test_a_long_run_asks_for_several_times_its_measured_time(
    architecture: str, images_per_second: int
) -> None:
    """On one core, with batches of 16 images of 32 px; see :mod:`normreport.training.loop`."""
    images = 10_000
    asked = _minutes(
        {"train_images": images},
        architecture=architecture,
        train_images=images,
        batch_size=16,
        epochs=10,
    )
    training = 10 * images / images_per_second / 60
    evaluation = training / 3
    assert 2 <= asked / (training + evaluation) <= 8


def test_large_images_on_a_processor_get_up_to_23_hours() -> None:
    """In 35 epochs: 40 images take half an hour of one core, 10,000 images take days."""
    assert 60 <= _minutes({"image_size_px": 224}) <= 4 * 60
    many = {"image_size_px": 224, "train_images": 10_000}
    assert [_minutes(many, attempt, train_images=10_000) for attempt in (1, 2, 3)] == [1380] * 3


def test_every_attempt_asks_for_twice_the_time_up_to_23_hours() -> None:
    assert [_minutes({}, attempt) for attempt in range(1, 8)] == [30, 60, 120, 240, 480, 960, 1380]


LONG = {"train_images": 2_000, "epochs": 20}


@pytest.mark.parametrize(
    ("data", "changes"),
    [
        ({}, {"epochs": 40}),
        ({}, {"train_images": 4_000}),
        ({}, {"batch_size": 2}),
        ({}, {"architecture": "vgg19"}),
        ({}, {"normalization": "published_meanstd"}),
        ({"image_size_px": 64}, {}),
        ({"heldout_images": 100_000}, {}),
    ],
)
def test_more_work_asks_for_more_time(data: dict[str, Any], changes: dict[str, Any]) -> None:
    images = {"train_images": 4_000}
    assert 30 < _minutes(images, **LONG) < _minutes(images | data, **LONG | changes)


def test_threads_and_gpus_ask_for_less_time() -> None:
    images = {"train_images": 16_000}
    one, eight, gpu = (
        _minutes(images, train_images=16_000, epochs=20, **change)
        for change in ({}, {"threads": 8}, {"threads": 8, "device": "cuda"})
    )
    assert one > eight > gpu


def test_a_sweep_asks_for_the_time_of_its_trial_runs() -> None:
    images = _data(train_images=2_000)
    plan = {key: value for key, value in (RUN | LONG).items() if key not in ("seed", "layers")}
    sweep = SweepSettings.model_validate(plan | {"candidates": [0.1, 0.01], "seeds": [7, 8]})
    run = RunPlan.model_validate(RUN | LONG)
    ratio = training_minutes(sweep, images, 1) / training_minutes(run, images, 1)
    assert ratio == pytest.approx(4, rel=0.02)
    assert training_mb(sweep, images) == training_mb(run, images)


def test_the_pretraining_of_the_default_asks_for_less_than_two_hours() -> None:
    """It takes 6 minutes on one core."""
    fit = {key: value for key, value in RUN.items() if key not in ("start", "layers")}
    fit |= {"train_images": 8_000, "epochs": 3, "batch_size": 32, "learning_rate": 2e-4}
    data = _data(train_images=8_000, heldout_images=500)
    assert 30 < training_minutes(TrainedWeights.model_validate(fit), data, 1) < 120


def test_an_unknown_network_gets_what_a_large_one_gets() -> None:
    unknown, large = "new_net", "vgg19_bn"
    assert _mb(224, architecture=unknown) == _mb(224, architecture=large)
    size = {"image_size_px": 224}
    assert _minutes(size, architecture=unknown) == _minutes(size, architecture=large)
    assert sum(size.gflops > SIZES["vgg19_bn"].gflops for size in SIZES.values()) < len(SIZES) / 8
