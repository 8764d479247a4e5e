"""Statistics of one layer's weights, and of the distances between layers.

Pure functions on numpy arrays. ``weights`` are n float32 numbers of any shape, and ``ordered`` the
same, flat and ascending, so that one sort serves every function. Calculations are in float64,
which holds the fourth powers of float32's whole range. A statistic that is not defined, such as
the skewness of equal weights, is None and never NaN. Weights that are missing (an empty array),
not finite or not sorted raise ValueError.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.fft import irfft, next_fast_len, rfft
from scipy.optimize import brentq
from scipy.special import gammainc, gammaincinv, ndtr, ndtri

__all__ = [
    "L_KURTOSIS_OF_NORMAL",
    "PERCENTILES",
    "SCORES",
    "GaussianNull",
    "Moments",
    "ascending",
    "cosine",
    "density",
    "displacement",
    "filter_summary",
    "gaussian_null",
    "init_std_quantiles",
    "init_std_range",
    "iqr_ratio",
    "kaiming_fan_out_std",
    "l_moment_ratios",
    "moments",
    "percentiles",
    "permanova",
    "ppcc_deficit",
    "roughness",
    "roughness_bandwidth",
    "roughness_ratio_null",
    "scott_bandwidth",
    "standardized_quantiles",
    "std_decomposition",
    "summarize",
    "wasserstein",
    "wasserstein_to_normal",
]

Floats = NDArray[np.floating]
Float64s = NDArray[np.float64]
Codes = NDArray[np.intp]

PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
# Standard deviations of a normal distribution: -3, -2.875, ..., 3.
SCORES = tuple(eighth / 8 for eighth in range(-24, 25))

L_KURTOSIS_OF_NORMAL = 30 / math.pi * math.atan(math.sqrt(2)) - 9  # 0.1226, Hosking (1990)
_NORMAL_IQR = 2 * float(ndtri(0.75))  # 1.34898... standard deviations

# What chance gives is simulated, with a stated number of samples of at most 4,096 numbers, so that
# the largest layer takes no longer than a small one.
_NULL_SAMPLES = 4000
_NULL_LARGEST_N = 4096
_NULL_SEED = 0

# Points of an integral over one std's distribution; the range is then right to four digits.
_RANGE_POINTS = 4000

# A Gaussian kernel is below 1e-13 of its peak at 8 bandwidths. Linear binning and linear
# interpolation each err by at most (step / bandwidth)^2 / 8 of a lone kernel's peak: 3e-6 at 200.
_PADDING = 8
_POINTS_PER_BANDWIDTH = 200
_FEWEST_POINTS_PER_BANDWIDTH = 10
_FEWEST_POINTS = 8192
_MOST_POINTS = 2**21


@dataclass(frozen=True)
class Moments:
    """Mean, standard deviation (ddof 1), and the biased shape coefficients g1 and g2.

    ``std`` is None for a single weight, ``skewness`` and ``excess_kurtosis`` for equal weights.
    """

    mean: float
    std: float | None
    skewness: float | None
    excess_kurtosis: float | None


def moments(weights: Floats) -> Moments:
    """Return mean, std, skewness and excess kurtosis of weights of any shape, by two passes.

    Mean and std are in the weights' unit; g1 and g2 as in Joanes and Gill (1998).
    """
    values = _finite(weights).ravel()
    mean, centred = _centred(values)
    total = _dot(centred, centred)
    skewness = kurtosis = None
    if total > 0:
        z = centred / math.sqrt(total / values.size)
        square = z * z
        skewness = _dot(square, z) / values.size
        kurtosis = _dot(square, square) / values.size - 3
    return Moments(mean, _std(values), skewness, kurtosis)


def percentiles(ordered: Floats) -> Float64s:
    """Return the `PERCENTILES` of sorted weights of shape (n,), in their unit and shape (7,).

    Linear interpolation: type 7 of Hyndman and Fan (1996), numpy's default.
    """
    return _quantiles(_ascending(ordered), np.array(PERCENTILES) / 100)


def standardized_quantiles(ordered: Floats) -> Float64s | None:
    """Return what sorted weights have where a normal distribution has the `SCORES`.

    Returns
    -------
    array of shape (49,), or None
        ``(Q(ndtr(s)) - mean) / std`` for each score s: Q is the linear interpolation of
        `percentiles`, std has ddof 1. Of normal weights that is about s itself; beyond the
        outermost weights nothing is extrapolated. None where the std is 0 or undefined.
    """
    values = _ascending(ordered)
    _, centred = _centred(values)
    std = _std(values)
    # Deviations, not the weights themselves: a spread far below the mean would be rounded away.
    return _quantiles(centred, ndtr(np.array(SCORES))) / std if std else None


def iqr_ratio(ordered: Floats) -> float | None:
    """Return ``IQR / (2 ndtri(0.75) std)`` of sorted weights, with that constant, not 1.349.

    1 for a normal distribution, less for a peaked one; None where the std is 0 or undefined.
    """
    std = _std(_ascending(ordered))
    quartiles = percentiles(ordered)
    width = quartiles[PERCENTILES.index(75)] - quartiles[PERCENTILES.index(25)]
    return float(width) / (_NORMAL_IQR * std) if std else None


def l_moment_ratios(ordered: Floats) -> tuple[float | None, float | None]:
    """Return L-skewness and L-kurtosis of sorted weights, from probability weighted moments.

    Returns
    -------
    l_skewness, l_kurtosis : float or None
        tau3 and tau4 of Hosking (1990), from unbiased estimates: normal 0 and 0.1226, uniform 0
        and 0, Laplace 0 and 0.2361. None where all weights are equal or fewer than 3 (4).
    """
    values = _ascending(ordered)
    n = values.size
    _, moment = _centred(values)  # the ratios do not depend on the mean, their rounding does
    if n < 3 or not np.any(moment):
        return None, None
    # Multiplying up ratios below 1: as integers, i(i-1)(i-2) overflows int64 from 2,097,153 on.
    ranks = np.arange(n, dtype=np.float64)
    b = [float(np.mean(moment)), 0.0, 0.0, 0.0]
    for order in range(1, min(n, 4)):
        moment = moment * ((ranks - (order - 1)) / (n - order))
        b[order] = float(np.mean(moment))
    scale = 2 * b[1] - b[0]
    l_skewness = (6 * b[2] - 6 * b[1] + b[0]) / scale
    l_kurtosis = (20 * b[3] - 30 * b[2] + 12 * b[1] - b[0]) / scale
    return l_skewness, l_kurtosis if n > 3 else None


def ppcc_deficit(ordered: Floats) -> float | None:
    """Return 1 - r^2 of the normal probability plot of sorted weights, 0 being a straight line.

    None where all weights are equal. Filliben (1975), with Blom's plotting positions
    (i - 3/8) / (n + 1/4).
    """
    _, centred = _centred(_ascending(ordered))
    norm = _norm(centred)
    if norm == 0:
        return None
    correlation = _dot(centred / norm, _unit_normal_scores(centred.size))
    return max(0.0, 1 - correlation**2)


def wasserstein(ordered_a: Floats, ordered_b: Floats) -> float:
    """Return the 1-Wasserstein distance of two sorted samples, in the weights' unit.

    Exact for different n too: the area between the quantile functions.
    """
    a, b = _ascending(ordered_a), _ascending(ordered_b)
    if a.size == b.size:
        return float(np.mean(np.abs(a - b)))
    # Both quantile functions are constant up to and between these multiples of 1 / (n m).
    steps_a, steps_b = np.arange(1, a.size + 1) * b.size, np.arange(1, b.size + 1) * a.size
    ends = np.sort(np.concatenate([steps_a, steps_b]), kind="stable")  # merges two sorted runs
    gaps = np.abs(a[(ends - 1) // b.size] - b[(ends - 1) // a.size])
    return _dot(gaps, np.diff(ends, prepend=0) / (a.size * b.size))


def wasserstein_to_normal(ordered: Floats) -> float | None:
    """Return the 1-Wasserstein distance of sorted weights' z-scores to the standard normal.

    In standard deviations (ddof 1); None where the std is 0 or undefined. The exact integral of
    ``abs(z_(i) - ndtri(u))``, u from (i - 1)/n to i/n, summed over i: its midpoint rule,
    ``mean abs(z_(i) - ndtri((i - 1/2)/n))``, is still off by up to 2e-4 at n = 2,000.
    """
    _, centred = _centred(_ascending(ordered))
    norm, n = _norm(centred), centred.size
    if norm == 0:
        return None
    z = centred * (math.sqrt(n - 1) / norm)
    edges, heights = _normal_cells(n)
    u = np.arange(n + 1) / n
    # The integral of ndtri is minus the normal pdf. A cell's sign changes where ndtri(u) = z.
    split = np.clip(z, edges[:-1], edges[1:])
    share, height = ndtr(split), _normal_pdf(split)
    linear = z * ((share - u[:-1]) - (u[1:] - share))
    return float(np.sum(linear + ((height - heights[:-1]) + (height - heights[1:]))))


@dataclass(frozen=True)
class GaussianNull:
    """95% points of the absolute departures of Gaussian numbers from a Gaussian.

    ``l_kurtosis`` from the normal's, ``w1_normal`` in standard deviations.
    """

    skewness: float
    excess_kurtosis: float
    l_kurtosis: float
    w1_normal: float


def gaussian_null(n: int) -> GaussianNull:
    """Return how far n (4 or more) independent Gaussian numbers depart from a Gaussian.

    From 4,000 samples (fixed seed) of min(n, 4096) numbers, scaled by n^(-1/2) above, which all
    four statistics follow there. One standard error of the simulation is 2% of a 95% point.
    """
    if n < 4:
        raise ValueError(f"the null needs 4 numbers or more, got {n}")
    size = min(n, _NULL_LARGEST_N)
    upper = _simulated_departures(size) * math.sqrt(size / n)
    return GaussianNull(*map(float, upper))


def roughness_ratio_null(n: int) -> float:
    """Return the 95% point of ln(J_a / J_b), the `roughness` of two Gaussian samples of n (2+).

    Each at its own `roughness_bandwidth`, as layers are measured. From 2,000 pairs of samples
    (fixed seed) of min(n, 4096) numbers: as the point falls with n, that of larger samples is at
    most this. The ratio is as likely to be its inverse, so that the 90% point of the logarithm's
    absolute value serves, with a standard error of 3%.
    """
    if n < 2:
        raise ValueError(f"the null needs 2 numbers or more, got {n}")
    return _simulated_roughness_ratio(min(n, _NULL_LARGEST_N))


def displacement(initial: Floats, weights: Floats) -> float | None:
    """Return how far weights of equal shape moved, ``|w - w0| / |w0|``; None where w0 is 0."""
    before, now = _matching(initial, weights)
    norm = _norm(before)
    return _norm(now - before) / norm if norm else None


def cosine(a: Floats, b: Floats) -> float | None:
    """Return the cosine of the angle between weights of equal shape; None where either is 0."""
    a, b = _matching(a, b)
    norm_a, norm_b = _norm(a), _norm(b)
    if not (norm_a and norm_b):
        return None
    return min(1.0, max(-1.0, _dot(a / norm_a, b / norm_b)))


def std_decomposition(initial: Floats, weights: Floats) -> tuple[float | None, float | None]:
    """Split the change of the variance of weights of equal shape: ``std(w)^2 - std(w0)^2``.

    Returns
    -------
    along, added : float or None
        The two summands, ``2 cov(w0, D)`` and ``var(D)`` with D = w - w0 and ddof 1, in the
        weights' unit squared. None for a single weight.
    """
    before, now = _matching(initial, weights)
    if before.size < 2:
        return None, None
    _, start = _centred(before)
    _, change = _centred(now - before)
    along, added = 2 * _dot(start, change), _dot(change, change)
    return along / (before.size - 1), added / (before.size - 1)


def filter_summary(weights_2d: Floats) -> tuple[float | None, int]:
    """Return the share of variance between output filters, and the number of dead filters.

    `weights_2d` has the shape (filters, weights per filter).

    Returns
    -------
    between_filter_share : float or None
        Variance of the filters' means over the variance of all weights, both with ddof 0: the
        share of the total sum of squares that lies between filters (eta squared), from 0 to 1.
        Independent weights have (filters - 1) / (n - 1) on average. None where all are equal.
    dead_filters : int
        Filters whose own std is at most 1% of the filters' median std: at most, so that filters
        of zeros count even where they are the majority. A filter of one weight has its absolute
        value instead of a std.
    """
    filters = _finite(weights_2d)
    if filters.ndim != 2:
        raise ValueError(f"expected (filters, weights per filter), got shape {filters.shape}")
    _, centred = _centred(filters)
    total = _dot(centred, centred)
    between = float(np.sum(np.mean(centred, axis=1) ** 2)) * filters.shape[1]
    spread = np.std(filters, axis=1) if filters.shape[1] > 1 else np.abs(filters[:, 0])
    dead = int(np.count_nonzero(spread <= 0.01 * np.median(spread)))
    return min(1.0, between / total) if total > 0 else None, dead


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
        Standard deviation of the kernel, in the weights' unit. ValueError if it is not positive,
        or less than 1/200,000 of what the weights on the grid span.
    grid : array, shape (points,)
        Where to evaluate, in the weights' unit. Weights beyond it keep their share of the mass.

    Returns
    -------
    array, shape (points,)
        Per unit of the weights, within 1e-5 of the peak. Where the weights on the grid span more
        than 10,000 bandwidths, the error grows to at most 3e-3 of a lone weight's peak.
    """
    values, points = _finite(weights).ravel(), _finite(grid)
    reach = _PADDING * _positive(bandwidth)
    near = values[(values >= points.min() - reach) & (values <= points.max() + reach)]
    if near.size == 0:
        return np.zeros(points.shape)
    spectrum, step, size = _smoothed_spectrum(near, bandwidth)
    estimate = irfft(spectrum, n=size) * (near.size / values.size / step)
    # Relative to the lowest weight, beside which the bandwidth may be too small to add.
    offset = (points - near.min()) + reach
    shown: Float64s = np.interp(offset, np.arange(size) * step, estimate, left=0, right=0)
    shown[shown < 0] = 0  # FFT rounding leaves -1e-17 of the peak in the tails
    return shown


