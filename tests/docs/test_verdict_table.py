"""The table of verdicts for a page of the documentation."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

from normreport.claims.registry import CLAIMS
from normreport.config.results import Results
from tests.articles import results_of
from tests.claims.studies import study


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return results_of(study(displacement={"pretrained": 0.2, "scratch": 0.1}))


@pytest.fixture
def rows(root: Path, values: dict[str, Any]) -> list[list[str]]:
    write = runpy.run_path(str(root / "docs/verdict_table.py"))["verdict_table"]
    lines = write(Results.model_validate(values)).splitlines()
    return [re.split(r" \| ", line.strip("|").strip()) for line in lines[2:]]


def test_each_claim_has_a_row_with_its_verdict(
    rows: list[list[str]], values: dict[str, Any]
) -> None:
    assert [row[0].split(":")[0] for row in rows] == [claim.id for claim in CLAIMS]
    verdicts = [claim["verdict"].lower() for claim in values["claims"]]
    assert [row[1] for row in rows] == verdicts


def test_a_row_names_the_networks_and_the_deciding_case(rows: list[list[str]]) -> None:
    by_id = {row[0].split(":")[0]: row for row in rows}
    assert by_id["P6"][2] == "VGG16 refuted, MobileNetV2 refuted"
    # Scratch moves half as far as pretrained.
    assert re.match(r"−50% \[−\d+(\.\d+)?%, −\d+(\.\d+)?%\] \(\w+, scratch - ", by_id["P6"][3])


def test_a_claim_that_cannot_be_judged_gives_its_reason(rows: list[list[str]]) -> None:
    (row,) = (row for row in rows if row[0].startswith("H6"))
    assert row[1] == "not evaluable"
    assert row[-1].startswith("the learning rate was not tuned per arm")
