"""Standardization by ImageNet's channel statistics, as torchvision's weights expect."""

from __future__ import annotations

import numpy as np

from normreport.normalizations import Images, Inputs, unit

MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def apply(images: Images) -> Inputs:
    """Divide by 255, subtract ImageNet's channel means and divide by its standard deviations."""
    return (unit.apply(images) - MEAN) / STD
