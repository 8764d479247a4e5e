"""How much two arms differ, relative to how much seeds and chance make runs differ."""

from __future__ import annotations

import math

from normreport.statistics.arrays import Float64s
from normreport.statistics.effects import SquaredEffect, jackknife
from normreport.statistics.variance_components import signed_components

# The arms' share of the variance is clipped to this range; outside it, the logarithm is noise.
_MIN_SHARE, _MAX_SHARE = 0.001, 0.999


def variance_ratio(products: Float64s) -> SquaredEffect | None:
    """Return ln of the variance between two arms over that between seeds and by chance.

    The components are those of :mod:`normreport.statistics.variance_components`. The logarithm of
    the ratio is closer to a normal distribution than the ratio or the share of the arms.

    Parameters
    ----------
    products : array, shape (2, seeds, 2, seeds)

    Returns
    -------
    SquaredEffect or None
        The logarithm takes the place of a squared effect; NaN if all runs are equal. None for a
        single seed.
    """
    return jackknife(_log_ratio, products)


def _log_ratio(products: Float64s) -> float:
    components = signed_components(products)
    total = sum(components)
    if not total > 0:
        return math.nan
    share = min(_MAX_SHARE, max(_MIN_SHARE, components[0] / total))
    return math.log(share / (1 - share))
