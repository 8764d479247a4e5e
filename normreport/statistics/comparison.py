"""Compare the runs of one layer.

Products of quantile functions, densities on one grid, and histograms with equal bins.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.arrays import Float64s, sample_std
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
Columns: TypeAlias = dict[str, NDArray[Any]]
"""The columns of a table by name, of equal length."""


def products(runs: Snapshots) -> Columns:
    """Return the inner product of the quantile functions of every two runs, at every epoch.

    The products of :func:`~normreport.statistics.quantile_products.quantile_products` are relative
    to the mean quantile function of the longest runs at the epoch. Sorted weights of all runs at
    one epoch are in memory, as float32.

    Parameters
    ----------
    runs
        Pairs of a condition (with `normalization` and `seed`) and its weights of one layer, by
        epoch. A run that ended early has no product after its last epoch.

    Returns
    -------
    dict of arrays
        One row per epoch and pair of runs, in one order, and per run with itself. ``product`` is
        in units of sigma_0^2: sigma_0 is the root mean square over runs of the standard deviation
        (ddof 1) at epoch 0. It is NaN if that is 0, or if the layer has a single weight.
        ``correlation`` is that of the weights of two arms with the same seed, at the last epoch;
        NaN elsewhere.
    """
    initial = [sample_std(weights[0].astype(np.float64).ravel()) or 0.0 for _, weights in runs]
    unit = float(np.mean(np.square(initial)))
    longest = max(len(weights) for _, weights in runs)
    size = runs[0][1][0].size
    blocks = []
    for epoch in range(longest):
        present = [run for run, (_, weights) in enumerate(runs) if len(weights) > epoch]
        ordered = np.empty((len(present), size), dtype=np.float32)
        for row, run in zip(ordered, present, strict=True):
            row[:] = runs[run][1][epoch].reshape(-1)
            row.sort()
        complete = [i for i, run in enumerate(present) if len(runs[run][1]) == longest]
        matrix = quantile_products(ordered, complete)
        upper = np.triu_indices(len(present))
        pairs = np.take(present, upper)
        blocks.append((*pairs, np.full(len(pairs[0]), epoch), matrix[upper]))
    a, b, epochs, products = (np.concatenate(parts) for parts in zip(*blocks, strict=True))
    correlations = np.full(len(epochs), np.nan)
    arms, seeds = _conditions(runs)
    of_interest = (epochs == longest - 1) & (a != b) & (seeds[a] == seeds[b])
    for pair in np.flatnonzero(of_interest):
        found = correlation(*(runs[run][1][-1] for run in (a[pair], b[pair])))
        correlations[pair] = np.nan if found is None else found
    return {
        "epoch": epochs,
        "normalization_a": arms[a],
        "seed_a": seeds[a],
        "normalization_b": arms[b],
        "seed_b": seeds[b],
        "product": products / unit if unit > 0 else np.full(len(products), np.nan),
        "correlation": correlations,
    }


def densities(runs: Snapshots) -> Columns:
    """Return the kernel density of every run at every epoch, on one grid with one bandwidth.

    The bandwidth is Scott's for the median of the runs' last standard deviations, without those
    that are 0. Equal bandwidths make sure that two curves never differ by smoothing alone. There is
    no row if all weights of every run are equal.
    """
    stds, lows, highs = [], [], []
    for _, weights in runs:
        ends = np.stack([weights[0], weights[-1]]).astype(np.float64)
        stds.append(sample_std(ends[1].ravel()) or 0.0)
        low, high = np.quantile(ends, (TAIL, 1 - TAIL))
        lows.append(low)
        highs.append(high)
    if not any(stds):
        return _of_epochs(runs, 0, dict.fromkeys(("weight", "density", "bandwidth"), np.empty(0)))
    spread = float(np.median([std for std in stds if std]))
    bandwidth = scott_bandwidth(spread, ends[1].size)
    lowest = max(min(lows), float(np.median(lows)) - REACH * spread)
    highest = min(max(highs), float(np.median(highs)) + REACH * spread)
    grid = np.linspace(lowest - 3 * bandwidth, highest + 3 * bandwidth, GRID_POINTS)
    curves = [density(values.reshape(-1), bandwidth, grid) for _, run in runs for values in run]
    # As many digits as a figure's table prints.
    return _of_epochs(runs, GRID_POINTS, {
        "weight": np.tile(_rounded(grid, 7), len(curves)),
        "density": _rounded(np.concatenate(curves), 6),
        "bandwidth": np.full(GRID_POINTS * len(curves), float(f"{bandwidth:.6g}")),
    })  # fmt: skip


def density_axes(columns: Mapping[str, NDArray[Any]], points: int = GRID_POINTS) -> dict[str, Any]:
    """Return what figures need to draw other densities on the same axes.

    Parameters
    ----------
    columns
        What `densities` returns: curves of so many points each, the epochs of a run in order.

    Returns
    -------
    dict
        The fields of :class:`~normreport.config.manifests.DensityAxes`.
    """
    curves, epochs = (columns[name].reshape(-1, points) for name in ("density", "epoch"))
    if not len(curves):
        return {"last_epoch": 0, "weights": [], "densities": [], "shares": [], "changes": []}
    first = np.maximum.accumulate(np.where(epochs[:, 0] == 0, np.arange(len(epochs)), 0))
    change = curves - curves[first]
    peaks = curves.max(axis=1, keepdims=True)
    # A run whose weights all lie beyond the grid has the density 0.
    shares = np.divide(curves, peaks, out=np.ones_like(curves), where=peaks > 0)
    return {
        "last_epoch": int(epochs.max()),
        "weights": columns["weight"][:points].tolist(),
        "densities": curves.max(axis=0).tolist(),
        "shares": shares.max(axis=0).tolist(),
        "changes": [float(change.min()), float(change.max())],
    }


def histograms(runs: Snapshots) -> Columns:
    """Return the number of weights per bin for every run and epoch, with `BINS` equal bins for all.

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
        return _of_epochs(runs, 0, dict.fromkeys(("left", "right", "count"), np.empty(0)))
    edges = np.linspace(low, high, BINS + 1)
    counts = [
        np.histogram(np.clip(values, low, high), edges)[0] for _, run in runs for values in run
    ]
    return _of_epochs(runs, BINS, {
        "left": np.tile(edges[:-1], len(counts)),
        "right": np.tile(edges[1:], len(counts)),
        "count": np.concatenate(counts),
    })  # fmt: skip


def _conditions(runs: Snapshots) -> tuple[NDArray[np.object_], NDArray[np.int64]]:
    """Return the arm and the seed of every run."""
    arms = np.array([condition["normalization"] for condition, _ in runs], dtype=object)
    return arms, np.array([condition["seed"] for condition, _ in runs], dtype=np.int64)


def _of_epochs(runs: Snapshots, rows: int, columns: Columns) -> Columns:
    """Add arm, seed and epoch to columns that have a number of rows for every run and epoch."""
    lengths = [len(weights) for _, weights in runs]
    epochs = np.concatenate([np.arange(length) for length in lengths])
    arms, seeds = (np.repeat(values, lengths) for values in _conditions(runs))
    labels = {"normalization": arms, "seed": seeds, "epoch": epochs}
    return {name: np.repeat(values, rows) for name, values in labels.items()} | columns


def _rounded(values: Float64s, digits: int) -> Float64s:
    return np.array([float(f"{value:.{digits}g}") for value in values])
