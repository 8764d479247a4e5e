"""PERMANOVA: a permutation test on distances."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from normreport.statistics.arrays import Float64s, Floats, finite

Codes = NDArray[np.intp]


def permanova(
    distances: Floats, labels: ArrayLike, strata: ArrayLike, permutations: int, seed: int
) -> tuple[float | None, float]:
    """Test whether objects of equal label are closer, permuting the labels within strata.

    Anderson (2001), Austral Ecology 26.

    Parameters
    ----------
    distances : array, shape (objects, objects)
        Symmetric, with zeros on the diagonal.
    labels, strata : array-like, shape (objects,)
        Arm and seed of each object.
    permutations : int
        Number B of random relabellings. If B or fewer distinct relabellings exist, they are
        enumerated and the p-value is exact.
    seed : int
        Seed of the random relabellings.

    Returns
    -------
    pseudo_f : float or None
        Between-label over within-label mean square; None if the latter is 0.
    p_value : float
        (b + 1) / (B + 1), where b relabellings have a pseudo-F at least as large.
    """
    matrix = finite(distances)
    codes = np.unique(np.asarray(labels), return_inverse=True)[1]
    blocks = np.unique(np.asarray(strata), return_inverse=True)[1]
    sizes, n = np.bincount(codes), codes.size
    if matrix.shape != (n, n) or blocks.size != n:
        got = f"{blocks.size} strata and distances of shape {matrix.shape}"
        raise ValueError(f"{n} labels do not match {got}")
    if np.any(matrix != matrix.T) or np.any(np.diag(matrix)):
        raise ValueError("distances must be symmetric with zeros on the diagonal")
    if not 1 < sizes.size < n or permutations < 1:
        got = f"{sizes.size} labels, {n} objects and {permutations} permutations"
        raise ValueError(f"expected 1 < labels < objects and permutations > 0, got {got}")
    squares = matrix * matrix
    total = float(np.sum(squares)) / (2 * n)
    within = float(_within_squares(squares, codes[None, :], sizes)[0])
    mean_squares = (total - within) / (sizes.size - 1), within / (n - sizes.size)
    relabelled = _relabellings(codes, blocks, permutations, seed)
    # The total is fixed, so a larger F means a smaller sum within labels. The margin counts
    # relabellings that only swap names, and so differ by rounding, as ties.
    closer = _within_squares(squares, relabelled, sizes) <= within + 1e-12 * total
    p_value = (int(np.count_nonzero(closer)) + 1) / (len(relabelled) + 1)
    return mean_squares[0] / mean_squares[1] if within > 0 else None, p_value


def _within_squares(squares: Float64s, codes: Codes, sizes: Codes) -> Float64s:
    """Return the within-label sum of squares of each labelling, codes (labellings, objects)."""
    result = np.zeros(len(codes))
    for label, size in enumerate(sizes):
        member = (codes == label).astype(np.float64)
        result += np.sum((member @ squares) * member, axis=1) / (2 * size)
    return result


def _relabellings(codes: Codes, blocks: Codes, permutations: int, seed: int) -> Codes:
    """Return labellings permuted within blocks: random ones, or all but the observed one."""
    members = [np.flatnonzero(blocks == block) for block in range(blocks.max() + 1)]
    counts = [np.bincount(codes[rows]).tolist() for rows in members]
    distinct = math.prod(
        math.factorial(sum(count)) // math.prod(map(math.factorial, count)) for count in counts
    )
    if distinct > permutations:
        generator = np.random.default_rng(seed)
        relabelled = np.tile(codes, (permutations, 1))
        for rows in members:
            relabelled[:, rows] = generator.permuted(relabelled[:, rows], axis=1)
        return relabelled
    relabelled = np.empty((distinct, codes.size), dtype=np.intp)
    combinations = itertools.product(*(list(_arrangements(count)) for count in counts))
    for row, parts in zip(relabelled, combinations, strict=True):
        row[np.concatenate(members)] = list(itertools.chain(*parts))
    return relabelled[np.any(relabelled != codes, axis=1)]


def _arrangements(counts: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield every distinct order of ``counts[0]`` zeros, ``counts[1]`` ones and so on."""
    if not any(counts):
        yield ()
    for code, count in enumerate(counts):
        if count:
            remaining = [*counts[:code], count - 1, *counts[code + 1 :]]
            yield from ((code, *rest) for rest in _arrangements(remaining))
