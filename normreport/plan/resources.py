"""The memory, the time and the GPUs that jobs ask Snakemake for.

A training asks for at least its measured memory and for less than twice as much. That includes the
two Snakemake processes that start a job on another node.
"""

from __future__ import annotations

import math

from normreport.config.data import DataSettings
from normreport.config.training import (
    NetworkSettings,
    RunPlan,
    SweepSettings,
    TrainedWeights,
    TrainingSettings,
)
from normreport.normalizations.published_meanstd import SIZE_PX
from normreport.plan.network_sizes import network_size

SNAKEMAKE_MB = 400
# Reading and writing VGG16's weights.
FETCHING_MB = 2000
FETCHING_MINUTES = 60

# The size of the images that network_size() is about.
IMAGENET_PX = 224
# Millions of weights that normreport.training.folding removes from a VGG.
FOLDED = 48 * 512 * 4096 / 1e6
# The arrays of each weight that an optimizer keeps, without momentum.
MOMENTS = {"adam": 2, "adamw": 2, "rmsprop": 1, "sgd": 0}

# Measured on one core: operations of a convolution, reading and writing what is saved for the
# backward pass, and updating a million weights with Adam.
GFLOPS_PER_SECOND = 150.0
SECONDS_PER_SAVED_MB = 3.5e-4
SECONDS_PER_UPDATE = 2e-3
# Any GPU computes at least as fast as this many cores.
CORES_OF_A_GPU = 10
# A slow core, or one that other processes use too, takes at most this many times as long.
MARGIN = 4
LEAST_MINUTES = 30
# Many clusters stop every job after a day, and there the measurements of a run are in its job.
MOST_MINUTES = 23 * 60


def training_mb(settings: RunPlan | SweepSettings | TrainedWeights, data: DataSettings) -> int:
    """Return the memory that a training takes, in MB.

    Parameters
    ----------
    settings
        Those of a run, a sweep or a pretraining.
    data
        The images that it is trained on.
    """
    size = _image_size(settings, data)
    values = 3 * size**2 * (data.train_images + data.heldout_images)
    weights_mb = 4 * _trained_millions(settings, size)
    moments = MOMENTS[settings.optimizer.name] + (settings.optimizer.momentum > 0)
    saved_mb = network_size(settings.architecture).saved_mb * (size / IMAGENET_PX) ** 2
    # The initial weights, the present ones, their gradients and moments.
    always = (3 + moments) * weights_mb
    stepping = 1.5 * saved_mb * settings.batch_size
    # After an epoch: copies of weights and moments for the checkpoint, and the weights to keep.
    saving = (2 + moments) * weights_mb
    # Normalizing in float64 takes up to 25 bytes a value; training keeps 1 + 4 bytes of each.
    normalizing = 500 + 25 * values / 1e6
    training = 1000 + always + max(stepping, saving) + 5 * values / 1e6
    return SNAKEMAKE_MB + round(max(normalizing, training))


def training_minutes(
    settings: RunPlan | SweepSettings | TrainedWeights, data: DataSettings, attempt: int
) -> int:
    """Return the time that a training asks for, in minutes.

    Each attempt asks for twice as much, up to 23 hours. A training that is stopped resumes from its
    last checkpoint if it runs on the same kind of processor again.

    Parameters
    ----------
    settings, data
        As for :func:`training_mb`.
    attempt
        The number of the attempt, from 1.
    """
    trainings = 1
    if isinstance(settings, SweepSettings):
        trainings = len(settings.candidates) * len(settings.seeds)
    minutes = max(LEAST_MINUTES, MARGIN * trainings * _training_seconds(settings, data) / 60)
    return math.ceil(min(MOST_MINUTES, minutes * 2.0 ** (attempt - 1)))


def count_images(settings: NetworkSettings, heldout_images: int) -> tuple[int, int]:
    """Return how many images a training is trained on and how many it evaluates, in all epochs."""
    few = min(settings.epoch_heldout_images, heldout_images)
    # A pretraining evaluates only few training images.
    evaluated = few + (few if isinstance(settings, TrainedWeights) else settings.train_images)
    # All held-out images are evaluated before the first epoch and after the last one.
    return (
        settings.epochs * settings.train_images,
        (settings.epochs + 1) * evaluated + 2 * heldout_images,
    )


