"""The time and disk space of an experiment, estimated from a few steps on this machine."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from normreport.config.experiment import Config
from normreport.config.training import FitSettings, RunSettings, TrainedWeights
from normreport.plan.figure_index import figure_index
from normreport.plan.resources import count_images
from normreport.training.devices import tune_malloc
from normreport.training.images import ImageSet
from normreport.training.loop import evaluate, train
from normreport.training.networks import build
from normreport.training.state import TrainingState

# The most images of a trial step: enough to keep a core busy.
TRIED = 32
# Seconds of one core, measured on the default experiment: importing PyTorch and writing a run's
# files; measuring a run; comparing the runs in a layer; both for each weight at one epoch; one
# figure; tables, article and PDF.
STARTING, MEASURING, COMPARING, WEIGHT, FIGURE, REPORT = 5.0, 2.0, 3.0, 1e-7, 2.0, 20.0
# Bytes: the density and histogram of one layer at one epoch of a run; all files of a figure.
DENSITY, DRAWN = 4_000, 400_000


@dataclass(frozen=True)
class Cost:
    """Seconds and bytes of one training.

    Attributes
    ----------
    seconds
        On one core, or on the device.
    kept_bytes
        Size of the weights that a run keeps.
    network_bytes
        Size of all weights of the network.
    """

    seconds: float
    kept_bytes: int
    network_bytes: int


@dataclass(frozen=True)
class Estimate:
    """The cost of one model: of each of its runs, their number, and of its pretraining.

    Attributes
    ----------
    model
        The model.
    runs, run
        The number of runs, and the mean cost of a run.
    pretraining
        The cost of the pretraining; None if the workflow does not train the weights.
    sweeps, sweep_seconds
        The number of sweeps of a tuned model, and the seconds of one.
    """

    model: str
    runs: int
    run: Cost
    pretraining: Cost | None
    sweeps: int = 0
    sweep_seconds: float = 0.0


def estimates(config: Config, sizes: dict[str, int]) -> Iterator[Estimate]:
    """Time a step of every model and estimate the cost of its trainings.

    Parameters
    ----------
    config
        A valid configuration, its layers as module paths.
    sizes
        Height and width of the images of each normalization, in pixels.
    """
    for model in config.design.models:
        runs = [run for run in config.runs() if run.model == model]
        tried = {
            size: _tried(config.run_settings(run), size, config.data.target.heldout_images)
            for size, run in {sizes[run.normalization]: run for run in runs}.items()
        }
        costs = [tried[sizes[run.normalization]] for run in runs]
        pretraining = None
        has_own = config.pretrained_as.get(model) == model
        weights = config.pretrain_settings(model) if has_own else None
        if isinstance(weights, TrainedWeights):
            heldout = config.data.pretraining.heldout_images
            size = sizes[weights.normalization]
            pretraining = _tried(weights, size, heldout)
        mean = Cost(
            sum(cost.seconds for cost in costs) / len(costs),
            costs[0].kept_bytes,
            costs[0].network_bytes,
        )
        sweeps = [sweep for sweep in config.sweeps() if sweep.model == model]
        # Trial runs share one process, and train as long as a run of the experiment.
        trials = len(sweeps[0].candidates) * len(sweeps[0].seeds) if sweeps else 0
        sweep_seconds = STARTING + trials * (mean.seconds - STARTING) if sweeps else 0.0
        yield Estimate(model, len(runs), mean, pretraining, len(sweeps), sweep_seconds)


def total_cost(config: Config, per_model: list[Estimate], *, at_a_time: int, cores: int) -> Cost:
    """Add up the cost of a complete build.

    Parameters
    ----------
    config
        As :func:`estimates` takes it.
    per_model
        The estimates of all models.
    at_a_time
        The number of trainings at a time.
    cores
        The number of cores.

    Returns
    -------
    Cost
        The seconds until the report is complete; the size of all results as `kept_bytes`.
    """
    epochs = config.training.epochs + 1  # with the one before the first step
    trainings = sum(e.runs * e.run.seconds for e in per_model)
    trainings += sum(e.pretraining.seconds for e in per_model if e.pretraining)
    trainings += sum(e.sweeps * e.sweep_seconds for e in per_model)
    figures = len(list(figure_index(config)))
    layers = {model: len(config.models[model].layers) for model in config.design.models}
    comparisons = sum(layers[model] for model, _ in {arm[:2] for arm in config.design.arms})
    others = (
        FIGURE * figures
        + COMPARING * comparisons
        + sum(e.runs * (MEASURING + WEIGHT * e.run.kept_bytes / 4) for e in per_model)
    )
    images = sum(
        (data.train_images + data.heldout_images) * 3 * data.image_size_px**2
        for data in config.data_sets().values()
    )
    kept = sum(
        e.runs * (e.run.kept_bytes + DENSITY * epochs * layers[e.model])
        + (e.pretraining.network_bytes if e.pretraining else 0)
        for e in per_model
    )
    seconds = trainings / at_a_time + others / cores + REPORT
    return Cost(seconds, kept + images + DRAWN * figures, 0)


def _tried(settings: FitSettings, size: int, heldout: int) -> Cost:
    """Time one step and one evaluation, and multiply."""
    tune_malloc()
    began = time.perf_counter()
    count = max(2, min(settings.batch_size, settings.train_images, TRIED))
    layers = settings.layers if isinstance(settings, RunSettings) else ()
    network = build(
        settings.architecture,
        classes=2,
        image_size_px=size,
        optimizer=settings.optimizer,
        seed=0,
        kept=layers,
    )
    known = network.layers()
    kept = sum(known[layer].nbytes for layer in layers)
    weights = sum(parameter.nbytes for parameter in network.module.parameters())
    short = settings.model_copy(
        # A tiny rate, because training on noise could diverge.
        update={"epochs": 2, "batch_size": count, "learning_rate": 1e-9}
    )
    state = TrainingState.begin(network, short)
    building = time.perf_counter() - began
    inputs = torch.rand(count, 3, size, size).contiguous(memory_format=torch.channels_last)
    images = ImageSet(inputs, torch.zeros(count, dtype=torch.int64))
    *_, last = train(state, images, images, seed=0)  # the first epoch includes one-time costs
    on_device = images.to(state.device)
    began = time.perf_counter()
    evaluate(network.module, on_device)
    evaluation = (time.perf_counter() - began) / count
    step = max(0.0, last.seconds / count - 2 * evaluation)
    trained, evaluated = count_images(settings, heldout)
    return Cost(
        seconds=STARTING + building + step * trained + evaluation * evaluated,
        kept_bytes=kept * (settings.epochs + 1),
        network_bytes=weights,
    )


def format_duration(seconds: float) -> str:
    """Format a time in its largest unit of at least two: ``"3 hours"``."""
    for unit, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{math.ceil(seconds)} seconds"