def roughness(weights: Floats, bandwidth: float) -> float | None:
    """Return J = ``std^5`` times the integral of f''^2, f being the `density` of weights.

    By Parseval's theorem on its FFT; the normal's value is in Silverman (1986), section 3.4.2.

    Parameters
    ----------
    weights : array, any shape
    bandwidth : float
        As of `density`: 1/200,000 of the weights' range or more.

    Returns
    -------
    float or None
        Without unit. A normal density has 3 / (8 sqrt(pi)) = 0.2116, smoothing multiplies that by
        (1 + (bandwidth / std)^2)^(-5/2). None where the std is 0 or undefined.
    """
    values, bandwidth = _finite(weights).ravel(), _positive(bandwidth)
    std = _std(values)
    if not std:
        return None
    spectrum, step, size = _smoothed_spectrum(values, bandwidth)
    # In units of the std, so that its fifth power cannot overflow.
    frequency = 2 * math.pi * np.fft.rfftfreq(size, step / std)
    power = frequency**4 * np.abs(spectrum) ** 2
    return 2 * float(np.sum(power)) * std / (size * step)


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
        Number B of random relabellings. Where B or fewer distinct ones exist, each of them counts
        once instead and the p-value is exact.
    seed : int
        Of the random relabellings.

    Returns
    -------
    pseudo_f : float or None
        Between-label over within-label mean square; None where the latter is 0.
    p_value : float
        (b + 1) / (B + 1), b relabellings having a pseudo-F at least as large.
    """
    matrix = _finite(distances)
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
    # The total is fixed, so a larger F is a smaller sum within labels. The margin keeps those
    # that only swap names, equal but for rounding, on the same side.
    closer = _within_squares(squares, relabelled, sizes) <= within + 1e-12 * total
    p_value = (int(np.count_nonzero(closer)) + 1) / (len(relabelled) + 1)
    return mean_squares[0] / mean_squares[1] if within > 0 else None, p_value


def init_std_quantiles(n: int, sigma: float, level: float = 0.95) -> tuple[float, float]:
    """Return the interval that the std (ddof 1) of n Gaussian weights has with a probability.

    Returns
    -------
    low, high : float
        In the unit of `sigma`, the std that the weights are drawn with; (1 - level) / 2 lies
        beyond each. Exact: (n - 1) S^2 / sigma^2 is chi-squared with n - 1 degrees of freedom.
    """
    if n < 2 or sigma <= 0 or not 0 < level < 1:
        got = f"{n}, {sigma:g} and {level:g}"
        raise ValueError(f"expected n >= 2, sigma > 0 and 0 < level < 1, got {got}")
    tails = np.array([(1 - level) / 2, (1 + level) / 2])
    low, high = sigma * np.sqrt(2 * gammaincinv((n - 1) / 2, tails) / (n - 1))
    return float(low), float(high)


def init_std_range(n: int, draws: int) -> float:
    """Return the 95% point of the range of the stds of several inits.

    Parameters
    ----------
    n : int
        Gaussian weights of one layer, 2 or more.
    draws : int
        Independent inits of the layer, 2 or more.

    Returns
    -------
    float
        Largest minus smallest std (ddof 1), in units of the std that the weights are drawn with:
        the r for which ``draws * integral of (F(x(u) + r) - u)^(draws - 1)``, u from 0 to 1, is
        0.95; F is the distribution of one std, x its inverse (Hartley 1942, Biometrika 32).
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
    """Return the std that torchvision's conv weights start with, ``sqrt(2 / (C_out k_h k_w))``.

    He et al. (2015) as torch.nn.init.kaiming_normal_ with fan_out and ReLU has it: groups change
    nothing, as torch counts every output channel.
    """
    return math.sqrt(2 / (out_channels * kernel_height * kernel_width))


