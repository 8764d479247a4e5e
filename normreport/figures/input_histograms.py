"""Distribution of the input values that a network sees under each arm."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.normalizations import Images, Inputs, batches, normalize

BINS = 64


def input_histograms(images: Images, arms: Sequence[str]) -> pd.DataFrame:
    """Histogram of every arm and channel, on the arm's own range.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
    arms
        Names of normalizations. Their inputs are made a batch of images at a time, twice: once for
        the range, once to count.

    Returns
    -------
    DataFrame
        Columns normalization, channel (r, g, b), left, right, share; shares sum to 1 per channel.
    """
    tables = []
    for arm in arms:
        extremes = [(values.min(), values.max()) for values in _inputs(images, arm)]
        low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
        edges = np.linspace(float(low), float(high), BINS + 1)
        counts = np.sum([_counts(values, edges) for values in _inputs(images, arm)], axis=0)
        for channel, counted in zip("rgb", counts, strict=True):
            columns = {"left": edges[:-1], "right": edges[1:], "share": counted / counted.sum()}
            tables.append(pd.DataFrame({"normalization": arm, "channel": channel, **columns}))
    return pd.concat(tables, ignore_index=True)


def _inputs(images: Images, arm: str) -> Iterator[Inputs]:
    for part in batches(len(images), images.shape[1]):
        yield normalize(images[part], arm, images)


def _counts(inputs: Inputs, edges: NDArray[np.float64]) -> NDArray[np.intp]:
    """Count every channel's values per bin, shape (3, bins)."""
    return np.array([np.histogram(inputs[..., channel], bins=edges)[0] for channel in range(3)])
