"""Where images come from: every source ends as the same uint8 arrays.

Images are resized here, once and before any normalization, so that arms differ in nothing else.
A source (one module each) says which images there are; which of them are taken, and how they are
decoded, is the same for all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport.config.data import DataSettings, ImageFolder, Npz, Parquet, TorchvisionData
from normreport.errors import DataError
from normreport.sources.decoding import NOTHING, Skipped, fill
from normreport.sources.pool import Splits


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
    skipped
        Images that could not be read and were left out.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    heldout_images: NDArray[np.uint8]
    heldout_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()


def shapes(settings: DataSettings) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Safetensors dtype and shape of every array of a data set."""
    size = settings.image_size_px
    counts = {"train": settings.train_images, "heldout": settings.heldout_images}
    return {
        f"{split}_{what}": (dtype, (counts[split], *shape))
        for split in counts
        for what, dtype, shape in (("labels", "I64", ()), ("images", "U8", (size, size, 3)))
    }


def load(
    splits: Splits,
    arrays: Mapping[str, NDArray[Any]],
    *,
    skip: bool = False,
    threads: int = 1,
    checksums: dict[str, NDArray[np.int64]] | None = None,
    after_batch: Callable[[], None] = lambda: None,
) -> DataSet:
    """Choose, decode, resize and split the images of a source.

    Parameters
    ----------
    splits
        What the source has, as :func:`find` gives it.
    arrays
        Filled with the result, each as :func:`shapes` says.
    skip
        Whether another image is taken instead of one that cannot be read.
    threads
        Images decoded at a time; the result does not depend on it.
    checksums
        Of each split those of the images that `arrays` already held once, as
        :func:`~normreport.sources.decoding.fill` has them; grows.
    after_batch
        Called now and then, when `arrays` and `checksums` agree.

    Raises
    ------
    DataError
        If an image cannot be read.
    """
    checksums = {} if checksums is None else checksums
    skipped: list[Skipped] = []
    # Held-out images are the head of the order: they stay the same when the number of training
    # images grows.
    pools = {"heldout": splits.heldout or splits.train, "train": splits.train}
    for split, pool in pools.items():
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        taken = fill(
            pool,
            images,
            labels,
            checksums.setdefault(split, np.full(len(labels), NOTHING)),
            what=split,
            threads=threads,
            skip=skip,
            skipped=skipped,
            after_batch=after_batch,
        )
        if splits.heldout is None:
            pools["train"] = replace(pool, order=pool.order[taken:])
    return DataSet(**arrays, classes=splits.classes, skipped=tuple(skipped))


def find(settings: DataSettings) -> Splits:
    """Say which images a source has, without decoding them.

    Raises
    ------
    DataError
        If there are too few, or their classes are not what a network can be trained on.
    """
    # A source's own module is imported where it is used: each needs another library.
    match settings.source:
        case ImageFolder() as source:
            from normreport.sources import imagefolder

            splits = imagefolder.find(source, settings.seed)
        case TorchvisionData() as source:
            from normreport.sources import torchvision_data

            splits = torchvision_data.find(source, settings.seed)
        case Npz() as source:
            from normreport.sources import npz

            splits = npz.find(source, settings.seed)
        case Parquet() as source:
            from normreport.sources import parquet

            splits = parquet.find(source, settings.seed)
        case name:
            from normreport.sources import bundled

            splits = bundled.SOURCES[name](settings)
    _check(splits, settings)
    return splits


def _check(splits: Splits, settings: DataSettings) -> None:
    if len(splits.classes) < 2:
        raise DataError(
            f"{splits.name}: expected at least two classes, found "
            f"{', '.join(map(repr, splits.classes)) or 'none'}. A network learns to tell classes "
            "apart; give it more than one."
        )
    found = np.bincount(splits.train.labels, minlength=len(splits.classes))
    if not found.all():
        empty = splits.classes[int(found.argmin())]
        raise DataError(
            f"{splits.name}: class {empty!r} has no image to train on. Add some, or take the "
            "class away."
        )
    asked = {"train_images": settings.train_images, "heldout_images": settings.heldout_images}
    if splits.heldout is None:
        pools = [(" + ".join(asked), sum(asked.values()), splits.train, "images")]
    else:
        pools = [
            ("train_images", settings.train_images, splits.train, "training images"),
            ("heldout_images", settings.heldout_images, splits.heldout, "held-out images"),
        ]
    for keys, wanted, pool, what in pools:
        if wanted > len(pool.order):
            raise DataError(
                f"{splits.name}: {keys} is {wanted}, expected at most {len(pool.order)}, "
                f"the {what} that the source has. Ask for fewer."
            )
