"""Settings of judge_claims."""

from __future__ import annotations

from collections.abc import Mapping

from normreport.config.base import Count, LayerName, Name, Seed, Settings
from normreport.config.data import DataSettings
from normreport.config.training import Start


class JudgeSettings(Settings):
    """Which runs the experiment has, so that a claim can say what is missing."""

    models: tuple[Name, ...]
    """The models."""
    architectures: Mapping[Name, Name]
    """The model that stands for each architecture where architectures are compared: the first of
    those with the shared optimizer, or the first."""
    built_as: Mapping[Name, Name]
    """The architecture of each model."""
    layers: Mapping[Name, tuple[LayerName, ...]]
    """Kept layers of each model."""
    starts: tuple[Start, ...]
    """The starts."""
    normalizations: tuple[Name, ...]
    """The arms."""
    seeds: tuple[Seed, ...]
    """The replicates."""
    epochs: Count
    """The last epoch."""
    target: DataSettings
    """What the runs were trained on."""
    pretraining: DataSettings | None
    """What the pretrained start was trained on, where that was done in the workflow."""
