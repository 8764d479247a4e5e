"""A folder of images with one folder per class."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from normreport.config.data import ImageFolder
from normreport.errors import DataError
from normreport.sources.decoding import decode_image
from normreport.sources.pool import ImagePool, SourceImages

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp")
HELDOUT = ("eval", "val", "test")


@dataclass(frozen=True)
class ClassFiles:
    """The image files of one split.

    Attributes
    ----------
    paths
        For each class name the sorted paths, relative to the source's folder.
    """

    paths: dict[str, list[str]]

    def files(self) -> Iterator[tuple[int, str]]:
        """Yield the label and the path of every file."""
        for label, paths in enumerate(self.paths.values()):
            for path in paths:
                yield label, path


def list_images(source: ImageFolder, seed: int) -> SourceImages:
    """List the images; `eval`, `val` or `test` beside `train` contains the held-out images.

    Raises
    ------
    DataError
        As :func:`list_class_files`.
    """
    folder = Path(source.path)
    splits = list_class_files(folder)
    pools = {split: _pool(folder, class_files, seed) for split, class_files in splits.items()}
    return SourceImages(
        name=source.path,
        classes=tuple(printable_name(name) for name in splits["train"].paths),
        train=pools["train"],
        heldout=pools.get("heldout"),
    )


def list_class_files(folder: Path) -> dict[str, ClassFiles]:
    """List the files of `train`, and of `heldout` if the folder contains both.

    Files at any depth below a class folder belong to the class. Links are followed. Dotfiles and
    files without an image suffix are ignored.

    Raises
    ------
    DataError
        If the folder does not exist, contains a folder twice (by a link, or by names that differ
        only in case), a class has no image, or the classes of the splits differ.
    """
    visited: dict[tuple[int, int], Path] = {}
    names = [entry.name for entry in _subfolders(folder)]
    heldout = next((name for name in HELDOUT if name in names), None)
    if "train" not in names or heldout is None:
        return {"train": _list_split(folder, "", visited)}
    splits = {
        "train": _list_split(folder, "train", visited),
        "heldout": _list_split(folder, heldout, visited),
    }
    train_classes, heldout_classes = (set(split.paths) for split in splits.values())
    if train_classes != heldout_classes:
        raise DataError(
            f"{folder}: expected the same classes in 'train' and {heldout!r}, found "
            f"{min(train_classes ^ heldout_classes)!r} in only one of them. Add its folder to the "
            "other, or remove it."
        )
    return splits


def printable_name(name: str) -> str:
    """Return a file name as valid UTF-8; invalid bytes become replacement characters."""
    return os.fsencode(name).decode(errors="replace")


def _pool(folder: Path, class_files: ClassFiles, seed: int) -> ImagePool:
    labels, paths = [], []
    for label, path in class_files.files():
        labels.append(label)
        paths.append(path)

    def read(i: int) -> Image.Image:
        return decode_image(folder / paths[i], source=str(folder), name=printable_name(paths[i]))

    return ImagePool.stratified(np.array(labels, dtype=np.int64), read, seed)


def _list_split(folder: Path, below: str, visited: dict[tuple[int, int], Path]) -> ClassFiles:
    classes = sorted(entry.name for entry in _subfolders(folder / below))
    normalized_names: dict[str, str] = {}
    for name in classes:
        other = normalized_names.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise DataError(
                f"{folder / below}: the class folders {other!r} and {name!r} are one folder on "
                "some systems. Merge or rename them."
            )
    paths = {
        name: sorted(_list_files(folder, os.path.join(below, name), visited)) for name in classes
    }
    for name, found in paths.items():
        if not found:
            raise DataError(
                f"{folder / below / name}: expected images, found none with a suffix of "
                f"{', '.join(SUFFIXES)}. Add some, or remove the folder."
            )
    return ClassFiles(paths)


def _list_files(folder: Path, below: str, visited: dict[tuple[int, int], Path]) -> Iterator[str]:
    here = folder / below
    try:
        status = here.stat()
        first = visited.setdefault((status.st_dev, status.st_ino), here)
        if first is not here:
            raise DataError(
                f"{here}: a link makes this the same folder as {first}. Expected each folder of "
                "images once; remove the link."
            )
        entries = list(os.scandir(here))
    except OSError as error:
        raise _unreadable_folder(here, error) from error
    for entry in entries:
        path = os.path.join(below, entry.name)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _list_files(folder, path, visited)
        elif entry.name.lower().endswith(SUFFIXES):
            yield path


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return [e for e in os.scandir(folder) if e.is_dir() and not e.name.startswith(".")]
    except OSError as error:
        raise _unreadable_folder(folder, error) from error


def _unreadable_folder(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"{folder}: could not be read ({error.strerror}). Expected a folder of images with one "
        "folder per class. Correct the path, which is relative to the folder where snakemake "
        "runs, or the permissions."
    )
