"""A short calibration: no verdict errs more often than it may, and true effects are found."""

from __future__ import annotations

import math

import pytest

from normreport.statistics.inference import FAMILY_ERROR
from normreport.statistics.verdict import Verdict
from tests.calibration.simulation import (
    ABOUT_SHIFTS,
    DECLARED,
    EFFECTS,
    FAMILY,
    SEEDS,
    Rate,
    simulate_families,
    simulate_shifts,
    true_verdict,
)

STUDIES = 80


def is_too_frequent(rate: Rate, nominal: float) -> bool:
    """Whether the whole interval of an error lies above what is allowed.

    The interval is a 99.9% one: there are dozens of rates, and cases of one study are correlated.
    """
    return bool(rate.interval_at(0.999)[0] > nominal)


@pytest.fixture(scope="module")
def judged():
    return {
        (name, seeds): simulate_families(effect, seeds=seeds, studies=STUDIES)
        for name, effect in EFFECTS.items()
        for seeds in SEEDS
    }


def test_no_case_errs_more_often_than_its_level_allows(judged):
    for key, found in judged.items():
        assert [case.level for case in found.cases] == pytest.approx([0.90, 0.95])
        for case in found.cases:
            assert not is_too_frequent(case.wrong, case.nominal), (key, case)


def test_at_the_margin_a_case_errs_as_often_as_its_level_says(judged):
    """Else the tests would be tamer than they say, and find nothing."""
    for seeds in SEEDS:
        for case in judged["at the margin", seeds].cases:
            # F9 is not refuted from its margin on but far beyond it.
            assert case.wrong.interval[1] > 0.9 * case.nominal


def test_no_family_has_a_wrong_verdict_more_often_than_five_times_in_a_hundred(judged):
    for key, found in judged.items():
        assert not is_too_frequent(found.wrong, FAMILY_ERROR), (key, found.wrong)


@pytest.mark.parametrize("effect", ["none", "at the margin"])
def test_thirty_declared_claims_have_a_wrong_verdict_no_more_often_than_that(effect):
    found = simulate_families(EFFECTS[effect], seeds=6, studies=80, family=DECLARED)
    assert not is_too_frequent(found.wrong, FAMILY_ERROR), found.wrong
    if effect == "at the margin":
        assert found.alone.count > found.wrong.count


def test_without_the_correction_a_family_errs_more_often(judged):
    """The other tests can only fail if there are errors to correct."""
    for seeds in SEEDS:
        found = judged["at the margin", seeds]
        assert found.alone.count > found.wrong.count


def test_more_seeds_and_larger_effects_are_found_more_often(judged):
    def power(name, seeds):
        return judged[name, seeds].right.count

    for name in ("none", "twice the margin"):
        assert power(name, 3) < power(name, 6) < power(name, 10)
    for seeds in SEEDS:
        assert power("half the margin", seeds) <= power("none", seeds)
    assert power("none", 10) > 0.5 * judged["none", 10].right.trials


def test_opposite_truths_are_found_mixed_and_nothing_else_is(judged):
    opposite = "none in one network, twice the margin in the other"
    for seeds in SEEDS:
        assert not is_too_frequent(judged[opposite, seeds].wrong, FAMILY_ERROR)
    found = [judged[opposite, seeds].right.count for seeds in SEEDS]
    assert found[0] < found[1] < found[2]
    assert found[2] > 0.9 * judged[opposite, 10].right.trials


@pytest.mark.parametrize("claim", ABOUT_SHIFTS)
def test_a_shift_at_the_margin_is_decided_at_most_at_the_nominal_rate(claim):
    one = ABOUT_SHIFTS[claim]
    margin = math.sqrt(one.test.margin) if one.test.margin else 0.05
    found = simulate_shifts(one, shift=margin, seeds=6, studies=150)
    for verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        # The jackknife's pseudo-values are skewed: allow half as much again.
        assert not is_too_frequent(found[verdict], 1.5 * one.test.alpha)


def test_a_placebo_is_never_taken_for_an_effect_and_a_planted_shift_is_found():
    separates, close = ABOUT_SHIFTS["F4"], ABOUT_SHIFTS["F1"]
    placebo = simulate_shifts(separates, shift=0.0, seeds=6, studies=60)
    assert placebo[Verdict.SUPPORTED].count == 0
    assert placebo[Verdict.REFUTED].count > 50
    planted = simulate_shifts(separates, shift=0.08, seeds=6, studies=60)
    assert planted[Verdict.SUPPORTED].count > 50
    assert simulate_shifts(close, shift=0.0, seeds=6, studies=60)[Verdict.SUPPORTED].count > 50


def test_the_truth_of_a_claim_follows_its_direction():
    by_id = {claim.id: claim for claim in FAMILY}
    expected = {"H1": Verdict.REFUTED, "F1": Verdict.SUPPORTED, "F9": Verdict.SUPPORTED}
    for claim, verdict in expected.items():
        assert true_verdict(by_id[claim], EFFECTS["none"]) is verdict
        assert true_verdict(by_id[claim], EFFECTS["at the margin"]) is None
        assert true_verdict(by_id[claim], EFFECTS["twice the margin"]) not in (verdict, None)
        assert true_verdict(by_id[claim], (0.0, 2.0)) is Verdict.MIXED
    assert true_verdict(by_id["F8"], (0.0, 2.0)) is Verdict.REFUTED
