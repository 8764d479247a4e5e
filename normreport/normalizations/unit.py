"""Division by 255."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs


def apply(images: Images) -> Inputs:
    """Divide by 255 to the range [0, 1], as torchvision's ToTensor does."""
    return np.divide(images, np.float32(255), dtype=np.float32)
