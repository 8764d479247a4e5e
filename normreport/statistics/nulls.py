"""Null distributions: what chance alone does to the statistics of Gaussian numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from normreport.statistics.arrays import Float64s
from normreport.statistics.density import roughness, roughness_bandwidth
from normreport.statistics.moments import L_KURTOSIS_OF_NORMAL, l_moment_ratios, moments
from normreport.statistics.normality import wasserstein_to_normal

# Samples have at most 4,096 numbers: a null for the largest layer takes no longer than for a small
# one.
_NULL_SAMPLES = 4000
_NULL_LARGEST_N = 4096
_NULL_SEED = 0
# Correlations at which the null of the roughness is simulated.
_CORRELATIONS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.995)


@dataclass(frozen=True)
class GaussianNull:
    """95% points of the absolute departures of Gaussian numbers from a Gaussian.

    ``l_kurtosis`` is the distance from the normal's L-kurtosis; ``w1_normal`` is in standard
    deviations.
    """

    skewness: float
    excess_kurtosis: float
    l_kurtosis: float
    w1_normal: float


def gaussian_null(n: int) -> GaussianNull:
    """Return how far n independent Gaussian numbers depart from a Gaussian; n is 4 or more.

    Simulated with 4,000 samples (fixed seed) of min(n, 4096) numbers. Beyond 4,096 all four
    statistics scale with n^(-1/2). The standard error of a 95% point is 2%.
    """
    if n < 4:
        raise ValueError(f"the null needs 4 numbers or more, got {n}")
    size = min(n, _NULL_LARGEST_N)
    upper = _simulated_departures(size) * math.sqrt(size / n)
    return GaussianNull(*map(float, upper))


def roughness_ratio_null(n: int, correlation: float = 0.0) -> float:
    """Return the 95% point of ln(J_a / J_b) for the `roughness` of two Gaussian samples.

    Both samples have n (2 or more) numbers; each has its own `roughness_bandwidth`, as layers do.
    Runs with a shared start have correlated weights, whose roughness differs less.

    Simulated with 2,000 pairs (fixed seed) of min(n, 4096) numbers; the point falls with n, so for
    larger samples this is an upper bound. The correlation is rounded down to a grid, which gives an
    upper bound, too. The logarithm is symmetric about 0: its 95% point is the 90% point of its
    absolute value, with a standard error of 3%.

    Parameters
    ----------
    n
        The number of weights of the layer.
    correlation
        The correlation between the weights of the two runs, from 0 to 1.
    """
    if n < 2:
        raise ValueError(f"the null needs 2 numbers or more, got {n}")
    rounded = max(value for value in _CORRELATIONS if value <= max(0.0, correlation))
    return _simulated_roughness_ratio(min(n, _NULL_LARGEST_N), rounded)


@cache
def _simulated_departures(size: int) -> Float64s:
    """Return the 95% points of the four absolute departures of `GaussianNull`."""
    departures = []
    for sample in _gaussian_samples(size):
        ordered = np.sort(sample)
        shape, (_, l_kurtosis) = moments(ordered), l_moment_ratios(ordered)
        assert l_kurtosis is not None
        gap = l_kurtosis - L_KURTOSIS_OF_NORMAL
        w1 = wasserstein_to_normal(ordered)
        departures.append((shape.skewness, shape.excess_kurtosis, gap, w1))
    sizes = np.abs(np.array(departures, dtype=np.float64))
    upper: Float64s = np.quantile(sizes, 0.95, axis=0)
    return upper


@cache
def _simulated_roughness_ratio(size: int, correlation: float) -> float:
    """Return the 90% point of abs(ln(J_a / J_b)) over pairs of samples."""
    roughnesses: list[list[float | None]] = []
    own = math.sqrt(1 - correlation**2)
    samples = _gaussian_samples(size)
    for one, other in zip(samples, samples, strict=True):
        pair = one, correlation * one + own * other
        roughnesses.append([
            roughness(sample, roughness_bandwidth(float(np.std(sample, ddof=1)), size))
            for sample in pair
        ])  # fmt: skip
    logarithms = np.log(np.array(roughnesses, dtype=np.float64))
    ratios = np.diff(logarithms, axis=1)
    return float(np.quantile(np.abs(ratios), 0.90))


def _gaussian_samples(size: int) -> Iterator[Float64s]:
    """Yield the samples of a null; every call yields the same numbers."""
    generator = np.random.default_rng(_NULL_SEED)
    return (generator.standard_normal(size) for _ in range(_NULL_SAMPLES))
