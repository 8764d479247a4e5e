"""What an experiment takes: the arithmetic, and that a tried step tells of a training."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from normreport.config.experiment import Config, load_config
from normreport.plan import estimates
from normreport.plan.estimates import Cost, format_duration, total_cost
from normreport.training import networks
from normreport.training.images import ImageSet
from normreport.training.loop import train
from normreport.training.state import TrainingState

Changed = Callable[[dict[str, Any]], dict[str, Any]]
ARMS = ("raw", "unit", "imagenet")


@pytest.fixture
def config(changed: Changed) -> Config:
    return load_config(changed({"experiment.models": ["mobilenet_v2"], "training.epochs": 3}))


@pytest.fixture(autouse=True)
def cpu_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure the time of this process: other tests run beside it."""
    monkeypatch.setattr(time, "perf_counter", time.process_time)


def test_what_a_run_keeps_and_a_network_has_is_counted(config: Config) -> None:
    (found,) = estimates.estimates(config, dict.fromkeys(ARMS, 32))
    layers = networks.shape_only_network("mobilenet_v2").layers()
    kept = sum(layers[name].numel() for name in config.models["mobilenet_v2"].layers)
    assert found.runs == 30
    assert found.run.kept_bytes == 4 * 4 * kept  # four bytes a weight, four epochs with the first
    assert found.pretraining is not None
    assert found.pretraining.kept_bytes == 0
    # 2,223,872 parameters before the last layer, which has two outputs of 1,280 inputs.
    assert found.run.network_bytes == 4 * (2_223_872 + 2 * 1281)


def test_the_time_of_a_training_is_told_within_a_factor(config: Config) -> None:
    (found,) = estimates.estimates(config, dict.fromkeys(ARMS, 32))
    settings = config.run_settings(next(config.runs()))
    network = networks.build(
        "mobilenet_v2", classes=10, image_size_px=32, optimizer=settings.optimizer, seed=0
    )
    images, heldout = (
        ImageSet(torch.rand(count, 3, 32, 32), torch.arange(count) % 10) for count in (128, 40)
    )
    began = time.perf_counter()
    list(train(TrainingState.begin(network, settings), images, heldout, seed=0))
    measured = time.perf_counter() - began
    told = found.run.seconds - estimates.STARTING
    assert measured / 4 < told < 4 * measured


def test_all_held_out_images_are_evaluated_twice_and_few_in_every_epoch(changed: Changed) -> None:
    seconds = []
    for few in (24, 1_000_000):
        change = {
            "experiment.models": ["mobilenet_v2"],
            "experiment.starts": ["scratch"],
            "training.epochs": 6,
            "training.epoch_heldout_images": few,
            "data.target.heldout_images": 1_000_000,
        }
        (found,) = estimates.estimates(load_config(changed(change)), dict.fromkeys(ARMS, 32))
        seconds.append(found.run.seconds)
    # 2 evaluations against 2 + 6.
    assert 2 < seconds[1] / seconds[0] < 8


def test_an_arm_of_larger_images_takes_longer(config: Config) -> None:
    (small,) = estimates.estimates(config, dict.fromkeys(ARMS, 32))
    (mixed,) = estimates.estimates(config, {"raw": 32, "unit": 32, "imagenet": 128})
    smaller, larger = (found.run.seconds - estimates.STARTING for found in (small, mixed))
    assert larger > 1.5 * smaller
    assert mixed.run.kept_bytes == small.run.kept_bytes


def test_trainings_and_other_work_add_up(config: Config) -> None:
    run = Cost(seconds=100, kept_bytes=1_000_000, network_bytes=5_000_000)
    pretraining = Cost(seconds=60, kept_bytes=0, network_bytes=5_000_000)
    found = [estimates.Estimate("mobilenet_v2", 18, run, pretraining)]
    alone = total_cost(config, found, at_a_time=1, cores=4)
    two = total_cost(config, found, at_a_time=2, cores=4)
    assert alone.seconds - two.seconds == (18 * 100 + 60) / 2
    assert two.seconds > (18 * 100 + 60) / 2 + estimates.REPORT
    more = [replace(found[0], run=replace(run, kept_bytes=2_000_000))]
    assert (
        total_cost(config, more, at_a_time=1, cores=4).kept_bytes == alone.kept_bytes + 18_000_000
    )
    assert total_cost(config, more, at_a_time=1, cores=4).seconds > alone.seconds


def test_a_sweep_takes_as_long_as_its_trial_runs(changed: Changed) -> None:
    """Six trial runs in one process, for each of three normalizations and two starts."""
    sweep = {"candidates": [0.1, 0.01, 0.001], "seeds": [7, 8]}
    models = {"experiment.models": ["mobilenet_v2"], "training.epochs": 3}
    tuned = load_config(changed({**models, "models.mobilenet_v2.learning_rate": sweep}))
    (found,) = estimates.estimates(tuned, dict.fromkeys(ARMS, 32))
    assert found.sweeps == 6
    assert found.sweep_seconds == pytest.approx(
        estimates.STARTING + 6 * (found.run.seconds - estimates.STARTING)
    )
    without = replace(found, sweeps=0)
    more = total_cost(tuned, [found], at_a_time=2, cores=2).seconds
    less = total_cost(tuned, [without], at_a_time=2, cores=2).seconds
    assert more - less == pytest.approx(6 * found.sweep_seconds / 2)


def test_every_layer_adds_figures_and_comparisons(changed: Changed) -> None:
    costs = []
    for count in (1, 2, 102):
        layers = [f"features.{number}" for number in range(count)]
        change = {"experiment.models": ["mobilenet_v2"], "models.mobilenet_v2.layers": layers}
        costs.append(total_cost(load_config(changed(change)), [], at_a_time=1, cores=1))
    one, two, many = costs
    # Four figures and a comparison for each of two starts.
    assert two.seconds - one.seconds == 8 * estimates.FIGURE + 2 * estimates.COMPARING
    # Of more than four layers, each has the three figures that all layers share otherwise.
    split = 3 * (102 - 1) * estimates.FIGURE
    assert many.seconds - two.seconds == pytest.approx(100 * (two.seconds - one.seconds) + split)
    assert two.kept_bytes - one.kept_bytes == 8 * estimates.DRAWN


def test_only_planned_comparisons_are_counted(changed: Changed) -> None:
    models = {"experiment.models": ["mobilenet_v2"]}
    without = models | {"experiment.exclude": [{"start": "pretrained"}]}
    both, one = (
        total_cost(load_config(changed(change)), [], at_a_time=1, cores=1)
        for change in (models, without)
    )
    # Two layers: a comparison and four figures each, which are not drawn for the other start. With
    # one start, no figure compares the two.
    expected = 2 * estimates.COMPARING + (8 + 1) * estimates.FIGURE
    assert both.seconds - one.seconds == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.2, "1 seconds"),
        (119, "119 seconds"),
        (120, "2 minutes"),
        (810, "14 minutes"),
        (7200, "2 hours"),
        (200_000, "2 days"),
    ],
)
def test_a_time_is_said_in_the_unit_that_fits_it(seconds: float, text: str) -> None:
    assert format_duration(seconds) == text
