"""Wasserstein distances against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.distances import wasserstein
from tests.statistics.samples import Array, by_case, sample


@by_case
@pytest.mark.parametrize("other", [1.0, 0.37])
def test_wasserstein_is_that_of_scipy_for_equal_and_unequal_sizes(
    kind: str, n: int, other: float
) -> None:
    a = np.sort(sample(kind, n).astype(np.float64))
    b = np.sort(sample("laplace", int(n * other)).astype(np.float64))

    expected = stats.wasserstein_distance(a, b)

    assert wasserstein(a, b) == pytest.approx(expected, rel=1e-12)
    assert wasserstein(b, a) == pytest.approx(expected, rel=1e-12)


def test_wasserstein_of_the_largest_layer_to_its_shifted_self_is_the_shift(largest: Array) -> None:
    values = np.sort(largest.astype(np.float64))

    assert wasserstein(values, values + 0.01) == pytest.approx(0.01, rel=1e-12)
    assert wasserstein(values, values) == 0
    assert wasserstein(values, np.repeat(values, 2)) == 0
