"""Percentiles and standardized quantiles against numpy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.quantiles import (
    PERCENTILES,
    SCORES,
    iqr_ratio,
    percentiles,
    standardized_quantiles,
)
from tests.statistics.samples import KINDS, Array, by_case, sample


@pytest.mark.parametrize("n", [1, 2, 10, 101, 864, 20_000])
@pytest.mark.parametrize("kind", KINDS)
def test_percentiles_are_those_of_numpy_to_one_ulp(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))

    expected = np.quantile(values, np.array(PERCENTILES) / 100)

    np.testing.assert_array_max_ulp(percentiles(values), expected, maxulp=1)


@pytest.mark.parametrize("n", [10, 101, 864, 20_000])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "heavy"])
def test_standardized_quantiles_are_those_of_numpy(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))

    quantiles = np.quantile(values, stats.norm.cdf(SCORES))

    expected = (quantiles - values.mean()) / values.std(ddof=1)
    result = standardized_quantiles(values)
    assert result is not None
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-12)


def test_standardized_quantiles_of_a_normal_sample_are_the_scores(largest: Array) -> None:
    result = standardized_quantiles(np.sort(largest))

    assert result is not None
    assert np.abs(result - np.array(SCORES)).max() < 0.02
    assert SCORES[0] == -3
    assert np.allclose(np.diff(SCORES), 1 / 8)


def test_standardized_quantiles_survive_a_mean_far_above_the_spread() -> None:
    values = 1e9 + np.arange(101.0)

    result = standardized_quantiles(values)

    assert result is not None
    np.testing.assert_allclose(result, -result[::-1], rtol=0, atol=1e-12)


@by_case
def test_iqr_ratio_compares_with_the_normal_interquartile_range(kind: str, n: int) -> None:
    values = np.sort(sample(kind, n).astype(np.float64))

    expected = stats.iqr(values, scale="normal") / values.std(ddof=1)

    assert iqr_ratio(values) == pytest.approx(expected, rel=1e-12)
