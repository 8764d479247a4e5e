"""The source files and package versions that each job depends on."""

from __future__ import annotations

import os
from functools import cache

from normreport import source_code
from normreport.config.experiment import Config
from normreport.provenance.stage_code import StageCode, code_of

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


def code_paths(code: StageCode) -> list[str]:
    """Return our source files among the code of a job, from the working directory."""
    return source_paths(*code.modules)


@cache
def code_versions(code: StageCode) -> str:
    """Return what else changes with the code of a job: package versions and the user's files."""
    own = (f"own code {source_code.own_digest(file)}" for file in code.own)
    return ", ".join([package_versions(*code.modules), *own])


def pretraining_code(config: Config) -> StageCode:
    """Return the code that pretrains a model, or fetches its weights."""
    arms = [config.pretraining.normalization] if config.is_pretrained_here else []
    return code_of("pretrain_model", map(config.normalization, arms))


def judging_code(config: Config) -> StageCode:
    """Return the code that judges the claims, which looks at the input under every arm."""
    arms = {*config.design.normalizations, config.pretraining.normalization}
    return code_of("judge_claims", map(config.normalization, sorted(arms)))
