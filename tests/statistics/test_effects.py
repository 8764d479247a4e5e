"""Sizes of effects against loops over sorted weights, and against planted effects."""

from __future__ import annotations

import math
from itertools import combinations, permutations

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.effects import (
    SquaredEffect,
    repeated_shift,
    seed_distance,
    shift_beyond_seed,
)
from tests.statistics.layouts import layout, products_of

SEEDS = 5


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    return layout(2, SEEDS, shift=0.05)


def direct_shift(weights: np.ndarray, seeds: list[int]) -> float:
    exact = weights.astype(np.longdouble)
    terms = [
        np.mean((exact[0, s] - exact[1, s]) * (exact[0, t] - exact[1, t]))
        for s, t in permutations(seeds, 2)
    ]
    return float(sum(terms) / len(terms))


def direct_seed_distance(weights: np.ndarray, seeds: list[int]) -> float:
    exact = weights.astype(np.longdouble)
    squares = [
        np.mean((exact[arm, s] - exact[arm, t]) ** 2)
        for arm in (0, 1)
        for s, t in combinations(seeds, 2)
    ]
    return float(np.sqrt(sum(squares) / len(squares)))


def without(seed: int) -> list[int]:
    return [other for other in range(SEEDS) if other != seed]


def test_the_repeated_shift_is_the_mean_product_of_different_seeds(weights: np.ndarray) -> None:
    found = repeated_shift(products_of(weights))
    assert found is not None
    assert found.value == pytest.approx(direct_shift(weights, list(range(SEEDS))), rel=1e-9)


def test_pseudo_values_are_those_of_the_jackknife(weights: np.ndarray) -> None:
    """Tukey's definition, with every statistic computed from the weights that remain."""

    def beyond(seeds: list[int]) -> float:
        return direct_shift(weights, seeds) - (direct_seed_distance(weights, seeds) / 2) ** 2

    everyone = list(range(SEEDS))
    shift, ahead = (f(products_of(weights)) for f in (repeated_shift, shift_beyond_seed))
    assert shift is not None
    assert ahead is not None
    expected_shift, expected_ahead = (
        [SEEDS * f(everyone) - (SEEDS - 1) * f(without(seed)) for seed in range(SEEDS)]
        for f in (lambda seeds: direct_shift(weights, seeds), beyond)
    )
    assert shift.pseudo_values == pytest.approx(expected_shift, rel=1e-8)
    assert ahead.pseudo_values == pytest.approx(expected_ahead, rel=1e-8)
    assert ahead.value == pytest.approx(beyond(everyone), rel=1e-8)
    # U is a U-statistic, so the mean of its pseudo-values is U itself.
    assert np.mean(expected_shift) == pytest.approx(shift.value)


def test_the_distance_between_seeds_is_that_of_the_sorted_weights(weights: np.ndarray) -> None:
    found = seed_distance(products_of(weights))
    assert found == pytest.approx(direct_seed_distance(weights, list(range(SEEDS))), rel=1e-9)


def test_the_distance_between_two_gaussian_seeds_has_its_closed_form() -> None:
    """W2^2 of N(m, s^2) and N(M, S^2) is (m - M)^2 + (s - S)^2 (Dowson and Landau 1982)."""
    scores = stats.norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000)
    weights = np.stack([scores, 1.3 * scores + 0.4]).astype(np.float32)
    found = seed_distance(products_of(np.stack([weights, weights])))
    assert found == pytest.approx(0.5, rel=1e-4)


def test_two_seeds_have_an_estimate_but_no_pseudo_values(weights: np.ndarray) -> None:
    for statistic in (repeated_shift, shift_beyond_seed):
        found = statistic(products_of(weights[:, :2]))
        assert found is not None
        assert math.isfinite(found.value)
        assert found.pseudo_values is None


def test_one_seed_has_no_effect_that_repeats_and_no_distance(weights: np.ndarray) -> None:
    one = products_of(weights[:, :1])
    assert repeated_shift(one) is None
    assert shift_beyond_seed(one) is None
    assert seed_distance(one) is None


def test_equal_arms_have_exactly_no_shift() -> None:
    same = layout(1, SEEDS)
    found = repeated_shift(products_of(np.concatenate([same, same])))
    assert found == SquaredEffect(0.0, (0.0,) * SEEDS)


def test_equal_runs_have_exactly_no_distance() -> None:
    same = np.stack([[layout(1, 1)[0, 0]] * SEEDS] * 2)
    assert seed_distance(products_of(same)) == 0.0


def test_a_shift_of_all_weights_by_a_tenth_of_sigma_is_found() -> None:
    """Seeds scatter twice as far as the shift, and every run by itself."""
    weights = layout(2, 10, n=500, shift=0.1, seed_noise=0.2, noise=0.02)
    found = repeated_shift(products_of(weights))
    assert found is not None
    assert found.root == pytest.approx(0.1, abs=0.015)
    assert found.pseudo_values is not None
    assert stats.ttest_1samp(found.pseudo_values, 0.05**2, alternative="greater").pvalue < 0.01


def test_without_an_effect_the_squared_shift_is_zero_on_average() -> None:
    """The mean distance of the arms is not: it is what a placebo would be mistaken for."""
    values, distances = [], []
    for entropy in range(400):
        weights = layout(2, 3, n=50, noise=0.05, entropy=entropy)
        found = repeated_shift(products_of(weights))
        assert found is not None
        values.append(found.value)
        distances.append(np.mean(np.abs(weights[0] - weights[1])))
    error = np.std(values, ddof=1) / math.sqrt(len(values))
    assert abs(np.mean(values)) < 2.5 * error
    assert np.mean(values) < 0.02 * np.mean(distances) ** 2 + 2.5 * error
    assert np.mean(distances) > 0.03
    assert 0.3 < np.mean(np.array(values) < 0) < 0.75


def test_the_shift_beyond_half_a_seed_has_the_sign_of_the_larger_one() -> None:
    large = shift_beyond_seed(products_of(layout(2, 8, shift=0.3, seed_noise=0.05)))
    small = shift_beyond_seed(products_of(layout(2, 8, shift=0.02, seed_noise=0.3)))
    assert large is not None
    assert small is not None
    assert large.value > 0 > small.value
    assert small.root == 0
