"""Images that are not decoded yet, and which of them come first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image


@dataclass(frozen=True)
class Pool:
    """Images to choose from.

    Attributes
    ----------
    labels : array of int64, shape (N,)
    order : array of int64, at most N of the images
        The images are taken from its head.
    read
        Decodes one image, given its number, to one of Pillow's modes L and RGB; called from
        several threads. Raises UnreadableImageError.
    """

    labels: NDArray[np.int64]
    order: NDArray[np.int64]
    read: Callable[[int], Image.Image]

    @classmethod
    def stratified(
        cls, labels: NDArray[np.int64], read: Callable[[int], Image.Image], seed: int
    ) -> Self:
        """Put the images into an order of which every first part is stratified."""
        return cls(labels, stratified_order(labels, np.random.default_rng(seed)), read)


@dataclass(frozen=True)
class Splits:
    """What a source has.

    Attributes
    ----------
    name
        How messages call the source.
    classes
        Names, in the order of the labels.
    train, heldout
        The images; held-out ones are split from those for training if there are no others.
    """

    name: str
    classes: tuple[str, ...]
    train: Pool
    heldout: Pool | None = None


def stratified_order(
    labels: NDArray[np.int64], generator: np.random.Generator
) -> NDArray[np.int64]:
    """Shuffle so that every prefix holds each class in proportion, up to rounding.

    Each image gets the quantile of its place within its shuffled class; sorting by that quantile
    spreads every class evenly.
    """
    shuffled = generator.permutation(len(labels))
    quantile = np.empty(len(labels))
    # The images of one class after those of the other, shuffled within a class.
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    _, counts = np.unique(labels, return_counts=True)
    for members in np.split(by_class, np.cumsum(counts)[:-1]):
        quantile[members] = (np.arange(len(members)) + 0.5) / len(members)
    return shuffled[np.argsort(quantile[shuffled], kind="stable")].astype(np.int64)
