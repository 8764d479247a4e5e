"""A folder of images, one folder per class."""

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
from normreport.sources.decoding import decoded
from normreport.sources.pool import Pool, Splits

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".gif", ".bmp")
HELDOUT = ("eval", "val", "test")


@dataclass(frozen=True)
class Listing:
    """Image files of each class, by path below the folder, sorted."""

    classes: dict[str, list[str]]

    def files(self) -> Iterator[tuple[int, str]]:
        """Give the label and the path of every file."""
        for label, paths in enumerate(self.classes.values()):
            for path in paths:
                yield label, path


def find(source: ImageFolder, seed: int) -> Splits:
    """List the images; held-out ones are those of `eval`, `val` or `test` if there is `train`."""
    folder = Path(source.path)
    listings = listed(folder)
    pools = {split: _pool(folder, listing, seed) for split, listing in listings.items()}
    return Splits(
        name=source.path,
        classes=tuple(printable(name) for name in listings["train"].classes),
        train=pools["train"],
        heldout=pools.get("heldout"),
    )


def listed(folder: Path) -> dict[str, Listing]:
    """List the files of `train`, and of `heldout` where the folder has both.

    Files at any depth below a class's folder are of that class. Links are followed. Names that
    begin with a dot, and files with other suffixes than images', are passed over.

    Raises
    ------
    DataError
        If there is no such folder, one folder is there twice (by a link, or by names that differ
        in case alone), a class has no image, or training and held-out classes differ.
    """
    seen: dict[tuple[int, int], Path] = {}
    names = [entry.name for entry in _folders(folder)]
    heldout = next((name for name in HELDOUT if name in names), None)
    if "train" not in names or heldout is None:
        return {"train": _listing(folder, "", seen)}
    found = {
        "train": _listing(folder, "train", seen),
        "heldout": _listing(folder, heldout, seen),
    }
    train, other = (set(listing.classes) for listing in found.values())
    if train != other:
        raise DataError(
            f"{folder}: expected the same classes in 'train' and {heldout!r}, found "
            f"{min(train ^ other)!r} in one of them alone. Add its folder to the other, or take "
            "it away."
        )
    return found


def printable(name: str) -> str:
    """Give a name that can be written; those of folders and files may be of any bytes."""
    return os.fsencode(name).decode(errors="replace")


def _pool(folder: Path, listing: Listing, seed: int) -> Pool:
    labels, paths = [], []
    for label, path in listing.files():
        labels.append(label)
        paths.append(path)

    def read(i: int) -> Image.Image:
        return decoded(folder / paths[i], source=str(folder), name=printable(paths[i]))

    return Pool.stratified(np.array(labels, dtype=np.int64), read, seed)


def _listing(folder: Path, below: str, seen: dict[tuple[int, int], Path]) -> Listing:
    classes = sorted(entry.name for entry in _folders(folder / below))
    alike: dict[str, str] = {}
    for name in classes:
        other = alike.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise DataError(
                f"{folder / below}: expected class folders of different names, found {other!r} "
                f"and {name!r}, which are one folder on some systems. Merge or rename them."
            )
    found = {name: sorted(_images(folder, os.path.join(below, name), seen)) for name in classes}
    for name, paths in found.items():
        if not paths:
            raise DataError(
                f"{folder / below / name}: expected images, found none with a suffix of "
                f"{', '.join(SUFFIXES)}. Add some, or take the folder away."
            )
    return Listing(found)


def _images(folder: Path, below: str, seen: dict[tuple[int, int], Path]) -> Iterator[str]:
    here = folder / below
    try:
        status = here.stat()
        first = seen.setdefault((status.st_dev, status.st_ino), here)
        if first is not here:
            raise DataError(
                f"{here}: is the same folder as {first}, by a link. Expected each folder of "
                "images once; take the link away."
            )
        entries = list(os.scandir(here))
    except OSError as error:
        raise _no_folder(here, error) from error
    for entry in entries:
        path = os.path.join(below, entry.name)
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            yield from _images(folder, path, seen)
        elif entry.name.lower().endswith(SUFFIXES):
            yield path


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return [e for e in os.scandir(folder) if e.is_dir() and not e.name.startswith(".")]
    except OSError as error:
        raise _no_folder(folder, error) from error


def _no_folder(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"{folder}: could not be read ({error.strerror}). Expected a folder of images, one folder "
        "per class. Mend the path, which is taken from the folder that snakemake runs in, or the "
        "permissions."
    )
