"""Kernel densities of weights, and their roughness."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.fft import irfft, next_fast_len, rfft

from normreport.statistics.arrays import Float64s, Floats, finite, sample_std

# A Gaussian kernel is below 1e-13 of its peak at 8 bandwidths. Linear binning and linear
# interpolation each err by at most (step / bandwidth)^2 / 8 of a lone kernel's peak: 3e-6 at 200.
_PADDING = 8
_POINTS_PER_BANDWIDTH = 200
_FEWEST_POINTS_PER_BANDWIDTH = 10
_FEWEST_POINTS = 8192
_MOST_POINTS = 2**21


def scott_bandwidth(std: float, n: int) -> float:
    """Return Scott's (1992) normal reference bandwidth for a density, ``1.06 std n^(-1/5)``."""
    return 1.06 * std * math.pow(n, -1 / 5)


def roughness_bandwidth(std: float, n: int) -> float:
    """Return the normal reference bandwidth for second derivatives, ``0.9397 std n^(-1/9)``.

    The constant is (4/7)^(1/9): Chacon, Duong and Wand (2011).
    """
    return 0.9397 * std * math.pow(n, -1 / 9)


def density(weights: Floats, bandwidth: float, grid: Floats) -> Float64s:
    """Return the Gaussian kernel density: linear binning (Wand 1994) and FFT (Silverman 1982).

    Parameters
    ----------
    weights : array, any shape
    bandwidth : float
        Standard deviation of the kernel, in the weights' unit. Raises ValueError if it is not
        positive, or below 1/200,000 of the range of the weights on the grid.
    grid : array, shape (points,)
        Where to evaluate, in the weights' unit. Weights beyond the grid keep their mass.

    Returns
    -------
    array, shape (points,)
        Per unit of the weights, within 1e-5 of the peak. If the weights on the grid span more than
        10,000 bandwidths, the error grows to at most 3e-3 of a single weight's peak.
    """
    values, points = finite(weights).ravel(), finite(grid)
    reach = _PADDING * _check_positive(bandwidth)
    near = values[(values >= points.min() - reach) & (values <= points.max() + reach)]
    if near.size == 0:
        return np.zeros(points.shape)
    spectrum, step, size = _smoothed_spectrum(near, bandwidth)
    estimate = irfft(spectrum, n=size) * (near.size / values.size / step)
    # Measure from the lowest weight: a small bandwidth would vanish when added to a large weight.
    offset = (points - near.min()) + reach
    shown: Float64s = np.interp(offset, np.arange(size) * step, estimate, left=0, right=0)
    shown[shown < 0] = 0  # FFT rounding leaves -1e-17 of the peak in the tails
    return shown


def roughness(weights: Floats, bandwidth: float) -> float | None:
    """Return J = ``std^5`` times the integral of f''^2, where f is the `density` of the weights.

    Computed from the FFT by Parseval's theorem. Silverman (1986), section 3.4.2, gives the value
    for a normal density.

    Parameters
    ----------
    weights : array, any shape
    bandwidth : float
        As for `density`: at least 1/200,000 of the range of the weights.

    Returns
    -------
    float or None
        Dimensionless. A normal density has 3 / (8 sqrt(pi)) = 0.2116; smoothing multiplies that by
        (1 + (bandwidth / std)^2)^(-5/2). None if the std is 0 or undefined.
    """
    values, bandwidth = finite(weights).ravel(), _check_positive(bandwidth)
    std = sample_std(values)
    if not std:
        return None
    spectrum, step, size = _smoothed_spectrum(values, bandwidth)
    # Work in units of the std: its fifth power could overflow.
    frequency = 2 * math.pi * np.fft.rfftfreq(size, step / std)
    power = frequency**4 * np.abs(spectrum) ** 2
    return 2 * float(np.sum(power)) * std / (size * step)


def _check_positive(bandwidth: float) -> float:
    if not 0 < bandwidth < math.inf:
        raise ValueError(f"bandwidth must be positive and finite, got {bandwidth}")
    return float(bandwidth)


def _smoothed_spectrum(
    values: Float64s, bandwidth: float
) -> tuple[NDArray[np.complex128], float, int]:
    """Return the real FFT of the kernel-smoothed masses, their spacing and their count.

    The masses sum to 1. The grid extends `_PADDING` bandwidths beyond the outermost values, so the
    FFT does not wrap around.
    """
    lowest = float(values.min())
    span = (float(values.max()) - lowest) + 2 * _PADDING * bandwidth
    if span * _FEWEST_POINTS_PER_BANDWIDTH > bandwidth * _MOST_POINTS:
        raise ValueError(f"bandwidth {bandwidth:g} is too small for weights that span {span:g}")
    wanted = math.ceil(span * _POINTS_PER_BANDWIDTH / bandwidth)
    size = next_fast_len(min(max(wanted, _FEWEST_POINTS), _MOST_POINTS), real=True)
    step = span / size
    position = (values - lowest) / step + _PADDING * bandwidth / step
    cell = position.astype(np.intp)
    fraction = position - cell
    masses = np.bincount(cell, 1 - fraction, minlength=size)
    masses += np.bincount(cell + 1, fraction, minlength=size)
    # The kernel's transform is exact: it reaches 0 long before the highest frequency.
    frequency = 2 * math.pi * np.fft.rfftfreq(size, step / bandwidth)
    return rfft(masses / values.size) * np.exp(-0.5 * frequency**2), step, size
