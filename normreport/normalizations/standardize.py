"""Standardization of each image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Scale each image to mean 0 and standard deviation 1. A constant image becomes 0."""
    values = images.astype(np.float64)
    mean: NDArray[np.float64] = values.mean(axis=(1, 2, 3), keepdims=True)
    spread: NDArray[np.float64] = values.std(axis=(1, 2, 3), keepdims=True)
    spread[spread == 0] = 1
    return ((values - mean) / spread).astype(np.float32)
