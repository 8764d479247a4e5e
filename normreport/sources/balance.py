"""Choosing images so that small classes are in both splits, if the settings ask for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from normreport.config.data import DataSettings
from normreport.errors import DataError
from normreport.sources.pool import ImagePool, SourceImages

Order = NDArray[np.int64]


def balance(source: SourceImages, settings: DataSettings) -> SourceImages:
    """Put the images of a source into the order that `settings.balance` asks for.

    Raises
    ------
    DataError
        If there should be one image of each class, but a class or a split is too small for it.
    """
    train, heldout = settings.train_images, settings.heldout_images
    match settings.balance:
        case "proportional":
            return source
        case "one_of_each":
            _check_one_of_each(source, settings)
            if source.heldout is None:
                return replace(source, train=_one_of_each(source.train, heldout))
            return replace(
                source,
                train=_one_of_each(source.train, 0),
                heldout=_one_of_each(source.heldout, 0),
            )
        case "equal":
            if source.heldout is None:
                return replace(source, train=_equal_parts(source.train, heldout, train))
            return replace(
                source,
                train=_equal_parts(source.train, 0, train),
                heldout=_equal_parts(source.heldout, 0, heldout),
            )


def _one_of_each(pool: ImagePool, heldout: int) -> ImagePool:
    """Begin with one image of each class, and again after the held-out images, if there are any."""
    ranks = _ranks(pool)
    firsts, seconds = pool.order[ranks == 0], pool.order[ranks == 1]
    if not heldout:
        return replace(pool, order=np.concatenate([firsts, pool.order[ranks > 0]]))
    others = pool.order[ranks > 1]
    filled = heldout - len(firsts)
    order = np.concatenate([firsts, others[:filled], seconds, others[filled:]])
    return replace(pool, order=order)


def _equal_parts(pool: ImagePool, heldout: int, train: int) -> ImagePool:
    """Put held-out images first, then training images, each with equal classes if they suffice."""
    ranks, labels = _ranks(pool), pool.labels[pool.order]
    available = np.bincount(labels)
    # A small class is divided like the whole, with one image for training at least.
    fair = np.maximum(available * heldout // max(1, heldout + train), 1)
    held = np.zeros_like(available)
    for caps in (np.minimum(fair, available - 1), available - 1, available):
        held = _fill(held, heldout, caps.clip(min=0))
    trained = _fill(np.zeros_like(available), train, available - held)
    # Within each split, the first images of all classes come first.
    turns = [(ranks, ranks < held[labels])]
    after = ranks - held[labels]
    turns.append((after, (after >= 0) & (after < trained[labels])))
    turns.append((np.zeros_like(ranks), after >= trained[labels]))
    order = [pool.order[which][np.argsort(turn[which], kind="stable")] for turn, which in turns]
    return replace(pool, order=np.concatenate(order))


def _fill(numbers: Order, total: int, caps: Order) -> Order:
    """Raise the numbers of the classes to a total, as equally as their caps allow."""
    numbers = numbers.copy()
    while (missing := total - int(numbers.sum())) > 0 and (numbers < caps).any():
        level = numbers[numbers < caps].min()
        lowest = np.flatnonzero((numbers < caps) & (numbers == level))
        numbers[lowest[:missing]] += 1
    return numbers


def _ranks(pool: ImagePool) -> Order:
    """Return the place of each image of the order within its class, from 0."""
    labels = pool.labels[pool.order]
    by_class = np.argsort(labels, kind="stable")
    _, counts = np.unique(labels, return_counts=True)
    ranks = np.empty(len(labels), dtype=np.int64)
    ranks[by_class] = np.concatenate([np.arange(count) for count in counts])
    return ranks


def _check_one_of_each(source: SourceImages, settings: DataSettings) -> None:
    classes = len(source.classes)
    for key in ("train_images", "heldout_images"):
        if getattr(settings, key) < classes:
            raise DataError(
                f"{source.name}: balance is one_of_each: expected {key} of at least {classes}, one "
                f"for each class, found {getattr(settings, key)}. Raise it."
            )
    least = 2 if source.heldout is None else 1
    for pool in filter(None, (source.train, source.heldout)):
        counts = np.bincount(pool.labels, minlength=classes)
        if counts.min() < least:
            raise DataError(
                f"{source.name}: balance is one_of_each: expected one training and one held-out "
                f"image of each class, found {counts.min()} image of class "
                f"{source.classes[int(counts.argmin())]!r}. Add some, or remove the class."
            )
