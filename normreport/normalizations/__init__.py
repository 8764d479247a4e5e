"""The arms of the experiment: what happens to an image before the network sees it.

One module per arm, each with one function `apply`, from uint8 images, shape (N, H, W, 3), to
float32 of the same shape. A new arm is a new module. Images were resized beforehand, once and
alike for every arm; only `published_meanstd` resizes again, as its original did. All but `dataset`,
which takes statistics from the training images, look at nothing but the image itself.

No arm is imported here: a run depends on its own arm's source, so that an edit of one arm trains no
other anew.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]

# 256 images of 32 x 32 px, 5 of 224 x 224: VGG16's first convolution makes 64 MiB of them.
BATCH_PIXELS = 256 * 32**2

NORMALIZATIONS = tuple(module.name for module in pkgutil.iter_modules(__path__))


def source(name: str) -> str:
    """Give the module of the arm called `name`, for the source files that a stage depends on."""
    return f"{__name__}.{name}"


def normalize(images: Images, name: str, train_images: Images | None = None) -> Inputs:
    """Apply the arm called `name`.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
    name
        One of ``NORMALIZATIONS``.
    train_images : array of uint8, shape (M, H, W, 3), optional
        Where `dataset` takes its statistics from; `images` themselves if not given.

    Returns
    -------
    array of float32, shape (N, H, W, 3)
    """
    arm = importlib.import_module(source(name))
    inputs: Inputs
    if name == "dataset":
        inputs = arm.apply(images, images if train_images is None else train_images)
    else:
        inputs = arm.apply(images)
    return inputs


def batches(images: int, image_size_px: int) -> Iterator[slice]:
    """Yield slices of at most `BATCH_PIXELS` pixels, or of one image, so that memory is bounded."""
    size = max(1, BATCH_PIXELS // image_size_px**2)
    for start in range(0, images, size):
        yield slice(start, start + size)
