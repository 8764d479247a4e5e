"""The worked studies of the documentation can be run, and their page shows each of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from normreport.commands.check import read_config
from normreport.normalizations import OwnFile

STUDIES = ("decay", "networks", "placebo", "stretch")


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_compares_two_arms_by_its_own_claims(
    root: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)
    config = read_config([root / "config.yaml", root / f"docs/studies/{name}.yaml"])
    assert len(config.design.runs) == 12
    assert config.contrast == config.design.normalizations
    assert not config.is_article
    assert len(config.claims.own) >= 2
    for arm in config.arms:
        normalization = config.normalization(arm)
        assert not isinstance(normalization, OwnFile) or Path(normalization.file).is_file()


def test_the_page_has_a_picture_and_the_file_of_every_study(root: Path) -> None:
    page = (root / "docs/worked-studies.md").read_text(encoding="utf-8")
    files = {path.stem for path in (root / "docs/studies").glob("*.yaml")}
    assert files == set(STUDIES)
    for name in STUDIES:
        assert f"](studies/{name}.png)" in page
        assert f"](studies/{name}.yaml)" in page
        assert (root / f"docs/studies/{name}.png").stat().st_size < 300_000
