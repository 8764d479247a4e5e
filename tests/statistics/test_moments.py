"""Moments and L-moments against scipy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.moments import l_moment_ratios, moments
from tests.statistics.samples import LARGEST, Array, by_case, sample


@by_case
def test_moments_are_those_of_scipy(kind: str, n: int) -> None:
    weights = sample(kind, n)
    values = weights.astype(np.float64)

    result = moments(weights.reshape(2, -1))

    assert result.mean == pytest.approx(values.mean(), rel=1e-12)
    assert result.std == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert result.skewness == pytest.approx(stats.skew(values), rel=1e-12)
    assert result.excess_kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-12)


def test_moments_of_the_largest_layer_are_those_of_scipy(largest: Array) -> None:
    values = largest.astype(np.float64)

    result = moments(largest)

    assert result.std == pytest.approx(values.std(ddof=1), rel=1e-12)
    assert result.skewness == pytest.approx(stats.skew(values), rel=1e-10)
    assert result.excess_kurtosis == pytest.approx(stats.kurtosis(values), rel=1e-10)


@by_case
def test_l_moment_ratios_are_those_of_scipy(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))

    expected = stats.lmoment(values, [3, 4], standardize=True)

    assert l_moment_ratios(values) == pytest.approx(expected, rel=1e-10, abs=1e-10)


def test_l_moment_ratios_do_not_overflow_int64_in_the_largest_layer(largest: Array) -> None:
    equidistant = np.arange(LARGEST, dtype=np.float32)  # all higher sample L-moments are 0
    gaussian = np.sort(largest.astype(np.float64))

    assert np.iinfo(np.int64).max < (LARGEST - 1) * (LARGEST - 2) * (LARGEST - 3)
    assert l_moment_ratios(equidistant) == pytest.approx((0, 0), abs=1e-10)
    assert l_moment_ratios(gaussian) == pytest.approx(
        stats.lmoment(gaussian, [3, 4], sorted=True, standardize=True), rel=1e-10, abs=1e-10
    )


@pytest.mark.parametrize(
    ("law", "l_kurtosis"), [(stats.norm, 0.1226), (stats.uniform, 0.0), (stats.laplace, 17 / 72)]
)
def test_l_kurtosis_tells_normal_uniform_and_laplace_apart(law: Any, l_kurtosis: float) -> None:
    values = law.ppf((np.arange(100_000) + 0.5) / 100_000)

    assert l_moment_ratios(values) == pytest.approx((0, l_kurtosis), abs=1e-4)


def test_l_moment_ratios_need_as_many_weights_as_their_order() -> None:
    assert l_moment_ratios(np.array([0.0, 1.0])) == (None, None)
    l_skewness, l_kurtosis = l_moment_ratios(np.array([0.0, 1.0, 2.0]))
    assert l_skewness == pytest.approx(0)
    assert l_kurtosis is None
