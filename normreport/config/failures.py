"""Settings of record_failures."""

from __future__ import annotations

from typing import Literal

from normreport.config.base import Name, Seed, Settings
from normreport.config.training import Start


class FailedRun(Settings):
    """A run that a partial report does without."""

    model: Name
    """The model."""
    start: Start
    """How the weights begin."""
    normalization: Name
    """The arm."""
    seed: Seed
    """The replicate."""
    stage: Literal["pretrain_model", "train_run"]
    """The stage that did not end."""
    log: str | None
    """Its log; null where it was not tried."""


class FailureSettings(Settings):
    """Which runs a partial report does without."""

    runs: tuple[FailedRun, ...]
    """The runs, in the order of the configuration."""
