"""The other half of `imagenet`: the shift."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, imagenet, unit


def apply(images: Images) -> Inputs:
    """Divide by 255 and subtract ImageNet's channel means; divide by nothing more."""
    return unit.apply(images) - imagenet.MEAN
