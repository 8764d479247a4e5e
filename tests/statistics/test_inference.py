"""Intervals and p-values against scipy, verdicts against their definition."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.inference import (
    Interval,
    MarginTest,
    PValues,
    Verdict,
    clopper_pearson,
    holm,
    overall,
    share_p_values,
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


SAMPLES = [np.random.default_rng(n).normal(0.3, 1, n) for n in (2, 3, 6, 12)]


@pytest.mark.parametrize("values", SAMPLES, ids=len)
@pytest.mark.parametrize("margin", [-0.5, 0.0, 0.4])
def test_p_values_are_scipys_one_sided_t(values, margin):
    greater = stats.ttest_1samp(values, margin, alternative="greater").pvalue
    less = stats.ttest_1samp(values, margin, alternative="less").pvalue
    above = MarginTest(margin, level=0.95).p_values(values)
    below = MarginTest(margin, level=0.95, below=True).p_values(values)
    assert (above.support, above.refute) == pytest.approx((greater, less), rel=1e-10)
    assert (below.support, below.refute) == pytest.approx((less, greater), rel=1e-10)


@pytest.mark.parametrize("level", [0.90, 0.95])
@pytest.mark.parametrize("below", [False, True])
def test_a_verdict_is_that_of_the_interval_against_the_margin(level, below):
    generator = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        values = generator.normal(generator.choice([-1, 0, 1]), 0.3, 4)
        test = MarginTest(0.1, level=level, below=below)
        interval = t_interval(values.tolist(), level)
        over, under = interval.low > 0.1, interval.high < 0.1
        supported, refuted = (under, over) if below else (over, under)
        verdict = test.verdict(test.p_values(values))
        assert (verdict is Verdict.SUPPORTED) == supported
        assert (verdict is Verdict.REFUTED) == refuted
        seen.add(verdict)
    assert len(seen) == 3


def test_of_the_two_one_sided_tests_of_a_size_the_one_at_the_margin_decides():
    """A size is never negative; scipy's test at the other end has the smaller p-value."""
    generator = np.random.default_rng(1)
    for _ in range(100):
        sizes = np.abs(generator.normal(0, 0.05, 5))
        lower = stats.ttest_1samp(sizes, -0.1, alternative="greater").pvalue
        upper = stats.ttest_1samp(sizes, 0.1, alternative="less").pvalue
        found = MarginTest(0.1, level=0.90, below=True).p_values(sizes)
        assert found.support == pytest.approx(max(lower, upper), rel=1e-9)


def test_a_claim_may_be_refuted_from_another_margin_than_it_is_supported_from():
    test = MarginTest(0.5, level=0.95, below=True, refuted_from=0.9)
    scatter = np.array([-0.01, 0.0, 0.01])
    found = [test.verdict(test.p_values(mean + scatter)) for mean in (0.4, 0.7, 1.0)]
    assert found == [Verdict.SUPPORTED, Verdict.INCONCLUSIVE, Verdict.REFUTED]


def test_numbers_without_scatter_prove_their_side():
    test = MarginTest(0.25, level=0.95)
    assert test.p_values([0.5, 0.5, 0.5]) == PValues(0.0, 1.0)
    assert test.p_values([0.0, 0.0, 0.0]) == PValues(1.0, 0.0)
    assert test.p_values([0.25, 0.25]) == PValues(1.0, 1.0)


@pytest.mark.parametrize("n", [6, 9])
def test_sign_flips_are_those_of_brute_force_and_of_scipy(n):
    values = np.random.default_rng(n).normal(0.5, 1, n)
    margin = 0.1
    deviations = values - margin
    means = [np.mean(deviations * signs) for signs in product((1, -1), repeat=n)]
    found = MarginTest(margin, level=0.95).sign_flip(values)
    assert found.support == np.mean(np.array(means) >= deviations.mean() - 1e-12)
    assert found.refute == np.mean(np.array(means) <= deviations.mean() + 1e-12)
    for side, alternative in ((found.support, "greater"), (found.refute, "less")):
        expected = stats.permutation_test(
            (deviations,),
            np.mean,
            permutation_type="samples",
            n_resamples=np.inf,
            alternative=alternative,
        )
        assert side == pytest.approx(expected.pvalue, rel=1e-12)


def test_sign_flips_need_six_seeds_and_end_at_twenty():
    test = MarginTest(0.0, level=0.95)
    assert test.sign_flip([1.0] * 5) is None
    assert test.sign_flip([1.0] * 6) == PValues(2**-6, 1.0)
    assert test.sign_flip([1.0] * 20) == PValues(2**-20, 1.0)
    assert test.sign_flip([1.0] * 21) is None


@pytest.mark.parametrize(("successes", "trials"), [(0, 3), (3, 3), (1, 3), (7, 10)])
def test_the_p_values_of_a_share_are_scipys_exact_ones(successes, trials):
    found = share_p_values(successes, trials, 1 / 6)
    for side, alternative in ((found.support, "greater"), (found.refute, "less")):
        expected = stats.binomtest(successes, trials, 1 / 6, alternative=alternative).pvalue
        assert side == pytest.approx(expected, rel=1e-9)


def test_holm_is_bonferroni_on_what_remains():
    assert holm([]) == []
    assert holm([0.04]) == [0.04]
    assert holm([0.03, 0.005, 0.02]) == pytest.approx([0.04, 0.015, 0.04])
    assert holm([0.9, 0.6, 0.01]) == pytest.approx([1.0, 1.0, 0.03])


def test_holm_rejects_what_its_closed_family_of_bonferroni_tests_rejects():
    """Reject a hypothesis if Bonferroni rejects every set of hypotheses that it is a member of."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        p_values = generator.uniform(0, 0.1, 5)
        for index, adjusted in enumerate(holm(p_values.tolist())):
            sets = [s for k in range(1, 6) for s in combinations(range(5), k) if index in s]
            expected = max(len(s) * min(p_values[list(s)]) for s in sets)
            assert adjusted == pytest.approx(expected)


def test_one_refuted_case_refutes_a_claim_that_is_made_of_all():
    good, bad = Verdict.SUPPORTED, Verdict.REFUTED
    unsure, mute = Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE
    assert overall([good, good]) is good
    assert overall([good, good, mute]) is unsure
    assert overall([good, unsure, bad]) is bad
    assert overall([good, unsure]) is unsure
    assert overall([mute, mute]) is mute
    assert overall([]) is mute


def test_a_true_margin_is_crossed_no_more_often_than_the_level_allows():
    """Simulate studies whose effect lies exactly at the margin: 2.5% may cross, each way."""
    generator = np.random.default_rng(0)
    test = MarginTest(0.1, level=0.95)
    samples = generator.normal(0.1, 0.05, (4000, 5))
    verdicts = [test.verdict(test.p_values(values)) for values in samples]
    for verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        share = verdicts.count(verdict) / len(verdicts)
        assert share == pytest.approx(0.025, abs=4 * np.sqrt(0.025 * 0.975 / 4000))


def test_a_rule_in_words_says_level_and_sides() -> None:
    difference, sameness = MarginTest(0.1, level=0.95), MarginTest(0.1, level=0.9, below=True)
    assert difference.rule == (
        "supported if the 95% interval lies above the margin, refuted if wholly below it"
    )
    assert sameness.rule == (
        "supported if the 90% interval lies within the margin, refuted if wholly beyond it"
    )
