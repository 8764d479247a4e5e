"""The README is short, its links work and its example is valid; actions are pinned."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from normreport.commands.check import read_config


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_link_leads_to_a_file(root: Path, name: str) -> None:
    links = re.findall(r"\]\(([^)#]+)[^)]*\)", (root / name).read_text(encoding="utf-8"))
    files = [link for link in links if "://" not in link]
    assert files
    assert [link for link in files if not (root / link).is_file()] == []


def test_the_readme_has_at_most_120_lines(root: Path) -> None:
    assert len((root / "README.md").read_text(encoding="utf-8").splitlines()) <= 120


def test_pictures_are_small(root: Path) -> None:
    pictures = [path for path in (root / "docs").glob("*.*") if path.suffix in {".png", ".svg"}]
    assert len(pictures) >= 3
    assert [path.name for path in pictures if path.stat().st_size > 300_000] == []


@pytest.mark.parametrize(
    ("page", "runs"),
    # One model, two starts and three arms with all seeds; then a design with holes; then two models
    # with the default's fewer seeds of raw.
    [
        ("README.md", [6 * 6]),
        ("docs/configuration.md", [6 * 8, 2 * 2 * (6 + 6 + 2) - 2 + 2, 2 * 2 * (6 + 6 + 3)]),
        ("docs/your-study.md", [2 * 2 * 6, 2 * 3 * 6, 2 * 2 * 6, 2 * 3 * 6]),
    ],
)
def test_every_example_of_a_configuration_is_valid(
    root: Path, tmp_path: Path, page: str, runs: list[int]
) -> None:
    text = (root / page).read_text(encoding="utf-8")
    found = []
    for overlay in re.findall(r"```yaml\n(.*?)```", text, re.S):
        (tmp_path / "mine.yaml").write_text(overlay, encoding="utf-8")
        found.append(len(read_config([root / "config.yaml", tmp_path / "mine.yaml"]).design.runs))
    assert found == runs


def test_actions_are_pinned_by_commit_with_their_version(root: Path) -> None:
    uses = [
        line.strip()
        for path in (root / ".github/workflows").glob("*.yml")
        for line in path.read_text(encoding="utf-8").splitlines()
        if "uses:" in line
    ]
    assert uses
    pinned = re.compile(r"(- )?uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")
    assert [line for line in uses if not pinned.fullmatch(line)] == []
