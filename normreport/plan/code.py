"""The source files and package versions that each job depends on."""

from __future__ import annotations

import os
from functools import cache

from normreport import normalizations, source_code
from normreport.config.experiment import Config

STAGES = "normreport.stages"


@cache  # Snakemake asks again for every job of a rule.
def source_paths(*modules: str) -> list[str]:
    """Return the source files that decide what modules compute, from the working directory."""
    return [os.path.relpath(path) for path in source_code.source_files(*modules)]


@cache
def package_versions(*modules: str) -> str:
    """Return the versions of the packages that decide what modules compute."""
    return source_code.package_versions(*modules)


def stage_code(*stages: str) -> list[str]:
    """Return the source files of stages, from the working directory."""
    return source_paths(*(f"{STAGES}.{stage}" for stage in stages))


def stage_versions(*stages: str) -> str:
    """Return the versions of the packages that stages compute with."""
    return package_versions(*(f"{STAGES}.{stage}" for stage in stages))


def pretraining_modules(config: Config) -> list[str]:
    """Name the modules that pretrain a model, or fetch its weights."""
    arms = [config.pretraining.normalization] if config.is_pretrained_here else []
    return [f"{STAGES}.pretrain_model", *map(normalizations.module_name, arms)]


def judging_modules(config: Config) -> list[str]:
    """Name the modules that judge the claims, which look at the input under every arm."""
    arms = {*config.design.normalizations, config.pretraining.normalization}
    return [f"{STAGES}.judge_claims", *map(normalizations.module_name, sorted(arms))]
