"""The shift of `imagenet` without its scale."""

from __future__ import annotations

from normreport.normalizations import Images, Inputs, imagenet, unit


def apply(images: Images) -> Inputs:
    """Divide by 255 and subtract ImageNet's channel means."""
    return unit.apply(images) - imagenet.MEAN
