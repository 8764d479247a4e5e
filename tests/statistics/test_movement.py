"""Displacement, cosine and the decomposition of the variance."""

from __future__ import annotations

import math

import numpy as np
import pytest

from normreport.statistics.movement import cosine, displacement, std_decomposition
from tests.statistics.samples import LARGEST, Array, sample


@pytest.mark.parametrize("n", [10, 1728, 20_000])
def test_displacement_and_cosine_are_those_of_exact_sums(n: int) -> None:
    initial, weights = sample("gaussian", n), sample("laplace", n)
    a, b = initial.astype(np.float64), weights.astype(np.float64)
    norm_a, norm_b = math.hypot(*a), math.hypot(*b)

    moved, angle = displacement(initial, weights), cosine(initial, weights)

    assert moved == pytest.approx(math.hypot(*(b - a)) / norm_a, rel=1e-12)
    assert angle == pytest.approx(math.fsum(a * b) / norm_a / norm_b, rel=1e-10)


def test_weights_that_did_not_move_have_displacement_zero_and_cosine_one(largest: Array) -> None:
    assert displacement(largest, largest) == 0
    assert cosine(largest, largest) == pytest.approx(1, abs=1e-15)
    assert cosine(largest, -largest) == pytest.approx(-1, abs=1e-15)


def test_displacement_and_cosine_are_not_defined_for_zero_weights() -> None:
    zeros, ones = np.zeros(5), np.ones(5)

    assert displacement(zeros, ones) is None
    assert displacement(ones, zeros) == 1
    assert cosine(zeros, ones) is None
    assert cosine(ones, zeros) is None


@pytest.mark.parametrize("n", [10, 864, LARGEST])
def test_the_two_parts_of_the_variance_add_up_to_its_change(n: int) -> None:
    initial = sample("gaussian", n)
    weights = (0.9 * initial + 0.003 * sample("uniform", n)).astype(np.float32)
    before, after = initial.astype(np.float64), weights.astype(np.float64)
    covariance = np.cov(before, after - before)

    along, added = std_decomposition(initial, weights)
    assert along is not None
    assert added is not None

    assert along == pytest.approx(2 * covariance[0, 1], rel=1e-12)
    assert added == pytest.approx(covariance[1, 1], rel=1e-12)
    change = after.var(ddof=1) - before.var(ddof=1)
    assert along + added == pytest.approx(change, abs=1e-12 * before.var(ddof=1))
