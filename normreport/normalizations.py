"""The arms of the experiment: what happens to an image before the network sees it.

Every arm is a pure function from uint8 images, shape (N, H, W, 3), to float32 of the same shape.
Images were resized beforehand, once and alike for every arm; of the arms below only
`published_meanstd` resizes again, as its original did. All but `dataset`, which takes statistics
from the training images, look at nothing but the image itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Images = NDArray[np.uint8]
Inputs = NDArray[np.float32]

# Channel statistics of ImageNet's training images, as torchvision's reference weights use them.
IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], dtype=np.float32)
IMAGENET_STD = np.array([0.229, 0.224, 0.225], dtype=np.float32)
# Height and width that the article's third pipeline resizes to, and the other two do not.
PUBLISHED_SIZE_PX = 224


def raw(images: Images) -> Inputs:
    """Leave the values 0..255 as they are."""
    return images.astype(np.float32)


def unit(images: Images) -> Inputs:
    """Divide by 255: the values lie in [0, 1]. This is also what torchvision's ToTensor does."""
    return np.divide(images, np.float32(255), dtype=np.float32)


def placebo(images: Images) -> Inputs:
    """Multiply by 1/255: `unit` but for the last bit of 126 of the 256 levels."""
    return np.multiply(images, np.float32(1 / 255), dtype=np.float32)


def double(images: Images) -> Inputs:
    """Divide by 255 twice, as happens where a pipeline scales what was scaled before."""
    return np.divide(unit(images), np.float32(255), dtype=np.float32)


def minmax(images: Images) -> Inputs:
    """Map every image's own smallest value to 0 and its largest to 1; a constant image to 0."""
    values = images.astype(np.float32)
    low: Inputs = values.min(axis=(1, 2, 3), keepdims=True)
    extent: Inputs = values.max(axis=(1, 2, 3), keepdims=True) - low
    extent[extent == 0] = 1
    return (values - low) / extent


def standardize(images: Images) -> Inputs:
    """Give every image mean 0 and standard deviation 1, over all its values; a constant one 0."""
    values = images.astype(np.float64)
    mean: NDArray[np.float64] = values.mean(axis=(1, 2, 3), keepdims=True)
    spread: NDArray[np.float64] = values.std(axis=(1, 2, 3), keepdims=True)
    spread[spread == 0] = 1
    return ((values - mean) / spread).astype(np.float32)


def dataset(images: Images, train_images: Images) -> Inputs:
    """Divide by 255, then standardize each channel by the training images' mean and std.

    Of all that were prepared, also where a model is trained on fewer.
    """
    reference = unit(train_images).astype(np.float64)
    mean: NDArray[np.float64] = reference.mean(axis=(0, 1, 2))
    spread: NDArray[np.float64] = reference.std(axis=(0, 1, 2))
    spread[spread == 0] = 1
    return ((unit(images) - mean) / spread).astype(np.float32)


def imagenet(images: Images) -> Inputs:
    """Divide by 255, subtract ImageNet's channel means, divide by its standard deviations."""
    return (unit(images) - IMAGENET_MEAN) / IMAGENET_STD


def std_only(images: Images) -> Inputs:
    """Divide by 255 and by ImageNet's channel standard deviations; subtract nothing."""
    return unit(images) / IMAGENET_STD


def mean_only(images: Images) -> Inputs:
    """Divide by 255 and subtract ImageNet's channel means; divide by nothing more."""
    return unit(images) - IMAGENET_MEAN


def published_none(images: Images) -> Inputs:
    """Do what the article calls no normalization: ToTensor, which divides by 255."""
    return unit(images)


def published_minmax(images: Images) -> Inputs:
    """Do what the article calls min/max normalization: float32, divided by 255."""
    return unit(images)


def published_meanstd(images: Images) -> Inputs:
    """Resize to 224 x 224 px (the only arm that does), then `imagenet`."""
    size = (PUBLISHED_SIZE_PX, PUBLISHED_SIZE_PX)
    resized = [Image.fromarray(image).resize(size, Image.Resampling.BILINEAR) for image in images]
    return imagenet(np.stack([np.asarray(image) for image in resized]))


OF_AN_IMAGE: Mapping[str, Callable[[Images], Inputs]] = MappingProxyType(
    {
        arm.__name__: arm
        for arm in (
            raw,
            unit,
            placebo,
            double,
            minmax,
            standardize,
            imagenet,
            std_only,
            mean_only,
            published_none,
            published_minmax,
            published_meanstd,
        )
    }
)
NORMALIZATIONS = (*OF_AN_IMAGE, dataset.__name__)


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
    if name == dataset.__name__:
        return dataset(images, images if train_images is None else train_images)
    return OF_AN_IMAGE[name](images)
