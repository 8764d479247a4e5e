"""Distribution of the input values that a network sees under each arm."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from normreport.normalizations import Inputs

BINS = 64


def input_histograms(inputs: Mapping[str, Inputs]) -> pd.DataFrame:
    """Histogram of every arm and channel, on the arm's own range.

    Parameters
    ----------
    inputs : mapping of arm to float32 array of shape (N, H, W, 3)

    Returns
    -------
    DataFrame
        Columns normalization, channel (r, g, b), left, right, share; shares sum to 1 per channel.
    """
    tables = []
    for arm, values in inputs.items():
        edges = np.linspace(float(values.min()), float(values.max()), BINS + 1)
        for index, channel in enumerate("rgb"):
            counts, _ = np.histogram(values[..., index], bins=edges)
            columns = {"left": edges[:-1], "right": edges[1:], "share": counts / counts.sum()}
            tables.append(pd.DataFrame({"normalization": arm, "channel": channel, **columns}))
    return pd.concat(tables, ignore_index=True)
