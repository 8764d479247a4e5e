"""Division by 255, twice."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images) -> Inputs:
    """Divide by 255 twice, a common mistake: scaling an image that is already scaled."""
    return np.divide(unit.apply(images), np.float32(255), dtype=np.float32)
