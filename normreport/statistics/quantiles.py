"""Percentiles and standardized quantiles of one layer's weights."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from normreport.statistics.arrays import Float64s, Floats, centre, checked_ascending, sample_std

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
# Standard deviations of a normal distribution: -3, -2.875, ..., 3.
SCORES = tuple(eighth / 8 for eighth in range(-24, 25))
_NORMAL_IQR = 2 * float(ndtri(0.75))  # 1.34898... standard deviations


def percentiles(ordered: Floats) -> Float64s:
    """Return the `PERCENTILES` of sorted weights of shape (n,), in their unit and shape (7,).

    Linear interpolation: type 7 of Hyndman and Fan (1996), numpy's default.
    """
    return interpolated_quantiles(checked_ascending(ordered), np.array(PERCENTILES) / 100)


def standardized_quantiles(ordered: Floats) -> Float64s | None:
    """Return the standardized quantiles of sorted weights at the normal `SCORES`.

    Returns
    -------
    array of shape (49,), or None
        ``(Q(ndtr(s)) - mean) / std`` for each score s: Q is the linear interpolation of
        `percentiles`, and std has ddof 1. Normal weights give about s itself. Nothing is
        extrapolated beyond the outermost weights. None if the std is 0 or undefined.
    """
    values = checked_ascending(ordered)
    _, centred = centre(values)
    std = sample_std(values)
    # Use deviations from the mean: a spread far below the mean would be rounded away.
    return interpolated_quantiles(centred, ndtr(np.array(SCORES))) / std if std else None


def iqr_ratio(ordered: Floats) -> float | None:
    """Return ``IQR / (2 ndtri(0.75) std)`` of sorted weights, 1 for a normal distribution.

    Peaked distributions have less. None if the std is 0 or undefined.
    """
    std = sample_std(checked_ascending(ordered))
    quartiles = percentiles(ordered)
    width = quartiles[PERCENTILES.index(75)] - quartiles[PERCENTILES.index(25)]
    return float(width) / (_NORMAL_IQR * std) if std else None


def interpolated_quantiles(values: Float64s, shares: Float64s) -> Float64s:
    """Return type 7 quantiles of sorted values at shares from 0 to 1."""
    position = (values.size - 1) * shares
    below = position.astype(np.intp)
    fraction = position - below
    low, high = values[below], values[np.minimum(below + 1, values.size - 1)]
    # Interpolate from the nearer neighbour, as numpy does: monotone and equal to the last digit.
    upward, downward = low + (high - low) * fraction, high - (high - low) * (1 - fraction)
    return np.where(fraction < 0.5, upward, downward)