def summarize(weights: Floats, initial: Floats, ordered: Floats) -> dict[str, float | int | None]:
    """Return every statistic of one layer of shape (output channels, ...).

    Parameters
    ----------
    weights, initial : array
        The layer now and at epoch 0.
    ordered : array, shape (n,)
        `weights` as `ascending` gives them.

    Returns
    -------
    dict
        n; mean, std, skewness, excess_kurtosis (`moments`); p01 to p99 (`percentiles`);
        iqr_ratio; l_skewness, l_kurtosis; ppcc_deficit; w1_normal (`wasserstein_to_normal`);
        displacement, cosine (to the initial weights); variance_along, variance_added
        (`std_decomposition`); between_filter_share, dead_filters.
    """
    quantiles = percentiles(ordered).tolist()
    l_skewness, l_kurtosis = l_moment_ratios(ordered)
    variance_along, variance_added = std_decomposition(initial, weights)
    between_filter_share, dead_filters = filter_summary(weights.reshape(len(weights), -1))
    return {
        "n": weights.size,
        **asdict(moments(weights)),
        **{f"p{p:02d}": value for p, value in zip(PERCENTILES, quantiles, strict=True)},
        "iqr_ratio": iqr_ratio(ordered),
        "l_skewness": l_skewness,
        "l_kurtosis": l_kurtosis,
        "ppcc_deficit": ppcc_deficit(ordered),
        "w1_normal": wasserstein_to_normal(ordered),
        "displacement": displacement(initial, weights),
        "cosine": cosine(initial, weights),
        "variance_along": variance_along,
        "variance_added": variance_added,
        "between_filter_share": between_filter_share,
        "dead_filters": dead_filters,
    }


