"""How far runs lie apart, their densities on one grid, their histograms in one set of bins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.weights import density, scott_bandwidth, wasserstein

# Enough for a smooth curve in a figure 18 cm wide.
GRID_POINTS = 160
# The grid ends where the outermost run keeps this share of its weights, plus the kernel's reach:
# a single far weight must not squeeze the curve into a line.
TAIL = 0.0005
# Few enough for a layer of hundreds of weights, enough to tell the core of one with heavy tails.
BINS = 60

Condition = Mapping[str, Any]


class Weights(Protocol):
    """One layer's weights by epoch: an array, or what reads an epoch when it is asked for."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NDArray[np.float32]]: ...
    def __getitem__(self, epoch: int, /) -> NDArray[np.float32]: ...


Snapshots = Sequence[tuple[Condition, Weights]]


def distances(runs: Snapshots, epochs: int) -> Iterator[dict[str, Any]]:
    """Wasserstein distance between every two runs at epoch 0 and at the last epoch.

    Parameters
    ----------
    runs
        Pairs of a condition (with `normalization` and `seed`) and its weights of one layer, by
        epoch. A run with fewer than `epochs` epochs is left out of the last.
    epochs
        Number of the last epoch.

    Yields
    ------
    dict
        ``w1`` in weight units and ``w1_over_sigma0``, relative to the mean of the two runs'
        standard deviations at epoch 0.
    """
    sigma = [float(weights[0].std(ddof=1, dtype=np.float64)) for _, weights in runs]
    for epoch in sorted({0, epochs}):
        ordered = {
            index: np.sort(weights[epoch], axis=None)
            for index, (_, weights) in enumerate(runs)
            if len(weights) > epoch
        }
        for a, b in combinations(ordered, 2):
            w1 = wasserstein(ordered[a], ordered[b])
            scale = (sigma[a] + sigma[b]) / 2
            yield {
                "epoch": epoch,
                "normalization_a": runs[a][0]["normalization"],
                "seed_a": runs[a][0]["seed"],
                "normalization_b": runs[b][0]["normalization"],
                "seed_b": runs[b][0]["seed"],
                "w1": w1,
                "w1_over_sigma0": w1 / scale if scale > 0 else None,
            }


def densities(runs: Snapshots) -> Iterator[dict[str, Any]]:
    """Kernel density of every run at every epoch, on one grid, with one bandwidth.

    The bandwidth is Scott's for the median of the runs' last standard deviations, so that a
    difference between two curves is never one of smoothing.
    """
    stds, tails = [], []
    for _, weights in runs:
        ends = np.stack([weights[0], weights[-1]])
        stds.append(ends[1].std(ddof=1, dtype=np.float64))
        tails.append(np.quantile(ends, (TAIL, 1 - TAIL)))
    spread = float(np.median(stds))
    if spread == 0:
        return
    bandwidth = scott_bandwidth(spread, ends[1].size)
    low = min(tail[0] for tail in tails) - 3 * bandwidth
    high = max(tail[1] for tail in tails) + 3 * bandwidth
    grid = np.linspace(low, high, GRID_POINTS)
    for condition, weights in runs:
        for epoch, values in enumerate(weights):
            curve = density(values.reshape(-1), bandwidth, grid)
            for x, y in zip(grid, curve, strict=True):
                yield {
                    **condition,
                    "epoch": epoch,
                    # As many digits as a figure's table is to print.
                    "weight": float(f"{x:.7g}"),
                    "density": float(f"{y:.6g}"),
                    "bandwidth": float(f"{bandwidth:.6g}"),
                }


def histograms(runs: Snapshots) -> Iterator[dict[str, Any]]:
    """How many weights of every run lie in which bin at every epoch: `BINS` equal ones for all.

    They reach from the least to the greatest weight at any epoch of the runs that are as long as
    the longest: one that diverged may have had weights that would leave the others a single bin.
    Its weights beyond count in the outermost bins. Each bin holds its left edge, the last one also
    its right. Where all weights are equal there are no bins.
    """
    longest = max(len(weights) for _, weights in runs)
    whole = (weights for _, weights in runs if len(weights) == longest)
    ends = [(epoch.min(), epoch.max()) for weights in whole for epoch in weights]
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
