"""Compare intervals and p-values with scipy, and verdicts with their definition."""

from __future__ import annotations

from itertools import combinations, product
from typing import Literal

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.inference import (
    Interval,
    MarginTest,
    PValues,
    accuracy_interval,
    adjust_by_holm,
    clopper_pearson_interval,
    combine_exact_verdicts,
    combine_tests,
    t_interval,
)
from normreport.statistics.verdict import Verdict


@pytest.mark.parametrize("n", [2, 3, 10])
@pytest.mark.parametrize("level", [0.90, 0.95])
def test_the_t_interval_matches_scipy(n, level):
    values = np.random.default_rng(n).normal(3, 2, n)
    expected = stats.ttest_1samp(values, 0).confidence_interval(level)
    interval = t_interval(values.tolist(), level)
    assert interval.mean == pytest.approx(values.mean(), rel=1e-14)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert interval.seeds == n


def test_one_seed_has_a_mean_and_no_interval():
    assert t_interval([0.5], 0.95) == Interval(0.5, None, None, 0.95, 1)


def test_two_equal_differences_of_accuracies_have_no_interval_of_width_zero():
    assert accuracy_interval([0.03, 0.03], 0.95) == Interval(0.03, None, None, 0.95, 2)
    values = [0.03, 0.03, 0.05]
    assert accuracy_interval(values, 0.95) == t_interval(values, 0.95)


@pytest.mark.parametrize(("successes", "trials"), [(0, 3), (3, 3), (1, 3), (7, 10)])
def test_the_interval_of_a_share_matches_scipys_exact_interval(successes, trials):
    expected = stats.binomtest(successes, trials).proportion_ci(0.95, method="exact")
    interval = clopper_pearson_interval(successes, trials, 0.95)
    assert (interval.low, interval.high) == pytest.approx((expected.low, expected.high), rel=1e-9)


SAMPLES = [np.random.default_rng(n).normal(0.3, 1, n) for n in (2, 3, 6, 12)]


@pytest.mark.parametrize("values", SAMPLES, ids=len)
@pytest.mark.parametrize("margin", [-0.5, 0.0, 0.4])
def test_p_values_match_scipys_one_sided_t_test(values, margin):
    greater = stats.ttest_1samp(values, margin, alternative="greater").pvalue
    less = stats.ttest_1samp(values, margin, alternative="less").pvalue
    above = MarginTest(margin, level=0.95).p_values(values)
    below = MarginTest(margin, level=0.95, side="below").p_values(values)
    assert (above.support, above.refute) == pytest.approx((greater, less), rel=1e-10)
    assert (below.support, below.refute) == pytest.approx((less, greater), rel=1e-10)


@pytest.mark.parametrize("level", [0.90, 0.95])
@pytest.mark.parametrize("side", ["above", "below", "within"])
def test_the_verdict_agrees_with_the_interval_and_the_margin(level, side):
    generator = np.random.default_rng(0)
    seen = set()
    for _ in range(300):
        values = generator.normal(generator.choice([-1, 0, 1]), 0.3, 4)
        test = MarginTest(0.1, level=level, side=side)
        interval = t_interval(values.tolist(), level)
        over, under = interval.low > 0.1, interval.high < 0.1
        inside = interval.low > -0.1 and under
        outside = over or interval.high < -0.1
        supported, refuted = {
            "above": (over, under), "below": (under, over), "within": (inside, outside)
        }[side]  # fmt: skip
        verdict = test.verdict(test.p_values(values.tolist()))
        assert (verdict is Verdict.SUPPORTED) == supported
        assert (verdict is Verdict.REFUTED) == refuted
        seen.add(verdict)
    assert len(seen) == 3


def test_the_one_sided_test_at_the_margin_decides_on_a_size():
    """The test at the other bound always has the smaller p-value, as a size is never negative."""
    generator = np.random.default_rng(1)
    for _ in range(100):
        sizes = np.abs(generator.normal(0, 0.05, 5))
        lower = stats.ttest_1samp(sizes, -0.1, alternative="greater").pvalue
        upper = stats.ttest_1samp(sizes, 0.1, alternative="less").pvalue
        p = MarginTest(0.1, level=0.90, side="below").p_values(sizes.tolist())
        assert p.support == pytest.approx(max(lower, upper), rel=1e-9)


def test_the_refuting_margin_may_differ_from_the_supporting_one():
    test = MarginTest(0.5, level=0.95, side="below", refuted_from=0.9)
    scatter = np.array([-0.01, 0.0, 0.01])
    verdicts = [test.verdict(test.p_values((mean + scatter).tolist())) for mean in (0.4, 0.7, 1.0)]
    assert verdicts == [Verdict.SUPPORTED, Verdict.INCONCLUSIVE, Verdict.REFUTED]


def test_equal_numbers_have_p_values_of_zero_or_one():
    test = MarginTest(0.25, level=0.95)
    assert test.p_values([0.5, 0.5, 0.5]) == PValues(0.0, 1.0)
    assert test.p_values([0.0, 0.0, 0.0]) == PValues(1.0, 0.0)
    assert test.p_values([0.25, 0.25]) == PValues(1.0, 1.0)


