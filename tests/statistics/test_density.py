"""Kernel densities against scipy and KDEpy, and their roughness."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from KDEpy import FFTKDE  # type: ignore[import-untyped]  # it ships no types
from scipy import stats

from normreport.statistics.density import density, roughness, roughness_bandwidth, scott_bandwidth
from tests.statistics.samples import KINDS, LARGEST, Array, sample


def _kernel_sum(values: Array, bandwidth: float, grid: Array) -> Array:
    return np.array([stats.norm.pdf(x, values, bandwidth).mean() for x in grid])


def test_bandwidths_follow_the_normal_reference_rules() -> None:
    n, std = 1728, 0.058926

    assert scott_bandwidth(std, n) == pytest.approx(1.06 * std / n**0.2, rel=1e-12)
    expected = (4 / (7 * n)) ** (1 / 9) * std
    assert roughness_bandwidth(std, n) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "laplace", "tied", "spiked"])
@pytest.mark.parametrize("n", [10, 1728, 20_000])
@pytest.mark.parametrize("factor", [1, 0.1])
def test_density_is_that_of_gaussian_kde_at_fifty_points(kind: str, n: int, factor: float) -> None:
    values = sample(kind, n).astype(np.float64)
    std = values.std(ddof=1)
    bandwidth = factor * scott_bandwidth(std, n)
    grid = np.linspace(values.min() - bandwidth, values.max() + bandwidth, 50)

    result = density(values, bandwidth, grid)

    expected = stats.gaussian_kde(values, bw_method=bandwidth / std)
    peak = expected(np.append(grid, values[:2000])).max()
    np.testing.assert_allclose(result, expected(grid), rtol=0, atol=1e-5 * peak)


def test_density_of_the_largest_layer_is_that_of_kdepy(largest: Array) -> None:
    values = largest.astype(np.float64)
    bandwidth = scott_bandwidth(values.std(ddof=1), LARGEST)
    reach = 5 * bandwidth
    grid = np.linspace(values.min() - reach, values.max() + reach, 2**15)

    result = density(largest, bandwidth, grid)

    expected = FFTKDE(kernel="gaussian", bw=bandwidth).fit(values).evaluate(grid)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6 * expected.max())


@pytest.mark.parametrize("kind", KINDS)
def test_density_has_mass_one_and_is_never_negative(kind: str) -> None:
    values = sample(kind, 1728).astype(np.float64)
    bandwidth = scott_bandwidth(values.std(ddof=1), 1728)
    reach = 7 * bandwidth
    points = math.ceil(50 * (np.ptp(values) / bandwidth + 14))
    grid = np.linspace(values.min() - reach, values.max() + reach, points)

    result = density(values, bandwidth, grid)

    assert np.trapezoid(result, grid) == pytest.approx(1, abs=1e-6)
    assert result.min() >= 0


def test_density_of_a_window_keeps_the_share_of_the_weights_beyond_it() -> None:
    values = sample("heavy", 2000).astype(np.float64)
    values[:1000] = sample("gaussian", 1000)
    grid = np.linspace(-0.1, 0.1, 201)

    result = density(values, 0.01, grid)

    expected = _kernel_sum(values, 0.01, grid)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * expected.max())


def test_density_far_from_every_weight_is_zero() -> None:
    assert not density(np.zeros(5), 0.1, np.linspace(2, 3, 7)).any()
    assert not density(np.array([-9.0, 9.0]), 0.1, np.linspace(-1, 1, 7)).any()

    grid = np.linspace(-2, 3, 5001)
    result = density(np.array([0.0, 0.3, 1.0]), 0.01, grid)
    assert result.min() == 0
    assert not result[(grid < -0.1) | (grid > 1.1)].any()


def test_density_of_equal_weights_is_the_kernel() -> None:
    grid = np.linspace(-1, 1, 101)

    result = density(np.full(20, 0.1), 0.2, grid)

    np.testing.assert_allclose(result, stats.norm.pdf(grid, 0.1, 0.2), rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", ["gaussian", "laplace", "tied", "spiked"])
@pytest.mark.parametrize("factor", [1, 0.1])
def test_roughness_is_the_double_sum_over_all_pairs(kind: str, factor: float) -> None:
    values = sample(kind, 400).astype(np.float64)
    std = values.std(ddof=1)
    bandwidth = factor * roughness_bandwidth(std, 400)
    # The integral of a product of two kernels' second derivatives is the fourth derivative of a
    # kernel of sqrt(2) times the bandwidth, at their distance.
    width = math.sqrt(2) * bandwidth
    x = (values[:, None] - values[None, :]) / width
    pairs = (x**4 - 6 * x**2 + 3) * stats.norm.pdf(x) / width**5

    result = roughness(values, bandwidth)

    assert result == pytest.approx(std**5 * pairs.mean(), rel=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 0.02, 1e30])
def test_roughness_of_a_normal_density_is_exact_in_any_unit(scale: float) -> None:
    values = stats.norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000)
    values /= values.std(ddof=1)

    result = roughness((scale * values).astype(np.float32), 0.2 * scale)

    expected = 3 / (8 * math.sqrt(math.pi)) * (1 + 0.2**2) ** -2.5
    assert result == pytest.approx(expected, rel=1e-3)


def test_roughness_of_a_jagged_density_is_larger() -> None:
    smooth = roughness(sample("gaussian", 20_000), 0.2 * 0.02)
    jagged = roughness(sample("tied", 20_000), 0.2)

    assert smooth is not None
    assert jagged is not None
    assert jagged > 5 * smooth


@pytest.mark.parametrize("function", [density, roughness])
@pytest.mark.parametrize("bandwidth", [0.0, -0.5, math.nan, math.inf])
def test_a_bandwidth_that_is_not_positive_is_named(
    function: Callable[..., object], bandwidth: float
) -> None:
    grid = [np.linspace(-1, 1, 11)] if function is density else []

    with pytest.raises(ValueError, match=f"bandwidth must be positive and finite, got {bandwidth}"):
        function(sample("gaussian", 10), bandwidth, *grid)


def test_a_bandwidth_too_small_for_the_range_is_named() -> None:
    weights = np.array([0.0, 1e30])

    with pytest.raises(ValueError, match=r"bandwidth 0\.01 is too small for weights that span 1e"):
        roughness(weights, 0.01)
    with pytest.raises(ValueError, match=r"bandwidth 0\.01 is too small for weights that span 1e"):
        density(weights, 0.01, weights)
