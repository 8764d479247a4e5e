"""Variance components against a two-way table for every quantile."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest

from normreport.statistics import variance_components as module
from normreport.statistics.variance_components import variance_components
from tests.statistics.layouts import layout, products_of


def sums_of_squares(weights: np.ndarray) -> tuple[float, float, float]:
    """Add up the two-way tables of all quantiles: arms, seeds, and the rest; the mean over n."""
    arms, seeds, n = weights.shape
    of_arms = of_seeds = of_rest = 0.0
    for cells in np.moveaxis(weights, 2, 0).astype(np.float64):
        grand, means_of_arms, means_of_seeds = cells.mean(), cells.mean(axis=1), cells.mean(axis=0)
        for arm in range(arms):
            of_arms += seeds * (means_of_arms[arm] - grand) ** 2 / n
            for seed in range(seeds):
                expected = means_of_arms[arm] + means_of_seeds[seed] - grand
                of_rest += (cells[arm, seed] - expected) ** 2 / n
        for seed in range(seeds):
            of_seeds += arms * (means_of_seeds[seed] - grand) ** 2 / n
    return float(of_arms), float(of_seeds), float(of_rest)


@pytest.mark.parametrize(("arms", "seeds"), [(2, 2), (2, 6), (3, 4), (4, 3)])
def test_components_are_those_of_the_two_way_tables(arms: int, seeds: int) -> None:
    weights = layout(arms, seeds, n=60, shift=0.1)
    of_arms, of_seeds, of_rest = sums_of_squares(weights)
    mean_rest = of_rest / ((arms - 1) * (seeds - 1))
    theta = (of_arms / (arms - 1) - mean_rest) * (arms - 1) / (arms * seeds)
    sigma = (of_seeds / (seeds - 1) - mean_rest) / arms
    found = variance_components(products_of(weights))
    assert found is not None
    assert (found.arm, found.seed, found.rest) == pytest.approx(
        (math.sqrt(theta), math.sqrt(sigma), math.sqrt(mean_rest)), rel=1e-7
    )
    assert found.omega_squared == pytest.approx(theta / (theta + sigma + mean_rest), rel=1e-7)
    total = of_arms + of_seeds + of_rest
    assert found.arm_share == pytest.approx(of_arms / total, rel=1e-7)
    assert found.arm_share_by_chance == pytest.approx((of_arms + of_rest) / total / seeds)


@pytest.mark.parametrize(("arms", "seeds"), [(2, 4), (3, 3)])
def test_the_p_value_and_the_chance_level_are_those_of_all_relabellings(
    arms: int, seeds: int
) -> None:
    weights = layout(arms, seeds, n=12, shift=0.02, noise=0.03)
    shares, scores = [], []
    for orders in product(permutations(range(arms)), repeat=seeds):
        relabelled = np.stack([weights[list(order), s] for s, order in enumerate(orders)], axis=1)
        of_arms, of_seeds, of_rest = sums_of_squares(relabelled)
        shares.append(of_arms / (of_arms + of_seeds + of_rest))
        scores.append(of_arms / of_rest)
    of_arms, _, of_rest = sums_of_squares(weights)
    expected = np.mean(np.array(scores) >= of_arms / of_rest * (1 - 1e-9))
    found = variance_components(products_of(weights))
    assert found is not None
    assert found.is_exact
    assert found.p_value == pytest.approx(expected)
    assert found.arm_share_by_chance == pytest.approx(np.mean(shares))


def test_many_relabellings_are_drawn_and_agree_with_all(monkeypatch: pytest.MonkeyPatch) -> None:
    products = products_of(layout(2, 6, n=40, shift=0.015, noise=0.03))
    exact = variance_components(products)
    monkeypatch.setattr(module, "MOST_ENUMERATED", 31)
    drawn = variance_components(products)
    assert exact is not None
    assert exact.p_value is not None
    assert drawn is not None
    assert drawn.p_value is not None
    assert (exact.is_exact, drawn.is_exact) == (True, False)
    assert 0.01 < exact.p_value < 0.5
    assert drawn.p_value == pytest.approx(exact.p_value, abs=0.02)
    assert drawn == variance_components(products)


def test_negative_estimates_are_zero() -> None:
    pure_noise = [layout(2, 4, noise=0.1, seed_noise=0, entropy=entropy) for entropy in range(20)]
    found = [variance_components(products_of(weights)) for weights in pure_noise]
    assert any(one is not None and one.arm == 0 for one in found)
    assert any(one is not None and one.seed == 0 for one in found)


def test_the_planted_components_come_back() -> None:
    """Arms 0.2 apart lie 0.1 from their mean; a seed moves and widens by 0.3, a run by 0.05."""
    weights = layout(2, 60, n=100, shift=0.2, seed_noise=0.3, noise=0.05)
    found = variance_components(products_of(weights))
    assert found is not None
    assert found.arm == pytest.approx(0.1, rel=0.15)
    assert found.seed == pytest.approx(0.3 * math.sqrt(2), rel=0.15)
    assert found.rest == pytest.approx(0.05 * math.sqrt(2), rel=0.15)
    assert found.is_exact is False
    assert found.p_value == 1 / 10_000


def test_one_arm_one_seed_and_equal_runs_have_no_components() -> None:
    assert variance_components(products_of(layout(1, 4))) is None
    assert variance_components(products_of(layout(3, 1))) is None
    same = np.stack([[layout(1, 1)[0, 0]] * 3] * 2)
    assert variance_components(products_of(same)) is None


def test_equal_arms_have_a_component_of_the_seed_alone_and_no_test() -> None:
    """The runs of a seed are equal: from scratch at epoch 0."""
    same = layout(1, 6)
    found = variance_components(products_of(np.concatenate([same, same])))
    assert found is not None
    assert (found.arm, found.rest, found.omega_squared, found.arm_share) == (0, 0, 0, 0)
    assert found.seed > 0
    assert found.p_value is None
