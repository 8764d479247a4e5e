"""A normalization by numbers of the configuration."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs, Scaling


def apply(images: Images, scaling: Scaling) -> Inputs:
    """Divide, subtract the means and divide by the standard deviations, each step in float32.

    With ImageNet's numbers the result is that of `imagenet`, to the last bit.
    """
    scaled: Inputs = np.divide(images, np.float32(scaling.divide), dtype=np.float32)
    mean, std = (np.array(numbers, dtype=np.float32) for numbers in (scaling.mean, scaling.std))
    inputs: Inputs = (scaled - mean) / std
    return inputs
