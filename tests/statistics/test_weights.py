"""Every statistic against an independent reference, from 10 weights to VGG16's 2,359,296."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from KDEpy import FFTKDE  # type: ignore[import-untyped]  # it ships no types
from numpy.typing import NDArray
from scipy import integrate, stats

from normreport.statistics import weights as statistics

LARGEST = 2_359_296  # VGG16 features.28

Array = NDArray[Any]


def _sample(kind: str, n: int) -> NDArray[np.float32]:
    generator = np.random.default_rng([n, len(kind)])
    match kind:
        case "gaussian":
            values = 0.02 * generator.standard_normal(n) + 0.001
        case "uniform":
            values = generator.uniform(-0.1, 0.3, n)
        case "laplace":
            values = generator.laplace(0, 0.05, n)
        case "tied":
            values = np.round(generator.standard_normal(n))
        case "spiked":
            values = np.where(np.arange(n) % 2, 0, generator.standard_normal(n))
        case "heavy":
            values = generator.choice([-1, 1], n) * 10 ** generator.uniform(-3, 30, n)
        case _:
            raise ValueError(kind)
    return values.astype(np.float32)


KINDS = ("gaussian", "uniform", "laplace", "tied", "spiked", "heavy")
CASES = [(kind, n) for kind in KINDS for n in (10, 864, 20_000)]
by_case = pytest.mark.parametrize(("kind", "n"), CASES)


@pytest.fixture(scope="module")
def largest() -> NDArray[np.float32]:
    return _sample("gaussian", LARGEST)


def _normal_cdf_gap(z: Array) -> float:
    """Area between the empirical and the normal distribution function, by quadrature."""
    knots = np.concatenate([[-12], z, [12]])
    areas = [
        integrate.quad(lambda x, level=i / z.size: abs(stats.norm.cdf(x) - level), low, high)[0]
        for i, (low, high) in enumerate(itertools.pairwise(knots))
    ]
    return math.fsum(areas)


def _kernel_sum(values: Array, bandwidth: float, grid: Array) -> Array:
    return np.array([stats.norm.pdf(x, values, bandwidth).mean() for x in grid])


# Shape of one distribution


@by_case
def test_moments_are_those_of_scipy(kind: str, n: int) -> None:
    weights = _sample(kind, n)
    values = weights.astype(np.float64)

    result = statistics.moments(weights.reshape(2, -1))

    assert result.mean == pytest.approx(values.mean(), rel=1e-12)
    assert result.std == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert result.skewness == pytest.approx(stats.skew(values), rel=1e-12)
    assert result.excess_kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-12)


def test_moments_of_the_largest_layer_are_those_of_scipy(largest: Array) -> None:
    values = largest.astype(np.float64)

    result = statistics.moments(largest)

    assert result.std == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert result.skewness == pytest.approx(stats.skew(values), rel=1e-10)
    assert result.excess_kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-10)


def test_equal_weights_have_a_std_of_zero_and_no_shape() -> None:
    constant = np.full(1000, 0.1)  # in float64, where the mean of 1,000 is not exactly 0.1

    assert statistics.moments(constant) == statistics.Moments(0.1, 0.0, None, None)
    assert statistics.iqr_ratio(constant) is None
    assert statistics.l_moment_ratios(constant) == (None, None)
    assert statistics.ppcc_deficit(constant) is None
    assert statistics.wasserstein_to_normal(constant) is None
    assert statistics.roughness(constant, 0.1) is None


def test_a_single_weight_has_a_mean_only() -> None:
    one = np.array([0.25], dtype=np.float32)

    assert statistics.moments(one) == statistics.Moments(0.25, None, None, None)
    assert statistics.iqr_ratio(one) is None
    assert statistics.standardized_quantiles(one) is None
    assert statistics.wasserstein_to_normal(one) is None
    assert statistics.std_decomposition(one, one) == (None, None)
    assert statistics.percentiles(one).tolist() == [0.25] * 7


@pytest.mark.parametrize("n", [1, 2, 10, 101, 864, 20_000])
@pytest.mark.parametrize("kind", KINDS)
def test_percentiles_are_those_of_numpy_to_one_ulp(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))

    expected = np.quantile(values, np.array(statistics.PERCENTILES) / 100)

    np.testing.assert_array_max_ulp(statistics.percentiles(values), expected, maxulp=1)


@pytest.mark.parametrize("n", [10, 101, 864, 20_000])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "heavy"])
def test_standardized_quantiles_are_those_of_numpy(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))

    quantiles = np.quantile(values, stats.norm.cdf(statistics.SCORES))

    expected = (quantiles - values.mean()) / values.std(ddof=1)
    result = statistics.standardized_quantiles(values)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)


def test_standardized_quantiles_of_a_normal_sample_are_the_scores(largest: Array) -> None:
    result = statistics.standardized_quantiles(np.sort(largest))

    assert result is not None
    assert np.abs(result - np.array(statistics.SCORES)).max() < 0.02
    assert statistics.SCORES[0] == -3
    assert np.allclose(np.diff(statistics.SCORES), 1 / 8)


def test_standardized_quantiles_survive_a_mean_far_above_the_spread() -> None:
    values = 1e9 + np.arange(101.0)

    result = statistics.standardized_quantiles(values)

    assert result is not None
    np.testing.assert_allclose(result, -result[::-1], rtol=0, atol=1e-12)


@by_case
def test_iqr_ratio_compares_with_the_normal_interquartile_range(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))

    expected = stats.iqr(values, scale="normal") / values.std(ddof=1)

    assert statistics.iqr_ratio(values) == pytest.approx(expected, rel=1e-12)


@by_case
def test_l_moment_ratios_are_those_of_scipy(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))

    expected = stats.lmoment(values, [3, 4], standardize=True)

    assert statistics.l_moment_ratios(values) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_l_moment_ratios_do_not_overflow_int64_in_the_largest_layer(largest: Array) -> None:
    equidistant = np.arange(LARGEST, dtype=np.float32)  # all higher sample L-moments are 0
    gaussian = np.sort(largest.astype(np.float64))

    assert np.iinfo(np.int64).max < (LARGEST - 1) * (LARGEST - 2) * (LARGEST - 3)
    assert statistics.l_moment_ratios(equidistant) == pytest.approx((0, 0), abs=1e-10)
    assert statistics.l_moment_ratios(gaussian) == pytest.approx(
        stats.lmoment(gaussian, [3, 4], sorted=True, standardize=True), rel=1e-10, abs=1e-10
    )


@pytest.mark.parametrize(
    ("law", "l_kurtosis"), [(stats.norm, 0.1226), (stats.uniform, 0.0), (stats.laplace, 17 / 72)]
)
def test_l_kurtosis_tells_normal_uniform_and_laplace_apart(law: Any, l_kurtosis: float) -> None:
    values = law.ppf((np.arange(100_000) + 0.5) / 100_000)

    assert statistics.l_moment_ratios(values) == pytest.approx((0, l_kurtosis), abs=1e-4)


def test_l_moment_ratios_need_as_many_weights_as_their_order() -> None:
    assert statistics.l_moment_ratios(np.array([0.0, 1.0])) == (None, None)
    l_skewness, l_kurtosis = statistics.l_moment_ratios(np.array([0.0, 1.0, 2.0]))
    assert l_skewness == pytest.approx(0)
    assert l_kurtosis is None


@by_case
def test_ppcc_deficit_is_that_of_the_probability_plot(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))
    scores = stats.norm.ppf((np.arange(1, n + 1) - 3 / 8) / (n + 1 / 4))

    result = statistics.ppcc_deficit(values)

    assert result == pytest.approx(1 - stats.pearsonr(values, scores)[0] ** 2, abs=1e-12)
    if n == 20_000:  # Filliben's positions, which scipy has, matter more for fewer numbers
        assert result == pytest.approx(1 - stats.probplot(values)[1][2] ** 2, abs=1e-4)


def test_ppcc_deficit_of_the_normal_scores_themselves_is_zero() -> None:
    scores = stats.norm.ppf((np.arange(1, 1001) - 3 / 8) / (1000 + 1 / 4))

    assert statistics.ppcc_deficit(3 * scores - 7) == pytest.approx(0, abs=1e-12)


# Wasserstein distances


@by_case
@pytest.mark.parametrize("other", [1.0, 0.37])
def test_wasserstein_is_that_of_scipy_for_equal_and_unequal_sizes(
    kind: str, n: int, other: float
) -> None:
    a = np.sort(_sample(kind, n).astype(np.float64))
    b = np.sort(_sample("laplace", int(n * other)).astype(np.float64))

    expected = stats.wasserstein_distance(a, b)

    assert statistics.wasserstein(a, b) == pytest.approx(expected, rel=1e-12)
    assert statistics.wasserstein(b, a) == pytest.approx(expected, rel=1e-12)


def test_wasserstein_of_the_largest_layer_to_its_shifted_self_is_the_shift(largest: Array) -> None:
    values = np.sort(largest.astype(np.float64))

    assert statistics.wasserstein(values, values + 0.01) == pytest.approx(0.01, rel=1e-12)
    assert statistics.wasserstein(values, values) == 0
    assert statistics.wasserstein(values, np.repeat(values, 2)) == 0


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("n", [10, 300])
def test_wasserstein_to_normal_is_the_area_between_distribution_functions(
    kind: str, n: int
) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)

    result = statistics.wasserstein_to_normal(values)

    assert result == pytest.approx(_normal_cdf_gap(z), abs=1e-7)


@pytest.mark.parametrize("n", [1999, 2000, 20_000])
@pytest.mark.parametrize("kind", ["gaussian", "laplace", "tied"])
def test_wasserstein_to_normal_of_many_weights_matches_quadrature(kind: str, n: int) -> None:
    values = np.sort(_sample(kind, n).astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)
    x = np.linspace(-15, 15, 1_000_001)
    empirical = np.searchsorted(z, x, side="right") / n

    result = statistics.wasserstein_to_normal(values)

    expected = np.trapezoid(np.abs(empirical - stats.norm.cdf(x)), x)
    assert result == pytest.approx(expected, abs=2e-5)


def test_wasserstein_to_normal_of_the_largest_layer_is_the_mean_gap_of_the_quantiles(
    largest: Array,
) -> None:
    values = np.sort(largest.astype(np.float64))
    z = (values - values.mean()) / values.std(ddof=1)
    scores = stats.norm.ppf((np.arange(LARGEST) + 0.5) / LARGEST)

    result = statistics.wasserstein_to_normal(values)

    assert result == pytest.approx(np.mean(np.abs(z - scores)), abs=1e-6)


@pytest.mark.parametrize("n", [30, 9000])
def test_the_null_of_the_departures_is_that_of_fresh_gaussian_numbers(n: int) -> None:
    samples = np.random.default_rng(99).standard_normal((400, n))
    target = stats.norm.ppf((np.arange(10_000) + 0.5) / 10_000)
    departures = {
        "skewness": stats.skew(samples, axis=1),
        "excess_kurtosis": stats.kurtosis(samples, axis=1),
        "l_kurtosis": [_l_kurtosis(sample) - 0.1226 for sample in samples],
        "w1_normal": [
            stats.wasserstein_distance(stats.zscore(sample, ddof=1), target) for sample in samples
        ],
    }

    null = asdict(statistics.gaussian_null(n))

    for name, values in departures.items():
        assert null[name] == pytest.approx(np.quantile(np.abs(values), 0.95), rel=0.15), name


def _l_kurtosis(sample: Array) -> float:
    """Hosking's (1990) L-kurtosis from shifted Legendre polynomials of the plotting positions."""
    position = (np.arange(sample.size) + 0.5) / sample.size
    ordered = np.sort(sample)
    second = np.mean(ordered * (2 * position - 1))
    fourth = np.mean(ordered * (20 * position**3 - 30 * position**2 + 12 * position - 1))
    return float(fourth / second)


