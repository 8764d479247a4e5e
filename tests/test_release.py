from __future__ import annotations

import re
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
