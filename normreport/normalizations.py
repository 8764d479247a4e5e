"""The arms of the experiment: what happens to an image before the network sees it.

Every arm is a pure function from uint8 images ``(N, H, W, 3)`` to float32 of the same shape.
Images were resized beforehand, once and alike for every arm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]

# Channel statistics of ImageNet's training images, as torchvision's reference weights use them.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)


def raw(images: Images) -> Inputs:
    """Leave the values 0..255 as they are."""
    return images.astype(np.float32)


def unit(images: Images) -> Inputs:
    """Divide by 255: the values lie in [0, 1]. This is also what torchvision's ToTensor does."""
    return raw(images) / np.float32(255)


def imagenet(images: Images) -> Inputs:
    """Divide by 255, subtract ImageNet's channel means, divide by its standard deviations."""
    return (unit(images) - IMAGENET_MEAN) / IMAGENET_STD


NORMALIZATIONS: Mapping[str, Callable[[Images], Inputs]] = MappingProxyType(
    {arm.__name__: arm for arm in (raw, unit, imagenet)}
)


def normalize(images: Images, name: str) -> Inputs:
    """Apply the arm called `name`.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
    name
        A key of ``NORMALIZATIONS``.

    Returns
    -------
    array of float32, shape (N, H, W, 3)
    """
    return NORMALIZATIONS[name](images)
