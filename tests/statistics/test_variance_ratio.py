"""The ratio against sums of squares of the weights, and how often a test on it errs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from normreport.statistics.inference import MarginTest
from normreport.statistics.variance_ratio import variance_ratio
from normreport.statistics.verdict import Verdict
from tests.statistics.layouts import layout, products_of

SEEDS = 5


def test_the_ratio_has_the_pseudo_values_of_the_analysis_of_variance() -> None:
    weights = layout(2, SEEDS, shift=0.2)

    def log_ratio(seeds: list[int]) -> float:
        chosen = weights[:, seeds].astype(np.longdouble)
        means = chosen.mean(axis=(0, 1))
        of_arms = ((chosen.mean(axis=1) - means) ** 2).mean(axis=-1).sum() * len(seeds)
        of_seeds = ((chosen.mean(axis=0) - means) ** 2).mean(axis=-1).sum() * 2
        total = ((chosen - means) ** 2).mean(axis=-1).sum()
        degrees = len(seeds) - 1
        rest = (total - of_arms - of_seeds) / degrees
        arm, seed = (of_arms - rest) / (2 * len(seeds)), (of_seeds / degrees - rest) / 2
        return float(np.log(arm / (seed + rest)))

    found = variance_ratio(products_of(weights))
    assert found is not None
    everyone = list(range(SEEDS))
    assert found.value == pytest.approx(log_ratio(everyone), rel=1e-6)
    expected = [
        SEEDS * log_ratio(everyone) - (SEEDS - 1) * log_ratio(everyone[:s] + everyone[s + 1 :])
        for s in everyone
    ]
    assert found.pseudo_values == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("seeds", [3, 6, 10])
@pytest.mark.parametrize("margin", [0.5, 1.0, 20.0])
@pytest.mark.parametrize(("seed_sd", "run_sd"), [(0.14, 0.02), (0.1, 0.1), (0.02, 0.14)])
def test_the_error_rate_at_the_margin_is_at_most_eight_percent(
    seeds: int, margin: float, seed_sd: float, run_sd: float
) -> None:
    """The nominal rate is 2.5% per side, but pseudo-values are not exactly normal."""
    generator = np.random.default_rng(0)
    # Distributions that only move: their products are those of numbers.
    shift = 2 * math.sqrt(margin * (seed_sd**2 + run_sd**2))
    test = MarginTest(math.log(margin), level=0.95)
    outcomes = []
    for _ in range(400):
        means = generator.normal(0, run_sd, (2, seeds)) + generator.normal(0, seed_sd, seeds)
        means[1] += shift
        found = variance_ratio(np.multiply.outer(means, means))
        assert found is not None
        assert found.pseudo_values is not None
        outcomes.append(test.verdict(test.p_values(found.pseudo_values)))
    for verdict in (Verdict.SUPPORTED, Verdict.REFUTED):
        assert outcomes.count(verdict) <= 0.08 * len(outcomes)


def test_arms_without_an_effect_have_the_least_ratio_and_far_arms_the_largest() -> None:
    ends = [
        min(
            variance_ratio(products_of(layout(2, 4, entropy=number))).value for number in range(50)
        ),
        variance_ratio(products_of(layout(2, 4, shift=1e3, noise=1e-3))).value,
    ]
    assert ends == pytest.approx([math.log(0.001 / 0.999), math.log(0.999 / 0.001)])


def test_equal_runs_and_single_seeds_have_no_ratio() -> None:
    equal = variance_ratio(np.ones((2, 3, 2, 3)))
    assert equal is not None
    assert math.isnan(equal.value)
    assert variance_ratio(products_of(layout(2, 1))) is None
