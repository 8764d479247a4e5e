"""The images of a source before decoding, and the order in which they are chosen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class ImagePool:
    """Labeled images to choose from, decoded on demand.

    Attributes
    ----------
    labels : array of int64, shape (N,)
    order : array of int64, shape (at most N,)
        Numbers of the images; the first ones are used.
    read
        Decodes the image of a number to Pillow's mode L or RGB. Called from several threads.
        Raises UnreadableImageError.
    """

    labels: NDArray[np.int64]
    order: NDArray[np.int64]
    read: Callable[[int], Image.Image]

    @classmethod
    def stratified(
        cls, labels: NDArray[np.int64], read: Callable[[int], Image.Image], seed: int
    ) -> Self:
        """Create a pool in a random order whose prefixes are stratified by class."""
        return cls(labels, stratified_order(labels, np.random.default_rng(seed)), read)


@dataclass(frozen=True)
class Unused:
    """Files of a source that are not used.

    Attributes
    ----------
    name
        Their common suffix (``*.heic``), folder (``test/``) or place (``train/*.jpg``); empty for
        files without a suffix.
    count
        How many files there are.
    """

    name: str
    count: int


@dataclass(frozen=True)
class SourceImages:
    """All images of a source.

    Attributes
    ----------
    name
        The source in error messages.
    classes
        Class names, in the order of the labels.
    train
        Images for training.
    heldout
        Held-out images; None if they are to be split from `train`.
    unused
        Files of the source that are not used, but may be images.
    """

    name: str
    classes: tuple[str, ...]
    train: ImagePool
    heldout: ImagePool | None = None
    unused: tuple[Unused, ...] = ()


def valid_name(name: str) -> str:
    """Replace lone surrogates, which NumPy and JSON allow, but which no file can contain."""
    return "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in name)


def stratified_order(
    labels: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle so that every prefix contains each class in proportion, up to rounding.

    Each image gets the quantile of its rank within its shuffled class. Sorting by that quantile
    spreads every class evenly.
    """
    shuffled = generator.permutation(len(labels))
    quantile = np.empty(len(labels))
    # Group by class; the stable sort keeps each class shuffled.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, counts = np.unique(labels, return_counts=True)
    for members in np.split(by_class, np.cumsum(counts)[:-1]):
        quantile[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(quantile[shuffled], kind="stable")].astype(np.int64)