def _training_seconds(
    settings: RunPlan | SweepSettings | TrainedWeights, data: DataSettings
) -> float:
    """Estimate the time of one training."""
    network, size = network_size(settings.architecture), _image_size(settings, data)
    scale = (size / IMAGENET_PX) ** 2
    # Linear layers take the same two operations a weight for images of any size.
    gflops = network.gflops * scale + 2 * network.parameters / 1e3
    forward = gflops / GFLOPS_PER_SECOND + network.saved_mb * scale * SECONDS_PER_SAVED_MB
    trained, evaluated = count_images(settings, data.heldout_images)
    steps = settings.epochs * math.ceil(settings.train_images / settings.batch_size)
    # The backward pass takes twice as long as the forward pass.
    seconds = (3 * trained + evaluated) * forward + (
        steps * _trained_millions(settings, size) * SECONDS_PER_UPDATE
    )
    # With many threads, PyTorch uses about half of each.
    return seconds / (CORES_OF_A_GPU if training_gpus(settings) else max(1, settings.threads / 2))


def _image_size(settings: RunPlan | SweepSettings | TrainedWeights, data: DataSettings) -> int:
    """Return the height and width of the images that enter the network, in pixels."""
    # This arm enlarges every image.
    return SIZE_PX if settings.applied == "published_meanstd" else data.image_size_px


def _trained_millions(settings: NetworkSettings, size: int) -> float:
    """Return the number of weights in a training, in millions, after folding."""
    is_folded = (
        settings.architecture.startswith("vgg")
        and 32 <= size < 64
        and settings.optimizer.weight_decay == 0
        and "classifier.0" not in getattr(settings, "layers", ())
    )
    return network_size(settings.architecture).parameters - (FOLDED if is_folded else 0)


def measuring_mb(weights: int) -> int:
    """Return the memory that measuring a run takes, in MB.

    Measured: 440 MB for 2.4 million weights and 2,400 MB for 20 million.

    Parameters
    ----------
    weights
        The number of weights of the largest layer at one epoch.
    """
    return 400 + SNAKEMAKE_MB + round(130 * weights / 1e6)


def comparing_mb(weights: int) -> int:
    """Return the memory that comparing all runs of a model and start in a layer takes, in MB.

    The sorted weights of all runs at one epoch are in memory, beside the libraries and the tables.

    Parameters
    ----------
    weights
        The number of weights of the layer at one epoch in all runs.
    """
    return 600 + SNAKEMAKE_MB + round(4 * weights / 1e6)


def drawing_mb(epochs: int) -> int:
    """Return the memory that drawing a figure takes, in MB.

    Snakemake draws figures and judges claims where it runs, so its own memory is not added.
    Measured for histograms: 250 MB for 900 epochs, 610 MB for 28,000 and 810 MB for 43,000.

    Parameters
    ----------
    epochs
        The number of epochs in all runs and layers that the figure reads.
    """
    return 400 + round(0.015 * epochs)


def judging_mb(runs: int) -> int:
    """Return the memory that judging all claims takes, in MB.

    Measured: 200 MB for 12 runs, 330 MB for 768 and 730 MB for 3,000.

    Parameters
    ----------
    runs
        The number of runs of the study.
    """
    return 350 + round(0.2 * runs)


def digesting_mb(wildcards: object, attempt: int = 1) -> int:
    """Return the memory to request for the digests of a run's weights, in MB.

    Measured: 70 MB, where the largest layer has 2.4 million weights. Weights are read epoch by
    epoch. Each retry requests more.
    """
    return (100 + SNAKEMAKE_MB) * attempt


def small_stage_mb(wildcards: object, attempt: int = 1) -> int:
    """Return the memory to request for a small stage, in MB; each retry requests more."""
    return 1000 * attempt


def training_gpus(settings: TrainingSettings) -> int:
    """Return how many GPUs a training asks for: one, or a share of it, unless it uses the CPU.

    ``snakemake --resources gpu=4`` lets four trainings run at a time.
    """
    return 0 if settings.device == "cpu" else 1
