"""Standardization by the data set's channel statistics."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images, train_images: Images) -> Inputs:
    """Divide by 255, then standardize each channel by the training images' mean and std.

    The statistics are those of all prepared training images, even if a model uses fewer.
    """
    reference = unit.apply(train_images).astype(np.float64)
    mean: NDArray[np.float64] = reference.mean(axis=(0, 1, 2))
    spread: NDArray[np.float64] = reference.std(axis=(0, 1, 2))
    spread[spread == 0] = 1
    return ((unit.apply(images) - mean) / spread).astype(np.float32)
