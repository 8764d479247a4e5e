"""Intervals against scipy, verdicts against their definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from normreport.evidence import (
    Interval,
    Verdict,
    clopper_pearson,
    judge_above,
    judge_within,
    overall,
    t_interval,
)


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("level", [0.90, 0.95])
def test_the_t_interval_is_scipys(n, level):
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    found = t_interval(values.tolist(), level)
    assert found.mean == pytest.approx(values.mean(), rel=1e-14)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found.seeds == n


def test_one_seed_has_a_mean_and_no_interval():
    assert t_interval([0.5], 0.95) == Interval(0.5, None, None, 0.95, 1)


@pytest.mark.parametrize(("successes", "trials"), [(0, 3), (3, 3), (1, 3), (7, 10)])
def test_the_interval_of_a_share_is_scipys_exact_one(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    found = clopper_pearson(successes, trials, 0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


@pytest.mark.parametrize(
    ("low", "high", "above", "within"),
    [
        (0.11, 0.3, Verdict.SUPPORTED, Verdict.REFUTED),
        (0.05, 0.3, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
        (-0.05, 0.05, Verdict.REFUTED, Verdict.SUPPORTED),
        (-0.3, 0.05, Verdict.REFUTED, Verdict.INCONCLUSIVE),
        (-0.3, -0.2, Verdict.REFUTED, Verdict.REFUTED),
        (-0.3, 0.3, Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
    ],
)
def test_a_verdict_compares_the_interval_with_the_margin(low, high, above, within):
    interval = Interval((low + high) / 2, low, high, 0.95, 3)
    assert judge_above(interval, 0.1) is above
    assert judge_within(interval, 0.1) is within


def test_without_an_interval_nothing_is_judged():
    interval = Interval(5.0, None, None, 0.95, 1)
    assert judge_above(interval, 0.1) is Verdict.NOT_EVALUABLE
    assert judge_within(interval, 0.1) is Verdict.NOT_EVALUABLE


def test_one_refuted_case_refutes_a_claim_that_is_made_of_all():
    good, bad = Verdict.SUPPORTED, Verdict.REFUTED
    unsure, mute = Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE
    assert overall([good, good]) is good
    assert overall([good, good, mute]) is unsure
    assert overall([good, bad], refuted=False) is unsure
    assert overall([good, unsure, bad]) is bad
    assert overall([good, unsure]) is unsure
    assert overall([mute, mute]) is mute
    assert overall([]) is mute


def test_a_true_margin_is_crossed_no_more_often_than_the_level_allows():
    """Simulate studies whose effect lies exactly at the margin: 5% may cross, each way."""
    generator = np.random.default_rng(0)
    verdicts = [
        judge_above(t_interval(generator.normal(0.1, 0.05, 5).tolist(), 0.95), 0.1)
        for _ in range(4000)
    ]
    for verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        share = verdicts.count(verdict) / len(verdicts)
        assert share == pytest.approx(0.025, abs=4 * np.sqrt(0.025 * 0.975 / 4000))
