"""Settings of judge_claims."""

from __future__ import annotations

from collections.abc import Mapping

from normreport.config.base import Count, LayerName, Name, Seed, Settings
from normreport.config.data import DataSettings
from normreport.config.training import Start


class JudgeSettings(Settings):
    """The experiment's runs, by which a claim finds out which conditions are missing."""

    models: tuple[Name, ...]
    """The models."""
    architectures: Mapping[Name, Name]
    """The model that represents each architecture in comparisons of architectures: the first with
    the shared optimizer, or else the first."""
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
    """The data set that the runs were trained on."""
    pretraining: DataSettings | None
    """The data set of the pretraining; null if the workflow does not pretrain."""
