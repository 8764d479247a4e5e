"""Distances to the normal distribution against scipy and quadrature."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import integrate, stats

from normreport.statistics.normality import ppcc_deficit, wasserstein_to_normal
from tests.statistics.samples import KINDS, LARGEST, Array, by_case, sample


def _normal_cdf_gap(z: Array) -> float:
    """Area between the empirical and the normal distribution function, by quadrature."""
    knots = np.concatenate([[-12], z, [12]])
    areas = [
        integrate.quad(lambda x, level=i / z.size: abs(stats.norm.cdf(x) - level), low, high)[0]
        for i, (low, high) in enumerate(itertools.pairwise(knots))
    ]
    return math.fsum(areas)


@by_case
def test_ppcc_deficit_is_that_of_the_probability_plot(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))
    scores = stats.norm.ppf((np.arange(1, n + 1) - 3 / 8) / (n + 1 / 4))

    result = ppcc_deficit(values)

    assert result == pytest.approx(1 - stats.pearsonr(values, scores)[0] ** 2, abs=1e-12)
    if n == 20_000:  # Filliben's positions, which scipy has, matter more for fewer numbers
        assert result == pytest.approx(1 - stats.probplot(values)[1][2] ** 2, abs=1e-4)


def test_ppcc_deficit_of_the_normal_scores_themselves_is_zero() -> None:
    scores = stats.norm.ppf((np.arange(1, 1001) - 3 / 8) / (1000 + 1 / 4))

    assert ppcc_deficit(3 * scores - 7) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [10, 300])
def test_wasserstein_to_normal_is_the_area_between_distribution_functions(
    kind: str, n: int
) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)

    result = wasserstein_to_normal(values)

    assert result == pytest.approx(_normal_cdf_gap(z), abs=1e-7)


@pytest.mark.parametrize("n", [1999, 2000, 20_000])
@pytest.mark.parametrize("kind", ["gaussian", "laplace", "tied"])
def test_wasserstein_to_normal_of_many_weights_matches_quadrature(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)
    x = np.linspace(-15, 15, 1_000_001)
    empirical = np.searchsorted(z, x, side="right") / n

    result = wasserstein_to_normal(values)

    expected = np.trapezoid(np.abs(empirical - stats.norm.cdf(x)), x)
    assert result == pytest.approx(expected, abs=2e-5)


def test_wasserstein_to_normal_of_the_largest_layer_is_the_mean_gap_of_the_quantiles(
    largest: Array,
) -> None:
    values = np.sort(largest.astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)
    scores = stats.norm.ppf((np.arange(LARGEST) + 0.5) / LARGEST)

    result = wasserstein_to_normal(values)

    assert result == pytest.approx(np.mean(np.abs(z - scores)), abs=1e-6)
