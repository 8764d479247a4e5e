"""The words of a claim."""

from __future__ import annotations

from dataclasses import replace

from normreport.claims.claim import describe_rule
from normreport.statistics.inference import MarginTest
from tests.claims.worked_example import SYMMETRIC


def test_a_rule_in_words_says_level_and_sides() -> None:
    difference, sameness = MarginTest(0.1, level=0.95), MarginTest(0.1, level=0.9, side="within")
    small = MarginTest(0.1, level=0.9, side="below")
    assert describe_rule(difference) == (
        "supported if the 95% interval of every case lies above the margin, refuted if every one "
        "lies below it, mixed if cases decide opposite ways"
    )
    assert describe_rule(small).startswith(
        "supported if the 90% interval of every case lies below the margin"
    )
    assert "within the margin on either side of zero" in describe_rule(sameness)


def test_a_claim_fills_in_its_values_and_adds_its_scope() -> None:
    claim = replace(
        SYMMETRIC,
        statistic="skewness beyond %(bound)s",
        values={"bound": 0.25},
        scope="only raw runs count",
        rule="supported above 95%%",
    )
    words = claim.localized()
    assert words.statistic == "skewness beyond 0.25; only raw runs count"
    assert words.rule == "supported above 95%"
    assert SYMMETRIC.localized().rule == describe_rule(SYMMETRIC.test)