def ascending(weights: Floats) -> Float64s:
    """Return weights of any shape flat and sorted, for every function that takes `ordered`."""
    return np.sort(weights, axis=None).astype(np.float64)  # float32 sorts several times faster


def _finite(values: Floats) -> Float64s:
    result = np.asarray(values, dtype=np.float64)
    if result.size == 0:
        raise ValueError(f"expected at least one value, got an array of shape {result.shape}")
    bad = result.size - int(np.count_nonzero(np.isfinite(result)))
    if bad:
        raise ValueError(f"{bad} of {result.size} values are not finite")
    return result


def _ascending(ordered: Floats) -> Float64s:
    values = _finite(ordered)
    if values.ndim != 1:
        raise ValueError(f"expected one dimension of sorted values, got shape {values.shape}")
    drops = int(np.count_nonzero(values[1:] < values[:-1]))
    if drops:
        raise ValueError(f"expected ascending values, got {drops} below the one before")
    return values


def _quantiles(values: Float64s, shares: Float64s) -> Float64s:
    """Return type 7 quantiles of sorted values at shares from 0 to 1."""
    position = (values.size - 1) * shares
    below = position.astype(np.intp)
    fraction = position - below
    low, high = values[below], values[np.minimum(below + 1, values.size - 1)]
    # From the nearer neighbour, as numpy does: monotone, and the same to the last digit.
    upward, downward = low + (high - low) * fraction, high - (high - low) * (1 - fraction)
    return np.where(fraction < 0.5, upward, downward)


