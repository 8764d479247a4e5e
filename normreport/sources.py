"""Where images come from: every source ends as the same uint8 arrays.

Images are resized here, once and before any normalization, so that arms differ in nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normreport.errors import DataError
from normreport.settings.data import DataSettings

# Photographs that scikit-image ships in its wheel, so that nothing is downloaded.
PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "chelsea", "coffee",
    "coins", "grass", "gravel", "motorcycle", "rocket",
)  # fmt: skip
# Crops for training come from the left of a photograph, held-out crops from the right of this
# share of its width, so that no pixel is in both.
TRAIN_WIDTH = 0.75
# Side of a crop, relative to the smaller of its region's sides.
CROP_SIDE = (0.25, 0.75)


@dataclass(frozen=True)
class DataSet:
    """Images and labels, split.

    Attributes
    ----------
    train_images, heldout_images : array of uint8, shape (N, H, W, 3)
    train_labels, heldout_labels : array of int64, shape (N,)
        Ordered so that any first part is stratified by class as well as it can be.
    classes
        Names, in the order of the labels.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    heldout_images: NDArray[np.uint8]
    heldout_labels: NDArray[np.int64]
    classes: tuple[str, ...]


def load(settings: DataSettings) -> DataSet:
    """Read, choose, resize and split the images of a source.

    Raises
    ------
    DataError
        If the source has fewer images than asked for.
    """
    return SOURCES[settings.source](settings)


def _digits(settings: DataSettings) -> DataSet:
    """scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels with values 0..16."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    labels = digits.target.astype(np.int64)
    generator = np.random.default_rng(settings.seed)
    order = _stratified_order(labels, generator)
    wanted = settings.train_images + settings.heldout_images
    if wanted > len(order):
        raise DataError(
            f"digits: train_images + heldout_images is {wanted}, expected at most {len(order)}, "
            "the images that the source has. Ask for fewer."
        )
    chosen = order[:wanted]
    grey = np.rint(digits.images[chosen] * (255 / 16)).astype(np.uint8)
    size = settings.image_size_px
    images = np.stack([_resized(Image.fromarray(image).convert("RGB"), size) for image in grey])
    # Held-out images are the head of the stratified order: they stay the same when the number
    # of training images grows.
    heldout = settings.heldout_images
    return DataSet(
        train_images=images[heldout:],
        train_labels=labels[chosen[heldout:]],
        heldout_images=images[:heldout],
        heldout_labels=labels[chosen[:heldout]],
        classes=tuple(str(name) for name in digits.target_names),
    )


def _photographs(settings: DataSettings) -> DataSet:
    """Random square crops of scikit-image's photographs, resized; the class is the photograph."""
    from skimage import data

    photographs = []
    for name in PHOTOGRAPHS:
        pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
        photographs.append(Image.fromarray(pixels).convert("RGB"))

    def crops(
        count: int, low: float, high: float, stream: int
    ) -> tuple[list[NDArray[np.uint8]], list[int]]:
        generator = np.random.default_rng([settings.seed, stream])
        labels = np.resize(np.arange(len(photographs)), count)
        images = [
            _random_crop(photographs[label], low, high, settings.image_size_px, generator)
            for label in labels
        ]
        return images, labels.tolist()

    train_images, train_labels = crops(settings.train_images, 0.0, TRAIN_WIDTH, 0)
    heldout_images, heldout_labels = crops(settings.heldout_images, TRAIN_WIDTH, 1.0, 1)
    return DataSet(
        train_images=np.stack(train_images),
        train_labels=np.array(train_labels, dtype=np.int64),
        heldout_images=np.stack(heldout_images),
        heldout_labels=np.array(heldout_labels, dtype=np.int64),
        classes=PHOTOGRAPHS,
    )


SOURCES: Mapping[str, Callable[[DataSettings], DataSet]] = MappingProxyType(
    {"digits": _digits, "photographs": _photographs}
)


def _stratified_order(
    labels: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle so that every prefix holds each class in proportion, up to rounding.

    Each image gets the quantile of its place within its shuffled class; sorting by that quantile
    spreads every class evenly.
    """
    shuffled = generator.permutation(len(labels))
    quantile = np.empty(len(labels))
    for label in np.unique(labels):
        members = shuffled[labels[shuffled] == label]
        quantile[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(quantile[shuffled], kind="stable")].astype(np.int64)


def _random_crop(
    image: Image.Image, low: float, high: float, size: int, generator: np.random.Generator
) -> NDArray[np.uint8]:
    """Crop a random square out of the vertical band [low, high) of the width."""
    left, right = round(image.width * low), round(image.width * high)
    smaller = min(right - left, image.height)
    side = int(generator.integers(round(smaller * CROP_SIDE[0]), round(smaller * CROP_SIDE[1])))
    x = int(generator.integers(left, right - side + 1))
    y = int(generator.integers(0, image.height - side + 1))
    return _resized(image.crop((x, y, x + side, y + side)), size)


def _resized(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Resize to a square with Pillow's antialiased bilinear filter."""
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
