"""The share of two arms in the variance of a layer's distribution."""

from __future__ import annotations

import math

from normreport.statistics.arrays import Float64s
from normreport.statistics.effects import SquaredEffect, jackknife
from normreport.statistics.variance_components import signed_components


def arm_share(products: Float64s) -> SquaredEffect | None:
    """Return the share of two arms in the variance of a layer's distribution.

    The variance has three components: arms, seeds and the rest, as in
    :mod:`normreport.statistics.variance_components`. Negative components are kept, so the share of
    arms without an effect is 0 on average.

    Returns
    -------
    SquaredEffect or None
        The share in place of a squared effect. None for a single seed, and if all runs are equal.
    """
    if products.shape[1] < 2 or not sum(signed_components(products)) > 0:
        return None
    return jackknife(_share, products)


def _share(products: Float64s) -> float:
    components = signed_components(products)
    return components[0] / sum(components) if sum(components) > 0 else math.nan
