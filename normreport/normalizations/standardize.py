"""Each image's own mean and standard deviation."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Give every image mean 0 and standard deviation 1, over all its values; a constant one 0."""
    values = images.astype(np.float64)
    mean: NDArray[np.float64] = values.mean(axis=(1, 2, 3), keepdims=True)
    spread: NDArray[np.float64] = values.std(axis=(1, 2, 3), keepdims=True)
    spread[spread == 0] = 1
    return ((values - mean) / spread).astype(np.float32)
