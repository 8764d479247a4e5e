"""Min-max scaling of each image."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Map each image's smallest value to 0 and its largest to 1. A constant image becomes 0."""
    values = images.astype(np.float32)
    low: Inputs = values.min(axis=(1, 2, 3), keepdims=True)
    extent: Inputs = values.max(axis=(1, 2, 3), keepdims=True) - low
    extent[extent == 0] = 1
    return (values - low) / extent