def _matching(a: Floats, b: Floats) -> tuple[Float64s, Float64s]:
    if np.shape(a) != np.shape(b):
        raise ValueError(f"expected equal shapes, got {np.shape(a)} and {np.shape(b)}")
    return _finite(a).ravel(), _finite(b).ravel()


def _positive(bandwidth: float) -> float:
    if not 0 < bandwidth < math.inf:
        raise ValueError(f"bandwidth must be positive and finite, got {bandwidth}")
    return float(bandwidth)


def _dot(a: Float64s, b: Float64s) -> float:
    # Not BLAS: numpy's pairwise sum is more accurate and does not vary with the thread count.
    return float(np.sum(a * b))


def _norm(values: Float64s) -> float:
    return math.sqrt(_dot(values, values))


def _centred(values: Float64s) -> tuple[float, Float64s]:
    """Return the mean and the deviations from it, exactly 0 where all values are equal."""
    lowest = float(values.min())
    mean = lowest if lowest == values.max() else float(np.mean(values))
    return mean, values - mean


def _std(values: Float64s) -> float | None:
    return _norm(_centred(values)[1]) / math.sqrt(values.size - 1) if values.size > 1 else None


def _normal_pdf(x: Float64s) -> Float64s:
    return np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi)


# Layers are read one after the other, and an entry of VGG16's largest takes up to 38 MB.
@lru_cache(maxsize=2)
def _unit_normal_scores(n: int) -> Float64s:
    scores: Float64s = ndtri((np.arange(1, n + 1) - 3 / 8) / (n + 1 / 4))
    return scores / _norm(scores)


