"""Null distributions against fresh Gaussian numbers."""

from __future__ import annotations

import math
from dataclasses import asdict

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.density import roughness, roughness_bandwidth
from normreport.statistics.nulls import gaussian_null, roughness_ratio_null
from tests.statistics.samples import LARGEST, Array


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

    null = asdict(gaussian_null(n))

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
    null = gaussian_null(LARGEST)

    assert null.skewness == pytest.approx(1.96 * math.sqrt(6 / LARGEST), rel=0.06)
    assert null.excess_kurtosis == pytest.approx(1.96 * math.sqrt(24 / LARGEST), rel=0.06)


@pytest.mark.parametrize("n", [200, 1728])
def test_the_null_of_a_ratio_of_roughness_is_that_of_fresh_gaussian_numbers(n: int) -> None:
    samples = np.random.default_rng(99).standard_normal((1000, n))
    values = [roughness(x, roughness_bandwidth(x.std(ddof=1), n)) for x in samples]
    rough = np.log([value for value in values if value is not None])
    assert len(rough) == 1000

    found = roughness_ratio_null(n)

    assert found == pytest.approx(np.quantile(rough[:500] - rough[500:], 0.95), rel=0.15)


def test_the_null_of_a_ratio_of_roughness_falls_with_the_number_of_weights() -> None:
    points = [roughness_ratio_null(n) for n in (27, 864, 1728, 4096, LARGEST)]

    assert points[:4] == sorted(points[:4], reverse=True)
    assert points[4] == points[3]
    # Of the smallest first layer here, chance alone gives more than the margin of 25%.
    assert points[1] > math.log(1.25) > points[2]


def test_a_null_needs_enough_numbers() -> None:
    with pytest.raises(ValueError, match="the null needs 4 numbers or more, got 3"):
        gaussian_null(3)
    with pytest.raises(ValueError, match="the null needs 2 numbers or more, got 1"):
        roughness_ratio_null(1)
