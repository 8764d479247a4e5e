"""Distances between the weights of two layers."""

from __future__ import annotations

import numpy as np

from normreport.statistics.arrays import Floats, checked_ascending, dot


def wasserstein(ordered_a: Floats, ordered_b: Floats) -> float:
    """Return the 1-Wasserstein distance of two sorted samples, in the weights' unit.

    Exact for different n too: the area between the quantile functions.
    """
    a, b = checked_ascending(ordered_a), checked_ascending(ordered_b)
    if a.size == b.size:
        return float(np.mean(np.abs(a - b)))
    # Both quantile functions are constant up to and between these multiples of 1 / (n m).
    steps_a, steps_b = np.arange(1, a.size + 1) * b.size, np.arange(1, b.size + 1) * a.size
    ends = np.sort(np.concatenate([steps_a, steps_b]), kind="stable")  # merges two sorted runs
    gaps = np.abs(a[(ends - 1) // b.size] - b[(ends - 1) // a.size])
    return dot(gaps, np.diff(ends, prepend=0) / (a.size * b.size))
