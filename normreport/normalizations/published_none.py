"""The article's "no normalization"."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images) -> Inputs:
    """Apply torchvision's ToTensor, which divides by 255."""
    return unit.apply(images)
