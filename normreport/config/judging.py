"""Settings of judge_claims."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import JsonValue

from normreport.config.base import Count, LayerName, Name, Seed, Settings
from normreport.config.claims import ClaimsSettings
from normreport.config.data import DataSettings
from normreport.config.training import Start
from normreport.normalizations import Normalization


class PlannedArm(Settings):
    """The planned runs of one model, start and normalization."""

    model: Name
    """The model."""
    start: Start
    """The start."""
    normalization: Name
    """The arm."""
    seeds: tuple[Seed, ...]
    """The replicates, in the order of the experiment."""


class ArmWords(Settings):
    """How the report speaks of an arm that the configuration defines."""

    label: str
    """Its name."""
    text: str
    """What it does, in a few words."""
    training: Mapping[str, JsonValue] = {}
    """The settings by which its runs are trained differently, and their values."""


class JudgeSettings(Settings):
    """The experiment's runs, by which a claim finds out which conditions are missing."""

    models: tuple[Name, ...]
    """The models."""
    architectures: Mapping[Name, Name]
    """The model that represents each architecture in comparisons of architectures: the first with
    the shared optimizer and a fixed learning rate, or else the first."""
    built_as: Mapping[Name, Name]
    """The architecture of each model."""
    layers: Mapping[Name, tuple[LayerName, ...]]
    """Kept layers of each model."""
    starts: tuple[Start, ...]
    """The starts."""
    normalizations: tuple[Name, ...]
    """The arms."""
    contrast: tuple[Name, Name] | None = None
    """The two arms whose difference the report is about; null for those of the article."""
    inputs: Mapping[Name, Normalization] = {}
    """The normalization of each arm that the configuration defines."""
    arms: Mapping[Name, ArmWords] = {}
    """The words for these arms."""
    seeds: tuple[Seed, ...]
    """The replicates; an arm may have only some of them."""
    planned: tuple[PlannedArm, ...]
    """The model, start and arm of all planned runs, with their seeds. Combinations that no run has
    are absent."""
    claims: ClaimsSettings = ClaimsSettings()
    """The claims to judge."""
    candidates: Mapping[Name, tuple[float, ...]] = {}
    """The candidates for the learning rate of each tuned model. In these models, every start and
    arm has a learning rate of its own."""
    optimizer_variants: tuple[Name, ...] = ()
    """Models with an optimizer of their own whose architecture also has a model with the shared
    one. Only claims about optimizers use them."""
    epochs: Count
    """The last epoch."""
    target: DataSettings
    """The data set that the runs were trained on."""
    pretraining: DataSettings | None
    """The data set of the pretraining; null if the workflow does not pretrain."""
