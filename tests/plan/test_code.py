"""The source files and versions that rules depend on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.plan.code import (
    judging_code,
    pretraining_code,
    source_paths,
    stage_code,
    stage_versions,
)
from normreport.source_code import package_versions, source_files

Changed = Callable[..., dict[str, Any]]


def test_source_paths_start_at_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source_paths.cache_clear()
    monkeypatch.chdir(tmp_path)
    found = stage_code("publish_site")
    source_paths.cache_clear()  # the paths of this folder are wrong in any other
    assert not any(os.path.isabs(path) for path in found)
    assert [Path(path).resolve() for path in found] == [
        path.resolve() for path in source_files("normreport.stages.publish_site")
    ]


def test_the_code_of_several_stages_is_that_of_each() -> None:
    together = stage_code("prepare_data", "draw_figure")
    assert set(together) == {*stage_code("prepare_data"), *stage_code("draw_figure")}


def test_versions_are_those_of_the_stage() -> None:
    assert stage_versions("train_run") == package_versions("normreport.stages.train_run")


def test_a_pretraining_depends_on_its_arm_unless_the_weights_are_fetched(changed: Changed) -> None:
    here = load_config(changed({"pretraining.normalization": "unit"}))
    assert pretraining_code(here).modules == (
        "normreport.stages.pretrain_model",
        "normreport.normalizations.unit",
    )
    fetched = load_config(changed({"pretraining.weights": "IMAGENET1K_V1"}))
    assert pretraining_code(fetched).modules == ("normreport.stages.pretrain_model",)


def test_verdicts_depend_on_every_arm_of_the_experiment_and_of_the_pretraining(
    changed: Changed,
) -> None:
    config = load_config(
        changed(
            {
                "experiment.normalizations": ["unit", "raw"],
                "pretraining.normalization": "imagenet",
            }
        )
    )
    assert judging_code(config).modules == (
        "normreport.stages.judge_claims",
        "normreport.normalizations.imagenet",
        "normreport.normalizations.raw",
        "normreport.normalizations.unit",
    )
