"""Images as pictures in a figure."""

import math
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]
Pictures = npt.NDArray[np.uint8]

_MOST_PIXELS = 80  # of a side; larger images are averaged over blocks
_MOST_BYTES = 120_000  # of all pictures of a figure, compressed


def displayed(rows: Sequence[Images], limits: Sequence[tuple[float, float]]) -> list[Pictures]:
    """Turn inputs of networks into pictures that are small enough for a page.

    Parameters
    ----------
    rows : sequence of numpy.ndarray
        The rows of a figure, each of shape (k, H, W, 3).
    limits : sequence of tuple of float
        For each row, the values that become black and full intensity.

    Returns
    -------
    list of numpy.ndarray
        For each row, shape (k, h, w, 3). Blocks of pixels are averaged in large images, and in
        all images if the figure would be too large.
    """
    side = _MOST_PIXELS
    while True:
        pictures = [
            _averaged(images, low, high, side)
            for images, (low, high) in zip(rows, limits, strict=True)
        ]
        size = sum(len(zlib.compress(one.tobytes())) for row in pictures for one in row)
        if size <= _MOST_BYTES or side <= 8:
            return pictures
        side = math.ceil(side / 1.25)


def _averaged(images: Images, low: float, high: float, side: int) -> Pictures:
    """Scale images, and average blocks of pixels so that no side is longer than `side`."""
    values = (images.astype(float) - low) / ((high - low) or 1.0)
    block = math.ceil(max(values.shape[1:3]) / side)
    k, height, width = values.shape[0], values.shape[1] // block, values.shape[2] // block
    values = values[:, : height * block, : width * block]
    values = values.reshape(k, height, block, width, block, 3).mean(axis=(2, 4))
    return np.asarray((255 * values.clip(0, 1)).round(), dtype=np.uint8)
