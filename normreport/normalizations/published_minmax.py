"""What the article calls min/max normalization."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images) -> Inputs:
    """Do what the article calls min/max normalization: float32, divided by 255."""
    return unit.apply(images)
