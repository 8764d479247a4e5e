"""What stages hand each other about images, pretrained weights, runs and kept weights.

Each manifest is one JSON file, read and written by :mod:`normreport.config.json_files`. Training
imports this module, so every edit here trains all runs again. Import only light modules.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from normreport.config.base import Count, LayerName, Name, Settings
from normreport.config.runs import Run
from normreport.config.training import FetchedWeights, RunSettings, TrainedWeights

Digests = Mapping[str, str]
"""SHA-256 by name."""
Versions = Mapping[str, str]
"""Versions of Python and of the packages that decide a number, and the device."""
Natural = Annotated[int, Field(ge=0)]


class SkippedImage(Settings):
    """An image that could not be read and was left out."""

    split: str
    """The split that it would have belonged to: `train` or `heldout`."""
    image: str
    """Its name in the source."""
    why: str
    """What was wrong with it."""


class UnusedFiles(Settings):
    """Files of a source that are not used, but may be images."""

    name: str
    """Their common suffix (`*.heic`) or folder (`test/`); empty without a suffix."""
    count: Natural
    """Number of files."""


class ImagesPerClass(Settings):
    """How many images each class has, in the order of the classes."""

    train: tuple[Natural, ...]
    """Training images."""
    heldout: tuple[Natural, ...]
    """Held-out images."""


class ImagesManifest(Settings):
    """The prepared images of one data set."""

    settings: Mapping[str, JsonValue]
    """The fields of ``DataSettings``, without the place of the source. They stay JSON, so that
    training does not import the code of data sources."""
    classes: tuple[str, ...]
    """Names of the classes, in the order of the labels."""
    images_per_class: ImagesPerClass
    """Number of images per class."""
    skipped: tuple[SkippedImage, ...]
    """Images that could not be read."""
    unused: tuple[UnusedFiles, ...]
    """Files that were not used."""
    digests: Digests
    """Digests of the four arrays."""
    files: Digests
    """Digests of the files beside the manifest."""


class EpochResult(Settings):
    """Losses and accuracies at the end of one epoch; epoch 0 is before the first step."""

    epoch: Natural
    """Number of the epoch."""
    learning_rate: float
    """Learning rate of the epoch."""
    batch_loss: float | None
    """Mean loss over the epoch's batches, in training mode; null for epoch 0."""
    train_loss: float
    """Cross-entropy on the training images, in evaluation mode, nats per image. A pretraining
    measures it on the first of them, as many as held-out ones."""
    train_accuracy: float
    """Share of these training images that are classified correctly."""
    heldout_loss: float
    """Cross-entropy on the first held-out images, `training.epoch_heldout_images` of them."""
    heldout_accuracy: float
    """Share of these held-out images that are classified correctly."""


class Evaluation(Settings):
    """Loss and accuracy on all held-out images, in evaluation mode."""

    loss: float
    """Cross-entropy, nats per image."""
    accuracy: float
    """Share of the images that are classified correctly."""
    images: Count
    """Number of images."""


class Preprocessing(Settings):
    """The inputs that published weights were trained with."""

    mean: tuple[float, ...]
    """Mean per channel, subtracted from values in [0, 1]."""
    std: tuple[float, ...]
    """Standard deviation per channel, divided by afterwards."""
    resize_px: Natural
    """Length that the shorter side of an image is resized to."""
    crop_px: Natural
    """Side of the square that is cropped from the middle."""


class TrainedOrigin(Settings):
    """How the workflow trained pretrained weights."""

    kind: Literal["trained"] = "trained"
    """Tells the two origins apart."""
    settings: TrainedWeights
    """Settings of the training."""
    classes: Count
    """Number of classes."""
    data: Digests
    """Digests of the arrays of images and labels."""
    history: tuple[EpochResult, ...]
    """Losses and accuracies per epoch, from epoch 0."""
    evaluation: Evaluation
    """The network after the last epoch, on all held-out images."""


class Unwrapping(Settings):
    """Where in a checkpoint the weights were."""

    entry: str
    """The keys that lead to the state dictionary, joined by dots; empty if it is the whole file."""
    prefix: str
    """The prefix that was removed from the names; empty if there is none."""
    others: tuple[str, ...]
    """Tensors without this prefix, which were left out."""


class FetchedOrigin(Settings):
    """Where the workflow fetched pretrained weights."""

    kind: Literal["fetched"] = "fetched"
    """Tells the two origins apart."""
    settings: FetchedWeights
    """Which weights."""
    file: str
    """SHA-256 of the file that they were read from."""
    preprocessing: Preprocessing | None
    """Documented by torchvision for its weights; null for a checkpoint."""
    unwrapping: Unwrapping | None
    """Where in a checkpoint the weights were; null for torchvision's."""


class PretrainedDigests(Settings):
    """Digests of one model's pretrained weights and of the code that made them."""

    weights: str
    """Digest of the file of weights."""
    code: str
    """Digest of the source files of the stage."""


