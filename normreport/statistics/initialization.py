"""The distribution of a layer's standard deviation under random initialization."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv

# Points of an integral over one std's distribution; the range is then right to four digits.
_RANGE_POINTS = 4000


def init_std_quantiles(n: int, sigma: float, level: float = 0.95) -> tuple[float, float]:
    """Return an interval that holds the std (ddof 1) of n Gaussian weights.

    Returns
    -------
    low, high : float
        With probability `level`, equal tails, in the unit of `sigma` (the distribution's std).
        Exact: (n - 1) S^2 / sigma^2 is chi-squared with n - 1 degrees of freedom.
    """
    if n < 2 or sigma <= 0 or not 0 < level < 1:
        got = f"{n}, {sigma:g} and {level:g}"
        raise ValueError(f"expected n >= 2, sigma > 0 and 0 < level < 1, got {got}")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = sigma * np.sqrt(2 * gammaincinv((n - 1) / 2, tails) / (n - 1))
    return float(low), float(high)


def init_std_range(n: int, draws: int) -> float:
    """Return the 95% point of the range (largest minus smallest) of the stds of several inits.

    Parameters
    ----------
    n : int
        Gaussian weights of one layer, 2 or more.
    draws : int
        Independent inits of the layer, 2 or more.

    Returns
    -------
    float
        In units of the std of the distribution: the r that makes
        ``draws * integral of (F(x(u) + r) - u)^(draws - 1)``, u from 0 to 1, equal to 0.95. F is
        the distribution function of one std (ddof 1), x its inverse (Hartley 1942, Biometrika 32).
    """
    if n < 2 or draws < 2:
        raise ValueError(f"expected n >= 2 and draws >= 2, got {n} and {draws}")
    u = (np.arange(_RANGE_POINTS) + 0.5) / _RANGE_POINTS
    half = (n - 1) / 2
    smallest = np.sqrt(gammaincinv(half, u) / half)

    def excess(size: float) -> float:
        within = gammainc(half, half * (smallest + size) ** 2) - u
        return draws * float(np.mean(within ** (draws - 1))) - 0.95

    # Twenty standard errors: more than the range of 10^80 inits.
    return float(brentq(excess, 0, 20 / math.sqrt(2 * (n - 1)), xtol=1e-9 / math.sqrt(n)))


def kaiming_fan_out_std(out_channels: int, kernel_height: int, kernel_width: int) -> float:
    """Return the initial std of torchvision's conv weights, ``sqrt(2 / (C_out k_h k_w))``.

    He et al. (2015), as in ``torch.nn.init.kaiming_normal_`` with fan_out and ReLU. Groups do not
    matter: torch counts every output channel.
    """
    return math.sqrt(2 / (out_channels * kernel_height * kernel_width))
