"""What tune_rate writes: the chosen learning rate, and how it was chosen."""

from __future__ import annotations

from normreport.config.base import Count, Settings
from normreport.config.manifests import Digests, Versions
from normreport.config.training import Rate, SweepSettings


class TunedRate(Settings):
    """The learning rate that a sweep chose; the runs depend on nothing else of the sweep."""

    learning_rate: Rate
    """The learning rate at the start."""


class Trial(Settings):
    """The trial runs with one candidate."""

    learning_rate: float
    """The candidate."""
    heldout_losses: tuple[float | None, ...]
    """Cross-entropy on all held-out images after the last epoch, nats per image, for each seed;
    null if the run diverged."""
    mean_heldout_loss: float | None
    """Their mean; null if a run diverged."""


class TuningDigests(Settings):
    """Digests of what went into a sweep."""

    data: Digests
    """Digests of the arrays of images and labels."""
    pretrained: str | None
    """Digest of the pretrained weights; null from scratch."""
    code: str
    """Digest of the source files that train the trial runs."""


class TuningManifest(Settings):
    """The search for the learning rate of one model, start and normalization."""

    settings: SweepSettings
    """Settings of the trial runs."""
    classes: Count
    """Number of classes."""
    heldout_images: Count
    """Number of held-out images."""
    trials: tuple[Trial, ...]
    """The candidates, in the order of the configuration."""
    learning_rate: float
    """The candidate with the lowest mean loss."""
    digests: TuningDigests
    """Digests of inputs."""
    files: Digests
    """Digest of the file of the learning rate."""
    versions: Versions
    """Versions of Python and of the packages that decide a number, and the device."""
