"""No normalization."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Convert to float32 and keep the values 0 to 255."""
    return images.astype(np.float32)
