"""Input checks and sums that all statistics share.

``weights`` are n float32 numbers of any shape. ``ordered`` are the same numbers, flat and
ascending: one sort serves every statistic. Calculations are in float64, which holds the fourth
powers of float32's whole range. A statistic that is not defined, such as the skewness of equal
weights, is None and never NaN. Empty, non-finite or unsorted weights raise ValueError.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Float64s = NDArray[np.float64]


def sort_weights(weights: Floats) -> Float64s:
    """Return weights of any shape as a flat, ascending float64 array."""
    return np.sort(weights, axis=None).astype(np.float64)  # float32 sorts several times faster


def finite(values: Floats) -> Float64s:
    """Return values as float64; raise ValueError if they are empty or not finite."""
    result = np.asarray(values, dtype=np.float64)
    if result.size == 0:
        raise ValueError(f"expected at least one value, got an array of shape {result.shape}")
    bad = result.size - int(np.count_nonzero(np.isfinite(result)))
    if bad:
        raise ValueError(f"{bad} of {result.size} values are not finite")
    return result


def checked_ascending(ordered: Floats) -> Float64s:
    """Return finite values of shape (n,); raise ValueError if they do not ascend."""
    values = finite(ordered)
    if values.ndim != 1:
        raise ValueError(f"expected one dimension of sorted values, got shape {values.shape}")
    drops = int(np.count_nonzero(values[1:] < values[:-1]))
    if drops:
        raise ValueError(f"expected ascending values, got {drops} below the one before")
    return values


def matching(a: Floats, b: Floats) -> tuple[Float64s, Float64s]:
    """Return two arrays flat; raise ValueError if their shapes differ."""
    if np.shape(a) != np.shape(b):
        raise ValueError(f"expected equal shapes, got {np.shape(a)} and {np.shape(b)}")
    return finite(a).ravel(), finite(b).ravel()


def dot(a: Float64s, b: Float64s) -> float:
    """Return the sum of products."""
    # Not BLAS: numpy's pairwise sum is more accurate and does not vary with the thread count.
    return float(np.sum(a * b))


def norm(values: Float64s) -> float:
    """Return the Euclidean norm."""
    return math.sqrt(dot(values, values))


def centre(values: Float64s) -> tuple[float, Float64s]:
    """Return the mean and the deviations from it, which are exactly 0 if all values are equal."""
    lowest = float(values.min())
    mean = lowest if lowest == values.max() else float(np.mean(values))
    return mean, values - mean


def sample_std(values: Float64s) -> float | None:
    """Return the standard deviation (ddof 1); None for a single value."""
    return norm(centre(values)[1]) / math.sqrt(values.size - 1) if values.size > 1 else None