def test_the_null_approaches_the_limits_of_skewness_and_kurtosis() -> None:
    null = statistics.gaussian_null(LARGEST)

    assert null.skewness == pytest.approx(1.96 * math.sqrt(6 / LARGEST), rel=0.06)
    assert null.excess_kurtosis == pytest.approx(1.96 * math.sqrt(24 / LARGEST), rel=0.06)


@pytest.mark.parametrize("n", [200, 1728])
def test_the_null_of_a_ratio_of_roughness_is_that_of_fresh_gaussian_numbers(n: int) -> None:
    samples = np.random.default_rng(99).standard_normal((1000, n))
    rough = np.log([
        statistics.roughness(x, statistics.roughness_bandwidth(x.std(ddof=1), n)) for x in samples
    ])  # fmt: skip

    found = statistics.roughness_ratio_null(n)

    assert found == pytest.approx(np.quantile(rough[:500] - rough[500:], 0.95), rel=0.15)


def test_the_null_of_a_ratio_of_roughness_falls_with_the_number_of_weights() -> None:
    points = [statistics.roughness_ratio_null(n) for n in (27, 864, 1728, 4096, LARGEST)]

    assert points[:4] == sorted(points[:4], reverse=True)
    assert points[4] == points[3]
    # Of the smallest first layer here, chance alone gives more than the margin of 25%.
    assert points[1] > math.log(1.25) > points[2]


