"""A short calibration: no verdict errs more often than it may, and true effects are found."""

from __future__ import annotations

import pytest

from normreport.statistics.inference import FAMILY_ERROR
from normreport.statistics.verdict import Verdict
from tests.calibration.simulation import (
    EFFECTS,
    FAMILY,
    SEEDS,
    Rate,
    simulate_families,
    simulate_initial_weights,
    true_verdict,
)

STUDIES = 150


def is_too_frequent(rate: Rate, nominal: float) -> bool:
    """Whether the whole interval of an error lies above what is allowed."""
    return bool(rate.interval[0] > nominal)


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


def test_without_the_correction_a_family_errs_too_often(judged):
    """So that what the other tests look for can be seen at all."""
    for seeds in SEEDS:
        assert is_too_frequent(judged["at the margin", seeds].alone, FAMILY_ERROR)


def test_more_seeds_and_larger_effects_are_found_more_often(judged):
    def power(name, seeds):
        return judged[name, seeds].right.count

    for name in ("none", "twice the margin"):
        assert power(name, 3) < power(name, 6) < power(name, 10)
    for seeds in SEEDS:
        assert power("half the margin", seeds) <= power("none", seeds)
    assert power("none", 10) > 0.5 * judged["none", 10].right.trials


@pytest.mark.parametrize("seeds", [3, 6])
def test_random_weights_alone_do_not_look_like_an_effect_of_the_arms(seeds):
    supported, _ = simulate_initial_weights(seeds=seeds, studies=60)
    assert not is_too_frequent(supported, 0.05)
    for verdict in simulate_initial_weights(seeds=seeds, studies=60, growth=1.25):
        assert not is_too_frequent(verdict, 0.05)


def test_the_truth_of_a_claim_follows_its_direction():
    by_id = {claim.id: claim for claim in FAMILY}
    expected = {"H1": Verdict.REFUTED, "F1": Verdict.SUPPORTED, "F9": Verdict.SUPPORTED}
    for claim, verdict in expected.items():
        assert true_verdict(by_id[claim], EFFECTS["none"]) is verdict
        assert true_verdict(by_id[claim], EFFECTS["at the margin"]) is None
        assert true_verdict(by_id[claim], EFFECTS["twice the margin"]) not in (verdict, None)
