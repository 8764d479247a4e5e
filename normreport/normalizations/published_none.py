"""What the article calls no normalization."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, unit


def apply(images: Images) -> Inputs:
    """Do what the article calls no normalization: ToTensor, which divides by 255."""
    return unit.apply(images)