@cache
def _simulated_departures(size: int) -> Float64s:
    """Return the 95% points of the four absolute departures of `GaussianNull`."""
    found = []
    for sample in _gaussian_samples(size):
        ordered = np.sort(sample)
        shape, (_, l_kurtosis) = moments(ordered), l_moment_ratios(ordered)
        assert l_kurtosis is not None
        gap = l_kurtosis - L_KURTOSIS_OF_NORMAL
        found.append((shape.skewness, shape.excess_kurtosis, gap, wasserstein_to_normal(ordered)))
    upper: Float64s = np.quantile(np.abs(np.array(found, dtype=np.float64)), 0.95, axis=0)
    return upper


@cache
def _simulated_roughness_ratio(size: int) -> float:
    """Return the 90% point of abs(ln(J_a / J_b)) over pairs of samples."""
    found = []
    for sample in _gaussian_samples(size):
        bandwidth = roughness_bandwidth(float(np.std(sample, ddof=1)), size)
        found.append(roughness(sample, bandwidth))
    logarithms = np.log(np.array(found, dtype=np.float64))
    return float(np.quantile(np.abs(logarithms[::2] - logarithms[1::2]), 0.90))


def _gaussian_samples(size: int) -> Iterator[Float64s]:
    """Yield the samples of a null: the same numbers every time."""
    generator = np.random.default_rng(_NULL_SEED)
    return (generator.standard_normal(size) for _ in range(_NULL_SAMPLES))


@lru_cache(maxsize=2)
def _normal_cells(n: int) -> tuple[Float64s, Float64s]:
    """Return the normal quantiles of 0, 1/n, ..., 1 and the normal pdf there."""
    edges: Float64s = ndtri(np.arange(n + 1) / n)
    return edges, _normal_pdf(edges)


def _smoothed_spectrum(
    values: Float64s, bandwidth: float
) -> tuple[NDArray[np.complex128], float, int]:
    """Return the real FFT of the kernel-smoothed masses, their spacing and their number.

    The masses sum to 1. The first lies `_PADDING` bandwidths below the lowest value, the last as
    far above the highest, so that nothing wraps around.
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
    # The kernel's own transform: exact, as it is 0 long before the highest frequency.
    frequency = 2 * math.pi * np.fft.rfftfreq(size, step / bandwidth)
    return rfft(masses / values.size) * np.exp(-0.5 * frequency**2), step, size


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
