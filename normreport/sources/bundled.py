"""The images that need no network: scikit-learn's digits and scikit-image's photographs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

import numpy as np
from PIL import Image

from normreport.config.data import Bundled, DataSettings
from normreport.sources.pool import Pool, Splits

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


def _digits(settings: DataSettings) -> Splits:
    """scikit-learn's handwritten digits: 1,797 images of 8 x 8 pixels with values 0..16."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    grey = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    return Splits(
        name="digits",
        classes=tuple(str(name) for name in digits.target_names),
        train=Pool.stratified(
            digits.target.astype(np.int64), lambda i: Image.fromarray(grey[i]), settings.seed
        ),
    )


def _photographs(settings: DataSettings) -> Splits:
    """Random square crops of scikit-image's photographs; the class is the photograph."""
    from skimage import data

    photographs = []
    for name in PHOTOGRAPHS:
        pixels = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
        photographs.append(Image.fromarray(pixels).convert("RGB"))

    def crops(count: int, low: float, high: float, stream: int) -> Pool:
        generator = np.random.default_rng([settings.seed, stream])
        labels = np.resize(np.arange(len(photographs)), count)
        boxes = [_random_box(photographs[label], low, high, generator) for label in labels]
        return Pool(labels, np.arange(count), lambda i: photographs[labels[i]].crop(boxes[i]))

    return Splits(
        name="photographs",
        classes=PHOTOGRAPHS,
        # Of few as of many each photograph has a crop to choose from.
        train=crops(max(settings.train_images, len(PHOTOGRAPHS)), 0.0, TRAIN_WIDTH, 0),
        heldout=crops(settings.heldout_images, TRAIN_WIDTH, 1.0, 1),
    )


def _random_box(
    image: Image.Image, low: float, high: float, generator: np.random.Generator
) -> tuple[int, int, int, int]:
    """Choose a random square in the vertical band [low, high) of the width."""
    left, right = round(image.width * low), round(image.width * high)
    smaller = min(right - left, image.height)
    side = int(generator.integers(round(smaller * CROP_SIDE[0]), round(smaller * CROP_SIDE[1])))
    x = int(generator.integers(left, right - side + 1))
    y = int(generator.integers(0, image.height - side + 1))
    return x, y, x + side, y + side


SOURCES: Mapping[Bundled, Callable[[DataSettings], Splits]] = MappingProxyType(
    {"digits": _digits, "photographs": _photographs}
)
