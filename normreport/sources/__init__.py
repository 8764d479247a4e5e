"""Image sources, which all give the same uint8 arrays.

Images are resized here, before any normalization, so all normalizations see the same pixels. Each
source has a module that lists its images. Choosing and decoding them is the same for all sources.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport.config.data import DataSettings, ImageFolder, Npz, Parquet, TorchvisionData
from normreport.errors import DataError
from normreport.sources.balance import balance
from normreport.sources.class_counts import chosen_labels
from normreport.sources.decoding import NO_IMAGE, Skipped, fill_arrays
from normreport.sources.pool import SourceImages, valid_name


@dataclass(frozen=True)
class DataSet:
    """Decoded images and labels of both splits.

    Attributes
    ----------
    train_images, heldout_images : array of uint8, shape (N, H, W, 3)
    train_labels, heldout_labels : array of int64, shape (N,)
        Every prefix is stratified by class, up to rounding.
    classes
        Class names, in the order of the labels.
    skipped
        Unreadable images that were left out.
    """

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    heldout_images: NDArray[np.uint8]
    heldout_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()


def array_shapes(settings: DataSettings) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Return the safetensors dtype and the shape of every array of a data set."""
    size = settings.image_size_px
    counts = {"train": settings.train_images, "heldout": settings.heldout_images}
    return {
        f"{split}_{what}": (dtype, (counts[split], *shape))
        for split in counts
        for what, dtype, shape in (("labels", "I64", ()), ("images", "U8", (size, size, 3)))
    }


def list_images(settings: DataSettings) -> SourceImages:
    """List the images of a source without decoding them.

    Raises
    ------
    DataError
        If the source has too few images, fewer than two classes, or a class without images.
    """
    # Each source module is imported on use, as each needs another library.
    match settings.source:
        case ImageFolder() as source:
            from normreport.sources import imagefolder

            images = imagefolder.list_images(source, settings.seed)
        case TorchvisionData() as source:
            from normreport.sources import torchvision_data

            images = torchvision_data.list_images(source, settings.seed)
        case Npz() as source:
            from normreport.sources import npz

            images = npz.list_images(source, settings.seed)
        case Parquet() as source:
            from normreport.sources import parquet

            images = parquet.list_images(source, settings.seed)
        case name:
            from normreport.sources import bundled

            images = bundled.SOURCES[name](settings)
    images = replace(images, classes=tuple(map(valid_name, images.classes)))
    _check(images, settings)
    return balance(images, settings)


def load_images(
    source: SourceImages,
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
    source
        The images, from :func:`list_images`.
    arrays
        Filled with the result; of the shapes of :func:`array_shapes`.
    skip
        Use other images instead of unreadable ones.
    threads
        Number of images to decode at the same time. It does not affect the result.
    checksums
        Checksums, by split, of images that `arrays` contains already
        (:func:`~normreport.sources.decoding.fill_arrays`). Updated.
    after_batch
        Called regularly, when `arrays` and `checksums` are consistent.

    Raises
    ------
    DataError
        If an image cannot be read, or too many are skipped.
    """
    checksums = {} if checksums is None else checksums
    skipped: list[Skipped] = []
    counts = {split: len(arrays[f"{split}_labels"]) for split in ("train", "heldout")}
    expected, _ = chosen_labels(source, **counts)
    # Held-out images come first in the order: they stay the same with more training images.
    pools = {"heldout": source.heldout or source.train, "train": source.train}
    for split, pool in pools.items():
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        used = fill_arrays(
            pool,
            images,
            labels,
            checksums.setdefault(split, np.full(len(labels), NO_IMAGE)),
            split=split,
            threads=threads,
            skip=skip,
            skipped=skipped,
            after_batch=after_batch,
        )
        if source.heldout is None:
            pools["train"] = replace(pool, order=pool.order[used:])
    _check_decoded(source, expected, arrays["train_labels"], skipped)
    return DataSet(**arrays, classes=source.classes, skipped=tuple(skipped))


def _check_decoded(
    source: SourceImages,
    expected: NDArray[np.int64],
    labels: NDArray[np.int64],
    skipped: Sequence[Skipped],
) -> None:
    """Check the classes again, as unreadable images were replaced by those of other classes."""
    lost = np.setdiff1d(expected, labels)
    if lost.size:
        raise DataError(
            f"{source.name}: class {source.classes[lost[0]]!r} has no training image left, as "
            f"those chosen cannot be read. The last of {len(skipped)} skipped images is "
            f"{skipped[-1].image} ({skipped[-1].why}). Repair the images, or remove the class."
        )


def _check(source: SourceImages, settings: DataSettings) -> None:
    if len(source.classes) < 2:
        raise DataError(
            f"{source.name}: expected at least two classes, found "
            f"{', '.join(map(repr, source.classes)) or 'none'}. Add images of another class."
        )
    counts = np.bincount(source.train.labels, minlength=len(source.classes))
    if not counts.all():
        empty = source.classes[int(counts.argmin())]
        raise DataError(
            f"{source.name}: class {empty!r} has no training image. Add some, or remove the class."
        )
    asked = {"train_images": settings.train_images, "heldout_images": settings.heldout_images}
    if source.heldout is None:
        pools = [(" + ".join(asked), sum(asked.values()), source.train, "images")]
    else:
        pools = [
            ("train_images", settings.train_images, source.train, "training images"),
            ("heldout_images", settings.heldout_images, source.heldout, "held-out images"),
        ]
    for keys, count, pool, kind in pools:
        if count > len(pool.order):
            raise DataError(
                f"{source.name}: {keys} is {count}, but the source has only {len(pool.order)} "
                f"{kind}. Lower the number, or add images."
            )
    chosen, _ = chosen_labels(source, settings.train_images, settings.heldout_images)
    if len(found := np.unique(chosen)) < 2:
        raise DataError(
            f"{source.name}: expected training images of at least two classes, found "
            f"{settings.train_images} of class {source.classes[found[0]]!r}, which has most "
            "images. Raise train_images, or set balance to equal."
        )
