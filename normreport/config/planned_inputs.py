"""The settings that the results of a report must have been made with."""

from __future__ import annotations

from collections.abc import Mapping

from normreport.config.base import Name, Settings
from normreport.config.data import DataSettings
from normreport.config.training import PretrainSettings, RunPlan, RunSettings, SweepSettings


class PlannedInputs(Settings):
    """What the configuration says of the images, the pretrained weights, the sweeps and the runs.

    Snakemake can be told to keep results of other settings, for example with
    ``--rerun-triggers mtime`` or ``--touch``. Stages compare the manifests with these settings.
    """

    data: Mapping[Name, DataSettings]
    """The data sets, without the places of their sources."""
    pretraining: Mapping[Name, PretrainSettings]
    """How the pretrained weights of each model are made; models that share weights have one."""
    pretrained_as: Mapping[Name, Name]
    """The model whose pretrained weights each model with a pretrained start uses."""
    sweeps: tuple[SweepSettings, ...]
    """The sweeps."""
    runs: tuple[RunSettings | RunPlan, ...]
    """The first run of each arm; others differ in the seed. If a sweep chooses the learning rate,
    it is absent."""
