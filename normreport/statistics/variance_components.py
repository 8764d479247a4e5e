"""Analysis of variance of quantile functions: arm by seed, one run a cell.

The squared 2-Wasserstein distance is a squared L2 distance of quantile functions, so the sums of
squares of a two-way layout add up exactly, as for numbers.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normreport.statistics.arrays import Float64s

# Above this number of relabellings, the test draws `RANDOM_RELABELLINGS` of them instead.
MOST_ENUMERATED = 50_000
RANDOM_RELABELLINGS = 9_999
# A sum of squares below this share of the total is rounding: it is a shift of 1e-6, and float32
# weights have 7 digits.
_ROUNDING = 1e-12
_CHUNK = 4096


@dataclass(frozen=True)
class VarianceComponents:
    """What arms, seeds and everything else contribute to the scatter of a layer's distribution.

    Attributes
    ----------
    arm, seed, rest
        Roots of the components, in sigma_0; 0 where the estimate is negative. With MS for mean
        squares, A arms and S seeds: ``arm^2 = (MS_arm - MS_rest)(A - 1) / (A S)``,
        ``seed^2 = (MS_seed - MS_rest) / A`` and ``rest^2 = MS_rest``.
    omega_squared
        The arm's share of the three components. It is estimated without noise's share, unlike
        `arm_share`.
    arm_share, arm_share_by_chance
        The arm's share of the total sum of squares, and its mean over all permutations of the arms
        within seeds: the shares of arm and rest together, over S.
    p_value
        The p-value of the permutation test; None if the runs of each seed are equal.
    is_exact
        Whether the test enumerated all relabellings.
    """

    arm: float
    seed: float
    rest: float
    omega_squared: float
    arm_share: float
    arm_share_by_chance: float
    p_value: float | None
    is_exact: bool


def variance_components(products: Float64s) -> VarianceComponents | None:
    """Analyse the variance of a complete block with one run per arm and seed.

    Searle, Casella and McCulloch (1992), Variance Components, chapter 4; the arms are fixed, as in
    Olejnik and Algina (2003), Psychological Methods 8, for omega^2. The test permutes arms within
    seeds: Anderson and ter Braak (2003), Journal of Statistical Computation and Simulation 73.

    Parameters
    ----------
    products : array, shape (arms, seeds, arms, seeds)
        As `product_block` arranges them, in sigma_0^2.

    Returns
    -------
    VarianceComponents or None
        None for a single arm or seed, and if all runs are equal, as pretrained ones at epoch 0.
    """
    arms, seeds = products.shape[:2]
    if arms < 2 or seeds < 2:
        return None
    of_arms, of_seeds, of_rest = squares = _sums_of_squares(products)
    total = of_arms + of_seeds + of_rest
    if total <= 0:
        return None
    arm, seed, mean_rest = (max(0.0, part) for part in _components(squares, arms, seeds))
    scatter_within_seeds = of_arms + of_rest
    p_value, is_exact = _permutation_test(products)
    return VarianceComponents(
        arm=math.sqrt(arm),
        seed=math.sqrt(seed),
        rest=math.sqrt(mean_rest),
        omega_squared=arm / (arm + seed + mean_rest),
        arm_share=of_arms / total,
        arm_share_by_chance=scatter_within_seeds / total / seeds,
        p_value=p_value if scatter_within_seeds > 0 else None,
        is_exact=is_exact,
    )


def signed_components(products: Float64s) -> tuple[float, float, float]:
    """Estimate the components of arm, seed and rest, in sigma_0^2; the first two may be negative.

    Parameters
    ----------
    products : array, shape (arms, seeds, arms, seeds)
        Of two arms and two seeds or more.
    """
    return _components(_sums_of_squares(products), *products.shape[:2])


def _components(
    squares: tuple[float, float, float], arms: int, seeds: int
) -> tuple[float, float, float]:
    of_arms, of_seeds, of_rest = squares
    rest = of_rest / ((arms - 1) * (seeds - 1))
    arm = (of_arms / (arms - 1) - rest) * (arms - 1) / (arms * seeds)
    return arm, (of_seeds / (seeds - 1) - rest) / arms, rest


def _sums_of_squares(products: Float64s) -> tuple[float, float, float]:
    """Return the sums of squares of arms, seeds and the rest; rounding errors become 0."""
    arms, seeds = products.shape[:2]
    of_arms = _scatter(products.mean(axis=(1, 3))) * seeds
    of_seeds = _scatter(products.mean(axis=(0, 2))) * arms
    total = _scatter(products.reshape(arms * seeds, arms * seeds))
    squares = of_arms, of_seeds, total - of_arms - of_seeds
    least = _ROUNDING * max(total, 0.0)
    of_arms, of_seeds, of_rest = (square if square > least else 0.0 for square in squares)
    return of_arms, of_seeds, of_rest


def _scatter(products: Float64s) -> float:
    """Return the sum of squared distances of some functions from their mean."""
    return float(np.trace(products) - products.mean() * len(products))


def _permutation_test(products: Float64s) -> tuple[float, bool]:
    """Test the arms, relabelled within seeds; return the p-value and whether it is exact.

    The sums of squares of seeds and in total are fixed, so F grows with the squared norms of the
    arms' sums. The labels of the first seed stay: renaming the arms everywhere changes nothing.
    """
    arms, seeds = products.shape[:2]
    is_exact = math.factorial(arms) ** (seeds - 1) <= MOST_ENUMERATED
    observed = float(_arm_norms(products, np.tile(np.arange(arms), (1, seeds, 1)))[0])
    # Relabellings that only rename the arms differ by rounding: they count as ties.
    least = observed - _ROUNDING * abs(float(np.einsum("asas->", products)))
    as_large = count = 0
    for relabelled in _enumerate(arms, seeds) if is_exact else _draw(arms, seeds):
        as_large += int(np.count_nonzero(_arm_norms(products, relabelled) >= least))
        count += len(relabelled)
    if is_exact:
        return as_large / count, True
    return (as_large + 1) / (count + 1), False


def _arm_norms(products: Float64s, relabelled: NDArray[np.intp]) -> Float64s:
    """Return the squared norms of the arms' sums over seeds, added up over the arms.

    Parameters
    ----------
    products : array, shape (arms, seeds, arms, seeds)
    relabelled : array of int, shape (relabellings, seeds, arms)
        The arm that takes the place of each arm at each seed.
    """
    norms = np.zeros(len(relabelled))
    for s, t in itertools.product(range(products.shape[1]), repeat=2):
        norms += products[relabelled[:, s], s, relabelled[:, t], t].sum(axis=1)
    return norms


def _enumerate(arms: int, seeds: int) -> Iterator[NDArray[np.intp]]:
    """Yield all relabellings of the seeds after the first, in chunks."""
    orders = list(itertools.permutations(range(arms)))
    chosen = itertools.product([orders[0]], *[orders] * (seeds - 1))
    while chunk := list(itertools.islice(chosen, _CHUNK)):
        yield np.array(chunk, dtype=np.intp)


def _draw(arms: int, seeds: int) -> Iterator[NDArray[np.intp]]:
    """Yield random relabellings, the same ones every time."""
    generator = np.random.default_rng(0)
    for start in range(0, RANDOM_RELABELLINGS, _CHUNK):
        size = min(_CHUNK, RANDOM_RELABELLINGS - start)
        names = np.tile(np.arange(arms), (size, seeds, 1))
        yield generator.permuted(names, axis=2)
