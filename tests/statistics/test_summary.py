"""All statistics of one layer at once."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from normreport.statistics.arrays import sort_weights
from normreport.statistics.filters import filter_summary
from normreport.statistics.moments import l_moment_ratios, moments
from normreport.statistics.movement import cosine, displacement, std_decomposition
from normreport.statistics.normality import ppcc_deficit, wasserstein_to_normal
from normreport.statistics.nulls import gaussian_null
from normreport.statistics.quantiles import iqr_ratio, percentiles
from normreport.statistics.summary import summarize
from tests.statistics.samples import KINDS, LARGEST, Array, sample

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
    initial = sample("gaussian", 1728).reshape(64, 3, 3, 3)
    weights = sample("laplace", 1728).reshape(64, 3, 3, 3)
    ordered = np.sort(weights.ravel())

    result = summarize(weights, initial, sort_weights(weights))

    assert list(result) == KEYS
    shape = moments(weights)
    expected = [1728, shape.mean, shape.std, shape.skewness, shape.excess_kurtosis]
    expected += percentiles(ordered).tolist()
    expected += [iqr_ratio(ordered), *l_moment_ratios(ordered)]
    expected += [ppcc_deficit(ordered), wasserstein_to_normal(ordered)]
    expected += [displacement(initial, weights), cosine(initial, weights)]
    expected += std_decomposition(initial, weights)
    expected += filter_summary(weights.reshape(64, 27))
    assert list(result.values()) == expected


def test_summarize_of_the_largest_layer_finds_a_gaussian(largest: Array) -> None:
    weights = largest.reshape(512, 512, 3, 3)

    result = summarize(weights, weights, sort_weights(weights))

    assert result["n"] == LARGEST
    assert result["iqr_ratio"] == pytest.approx(1, abs=0.005)
    assert result["w1_normal"] < 1.3 * gaussian_null(LARGEST).w1_normal
    assert result["displacement"] == 0
    assert result["dead_filters"] == 0


@pytest.mark.parametrize(
    "weights",
    [
        *(sample(kind, 864).reshape(32, 3, 3, 3) for kind in KINDS),
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

    result = summarize(weights, initial, sort_weights(weights))

    json.dumps(result, allow_nan=False)  # plain int, float and None, all of them finite
    assert all(value is None or isinstance(value, int | float) for value in result.values())
