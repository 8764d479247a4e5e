"""The list of runs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from normreport.cli import main


def test_every_run_is_a_line_with_its_id_and_what_it_consists_of(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["conditions", str(root / "config.yaml")]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head.split() == ["id", "model,", "start,", "normalization,", "seed"]
    assert len(lines) == 36
    assert lines[0].split("  ")[0] == "vgg16/pretrained/raw/seed0"
    assert lines[-1].split("  ") == [
        "mobilenet_v2/scratch/imagenet/seed2",
        "mobilenet_v2, scratch, imagenet, 2",
    ]
    starts = {line.index("  ") for line in (head, *lines) if not line.startswith("id")}
    assert {line.rindex("  ") + 2 for line in (head, *lines)} == {max(starts) + 2}


def test_a_configuration_can_come_from_standard_input(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (root / "config.yaml").read_text(encoding="utf-8")
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["conditions", "-"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 37


def test_an_error_in_standard_input_is_told_as_one_of_config_yaml(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("report: {}"))
    assert main(["conditions", "-"]) == 2
    assert "config.yaml: 3 wrong values" in capsys.readouterr().err
