"""The list of runs."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from normreport.cli import main
from normreport.commands.check import read_config
from normreport.config.experiment import load_config


def test_every_run_is_a_line_with_its_id_and_what_it_consists_of(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conditions", str(root / "config.yaml")]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "model,", "start,", "normalization,", "seed"]
    assert len(lines) == 60
    assert lines[0].split(maxsplit=1) == [
        "vgg16/pretrained/raw/seed0",
        "vgg16, pretrained, raw, 0",
    ]
    assert lines[-1].split(maxsplit=1) == [
        "mobilenet_v2/scratch/imagenet/seed5",
        "mobilenet_v2, scratch, imagenet, 5",
    ]
    assert len({line.index(line.split(maxsplit=1)[1]) for line in (head, *lines)}) == 1


def test_only_planned_runs_are_listed(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "holes.yaml"
    design = {
        "models": ["vgg16"],
        "starts": ["scratch"],
        "normalizations": ["raw", "unit"],
        "seeds": [0, 1, 2],
        "exclude": [{"normalization": "raw", "seed": [1, 2]}],
        "include": [{"start": "pretrained", "normalization": "unit", "seed": 9}],
    }
    path.write_text(yaml.safe_dump({"experiment": design}))
    assert main(["conditions", str(root / "config.yaml"), str(path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]] == [
        "vgg16/scratch/raw/seed0",
        "vgg16/scratch/unit/seed0",
        "vgg16/scratch/unit/seed1",
        "vgg16/scratch/unit/seed2",
        "vgg16/pretrained/unit/seed9",
    ]


def test_sweeps_are_listed_below_the_runs(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = {"candidates": [1.0e-3, 1.0e-2], "seeds": [100, 101]}
    design: dict[str, Any] = {"models": ["vgg16"], "starts": ["scratch"]}
    design |= {"normalizations": ["raw", "unit"], "seeds": [0, 1, 2], "exclude": []}
    path = tmp_path / "tuned.yaml"
    path.write_text(
        yaml.safe_dump({"experiment": design, "models": {"vgg16": {"learning_rate": sweep}}})
    )
    assert main(["conditions", str(root / "config.yaml"), str(path)]) == 0
    runs, sweeps = capsys.readouterr().out.split("\n\n")
    assert len(runs.splitlines()) == 1 + 6
    head, *lines = sweeps.splitlines()
    assert head.startswith("learning-rate sweeps before the runs: candidate rates; seeds of")
    assert [line.split(maxsplit=1) for line in lines] == [
        ["vgg16/scratch/raw", "0.001, 0.01; 100, 101"],
        ["vgg16/scratch/unit", "0.001, 0.01; 100, 101"],
    ]


def test_a_preset_laid_over_the_default_is_what_snakemake_makes_of_them(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    presets = sorted((root / "workflow" / "presets").glob("*.yaml"))
    assert presets
    for preset in presets:
        assert main(["conditions", str(root / "config.yaml"), str(preset)]) == 0
        runs = capsys.readouterr().out.partition("\n\n")[0]
        found = [line.split()[0] for line in runs.splitlines()[1:]]
        values = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
        update_config(values, yaml.safe_load(preset.read_text(encoding="utf-8")))
        assert found == [run.id for run in load_config(values).runs()]


def test_groups_are_merged_and_lists_and_values_replaced(
    root: Path, tmp_path: Path, default_values: dict[str, Any]
) -> None:
    above = {"experiment": {"seeds": [7]}, "training": {"optimizer": {"name": "sgd"}}}
    path = tmp_path / "above.yaml"
    path.write_text(yaml.safe_dump(above))
    merged = json.loads(json.dumps(default_values))
    update_config(merged, above)
    assert read_config([root / "config.yaml", path]) == load_config(merged)
    assert read_config([root / "config.yaml", path]).experiment.seeds == (7,)


def test_an_error_in_several_files_names_them_all(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "above.yaml"
    path.write_text("report: {titel: x}")
    assert main(["conditions", str(root / "config.yaml"), str(path)]) == 2
    err = capsys.readouterr().err
    assert f"{root / 'config.yaml'} + {path}: 1 invalid value" in err


def test_a_configuration_can_come_from_standard_input(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (root / "config.yaml").read_text(encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["conditions", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 61


def test_an_error_in_standard_input_is_told_as_one_of_the_configuration(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("report: {}"))
    assert main(["conditions", "-"]) == 2
    assert "configuration: 3 invalid values" in capsys.readouterr().err