# Change against the initial weights


@pytest.mark.parametrize("n", [10, 1728, 20_000])
def test_displacement_and_cosine_are_those_of_exact_sums(n: int) -> None:
    initial, weights = _sample("gaussian", n), _sample("laplace", n)
    a, b = initial.astype(np.float64), weights.astype(np.float64)
    norm_a, norm_b = math.hypot(*a), math.hypot(*b)

    displacement = statistics.displacement(initial, weights)
    cosine = statistics.cosine(initial, weights)

    assert displacement == pytest.approx(math.hypot(*(b - a)) / norm_a, rel=1e-12)
    assert cosine == pytest.approx(math.fsum(a * b) / norm_a / norm_b, rel=1e-10)


def test_weights_that_did_not_move_have_displacement_zero_and_cosine_one(largest: Array) -> None:
    assert statistics.displacement(largest, largest) == 0
    assert statistics.cosine(largest, largest) == pytest.approx(1, abs=1e-15)
    assert statistics.cosine(largest, -largest) == pytest.approx(-1, abs=1e-15)


def test_displacement_and_cosine_are_not_defined_for_zero_weights() -> None:
    zeros, ones = np.zeros(5), np.ones(5)

    assert statistics.displacement(zeros, ones) is None
    assert statistics.displacement(ones, zeros) == 1
    assert statistics.cosine(zeros, ones) is None
    assert statistics.cosine(ones, zeros) is None


