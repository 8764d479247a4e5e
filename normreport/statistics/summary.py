"""Every statistic of one layer."""

from __future__ import annotations

from dataclasses import asdict

from normreport.statistics.arrays import Floats
from normreport.statistics.filters import filter_summary
from normreport.statistics.moments import l_moment_ratios, moments
from normreport.statistics.movement import cosine, displacement, std_decomposition
from normreport.statistics.normality import ppcc_deficit, wasserstein_to_normal
from normreport.statistics.quantiles import PERCENTILES, iqr_ratio, percentiles


def summarize(weights: Floats, initial: Floats, ordered: Floats) -> dict[str, float | int | None]:
    """Return every statistic of one layer of shape (output channels, ...).

    Parameters
    ----------
    weights, initial : array
        The layer now and at epoch 0.
    ordered : array, shape (n,)
        `weights` as `sort_weights` returns them.

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
