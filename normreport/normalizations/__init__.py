"""Input normalizations, which are the arms of the experiment.

Each module has one function `apply`, which converts uint8 images, shape (N, H, W, 3), to float32
of the same shape. To add a normalization, add a module. Images have been resized before; only
`published_meanstd` resizes again, as the published pipeline does. `dataset` uses statistics of the
training images; the others treat each image independently.

The modules are imported by name, when they are used. A run thus depends only on the code of its
own normalization, and an edit of one normalization does not retrain the others.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]

# 256 images of 32 x 32 px or 5 of 224 x 224: 64 MiB as output of VGG16's first convolution.
BATCH_PIXELS = 256 * 32**2

NORMALIZATIONS = tuple(module.name for module in pkgutil.iter_modules(__path__))


def module_name(name: str) -> str:
    """Return the dotted name of a normalization's module."""
    return f"{__name__}.{name}"


def normalize(images: Images, name: str, train_images: Images | None = None) -> Inputs:
    """Apply a normalization to images.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
    name
        One of ``NORMALIZATIONS``.
    train_images : array of uint8, shape (M, H, W, 3), optional
        Images whose statistics `dataset` uses; by default `images`.

    Returns
    -------
    array of float32, shape (N, H, W, 3)
    """
    module = importlib.import_module(module_name(name))
    inputs: Inputs
    if name == "dataset":
        inputs = module.apply(images, images if train_images is None else train_images)
    else:
        inputs = module.apply(images)
    return inputs


def batches(images: int, image_size_px: int) -> Iterator[slice]:
    """Yield slices of at most `BATCH_PIXELS` pixels, or of one image, to bound the memory."""
    size = max(1, BATCH_PIXELS // image_size_px**2)
    for start in range(0, images, size):
        yield slice(start, start + size)
