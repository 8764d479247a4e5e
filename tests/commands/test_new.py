"""`normreport new` writes a study that can be checked and planned."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from normreport.cli import main
from normreport.commands.check import default_files, read_config
from normreport.commands.new import EXAMPLE
from normreport.normalizations import OwnFile
from normreport.source_code import ROOT


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "a study"
    assert main(["new", str(folder)]) == 0
    monkeypatch.chdir(folder)
    return folder


def test_a_study_has_every_file_of_the_example_and_the_options_of_snakemake(study: Path) -> None:
    found = {path.relative_to(study).as_posix() for path in study.rglob("*") if path.is_file()}
    example = {path.relative_to(EXAMPLE).as_posix() for path in EXAMPLE.rglob("*.*")}
    assert found > {path.removeprefix(".") for path in example if "__pycache__" not in path}
    assert {"Snakefile", ".gitignore", "profiles/default/config.yaml"} <= found
    assert "gitignore" not in found


def test_its_snakefile_includes_the_workflow_of_the_clone(study: Path) -> None:
    line = next(
        line
        for line in (study / "Snakefile").read_text().splitlines()
        if line.startswith("include")
    )
    place = line.split('"')[1]
    assert not os.path.isabs(place)
    assert (study / place).samefile(ROOT / "Snakefile")


def test_its_configuration_is_laid_over_the_default(study: Path) -> None:
    assert default_files() == [ROOT / "config.yaml", Path("config.yaml")]
    config = read_config([])
    assert config.normalization("decay") == OwnFile("arms/plain.py")
    assert config.contrast == ("plain", "decay")
    assert not config.is_article
    assert len(config.design.runs) == 6
    treated, plain = (
        config.run_settings(next(run for run in config.runs() if run.normalization == arm))
        for arm in ("decay", "plain")
    )
    assert treated.model_dump(exclude={"optimizer", "normalization"}) == plain.model_dump(
        exclude={"optimizer", "normalization"}
    )


def test_a_check_of_the_study_needs_no_file_names(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--quick"]) == 0
    assert "6 runs of 10 epochs" in capsys.readouterr().out


def test_in_the_clone_the_default_configuration_is_read_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    assert default_files() == [ROOT / "config.yaml"]


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["new", str(tmp_path)]) == 2
    assert "expected a new or an empty folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    assert main(["new", str(tmp_path / "mine.txt")]) == 2


def test_a_folder_that_cannot_be_written_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert main(["new", str(tmp_path / "file" / "study")]) == 2
    message = capsys.readouterr().err
    assert "could not be written" in message
    assert "Traceback" not in message


def test_new_can_be_repeated_after_a_failed_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    written: list[Path] = []
    write_text = Path.write_text

    def write(path: Path, text: str, **options: str) -> int:
        if len(written) == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written.append(path)
        return write_text(path, text, **options)

    monkeypatch.setattr(Path, "write_text", write)
    assert main(["new", str(tmp_path / "study")]) == 2
    assert "No space left on device" in capsys.readouterr().err
    monkeypatch.undo()
    assert main(["new", str(tmp_path / "study")]) == 0


@pytest.mark.parametrize("name", ["x" * 300, "loop/study"])
def test_an_impossible_folder_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert main(["new", str(tmp_path / name)]) == 2
    assert "could not be written" in capsys.readouterr().err
