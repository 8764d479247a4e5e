"""How many images of each class are used, and what is wrong with these numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from normreport.sources.pool import SourceImages, Unused

SHOWN = 12  # classes in a line
ADVICE = (
    "Ask for more images, or set balance to one_of_each or equal, so that small classes are used."
)


@dataclass(frozen=True)
class ClassCounts:
    """The number of images of each class.

    Attributes
    ----------
    classes
        Names of the classes.
    train, heldout : array of int, shape (number of classes,)
    """

    classes: tuple[str, ...]
    train: NDArray[np.int64]
    heldout: NDArray[np.int64]

    @classmethod
    def of_labels(
        cls, classes: Sequence[str], train: NDArray[np.int64], heldout: NDArray[np.int64]
    ) -> ClassCounts:
        """Count labels."""
        counts = (np.bincount(labels, minlength=len(classes)) for labels in (train, heldout))
        return cls(tuple(classes), *counts)


def chosen_labels(
    source: SourceImages, train: int, heldout: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the labels of the images that are used, if all of them can be read.

    Parameters
    ----------
    source
        The source.
    train, heldout
        How many images are asked for.

    Returns
    -------
    train_labels, heldout_labels : array of int64
    """
    pool = source.heldout or source.train
    # Held-out images come first if they are split from the others.
    begin = heldout if source.heldout is None else 0
    train_order = source.train.order[begin : begin + train]
    return source.train.labels[train_order], pool.labels[pool.order[:heldout]]


def describe_counts(counts: ClassCounts) -> str:
    """List the classes: ``2 classes (training + held-out images): cat (40 + 10), ...``."""
    shown = [
        f"{printable(name)} ({train} + {heldout})"
        for name, train, heldout in zip(counts.classes, counts.train, counts.heldout, strict=True)
    ][:SHOWN]
    if more := len(counts.classes) - len(shown):
        ranges = (_range(numbers[SHOWN:]) for numbers in (counts.train, counts.heldout))
        shown.append(f"and {more} more ({' + '.join(ranges)})")
    return f"{len(counts.classes)} classes (training + held-out images): {', '.join(shown)}"


def find_weak_classes(counts: ClassCounts) -> list[str]:
    """Name the classes without training or held-out images, or with a single training image."""
    weak = {
        "no training image": counts.train == 0,
        "a single training image": counts.train == 1,
        "no held-out image": counts.heldout == 0,
    }
    return [
        f"{np.count_nonzero(which)} of {len(counts.classes)} classes have {what}: "
        f"{_names(counts.classes, which)}"
        for what, which in weak.items()
        if which.any()
    ]


def describe_unused(unused: Sequence[Unused]) -> str:
    """List files that are not used: ``*.heic (3 files), test/ (1 file)``."""
    shown = []
    for each in unused:
        files = "file" if each.count == 1 else "files"
        shown.append(f"{printable(each.name) or 'without a suffix'} ({each.count} {files})")
    more = [f"and {len(unused) - SHOWN} more"] if len(unused) > SHOWN else []
    return ", ".join([*shown[:SHOWN], *more])


def printable(name: str) -> str:
    """Escape a name that would break a line."""
    return name if name.isprintable() else repr(name)[1:-1]


def _names(classes: Sequence[str], which: NDArray[np.bool_]) -> str:
    names = [printable(classes[int(i)]) for i in np.flatnonzero(which)]
    return ", ".join([*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])


def _range(numbers: NDArray[np.int64]) -> str:
    low, high = int(numbers.min()), int(numbers.max())
    return str(low) if low == high else f"{low} to {high}"
