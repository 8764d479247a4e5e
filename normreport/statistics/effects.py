"""The sizes of two effects on a layer's distribution: another arm, and another seed.

All functions take the products of two arms with the same seeds, of shape (2, seeds, 2, seeds), as
:func:`~normreport.statistics.quantile_products.product_block` arranges them. Products are in
sigma_0^2: sigma_0 is the standard deviation of the weights at epoch 0.

A mean of distances between two arms is positive by noise alone. The part of the shift that repeats
from seed to seed is not biased: with D_s the difference of the two quantile functions at seed s,
products ``<D_s, D_t>`` of *different* seeds have no noise in common, so their mean is 0 without an
effect, and the squared size of the mean shift with one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from normreport.statistics.arrays import Float64s


@dataclass(frozen=True)
class SquaredEffect:
    """A squared effect, in sigma_0^2. It may be negative by chance.

    Attributes
    ----------
    value
        The estimate from all seeds.
    pseudo_values
        One jackknife pseudo-value per seed, for Student's t test against a *squared* margin; None
        for fewer than three seeds.
    """

    value: float
    pseudo_values: tuple[float, ...] | None

    @property
    def root(self) -> float:
        """The effect in sigma_0: the square root, or 0 if the square is negative."""
        return math.sqrt(max(self.value, 0.0))


def repeated_shift(products: Float64s) -> SquaredEffect | None:
    """Return the squared shift between two arms that repeats from seed to seed.

    The estimate is U, the mean of ``<D_s, D_t>`` over ordered pairs of different seeds s and t: an
    unbiased estimate of the squared norm of the mean of D, as of a squared mean (Hoeffding 1948,
    Annals of Mathematical Statistics 19). Its `root` is delta.

    Returns
    -------
    SquaredEffect or None
        None for a single seed.
    """
    return jackknife(_shift, products)


def seed_distance(products: Float64s) -> float | None:
    """Return the W2 distance between two seeds of one arm, in sigma_0.

    This is the root of the mean of W2^2 over all pairs of seeds and both arms: the square is what
    `shift_beyond_seed` compares with the squared shift. None for a single seed.
    """
    return math.sqrt(_squared_seed_distance(products)) if products.shape[1] > 1 else None


def shift_beyond_seed(products: Float64s) -> SquaredEffect | None:
    """Return the squared repeated shift minus that of half the distance between seeds.

    The estimate is ``U - (W2 / 2)^2`` with U of `repeated_shift` and W2 of `seed_distance`. It is
    positive if another arm shifts the distribution by at least half as much as another seed.

    Returns
    -------
    SquaredEffect or None
        None for a single seed.
    """
    return jackknife(
        lambda block: _shift(block) - _squared_seed_distance(block) / 4,
        products,
    )


def jackknife(statistic: Callable[[Float64s], float], products: Float64s) -> SquaredEffect | None:
    """Compute a statistic with the pseudo-values of Tukey (1958), Ann. Math. Stat. 29, 614.

    Parameters
    ----------
    statistic
        Maps products of some seeds to a number.
    products : array, shape (arms, seeds, arms, seeds)

    Returns
    -------
    SquaredEffect or None
        None for a single seed.
    """
    seeds = products.shape[1]
    if seeds < 2:
        return None
    value = statistic(products)
    if seeds < 3:
        return SquaredEffect(value, None)
    pseudo_values = []
    for seed in range(seeds):
        rest = np.delete(np.delete(products, seed, axis=1), seed, axis=3)
        pseudo_values.append(seeds * value - (seeds - 1) * statistic(rest))
    return SquaredEffect(value, tuple(pseudo_values))


def _shift(products: Float64s) -> float:
    """Return the mean of ``<D_s, D_t>`` over ordered pairs of different seeds."""
    cross = products[0, :, 0] - products[0, :, 1] - products[1, :, 0] + products[1, :, 1]
    return float(cross[_other_seeds(len(cross))].mean())


def _squared_seed_distance(products: Float64s) -> float:
    """Return the mean of W2^2 over pairs of seeds and both arms."""
    squares = []
    for arm in range(len(products)):
        own = products[arm, :, arm]
        norms = np.diag(own)
        distances = norms[:, None] + norms[None, :] - 2 * own
        squares.append(distances[_other_seeds(len(own))].mean())
    # Rounding may leave a square below 0.
    return max(0.0, float(np.mean(squares)))


def _other_seeds(seeds: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    return ~np.eye(seeds, dtype=bool)
