"""The scale of `imagenet` without its shift."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, imagenet, unit


def apply(images: Images) -> Inputs:
    """Divide by 255 and by ImageNet's channel standard deviations."""
    return unit.apply(images) / imagenet.STD
