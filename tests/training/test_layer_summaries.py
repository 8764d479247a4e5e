"""Summaries are compared to scipy and numpy, below and above the size of a block."""

from __future__ import annotations

from dataclasses import astuple

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from scipy.spatial.distance import cosine as cosine_distance

from normreport.statistics.moments import moments
from normreport.statistics.movement import cosine, displacement
from normreport.training.layer_summaries import BLOCK, summarize_layer

Weights = NDArray[np.float32]

SHAPES = [(4,), (64, 3, 3, 3), (BLOCK,), (BLOCK + 1,), (128, 128, 3, 3)]


def _pair(shape: tuple[int, ...], kind: str = "gaussian") -> tuple[Weights, Weights]:
    generator = np.random.default_rng([len(kind), *shape])
    initial = 0.06 * generator.standard_normal(shape)
    match kind:
        case "gaussian":
            weights = initial + 0.01 * generator.standard_normal(shape)
        case "far from zero":
            weights = 1000 + generator.laplace(size=shape)
        case "tiny":
            initial *= 1e-30
            weights = 1e-30 * generator.uniform(size=shape)
        case "huge":
            initial *= 1e30
            weights = 1e30 * generator.exponential(size=shape)
        case _:
            raise ValueError(kind)
    return initial.astype(np.float32), weights.astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", ["gaussian", "far from zero", "tiny", "huge"])
def test_a_summary_equals_scipy_and_numpy(shape: tuple[int, ...], kind: str) -> None:
    initial, weights = _pair(shape, kind)
    found = summarize_layer(initial, weights)
    w, w0 = weights.astype(np.float64).ravel(), initial.astype(np.float64).ravel()
    assert found.n == w.size
    assert found.mean == pytest.approx(w.mean(), rel=1e-10)
    assert found.std == pytest.approx(w.std(ddof=1), rel=1e-10)
    assert found.skewness == pytest.approx(stats.skew(w), rel=1e-10, abs=1e-10)
    assert found.excess_kurtosis == pytest.approx(stats.kurtosis(w), rel=1e-10, abs=1e-10)
    expected = np.linalg.norm(w - w0) / np.linalg.norm(w0)
    assert found.displacement == pytest.approx(expected, rel=1e-10)
    assert found.cosine == pytest.approx(1 - cosine_distance(w, w0), rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_summary_equals_the_statistics_of_kept_layers(
    shape: tuple[int, ...],
) -> None:
    initial, weights = _pair(shape)
    found = summarize_layer(initial, weights)
    expected = moments(weights)
    assert astuple(found)[1:5] == pytest.approx(astuple(expected), rel=1e-10, abs=1e-12)
    assert found.displacement == pytest.approx(displacement(initial, weights), rel=1e-10)
    assert found.cosine == pytest.approx(cosine(initial, weights), rel=1e-10)


def test_equal_weights_have_zero_displacement() -> None:
    initial, _ = _pair((64, 3, 3, 3))
    found = summarize_layer(initial, initial.copy())
    assert found.displacement == 0
    assert found.cosine == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_cosine_never_exceeds_one(sign: int) -> None:
    for n in range(100, 140):
        weights = np.random.default_rng(n).standard_normal(n).astype(np.float32)
        found = summarize_layer(weights, np.float32(sign) * weights)
        assert found.cosine is not None
        assert abs(found.cosine) <= 1, n


@pytest.mark.parametrize("value", [0.1, -3.7e-5, 1.0, 12345.678])
@pytest.mark.parametrize("n", [3, 1728, BLOCK + 5])
def test_a_constant_layer_has_no_skewness_and_kurtosis(value: float, n: int) -> None:
    weights = np.full(n, value, dtype=np.float32)
    found = summarize_layer(weights, weights)
    assert found.mean == float(np.float32(value))
    assert found.std == 0
    assert found.skewness is None
    assert found.excess_kurtosis is None


def test_zero_initial_weights_give_no_displacement_and_cosine() -> None:
    _, weights = _pair((64, 3, 3, 3))
    found = summarize_layer(np.zeros_like(weights), weights)
    assert found.displacement is None
    assert found.cosine is None
    assert found.std is not None


def test_weights_that_become_zero_have_displacement_one() -> None:
    initial, _ = _pair((64, 3, 3, 3))
    found = summarize_layer(initial, np.zeros_like(initial))
    assert found.displacement == pytest.approx(1, rel=1e-12)
    assert found.cosine is None


def test_a_single_weight_has_no_std_and_shape() -> None:
    found = summarize_layer(np.array([[2.0]], np.float32), np.array([[3.0]], np.float32))
    assert astuple(found) == (1, 3.0, None, None, None, 0.5, 1.0)


def test_summaries_do_not_change_their_arrays() -> None:
    initial, weights = _pair((64, 3, 3, 3))
    before = initial.copy(), weights.copy()
    summarize_layer(initial, weights)
    assert np.array_equal(initial, before[0])
    assert np.array_equal(weights, before[1])


def test_non_contiguous_memory_gives_the_same_summary() -> None:
    initial, weights = _pair((8, 6, 3, 3))
    channels_last = np.ascontiguousarray(weights.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert not channels_last.flags.c_contiguous
    assert summarize_layer(initial, channels_last) == summarize_layer(initial, weights)
