"""Made-up weights of arms and seeds, and their products by the report's code."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.arrays import Float64s
from normreport.statistics.quantile_products import quantile_products


def layout(
    arms: int,
    seeds: int,
    *,
    n: int = 200,
    shift: float = 0.0,
    seed_noise: float = 0.1,
    noise: float = 0.02,
    entropy: int = 0,
) -> NDArray[np.float32]:
    """Make sorted weights of shape (arms, seeds, n), of standard deviation about 1.

    Arm number a is shifted by a * `shift`. A seed moves and widens all arms together; noise moves
    and widens each run by itself.
    """
    generator = np.random.default_rng(entropy)
    scores = np.sort(generator.standard_normal(n))
    of_seed = generator.normal(0, seed_noise, (1, seeds, 2, 1))
    of_run = generator.normal(0, noise, (arms, seeds, 2, 1))
    moves = of_seed + of_run
    shifts = shift * np.arange(arms)[:, None, None]
    weights = (1 + moves[:, :, 0]) * scores + moves[:, :, 1] + shifts
    return weights.astype(np.float32)


def products_of(ordered: NDArray[np.float32]) -> Float64s:
    """Return the products of sorted weights of shape (arms, seeds, n), in the weights' unit."""
    arms, seeds, n = ordered.shape
    matrix = quantile_products(ordered.reshape(arms * seeds, n), range(arms * seeds))
    return matrix.reshape(arms, seeds, arms, seeds)