@pytest.mark.parametrize("n", [10, 864, LARGEST])
def test_the_two_parts_of_the_variance_add_up_to_its_change(n: int) -> None:
    initial = _sample("gaussian", n)
    weights = (0.9 * initial + 0.003 * _sample("uniform", n)).astype(np.float32)
    before, after = initial.astype(np.float64), weights.astype(np.float64)
    covariance = np.cov(before, after - before)

    along, added = statistics.std_decomposition(initial, weights)
    assert along is not None
    assert added is not None

    assert along == pytest.approx(2 * covariance[0, 1], rel=1e-12)
    assert added == pytest.approx(covariance[1, 1], rel=1e-12)
    change = after.var(ddof=1) - before.var(ddof=1)
    assert along + added == pytest.approx(change, abs=1e-12 * before.var(ddof=1))


# Filters


def test_between_filter_share_is_eta_squared_of_the_analysis_of_variance() -> None:
    filters = _sample("gaussian", 640).reshape(64, 10) + np.linspace(0, 0.03, 64)[:, None]
    f = stats.f_oneway(*filters.astype(np.float64)).statistic

    share, dead = statistics.filter_summary(filters)

    assert share == pytest.approx(63 * f / (63 * f + (640 - 64)), rel=1e-12)
    assert dead == 0


def test_independent_weights_share_little_between_filters() -> None:
    share, _ = statistics.filter_summary(_sample("gaussian", 64 * 270).reshape(64, 270))

    assert share == pytest.approx(63 / (64 * 270 - 1), rel=0.5)


@pytest.mark.parametrize("dead", [0, 3, 50])
def test_dead_filters_are_counted_even_where_they_are_the_majority(dead: int) -> None:
    filters = _sample("gaussian", 64 * 27).reshape(64, 27)
    filters[:dead] = 0.5

    assert statistics.filter_summary(filters)[1] == dead


def test_a_filter_is_dead_below_one_percent_of_the_median_std() -> None:
    filters = np.tile(_sample("gaussian", 9), (5, 1)).astype(np.float64)
    filters[0] *= 0.011
    filters[1] *= 0.009

    assert statistics.filter_summary(filters)[1] == 1


def test_a_dead_filter_is_found_beside_a_huge_one() -> None:
    filters = _sample("gaussian", 64 * 27).reshape(64, 27)
    filters[0] *= np.float32(1e30)
    filters[1] = 0.1

    assert statistics.filter_summary(filters)[1] == 1


def test_filters_of_a_single_weight_are_judged_by_its_size() -> None:
    assert statistics.filter_summary(np.array([[1.0], [-1.0], [0.001], [2.0]])) == (1.0, 1)


def test_equal_weights_have_no_between_filter_share() -> None:
    assert statistics.filter_summary(np.full((4, 9), 0.1)) == (None, 4)


# Density


def test_bandwidths_follow_the_normal_reference_rules() -> None:
    n, std = 1728, 0.058926

    assert statistics.scott_bandwidth(std, n) == pytest.approx(1.06 * std / n**0.2, rel=1e-12)
    expected = (4 / (7 * n)) ** (1 / 9) * std
    assert statistics.roughness_bandwidth(std, n) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", ["gaussian", "uniform", "laplace", "tied", "spiked"])
@pytest.mark.parametrize("n", [10, 1728, 20_000])
@pytest.mark.parametrize("factor", [1, 0.1])
def test_density_is_that_of_gaussian_kde_at_fifty_points(kind: str, n: int, factor: float) -> None:
    values = _sample(kind, n).astype(np.float64)
    std = values.std(ddof=1)
    bandwidth = factor * statistics.scott_bandwidth(std, n)
    grid = np.linspace(values.min() - bandwidth, values.max() + bandwidth, 50)

    result = statistics.density(values, bandwidth, grid)

    expected = stats.gaussian_kde(values, bw_method=bandwidth / std)
    peak = expected(np.append(grid, values[:2000])).max()
    np.testing.assert_allclose(result, expected(grid), rtol=0, atol=1e-5 * peak)


def test_density_of_the_largest_layer_is_that_of_kdepy(largest: Array) -> None:
    values = largest.astype(np.float64)
    bandwidth = statistics.scott_bandwidth(values.std(ddof=1), LARGEST)
    reach = 5 * bandwidth
    grid = np.linspace(values.min() - reach, values.max() + reach, 2**15)

    result = statistics.density(largest, bandwidth, grid)

    expected = FFTKDE(kernel="gaussian", bw=bandwidth).fit(values).evaluate(grid)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-6 * expected.max())


