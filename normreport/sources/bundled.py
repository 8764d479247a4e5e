"""Images that need no download: handwritten digits, printed digits, crops of photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image

from normreport.config.data import Bundled, DataSettings
from normreport.sources.pool import ImagePool, SourceImages
from normreport.sources.printed_digits import list_printed_digits

# Photographs in scikit-image's wheel.
PHOTOGRAPHS = (
    "astronaut", "brick", "camera", "chelsea", "coffee",
    "coins", "grass", "gravel", "motorcycle", "rocket",
)  # fmt: skip
# Training crops come from this share of a photograph's width, at its left, and held-out crops from
# the rest. The splits share no pixel.
TRAIN_WIDTH = 0.75
# Smallest and largest side of a crop, relative to the shorter side of its region.
CROP_SIDE = (0.25, 0.75)


def _list_digits(settings: DataSettings) -> SourceImages:
    """List scikit-learn's handwritten digits: 1,797 images, 8 x 8 pixels, values 0 to 16."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return SourceImages(
        name="digits",
        classes=tuple(str(name) for name in digits.target_names),
        train=ImagePool.stratified(
            digits.target.astype(np.int64), lambda i: Image.fromarray(grey[i]), settings.seed
        ),
    )


def _list_photographs(settings: DataSettings) -> SourceImages:
    """List random square crops of scikit-image's photographs; the class is the photograph."""
    from skimage import data

    photographs = []
    for name in PHOTOGRAPHS:
        pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
        photographs.append(Image.fromarray(pixels).convert("RGB"))

    def crops(count: int, low: float, high: float, stream: int) -> ImagePool:
        generator = np.random.default_rng([settings.seed, stream])
        labels = np.resize(np.arange(len(photographs)), count)
        boxes = [_random_box(photographs[label], low, high, generator) for label in labels]
        return ImagePool(labels, np.arange(count), lambda i: photographs[labels[i]].crop(boxes[i]))

    return SourceImages(
        name="photographs",
        classes=PHOTOGRAPHS,
        # At least one crop of each photograph, even if fewer are needed.
        train=crops(max(settings.train_images, len(PHOTOGRAPHS)), 0.0, TRAIN_WIDTH, 0),
        heldout=crops(settings.heldout_images, TRAIN_WIDTH, 1.0, 1),
    )


def _random_box(
    image: Image.Image, low: float, high: float, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """Return a random square, (left, top, right, bottom), from [low, high) of the width."""
    left, right = round(image.width * low), round(image.width * high)
    smaller = min(right - left, image.height)
    side = int(generator.integers(round(smaller * CROP_SIDE[0]), round(smaller * CROP_SIDE[1])))
    x = int(generator.integers(left, right - side + 1))
    y = int(generator.integers(0, image.height - side + 1))
    return x, y, x + side, y + side


SOURCES: Mapping[Bundled, Callable[[DataSettings], SourceImages]] = MappingProxyType(
    {
        "digits": _list_digits,
        "printed_digits": list_printed_digits,
        "photographs": _list_photographs,
    }
)
