"""Compare the runs of one layer: distances, densities on one grid, histograms with equal bins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.density import density, scott_bandwidth
from normreport.statistics.distances import wasserstein

# Enough points for a smooth curve in a figure 18 cm wide.
GRID_POINTS = 160
# The grid leaves out this share of each run's weights on either side: a single far weight must not
# squeeze the curve into a line.
TAIL = 0.0005
# Suits a layer of hundreds of weights and still resolves the core of a heavy-tailed one.
BINS = 60

Condition = Mapping[str, Any]


class Weights(Protocol):
    """One layer's weights by epoch: an array, or an object that reads an epoch on access."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[NDArray[np.float32]]: ...
    def __getitem__(self, epoch: int, /) -> NDArray[np.float32]: ...


Snapshots = Sequence[tuple[Condition, Weights]]


def distances(runs: Snapshots, epochs: int) -> Iterator[dict[str, Any]]:
    """Yield the Wasserstein distance between every two runs, at epoch 0 and at the last epoch.

    Parameters
    ----------
    runs
        Pairs of a condition (with `normalization` and `seed`) and its weights of one layer, by
        epoch. A run that ended before the last epoch has no distance there.
    epochs
        The last epoch.

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
    """Yield the kernel density of every run at every epoch, on one grid with one bandwidth.

    The bandwidth is Scott's for the median of the runs' last standard deviations. Equal bandwidths
    make sure that two curves never differ by smoothing alone.
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