@pytest.mark.parametrize("kind", KINDS)
def test_density_has_mass_one_and_is_never_negative(kind: str) -> None:
    values = _sample(kind, 1728).astype(np.float64)
    bandwidth = statistics.scott_bandwidth(values.std(ddof=1), 1728)
    reach = 7 * bandwidth
    points = math.ceil(50 * (np.ptp(values) / bandwidth + 14))
    grid = np.linspace(values.min() - reach, values.max() + reach, points)

    result = statistics.density(values, bandwidth, grid)

    assert np.trapezoid(result, grid) == pytest.approx(1, abs=1e-6)
    assert result.min() >= 0


def test_density_of_a_window_keeps_the_share_of_the_weights_beyond_it() -> None:
    values = _sample("heavy", 2000).astype(np.float64)
    values[:1000] = _sample("gaussian", 1000)
    grid = np.linspace(-0.1, 0.1, 201)

    result = statistics.density(values, 0.01, grid)

    expected = _kernel_sum(values, 0.01, grid)
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * expected.max())


def test_density_far_from_every_weight_is_zero() -> None:
    assert not statistics.density(np.zeros(5), 0.1, np.linspace(2, 3, 7)).any()
    assert not statistics.density(np.array([-9.0, 9.0]), 0.1, np.linspace(-1, 1, 7)).any()

    grid = np.linspace(-2, 3, 5001)
    result = statistics.density(np.array([0.0, 0.3, 1.0]), 0.01, grid)
    assert result.min() == 0
    assert not result[(grid < -0.1) | (grid > 1.1)].any()


def test_density_of_equal_weights_is_the_kernel() -> None:
    grid = np.linspace(-1, 1, 101)

    result = statistics.density(np.full(20, 0.1), 0.2, grid)

    np.testing.assert_allclose(result, stats.norm.pdf(grid, 0.1, 0.2), rtol=0, atol=2e-5)


@pytest.mark.parametrize("kind", ["gaussian", "laplace", "tied", "spiked"])
@pytest.mark.parametrize("factor", [1, 0.1])
def test_roughness_is_the_double_sum_over_all_pairs(kind: str, factor: float) -> None:
    values = _sample(kind, 400).astype(np.float64)
    std = values.std(ddof=1)
    bandwidth = factor * statistics.roughness_bandwidth(std, 400)
    # The integral of a product of two kernels' second derivatives is the fourth derivative of a
    # kernel of sqrt(2) times the bandwidth, at their distance.
    width = math.sqrt(2) * bandwidth
    x = (values[:, None] - values[None, :]) / width
    pairs = (x**4 - 6 * x**2 + 3) * stats.norm.pdf(x) / width**5

    result = statistics.roughness(values, bandwidth)

    assert result == pytest.approx(std**5 * pairs.mean(), rel=1e-4)


@pytest.mark.parametrize("scale", [1e-30, 0.02, 1e30])
def test_roughness_of_a_normal_density_is_exact_in_any_unit(scale: float) -> None:
    values = stats.norm.ppf((np.arange(1_000_000) + 0.5) / 1_000_000)
    values /= values.std(ddof=1)

    result = statistics.roughness((scale * values).astype(np.float32), 0.2 * scale)

    expected = 3 / (8 * math.sqrt(math.pi)) * (1 + 0.2**2) ** -2.5
    assert result == pytest.approx(expected, rel=1e-3)


def test_roughness_of_a_jagged_density_is_larger() -> None:
    smooth = statistics.roughness(_sample("gaussian", 20_000), 0.2 * 0.02)
    jagged = statistics.roughness(_sample("tied", 20_000), 0.2)

    assert smooth is not None
    assert jagged is not None
    assert jagged > 5 * smooth


@pytest.mark.parametrize("function", ["density", "roughness"])
@pytest.mark.parametrize("bandwidth", [0.0, -0.5, math.nan, math.inf])
def test_a_bandwidth_that_is_not_positive_is_named(function: str, bandwidth: float) -> None:
    grid = [np.linspace(-1, 1, 11)] if function == "density" else []

    with pytest.raises(ValueError, match=f"bandwidth must be positive and finite, got {bandwidth}"):
        getattr(statistics, function)(_sample("gaussian", 10), bandwidth, *grid)


def test_a_bandwidth_too_small_for_the_range_is_named() -> None:
    weights = np.array([0.0, 1e30])

    with pytest.raises(ValueError, match=r"bandwidth 0\.01 is too small for weights that span 1e"):
        statistics.roughness(weights, 0.01)
    with pytest.raises(ValueError, match=r"bandwidth 0\.01 is too small for weights that span 1e"):
        statistics.density(weights, 0.01, weights)


# PERMANOVA


def _distances(n: int) -> Array:
    points = np.random.default_rng(n).random((n, 3)) + (np.arange(n) % 3)[:, None] / 4
    distances: Array = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    return distances**0.7


