"""Compare the runs of one layer.

Products of quantile functions, densities on one grid, and histograms with equal bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations_with_replacement
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.arrays import sample_std
from normreport.statistics.density import density, scott_bandwidth
from normreport.statistics.movement import correlation
from normreport.statistics.quantile_products import quantile_products

# Enough points for a smooth curve in a figure 18 cm wide.
GRID_POINTS = 160
# The grid leaves out this share of each run's weights on either side: a single far weight must not
# squeeze the curve into a line.
TAIL = 0.0005
# The grid extends beyond the median run's tails by at most this many median standard deviations: a
# run on another scale must not squeeze the curves of the others into a line.
REACH = 30
# Suits a layer of hundreds of weights and still resolves the core of a heavy-tailed one.
BINS = 60

Condition = Mapping[str, Any]


class Weights(Protocol):
    """One layer's weights by epoch: an array, or an object that reads an epoch on access."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NDArray[np.float32]]: ...
    def __getitem__(self, epoch: int, /) -> NDArray[np.float32]: ...


Snapshots = Sequence[tuple[Condition, Weights]]


def products(runs: Snapshots) -> Iterator[dict[str, Any]]:
    """Yield the inner product of the quantile functions of every two runs, at every epoch.

    The products of :func:`~normreport.statistics.quantile_products.quantile_products` are relative
    to the mean quantile function of the longest runs at the epoch. Sorted weights of all runs at
    one epoch are in memory, as float32.

    Parameters
    ----------
    runs
        Pairs of a condition (with `normalization` and `seed`) and its weights of one layer, by
        epoch. A run that ended early has no product after its last epoch.

    Yields
    ------
    dict
        One row per epoch and pair of runs, in one order, and per run with itself. ``product`` is
        in units of sigma_0^2: sigma_0 is the root mean square over runs of the standard deviation
        (ddof 1) at epoch 0. It is None if that is 0, or if the layer has a single weight.
        ``correlation`` is that of the weights of two arms with the same seed, at the last epoch;
        None elsewhere.
    """
    initial = [sample_std(weights[0].astype(np.float64).ravel()) or 0.0 for _, weights in runs]
    unit = float(np.mean(np.square(initial)))
    longest = max(len(weights) for _, weights in runs)
    size = runs[0][1][0].size
    for epoch in range(longest):
        present = [(run, weights) for run, weights in runs if len(weights) > epoch]
        ordered = np.empty((len(present), size), dtype=np.float32)
        for row, (_, weights) in zip(ordered, present, strict=True):
            row[:] = weights[epoch].reshape(-1)
            row.sort()
        complete = [i for i, (_, weights) in enumerate(present) if len(weights) == longest]
        matrix = quantile_products(ordered, complete)
        for a, b in combinations_with_replacement(range(len(present)), 2):
            one, other = present[a][0], present[b][0]
            yield {
                "epoch": epoch,
                "normalization_a": one["normalization"],
                "seed_a": one["seed"],
                "normalization_b": other["normalization"],
                "seed_b": other["seed"],
                "product": float(matrix[a, b]) / unit if unit > 0 else None,
                "correlation": (
                    correlation(present[a][1][epoch], present[b][1][epoch])
                    if epoch == longest - 1 and a != b and one["seed"] == other["seed"]
                    else None
                ),
            }


def densities(runs: Snapshots) -> Iterator[dict[str, Any]]:
    """Yield the kernel density of every run at every epoch, on one grid with one bandwidth.

    The bandwidth is Scott's for the median of the runs' last standard deviations, without those
    that are 0. Equal bandwidths make sure that two curves never differ by smoothing alone. Nothing
    is yielded if all weights of every run are equal.
    """
    stds, lows, highs = [], [], []
    for _, weights in runs:
        ends = np.stack([weights[0], weights[-1]]).astype(np.float64)
        stds.append(sample_std(ends[1].ravel()) or 0.0)
        low, high = np.quantile(ends, (TAIL, 1 - TAIL))
        lows.append(low)
        highs.append(high)
    if not any(stds):
        return
    spread = float(np.median([std for std in stds if std]))
    bandwidth = scott_bandwidth(spread, ends[1].size)
    lowest = max(min(lows), float(np.median(lows)) - REACH * spread)
    highest = min(max(highs), float(np.median(highs)) + REACH * spread)
    grid = np.linspace(lowest - 3 * bandwidth, highest + 3 * bandwidth, GRID_POINTS)
    for condition, weights in runs:
        for epoch, values in enumerate(weights):
            curve = density(values.reshape(-1), bandwidth, grid)
            for x, y in zip(grid, curve, strict=True):
                yield {
                    **condition,
                    "epoch": epoch,
                    # As many digits as a figure's table prints.
                    "weight": float(f"{x:.7g}"),
                    "density": float(f"{y:.6g}"),
                    "bandwidth": float(f"{bandwidth:.6g}"),
                }


def histograms(runs: Snapshots) -> Iterator[dict[str, Any]]:
    """Yield the number of weights per bin for every run and epoch, with `BINS` equal bins for all.

    The bins span all weights of the complete runs. A run that diverged may have had far larger
    weights, which would leave the others a single bin: they count in the outermost bins. A bin
    includes its left edge, the last bin also its right edge. If all weights are equal, there are no
    bins.
    """
    longest = max(len(weights) for _, weights in runs)
    complete = (weights for _, weights in runs if len(weights) == longest)
    ends = [(epoch.min(), epoch.max()) for weights in complete for epoch in weights]
    low, high = float(min(low for low, _ in ends)), float(max(high for _, high in ends))
    if low == high:
        return
    edges = np.linspace(low, high, BINS + 1)
    for condition, weights in runs:
        for epoch, values in enumerate(weights):
            counts, _ = np.histogram(np.clip(values, low, high), edges)
            for left, right, count in zip(edges[:-1], edges[1:], counts, strict=True):
                yield {
                    **condition,
                    "epoch": epoch,
                    "left": float(left),
                    "right": float(right),
                    "count": int(count),
                }
