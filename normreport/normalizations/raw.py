"""No normalization."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Leave the values 0..255 as they are."""
    return images.astype(np.float32)