def _gower_pseudo_f(distances: Array, labels: Array) -> float:
    """Pseudo-F from traces of the centred Gower matrix, McArdle and Anderson (2001)."""
    n, groups = len(labels), len(np.unique(labels))
    centring = np.eye(n) - 1 / n
    gower = centring @ (-0.5 * distances**2) @ centring
    design = (labels[:, None] == np.unique(labels)[None, :]).astype(float)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    between = np.trace(hat @ gower @ hat) / (groups - 1)
    rest = np.eye(n) - hat
    return float(between / (np.trace(rest @ gower @ rest) / (n - groups)))


@pytest.mark.parametrize("n", [8, 15, 31])
def test_pseudo_f_is_that_of_the_gower_matrix(n: int) -> None:
    labels = np.arange(n) % 3

    pseudo_f, _ = statistics.permanova(_distances(n), labels, np.zeros(n), 9, seed=0)

    assert pseudo_f == pytest.approx(_gower_pseudo_f(_distances(n), labels), rel=1e-10)


def test_pseudo_f_of_distances_on_a_line_is_fishers_f() -> None:
    x = _sample("laplace", 12).astype(np.float64)
    labels = ["raw"] * 3 + ["unit"] * 5 + ["imagenet"] * 4

    pseudo_f, _ = statistics.permanova(
        np.abs(x[:, None] - x[None, :]), labels, np.zeros(12), 9, seed=0
    )

    expected = stats.f_oneway(x[:3], x[3:8], x[8:]).statistic
    assert pseudo_f == pytest.approx(expected, rel=1e-10)


def test_few_relabellings_are_enumerated_exactly() -> None:
    labels, strata = np.array([0, 1, 2] * 3), np.repeat([5, 7, 9], 3)
    distances = _distances(9)
    observed = _gower_pseudo_f(distances, labels)
    orders = itertools.product(itertools.permutations(range(3)), repeat=3)
    values = [_gower_pseudo_f(distances, np.concatenate(order)) for order in orders]

    _, p_value = statistics.permanova(distances, labels, strata, 216, seed=0)

    assert len(values) == 216
    assert p_value == np.count_nonzero(np.array(values) >= observed * (1 - 1e-9)) / 216


def test_repeated_labels_within_a_stratum_are_enumerated_once() -> None:
    labels = np.array([0, 0, 1, 1, 1, 0, 1])
    strata = np.array([0] * 5 + [1] * 2)
    distances = _distances(7)
    observed = _gower_pseudo_f(distances, labels)
    orders = {
        (*first, *second)
        for first in itertools.permutations(labels[:5].tolist())
        for second in itertools.permutations(labels[5:].tolist())
    }
    values = [_gower_pseudo_f(distances, np.array(order)) for order in sorted(orders)]

    _, p_value = statistics.permanova(distances, labels, strata, 20, seed=0)

    assert len(values) == 20
    assert p_value == np.count_nonzero(np.array(values) >= observed * (1 - 1e-9)) / 20


def test_random_relabellings_approach_the_exact_p_value_and_repeat_with_their_seed() -> None:
    labels, strata = np.array([0, 1, 2] * 5), np.repeat(np.arange(5), 3)
    distances = _distances(15)

    def p_value(permutations: int, seed: int) -> float:
        return statistics.permanova(distances, labels, strata, permutations, seed)[1]

    exact, sampled = p_value(6**5, 0), p_value(5000, 0)

    assert sampled == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 5000))
    assert sampled == p_value(5000, 0)
    assert sampled != p_value(5000, 1)
    assert sampled * 5001 == pytest.approx(round(sampled * 5001), abs=1e-9)


def test_labels_that_cannot_be_permuted_within_strata_have_p_one() -> None:
    labels = np.array([0, 0, 1, 1])

    assert statistics.permanova(_distances(4), labels, labels, 99, seed=0)[1] == 1


def test_identical_objects_have_no_pseudo_f() -> None:
    labels = np.array([0, 0, 1, 1])
    apart = (labels[:, None] != labels[None, :]).astype(float)

    assert statistics.permanova(0 * apart, labels, np.zeros(4), 99, seed=0) == (None, 1)
    assert statistics.permanova(apart, labels, np.zeros(4), 99, seed=0) == (None, 2 / 6)


