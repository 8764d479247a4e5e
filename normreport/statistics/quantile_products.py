"""Inner products of quantile functions: all that a comparison of distributions needs.

The quantile function q of a run is its sorted weights. The 2-Wasserstein distance of two runs is
the L2 distance of their quantile functions, so everything about it is linear in the products
``<q_a, q_b>``, the mean over quantiles of ``q_a * q_b``:

``W2^2(a, b) = <q_a, q_a> + <q_b, q_b> - 2 <q_a, q_b>``.

Before the products, one quantile function is subtracted from all runs. Differences of runs, and
all other sums with weights that add up to zero, do not depend on it. Without it the products would
be far larger than their differences, which would lose digits. A single product has no meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.arrays import Float64s

Label: TypeAlias = tuple[str, int]
"""A run of a model and start: its arm and seed."""

# Quantiles at a time: the float64 copies of dozens of runs fit into the processor's cache.
_BLOCK = 1 << 13


def quantile_products(ordered: NDArray[np.float32], reference: Sequence[int]) -> Float64s:
    """Return the inner products of quantile functions.

    The bits do not depend on the number of threads, and runs with equal weights have exactly equal
    products: the sums are numpy's own, not those of a BLAS.

    Parameters
    ----------
    ordered : array of float32, shape (runs, n)
        The sorted weights of each run.
    reference : sequence of int
        The runs whose mean quantile function is subtracted from all. It should not include a run
        that diverged: its weights may be so large that the others would lose digits.

    Returns
    -------
    array, shape (runs, runs)
        Symmetric, in the square of the weights' unit.
    """
    runs, n = ordered.shape
    chosen = list(reference)
    total: Float64s = np.zeros((runs, runs))
    for start in range(0, n, _BLOCK):
        block = ordered[:, start : start + _BLOCK].astype(np.float64)
        block -= block[chosen].mean(axis=0)
        for run, values in enumerate(block):
            # Without `optimize`, einsum uses no BLAS.
            total[run, run:] += np.einsum("k,jk->j", values, block[run:], optimize=False)
    lower = np.tril_indices(runs, -1)
    total[lower] = total.T[lower]
    total /= n
    return total


def product_block(
    runs_a: Sequence[Label],
    runs_b: Sequence[Label],
    products: Sequence[float],
    *,
    arms: Sequence[str],
    seeds: Sequence[int],
) -> Float64s | None:
    """Arrange the products of one layer and epoch by arm and seed.

    Parameters
    ----------
    runs_a, runs_b, products : sequences of equal length
        The rows of the table: each pair of runs in one order, and each run with itself.
    arms, seeds
        The arms and seeds to select.

    Returns
    -------
    array of shape (arms, seeds, arms, seeds), or None
        None if there is no arm or seed, or if the product of any two of the runs is missing or not
        defined: a run failed or ended early, or the layer was constant at epoch 0.
    """
    chosen = [(arm, seed) for arm in arms for seed in seeds]
    position = {run: number for number, run in enumerate(chosen)}
    matrix = np.full((len(chosen), len(chosen)), np.nan)
    for a, b, product in zip(runs_a, runs_b, products, strict=True):
        if a in position and b in position:
            matrix[position[a], position[b]] = matrix[position[b], position[a]] = product
    if not chosen or not np.isfinite(matrix).all():
        return None
    shape = (len(arms), len(seeds))
    return matrix.reshape(*shape, *shape)
