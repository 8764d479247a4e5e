"""The article's "min/max normalization"."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images) -> Inputs:
    """Convert to float32 and divide by 255."""
    return unit.apply(images)