@pytest.mark.parametrize(
    ("distances", "labels", "permutations", "message"),
    [
        (np.zeros((3, 3)), [0, 1], 9, r"2 labels do not match 2 strata .* of shape \(3, 3\)"),
        (np.array([[0.0, 1], [2, 0]]), [0, 1], 9, "must be symmetric with zeros on the diagonal"),
        (np.ones((2, 2)), [0, 1], 9, "must be symmetric with zeros on the diagonal"),
        (np.zeros((2, 2)), [0, 0], 9, "got 1 labels, 2 objects and 9 permutations"),
        (np.zeros((2, 2)), [0, 1], 9, "got 2 labels, 2 objects and 9 permutations"),
        (np.zeros((3, 3)), [0, 1, 1], 0, "got 2 labels, 3 objects and 0 permutations"),
    ],
)
def test_a_design_without_a_pseudo_f_is_named(
    distances: Array, labels: list[int], permutations: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        statistics.permanova(distances, labels, labels, permutations, seed=0)


# Null of the initialization


@pytest.mark.parametrize("n", [2, 10, 864, 1728, 409_600, LARGEST])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_init_std_quantiles_are_chi_squared(n: int, level: float) -> None:
    tails = [(1 - level) / 2, (1 + level) / 2]

    result = statistics.init_std_quantiles(n, 0.02, level)

    expected = 0.02 * np.sqrt(stats.chi2.ppf(tails, n - 1) / (n - 1))
    assert result == pytest.approx(tuple(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "groups", "sigma"),
    [
        ((64, 3, 3, 3), 1, 0.058926),
        ((512, 512, 3, 3), 1, 0.020833),
        ((32, 3, 3, 3), 1, 0.083333),
        ((1280, 320, 1, 1), 1, 0.039528),
        ((960, 1, 3, 3), 960, 0.015215),
    ],
)
def test_kaiming_fan_out_std_is_what_torch_draws_with(
    shape: tuple[int, int, int, int], groups: int, sigma: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    conv = torch.nn.Conv2d(shape[1] * groups, shape[0], shape[2:], groups=groups)
    weight = torch.nn.init.kaiming_normal_(conv.weight, mode="fan_out", generator=generator)
    drawn = statistics.moments(weight.detach().numpy()).std

    std = statistics.kaiming_fan_out_std(shape[0], shape[2], shape[3])

    assert std == pytest.approx(sigma, abs=5e-7)
    low, high = statistics.init_std_quantiles(math.prod(shape), std, level=0.9999)
    assert drawn is not None
    assert low < drawn < high


@pytest.mark.parametrize(
    ("n", "draws", "percent"),
    [(1728, 3, 5.6), (LARGEST, 3, 0.15), (864, 3, 8.0), (409_600, 3, 0.37)],
)
def test_the_range_of_three_inits_is_that_of_the_known_layers(
    n: int, draws: int, percent: float
) -> None:
    assert float(f"{100 * statistics.init_std_range(n, draws):.2g}") == percent


@pytest.mark.parametrize("draws", [2, 3, 10])
def test_the_range_of_the_std_of_many_weights_is_studentized(draws: int) -> None:
    """For large n a std is normal, with the standard error 1 / sqrt(2 (n - 1))."""
    expected = stats.studentized_range.ppf(0.95, draws, np.inf) / math.sqrt(2 * (LARGEST - 1))

    assert statistics.init_std_range(LARGEST, draws) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("n", [2, 10, 100])
def test_the_range_of_the_std_of_few_weights_is_that_of_a_simulation(n: int) -> None:
    weights = np.random.default_rng(n).standard_normal((20_000, 3, n))
    ranges = np.ptp(weights.std(axis=2, ddof=1), axis=1)

    share = float(np.mean(ranges < statistics.init_std_range(n, 3)))

    assert share == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 20_000))


def test_impossible_initializations_are_named() -> None:
    with pytest.raises(ValueError, match="draws >= 2, got 1 and 3"):
        statistics.init_std_range(1, 3)
    with pytest.raises(ValueError, match="draws >= 2, got 10 and 1"):
        statistics.init_std_range(10, 1)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 1, 0\.02 and 0\.95"):
        statistics.init_std_quantiles(1, 0.02)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 10, 0 and 0\.95"):
        statistics.init_std_quantiles(10, 0)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 10, 0\.02 and 1$"):
        statistics.init_std_quantiles(10, 0.02, level=1)
    with pytest.raises(ValueError, match="the null needs 4 numbers or more, got 3"):
        statistics.gaussian_null(3)
    with pytest.raises(ValueError, match="the null needs 2 numbers or more, got 1"):
        statistics.roughness_ratio_null(1)


# Everything at once

KEYS = [
    "n",
    "mean",
    "std",
    "skewness",
    "excess_kurtosis",
    "p01",
    "p05",
    "p25",
    "p50",
    "p75",
    "p95",
    "p99",
    "iqr_ratio",
    "l_skewness",
    "l_kurtosis",
    "ppcc_deficit",
    "w1_normal",
    "displacement",
    "cosine",
    "variance_along",
    "variance_added",
    "between_filter_share",
    "dead_filters",
]


def test_summarize_returns_what_the_single_functions_do() -> None:
    initial = _sample("gaussian", 1728).reshape(64, 3, 3, 3)
    weights = _sample("laplace", 1728).reshape(64, 3, 3, 3)
    ordered = np.sort(weights.ravel())

    result = statistics.summarize(weights, initial, statistics.ascending(weights))

    assert list(result) == KEYS
    moments = statistics.moments(weights)
    expected = [1728, moments.mean, moments.std, moments.skewness, moments.excess_kurtosis]
    expected += statistics.percentiles(ordered).tolist()
    expected += [statistics.iqr_ratio(ordered), *statistics.l_moment_ratios(ordered)]
    expected += [statistics.ppcc_deficit(ordered), statistics.wasserstein_to_normal(ordered)]
    expected += [statistics.displacement(initial, weights), statistics.cosine(initial, weights)]
    expected += statistics.std_decomposition(initial, weights)
    expected += statistics.filter_summary(weights.reshape(64, 27))
    assert list(result.values()) == expected


