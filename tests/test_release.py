from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def version(root: Path) -> str:
    """Give the version in `pyproject.toml`, the only place that a release edits by hand first."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


def test_the_citation_names_the_version(root: Path, version: str) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["version"] == version


def test_the_workflow_uses_the_image_of_the_version(root: Path, version: str) -> None:
    snakefile = (root / "Snakefile").read_text(encoding="utf-8")
    assert re.findall(r'^container: "docker://\S+:(\S+)"$', snakefile, re.M) == [version]


def test_the_changelog_dates_the_version_like_the_citation(root: Path, version: str) -> None:
    citation = yaml.safe_load((root / "CITATION.cff").read_text(encoding="utf-8"))
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    dates = re.findall(rf"^## \[?{re.escape(version)}\]?\D+(\d{{4}}-\d\d-\d\d)", changelog, re.M)
    assert dates == [str(citation["date-released"])]


def test_every_supported_python_has_a_classifier(root: Path) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: "
    minors = [
        tuple(map(int, classifier.removeprefix(prefix).split(".")))
        for classifier in project["classifiers"]
        if classifier.startswith(prefix)
    ]
    makefile = (root / "Makefile").read_text(encoding="utf-8")
    assert project["requires-python"] == f">={minors[0][0]}.{minors[0][1]}"
    assert f"{minors[0]} <= sys.version_info < (3, {minors[-1][1] + 1})" in makefile


@pytest.mark.parametrize(("preset", "option"), [("", ""), ("imagenet", "imagenet.yaml")])
def test_make_report_takes_the_name_of_a_preset(root: Path, preset: str, option: str) -> None:
    ended = subprocess.run(
        ["make", "--dry-run", "report", f"PRESET={preset}"],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
    )
    (command,) = re.findall(r"^snakemake .*$", ended.stdout, re.M)
    expected = ["snakemake", "--cores", "all", "--show-failed-logs"]
    path = ["--configfile", f"workflow/presets/{option}"] if option else []
    assert command.split() == expected + path
    assert all((root / name).is_file() for name in path[1:])


def test_make_report_names_the_presets_if_there_is_no_such_one(root: Path) -> None:
    ended = subprocess.run(
        ["make", "--dry-run", "report", "PRESET=imagenett"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 2
    presets = sorted(path.stem for path in (root / "workflow" / "presets").glob("*.yaml"))
    message = ended.stderr.strip().splitlines()[-1]
    names = re.search(r"PRESET: expected one of (.*), found imagenett", message)
    assert names
    assert sorted(names[1].split()) == presets
