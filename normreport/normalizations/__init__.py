"""Input normalizations, which are the arms of the experiment.

Each module has one function `apply`, which converts uint8 images, shape (N, H, W, 3), to float32
of the same shape. To add a normalization, add a module. Images have been resized before; only
`published_meanstd` resizes again, as the published pipeline does. `dataset` uses statistics of the
training images; the others treat each image independently.

The configuration can define more: a `Scaling`, or a function in a Python file (`OwnFile`).

The modules are imported by name, when they are used. A run thus depends only on the code of its
own normalization, and an edit of one normalization does not retrain the others.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]
Channels = tuple[float, float, float]
"""One number per colour channel."""

# 256 images of 32 x 32 px or 5 of 224 x 224: 64 MiB as output of VGG16's first convolution.
BATCH_PIXELS = 256 * 32**2

# Modules with an underscore apply what the configuration defines.
NORMALIZATIONS = tuple(
    module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_")
)


@dataclass(frozen=True)
class Scaling:
    """Division by a number, then by channel: a mean is subtracted, a standard deviation divides."""

    divide: float
    mean: Channels
    std: Channels


@dataclass(frozen=True)
class OwnFile:
    """A function ``transform(images, train_images)`` in a Python file of the user."""

    file: str


Normalization = str | Scaling | OwnFile
"""One of ``NORMALIZATIONS``, or a normalization that the configuration defines."""


def module_name(normalization: Normalization) -> str:
    """Return the dotted name of the module that applies a normalization."""
    if isinstance(normalization, Scaling):
        return f"{__name__}._scaling"
    if isinstance(normalization, OwnFile):
        return f"{__name__}._own_file"
    return f"{__name__}.{normalization}"


def normalize(
    images: Images, normalization: Normalization, train_images: Images | None = None
) -> Inputs:
    """Apply a normalization to images.

    Parameters
    ----------
    images : array of uint8, shape (N, H, W, 3)
    normalization
        One of ``NORMALIZATIONS``, or one that the configuration defines.
    train_images : array of uint8, shape (M, H, W, 3), optional
        Images whose statistics `dataset` and the user's own functions can use; by default `images`.

    Returns
    -------
    array of float32, shape (N, H, W, 3)

    Raises
    ------
    ConfigError
        If a function of the user fails, or returns something else.
    """
    module = importlib.import_module(module_name(normalization))
    reference = images if train_images is None else train_images
    inputs: Inputs
    if isinstance(normalization, OwnFile):
        inputs = module.apply(images, reference, normalization.file)
    elif isinstance(normalization, Scaling):
        inputs = module.apply(images, normalization)
    elif normalization == "dataset":
        inputs = module.apply(images, reference)
    else:
        inputs = module.apply(images)
    return inputs


def batches(images: int, image_size_px: int) -> Iterator[slice]:
    """Yield slices of at most `BATCH_PIXELS` pixels, or of one image, to bound the memory."""
    size = max(1, BATCH_PIXELS // image_size_px**2)
    for start in range(0, images, size):
        yield slice(start, start + size)
