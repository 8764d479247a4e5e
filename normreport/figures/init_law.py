"""The standard deviation that the law of the random init allows a layer at epoch 0."""

import pandas as pd

from normreport.statistics.initialization import init_std_quantiles


def init_band(scratch: pd.DataFrame) -> tuple[float, float] | None:
    """Return the range of the std that the random init alone gives to a layer.

    Parameters
    ----------
    scratch : pandas.DataFrame
        Columns `n` (weights of the layer), `kaiming_std`, `epoch` and `std`; rows of one layer,
        of runs from scratch.

    Returns
    -------
    tuple of float or None
        The range that holds 95% of the inits. None if the weights at epoch 0 were not drawn by
        the law of VGG and MobileNet: the std of some seed is outside what that law allows, or the
        layer has a single weight.
    """
    n, sigma = int(scratch["n"].iloc[0]), float(scratch["kaiming_std"].iloc[0])
    if n < 2:
        return None
    low, high = init_std_quantiles(n, sigma, 0.999999)
    first = scratch[scratch["epoch"] == 0]["std"]
    return init_std_quantiles(n, sigma) if first.between(low, high).all() else None
