"""Settings of record_failures, and the file that it writes."""

from __future__ import annotations

from typing import Literal

from normreport.config.base import Name, Seed, Settings
from normreport.config.training import Start

Stage = Literal["pretrain_model", "tune_rate", "train_run", "digest_weights", "measure_weights"]


class FailedRun(Settings):
    """A run that a partial report leaves out."""

    model: Name
    """The model."""
    start: Start
    """How the weights begin."""
    normalization: Name
    """The arm."""
    seed: Seed
    """The replicate."""
    stage: Stage
    """The stage that failed."""
    log: str | None
    """Path of the stage's log; null if the stage was not tried."""


class FailureSettings(Settings):
    """The runs that a partial report leaves out."""

    runs: tuple[FailedRun, ...]
    """The runs, in the order of the configuration."""


class Failure(Settings):
    """A failed run, and how the log of its failed stage ends."""

    model: Name
    """The model."""
    start: Start
    """How the weights begin."""
    normalization: Name
    """The arm."""
    seed: Seed
    """The replicate."""
    stage: Stage
    """The stage that failed."""
    log: str | None
    """The last lines of the stage's log; null if the stage was not tried."""


class Failures(Settings):
    """All failed runs."""

    runs: tuple[Failure, ...]
    """The runs, in the order of the configuration."""
