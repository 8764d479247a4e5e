"""Statistics of a layer's output filters."""

from __future__ import annotations

import numpy as np

from normreport.statistics.arrays import Floats, centre, dot, finite


def filter_summary(weights_2d: Floats) -> tuple[float | None, int]:
    """Return the share of variance between output filters, and the number of dead filters.

    `weights_2d` has the shape (filters, weights per filter).

    Returns
    -------
    between_filter_share : float or None
        Variance of the filters' means over the variance of all weights, both with ddof 0 (eta
        squared, from 0 to 1). Independent weights have (filters - 1) / (n - 1) on average. None if
        all weights are equal.
    dead_filters : int
        Filters whose std is at most 1% of the filters' median std ("at most": filters of zeros
        count even if they are the majority). For filters of one weight, the absolute value
        replaces the std.
    """
    filters = finite(weights_2d)
    if filters.ndim != 2:
        raise ValueError(f"expected (filters, weights per filter), got shape {filters.shape}")
    _, centred = centre(filters)
    total = dot(centred, centred)
    between = float(np.sum(np.mean(centred, axis=1) ** 2)) * filters.shape[1]
    spread = np.std(filters, axis=1) if filters.shape[1] > 1 else np.abs(filters[:, 0])
    dead = int(np.count_nonzero(spread <= 0.01 * np.median(spread)))
    return min(1.0, between / total) if total > 0 else None, dead
