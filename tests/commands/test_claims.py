"""The list of claims, and with results their verdicts."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from normreport.claims.cases import Case, Contrast, Place
from normreport.claims.claim import JudgedClaim, Judgement
from normreport.claims.registry import CLAIMS
from normreport.cli import main
from normreport.report.claim_results import claim_result
from normreport.statistics.inference import Interval
from normreport.statistics.verdict import Verdict


def _case(mean: float, *, bounds: bool = True) -> Case:
    contrast = Contrast.of_arms("raw", "unit")
    place = Place.of(model="vgg16", start="scratch", layer="features.0", contrast=contrast)
    low, high = (mean - 0.25, mean + 0.25) if bounds else (None, None)
    return Case(place, Verdict.SUPPORTED, Interval(mean, low, high, 0.95, 3), (mean,) * 3)


@pytest.fixture
def results(tmp_path: Path, default_values: dict[str, Any]) -> Path:
    """Write results of three claims as judge_claims writes them."""
    low, high, only = _case(0.5), _case(1.5), _case(0.125, bounds=False)
    missing = Case(None, Verdict.NOT_EVALUABLE, reason="no scratch runs")
    judgements = [
        Judgement(
            Verdict.SUPPORTED,
            Verdict.SUPPORTED,
            (low, high),
            least_favourable=low,
            most_favourable=high,
            flags=("SHARED START",),
        ),
        Judgement(
            Verdict.INCONCLUSIVE,
            Verdict.INCONCLUSIVE,
            (only,),
            least_favourable=only,
            most_favourable=only,
        ),
        Judgement(
            Verdict.NOT_EVALUABLE, Verdict.NOT_EVALUABLE, (missing,), reason="no scratch runs"
        ),
    ]
    claims = [
        claim_result(JudgedClaim(*pair)).model_dump(mode="json")
        for pair in zip(CLAIMS, judgements, strict=False)
    ]
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"claims": claims}))
    return path


def _blocks(text: str) -> dict[str, str]:
    """What is printed of each claim, by id, on one line."""
    blocks = [" ".join(block.split()) for block in text.strip().split("\n\n")]
    return {block.split()[0]: block for block in blocks}


def test_every_claim_is_listed_with_statement_statistic_and_rule(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["claims"]) == 0
    text = capsys.readouterr().out
    found = _blocks(text)
    assert list(found) == [claim.id for claim in CLAIMS]
    for claim in CLAIMS:
        for part in asdict(claim.localized()).values():
            assert " ".join(part.split()) in found[claim.id]
        assert "Verdict:" not in found[claim.id]
    assert max(len(line) for line in text.splitlines()) <= 98


def test_with_results_every_judged_claim_has_its_verdict(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["claims", "--results", str(results)]) == 0
    found = _blocks(capsys.readouterr().out)
    first, second, third, *others = (found[claim.id] for claim in CLAIMS)
    assert "Verdict: SUPPORTED; pilot, 3 seeds; SHARED START; " in first
    assert "2 supported" in first
    least = re.search(r"least favourable case (\S+) \[(\S+), (\S+)\] \((.*?)\)", first)
    assert least is not None
    assert [float(number) for number in least.groups()[:3]] == [0.5, 0.25, 0.75]
    assert least[4] == "vgg16 scratch features.0 raw - unit"
    assert "most favourable case 1.5" in first
    assert "Verdict: INCONCLUSIVE" in second
    assert "least favourable case +13% (vgg16" in second
    assert "Verdict: NOT EVALUABLE; no scratch runs; " in third
    assert "favourable" not in third.split("Verdict:")[1]
    assert all("Verdict:" not in other for other in others)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"a": 1}', '{"claims": [{"id": "F1"}]}'])
def test_a_file_that_holds_no_results_ends_in_a_message(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"
    path.write_text(content)
    assert main(["claims", "--results", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