@pytest.mark.parametrize("n", [6, 9])
def test_sign_flip_p_values_match_brute_force_and_scipy(n):
    values = np.random.default_rng(n).normal(0.5, 1, n)
    margin = 0.1
    deviations = values - margin
    means = [np.mean(deviations * signs) for signs in product((1, -1), repeat=n)]
    p = MarginTest(margin, level=0.95).sign_flip_p_values(values)
    assert p.support == np.mean(np.array(means) >= deviations.mean() - 1e-12)
    assert p.refute == np.mean(np.array(means) <= deviations.mean() + 1e-12)
    sides: list[tuple[float, Literal["greater", "less"]]]
    sides = [(p.support, "greater"), (p.refute, "less")]
    for side, alternative in sides:
        expected = stats.permutation_test(
            (deviations,),
            np.mean,
            permutation_type="samples",
            n_resamples=2**n,
            alternative=alternative,
        )
        assert side == pytest.approx(expected.pvalue, rel=1e-12)


def test_sign_flips_need_six_to_twenty_seeds():
    test = MarginTest(0.0, level=0.95)
    assert test.sign_flip_p_values([1.0] * 5) is None
    assert test.sign_flip_p_values([1.0] * 6) == PValues(2**-6, 1.0)
    assert test.sign_flip_p_values([1.0] * 20) == PValues(2**-20, 1.0)
    assert test.sign_flip_p_values([1.0] * 21) is None


def test_holm_applies_bonferroni_to_the_remaining_tests():
    assert adjust_by_holm([]) == []
    assert adjust_by_holm([0.04]) == [0.04]
    assert adjust_by_holm([0.03, 0.005, 0.02]) == pytest.approx([0.04, 0.015, 0.04])
    assert adjust_by_holm([0.9, 0.6, 0.01]) == pytest.approx([1.0, 1.0, 0.03])


def test_holm_rejects_the_same_as_closed_testing_with_bonferroni():
    """Closed testing rejects a hypothesis if Bonferroni rejects every set that contains it."""
    generator = np.random.default_rng(0)
    for _ in range(50):
        p_values = generator.uniform(0, 0.1, 5)
        for index, adjusted in enumerate(adjust_by_holm(p_values.tolist())):
            sets = [s for k in range(1, 6) for s in combinations(range(5), k) if index in s]
            expected = max(len(s) * min(p_values[list(s)]) for s in sets)
            assert adjusted == pytest.approx(expected)


def test_exact_verdicts_agree_or_are_mixed():
    good, bad, mixed = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED
    open_, silent = Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE
    assert combine_exact_verdicts([good, good]) is good
    assert combine_exact_verdicts([bad]) is bad
    assert combine_exact_verdicts([good, bad]) is mixed
    assert combine_exact_verdicts([good, bad, silent]) is mixed
    assert combine_exact_verdicts([good, open_]) is open_
    assert combine_exact_verdicts([bad, silent]) is open_
    assert combine_exact_verdicts([silent, silent]) is silent
    assert combine_exact_verdicts([]) is silent


def test_cases_together_support_or_refute_only_if_each_does():
    tests = [PValues(0.01, 0.99), PValues(0.02, 0.98), PValues(0.005, 0.995)]
    together = combine_tests(tests)
    assert (together.support, together.refute) == (0.02, 0.995)
    alone = combine_tests(tests[:1])
    assert (alone.support, alone.refute) == (0.01, 0.99)


def test_cases_are_mixed_by_the_larger_of_two_bonferroni_minima():
    tests = [PValues(0.001, 0.999), PValues(0.996, 0.004), PValues(0.5, 0.5)]
    assert combine_tests(tests).mixed == pytest.approx(3 * 0.004)
    assert combine_tests([PValues(0.3, 0.7)]).mixed == 0.7


def test_a_case_that_is_mixed_within_itself_makes_the_claim_mixed():
    tests = [PValues(0.3, 0.7, mixed=0.001), PValues(0.2, 0.8)]
    # Two cases, and two ways to be mixed.
    assert combine_tests(tests).mixed == pytest.approx(4 * 0.001)


def test_one_case_refutes_a_universal_claim_which_is_never_mixed():
    tests = [PValues(0.001, 0.999), PValues(0.996, 0.004), PValues(0.5, 0.5)]
    together = combine_tests(tests, universal=True)
    assert (together.support, together.mixed) == (0.996, 1.0)
    assert together.refute == pytest.approx(3 * 0.004)


def test_cases_without_an_effect_are_rarely_called_mixed():
    """At the margin in every case, the mixed verdict is wrong at most at its nominal rate."""
    generator = np.random.default_rng(3)
    test = MarginTest(0.5, level=0.95)
    wrong = 0
    for _ in range(2000):
        values = generator.normal(0.5, 0.3, (4, 6))
        p = combine_tests([test.p_values(list(case)) for case in values])
        wrong += test.verdict(p) is Verdict.MIXED
    assert wrong / 2000 <= 0.025


@pytest.mark.parametrize(
    ("side", "order"), [("above", [2, 1, 0]), ("below", [0, 1, 2]), ("within", [1, 0, 2])]
)
def test_effects_are_ordered_by_how_far_they_speak_for_the_claim(side, order):
    effects = [-0.3, 0.1, 0.5]
    favour = MarginTest(0.2, level=0.95, side=side).favour
    assert sorted(range(3), key=lambda index: favour(effects[index]), reverse=True) == order


def test_an_effect_at_the_margin_is_decided_at_the_nominal_error_rate():
    """Simulate studies with an effect at the margin: 2.5% of them are decided in each direction."""
    generator = np.random.default_rng(0)
    test = MarginTest(0.1, level=0.95)
    samples = generator.normal(0.1, 0.05, (4000, 5))
    verdicts = [test.verdict(test.p_values(values.tolist())) for values in samples]
    for verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        share = verdicts.count(verdict) / len(verdicts)
        assert share == pytest.approx(0.025, abs=4 * np.sqrt(0.025 * 0.975 / 4000))