def test_summarize_of_the_largest_layer_finds_a_gaussian(largest: Array) -> None:
    weights = largest.reshape(512, 512, 3, 3)

    result = statistics.summarize(weights, weights, statistics.ascending(weights))

    assert result["n"] == LARGEST
    assert result["iqr_ratio"] == pytest.approx(1, abs=0.005)
    assert result["w1_normal"] < 1.3 * statistics.gaussian_null(LARGEST).w1_normal
    assert result["displacement"] == 0
    assert result["dead_filters"] == 0


@pytest.mark.parametrize(
    "weights",
    [
        *(_sample(kind, 864).reshape(32, 3, 3, 3) for kind in KINDS),
        np.zeros((32, 3, 3, 3), dtype=np.float32),
        np.full((32, 27), 0.1, dtype=np.float32),
        np.full((8, 9), np.finfo(np.float32).max),
        np.linspace(-1, 1, 10, dtype=np.float32) * np.finfo(np.float32).max,
        np.arange(10, dtype=np.float32) * np.finfo(np.float32).smallest_subnormal,
        np.array([0.1] * 9 + [np.nextafter(np.float32(0.1), np.float32(1))], dtype=np.float32),
        np.eye(1, 10_000, dtype=np.float32),
        np.ones((1, 1), dtype=np.float32),
    ],
    ids=[*KINDS, "zero", "equal", "equal-huge", "range", "subnormal", "one-ulp", "lone", "single"],
)
def test_summarize_holds_finite_numbers_or_none(weights: NDArray[np.float32]) -> None:
    initial = np.ones_like(weights)

    result = statistics.summarize(weights, initial, statistics.ascending(weights))

    json.dumps(result, allow_nan=False)  # plain int, float and None, all of them finite
    assert all(value is None or isinstance(value, int | float) for value in result.values())


# What is refused

ON_WEIGHTS: list[Callable[[Array], object]] = [
    statistics.moments,
    statistics.percentiles,
    statistics.iqr_ratio,
    statistics.l_moment_ratios,
    statistics.ppcc_deficit,
    statistics.wasserstein_to_normal,
    lambda w: statistics.wasserstein(np.arange(4.0), w),
    lambda w: statistics.displacement(w, w),
    lambda w: statistics.cosine(w, w),
    lambda w: statistics.std_decomposition(w, w),
    lambda w: statistics.filter_summary(w[None, :]),
    lambda w: statistics.density(w, 1.0, np.arange(4.0)),
    lambda w: statistics.roughness(w, 1.0),
    lambda w: statistics.summarize(w, w, statistics.ascending(w)),
    statistics.standardized_quantiles,
]


@pytest.mark.parametrize("function", ON_WEIGHTS)
def test_weights_that_are_not_finite_are_counted(function: Callable[[Array], object]) -> None:
    weights = np.array([0, 1, np.inf, np.nan], dtype=np.float32)

    with pytest.raises(ValueError, match="2 of 4 values are not finite"):
        function(weights)


@pytest.mark.parametrize("function", ON_WEIGHTS)
def test_an_empty_array_is_refused(function: Callable[[Array], object]) -> None:
    with pytest.raises(ValueError, match=r"at least one value, got an array of shape \((1, )?0"):
        function(np.array([], dtype=np.float32))


@pytest.mark.parametrize("function", [*ON_WEIGHTS[1:7], statistics.standardized_quantiles])
def test_unsorted_weights_are_refused(function: Callable[[Array], object]) -> None:
    with pytest.raises(ValueError, match="expected ascending values, got 2 below the one before"):
        function(np.array([3.0, 1.0, 2.0, 0.0]))
    with pytest.raises(ValueError, match=r"one dimension of sorted values, got shape \(2, 2\)"):
        function(np.zeros((2, 2)))


def test_weights_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected equal shapes, got \(3,\) and \(1, 3\)"):
        statistics.displacement(np.ones(3), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"\(filters, weights per filter\), got shape \(3,\)"):
        statistics.filter_summary(np.ones(3))


def test_no_argument_is_changed() -> None:
    weights = _sample("gaussian", 90).astype(np.float64).reshape(10, 9)
    weights.setflags(write=False)
    ordered = np.sort(weights, axis=None)
    ordered.setflags(write=False)

    statistics.summarize(weights, weights, statistics.ascending(weights))
    statistics.wasserstein(ordered, ordered)
    statistics.density(weights, 0.01, ordered)
    statistics.roughness(weights, 0.01)
