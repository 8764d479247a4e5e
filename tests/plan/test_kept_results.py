"""The manifests among the files that a build keeps are compared with the configuration."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.errors import StorageError
from normreport.plan.kept_results import check_kept_results
from tests.reports import RUNS, write_report

Changed = Callable[..., dict[str, Any]]


def test_only_kept_manifests_that_exist_are_compared(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(tmp_path / "results", changed({}))
    monkeypatch.chdir(tmp_path)
    config = load_config(changed({"training.epochs": 3}))
    first, second = (
        [f"results/runs/{run}/manifest.json", f"results/runs/{run}/history.csv"] for run in RUNS
    )
    others = ["logs/x/manifest.json", "results/runs/vgg16/scratch/raw/seed9/manifest.json"]
    check_kept_results(config, [others, first[1:], []])
    with pytest.raises(StorageError, match=rf"runs/{RUNS[1]}: epochs: expected 3, found 35"):
        check_kept_results(config, [others, second])
    with pytest.raises(StorageError) as error:
        check_kept_results(config, [second, first])
    named = str(error.value)
    assert named.index(RUNS[1]) < named.index(RUNS[0])  # sorted by path
    check_kept_results(load_config(changed({})), [first, second, others])


def test_a_damaged_manifest_is_left_to_the_stage_that_reads_it(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(tmp_path / "results", changed({}))
    monkeypatch.chdir(tmp_path)
    config = load_config(changed({"training.epochs": 3}))
    manifest = Path(f"results/runs/{RUNS[0]}/manifest.json")
    with pytest.raises(StorageError, match="epochs: expected 3, found 35"):
        check_kept_results(config, [[str(manifest)]])
    manifest.write_bytes(manifest.read_bytes()[:20])
    check_kept_results(config, [[str(manifest)]])
