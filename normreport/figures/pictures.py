"""Images as pictures in a figure."""

import math

import numpy as np
import numpy.typing as npt

_MOST_PIXELS = 80  # of a side; larger images are averaged over blocks


def displayed(images: npt.NDArray[np.float32], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Turn the input of a network into pictures that are small enough for a page.

    Parameters
    ----------
    images : numpy.ndarray
        Shape (k, H, W, 3).
    low, high : float
        The values that become black and full intensity.

    Returns
    -------
    numpy.ndarray
        Shape (k, h, w, 3). Blocks of pixels are averaged in large images.
    """
    values = (images.astype(float) - low) / ((high - low) or 1.0)
    block = math.ceil(max(values.shape[1:3]) / _MOST_PIXELS)
    k, height, width = values.shape[0], values.shape[1] // block, values.shape[2] // block
    values = values[:, : height * block, : width * block]
    values = values.reshape(k, height, block, width, block, 3).mean(axis=(2, 4))
    return np.asarray((255 * values.clip(0, 1)).round(), dtype=np.uint8)
