"""What all statistics accept, reject and leave undefined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from normreport.statistics.arrays import sort_weights
from normreport.statistics.density import density, roughness
from normreport.statistics.filters import filter_summary
from normreport.statistics.moments import Moments, l_moment_ratios, moments
from normreport.statistics.movement import cosine, displacement, std_decomposition
from normreport.statistics.normality import ppcc_deficit, wasserstein_to_normal
from normreport.statistics.quantiles import iqr_ratio, percentiles, standardized_quantiles
from normreport.statistics.summary import summarize
from tests.statistics.samples import Array, sample


def test_equal_weights_have_a_std_of_zero_and_no_shape() -> None:
    constant = np.full(1000, 0.1)  # in float64, where the mean of 1,000 is not exactly 0.1

    assert moments(constant) == Moments(0.1, 0.0, None, None)
    assert iqr_ratio(constant) is None
    assert l_moment_ratios(constant) == (None, None)
    assert ppcc_deficit(constant) is None
    assert wasserstein_to_normal(constant) is None
    assert roughness(constant, 0.1) is None


def test_a_single_weight_has_a_mean_only() -> None:
    one = np.array([0.25], dtype=np.float32)

    assert moments(one) == Moments(0.25, None, None, None)
    assert iqr_ratio(one) is None
    assert standardized_quantiles(one) is None
    assert wasserstein_to_normal(one) is None
    assert std_decomposition(one, one) == (None, None)
    assert percentiles(one).tolist() == [0.25] * 7


ON_WEIGHTS: list[Callable[[Array], object]] = [
    moments,
    percentiles,
    iqr_ratio,
    l_moment_ratios,
    ppcc_deficit,
    wasserstein_to_normal,
    lambda w: displacement(w, w),
    lambda w: cosine(w, w),
    lambda w: std_decomposition(w, w),
    lambda w: filter_summary(w[None, :]),
    lambda w: density(w, 1.0, np.arange(4.0)),
    lambda w: roughness(w, 1.0),
    lambda w: summarize(w, w, sort_weights(w)),
    standardized_quantiles,
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


@pytest.mark.parametrize("function", [*ON_WEIGHTS[1:6], standardized_quantiles])
def test_unsorted_weights_are_refused(function: Callable[[Array], object]) -> None:
    with pytest.raises(ValueError, match="expected ascending values, got 2 below the one before"):
        function(np.array([3.0, 1.0, 2.0, 0.0]))
    with pytest.raises(ValueError, match=r"one dimension of sorted values, got shape \(2, 2\)"):
        function(np.zeros((2, 2)))


def test_weights_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected equal shapes, got \(3,\) and \(1, 3\)"):
        displacement(np.ones(3), np.ones((1, 3)))
    with pytest.raises(ValueError, match=r"\(filters, weights per filter\), got shape \(3,\)"):
        filter_summary(np.ones(3))


def test_no_argument_is_changed() -> None:
    weights = sample("gaussian", 90).astype(np.float64).reshape(10, 9)
    weights.setflags(write=False)
    ordered = np.sort(weights, axis=None)
    ordered.setflags(write=False)

    summarize(weights, weights, sort_weights(weights))
    wasserstein_to_normal(ordered)
    density(weights, 0.01, ordered)
    roughness(weights, 0.01)