class PretrainingManifest(Settings):
    """One model's pretrained weights."""

    model: Name
    """The model."""
    origin: TrainedOrigin | FetchedOrigin
    """Where the weights come from."""
    digests: PretrainedDigests
    """Digests of weights and code."""
    files: Digests
    """Digests of the files beside the manifest."""
    versions: Versions
    """Versions of Python and of the packages that decide a number, and the device."""


class FinishedStatus(Settings):
    """The run reached its last epoch."""

    state: Literal["OK"] = "OK"
    """Tells the two ends apart."""


class DivergedStatus(Settings):
    """A loss or a weight of the run became infinite or NaN."""

    state: Literal["DIVERGED"] = "DIVERGED"
    """Tells the two ends apart."""
    step: Natural
    """The step at which it happened."""
    what: str
    """What was not finite."""


Status = FinishedStatus | DivergedStatus


class RunChecks(Settings):
    """What a run must pass before a claim may rest on it."""

    finite: bool
    """Every loss and every weight stayed finite."""
    learned: bool
    """The run did not diverge, and its last training loss is well below that of chance."""
    moved: bool
    """The weights differ from the initial ones."""


class ImageCounts(Settings):
    """How many images the runs of a model use."""

    train: Natural
    """Training images."""
    heldout: Natural
    """Held-out images, evaluated before the first step and after the last epoch."""
    epoch_heldout: Natural
    """The first of them, evaluated after every epoch."""


class HeldoutEvaluations(Settings):
    """A run's network, and a linear probe of its features, on all held-out images."""

    initial: Evaluation | None
    """Before the first step; null if the loss was not finite."""
    final: Evaluation | None
    """After the last epoch; null if the run diverged."""
    probe_accuracy: float | None
    """Accuracy of a linear classifier that is fitted to the features of the training images before
    the first step; null if a feature was not finite."""


class FirstBatch(Settings):
    """The first batch that the network is trained on, as the network sees it."""

    dtype: str
    """Data type."""
    shape: tuple[Natural, ...]
    """(N, C, H, W)."""
    min: float
    """Smallest value."""
    max: float
    """Largest value."""
    mean: float
    """Mean of all values."""
    std: float
    """Standard deviation of all values."""


class RunSeeds(Settings):
    """Seeds of the generators that draw the initial weights."""

    init: Natural
    """For all layers but the last."""
    head: Natural
    """For the last layer."""


class RunDigests(Settings):
    """Digests of what went into a run and of what came out."""

    data: Digests
    """Digests of the arrays of images and labels."""
    initial_weights: str
    """Digest of all weights before the first step."""
    pretrained: str | None
    """Digest of the pretrained weights; null from scratch."""
    code: str
    """Digest of the source files that train the run."""
    final_weights: str | None
    """Digest of all weights at the end; null if the run diverged."""
    order: str
    """Digest of the order of the images in every epoch."""


class RunManifest(Settings):
    """One run: its condition, how it ended, and what it was made from."""

    run: Run
    """The condition."""
    status: Status
    """How the run ended."""
    checks: RunChecks
    """What the run must pass before a claim may rest on it."""
    classes: Count
    """Number of classes."""
    images: ImageCounts
    """Number of images."""
    epochs: Natural
    """Number of finished epochs."""
    final: EpochResult | None
    """The last finished epoch; null if the first loss was not finite."""
    heldout: HeldoutEvaluations
    """Loss and accuracy on all held-out images."""
    parameters: Natural
    """Number of parameters."""
    folded: Mapping[str, int]
    """Layers that are folded, and how often each of their weights is repeated unfolded."""
    first_batch: FirstBatch
    """The first batch."""
    settings: RunSettings
    """Settings of the run."""
    seeds: RunSeeds
    """Derived seeds."""
    digests: RunDigests
    """Digests of inputs and outputs."""
    files: Digests
    """Digests of the files beside the manifest."""
    versions: Versions
    """Versions of Python and of the packages that decide a number, and the device."""


class LayerDigests(Settings):
    """Digests of the weights of one kept layer."""

    weights: Natural
    """Number of weights."""
    shape: tuple[Natural, ...]
    """Shape at one epoch, (C_out, C_in / groups[, k, k])."""
    epochs: tuple[str, ...]
    """Digest of the weights at each epoch, from epoch 0."""


class WeightDigests(Settings):
    """Digests of all kept weights of one run."""

    run: Run
    """The condition."""
    status: Status
    """How the run ended."""
    layers: Mapping[LayerName, LayerDigests]
    """The kept layers, by module path."""


class DensityAxes(Settings):
    """What figures need to draw other runs' densities on the axes of these runs.

    It describes the densities of all runs of a layer and start. All lists are empty if the weights
    do not vary.
    """

    last_epoch: int
    """The latest epoch of any run."""
    weights: tuple[float, ...]
    """The points of the grid."""
    densities: tuple[float, ...]
    """The highest density of any run and epoch at each point."""
    shares: tuple[float, ...]
    """Likewise, as a share of the peak of the density's own curve."""
    changes: tuple[float, ...]
    """The smallest and the largest change of a density since epoch 0."""
