"""An arm of the study: how pixel values become the inputs of a network."""

import numpy as np


def transform(images: np.ndarray, train_images: np.ndarray) -> np.ndarray:
    """Subtract the mean of the training images, and divide by their standard deviation.

    Parameters
    ----------
    images : numpy.ndarray
        uint8 of shape (N, H, W, 3): a batch.
    train_images : numpy.ndarray
        All training images, likewise.

    Returns
    -------
    numpy.ndarray
        float32 of the shape of `images`.
    """
    mean = train_images.mean(axis=(0, 1, 2))
    std = train_images.std(axis=(0, 1, 2)) + 1e-6
    return ((images - mean) / std).astype(np.float32)
