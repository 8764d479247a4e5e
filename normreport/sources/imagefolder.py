"""A folder of images with one folder per class."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from normreport.config.data import ImageFolder
from normreport.errors import DataError
from normreport.sources.decoding import decode_image
from normreport.sources.file_names import (
    is_image,
    is_system_folder,
    may_be_image,
    suffix,
)
from normreport.sources.pool import ImagePool, SourceImages, Unused
from normreport.sources.splits import TRAIN, WAY_OUT, group_by_split, heldout_kind, read_name


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


@dataclass(frozen=True)
class Contents:
    """The files of a folder.

    Attributes
    ----------
    splits
        The image files of ``train`` and, if the folder has both, of ``heldout``.
    unused
        The number of other files that may be images, by suffix or folder.
    """

    splits: dict[str, ClassFiles]
    unused: tuple[Unused, ...]


@dataclass
class _Scan:
    """What a walk through a folder has met."""

    top: Path
    visited: dict[tuple[int, int], Path] = field(default_factory=dict)
    unused: Counter[str] = field(default_factory=Counter)

    def count_unused(self, names: Iterable[str], *, place: str = "") -> None:
        """Count files that are not used, by suffix, unless they surely are no images."""
        endings = (suffix(name) for name in names if may_be_image(name))
        self.unused.update(f"{place}*{ending}" if place or ending else "" for ending in endings)


def list_images(source: ImageFolder, seed: int) -> SourceImages:
    """List the images; a folder such as `val` beside `train` contains the held-out images.

    Raises
    ------
    DataError
        As :func:`list_contents`.
    """
    contents = list_contents(source)
    pools = {
        split: _pool(source, class_files, seed) for split, class_files in contents.splits.items()
    }
    return SourceImages(
        name=source.path,
        classes=tuple(printable_name(name) for name in contents.splits["train"].paths),
        train=pools["train"],
        heldout=pools.get("heldout"),
        unused=contents.unused,
    )


def list_contents(source: ImageFolder) -> Contents:
    """List the files of `train`, and of `heldout` if the folder contains both.

    Files at any depth below a class folder belong to the class. Links are followed. Hidden files,
    system folders and texts are ignored; other files that are not images are counted.

    Raises
    ------
    DataError
        If the folder does not exist, contains a folder twice (by a link, or by names that differ
        only in case), a class has no image, the classes of the splits differ, or folders look like
        splits, but not clearly.
    """
    scan = _Scan(Path(source.path))
    train, heldout = _find_splits(source)
    splits = {"train": _list_split(scan, train)}
    if heldout is not None:
        splits["heldout"] = _list_split(scan, heldout)
        train_classes, heldout_classes = (set(split.paths) for split in splits.values())
        if train_classes != heldout_classes:
            raise DataError(
                f"{scan.top}: expected the same classes in {train!r} and {heldout!r}, found "
                f"{min(train_classes ^ heldout_classes)!r} in only one of them. Add its folder to "
                "the other, or remove it."
            )
    _count_unused_folders(scan, [train, *([heldout] if heldout is not None else [])])
    unused = tuple(
        Unused(printable_name(name), count) for name, count in sorted(scan.unused.items()) if count
    )
    return Contents(splits, unused)


def printable_name(name: str) -> str:
    """Return a file name as valid UTF-8; invalid bytes become replacement characters."""
    return os.fsencode(name).decode(errors="replace")


def _find_splits(source: ImageFolder) -> tuple[str, str | None]:
    """Return the folders of the training images and of the held-out images, if there is one."""
    if source.train is not None:
        heldout_folder = source.heldout and os.path.normpath(source.heldout)
        return os.path.normpath(source.train), heldout_folder
    folder = Path(source.path)
    names = sorted(entry.name for entry in _subfolders(folder))
    groups = [kinds for kinds in group_by_split(names).values() if _is_complete(kinds)]
    if not groups:
        _check_classes(folder, names)
        return ".", None
    kinds = groups[0]
    heldout = kinds[heldout_kind(kinds) or ""]
    if len(groups) > 1 or len(kinds[TRAIN]) > 1 or len(heldout) > 1:
        raise _unclear_splits(folder, [name for name in names if read_name(name).kind])
    for name in (kinds[TRAIN][0], heldout[0]):
        if not _subfolders(folder / name):
            raise DataError(
                f"{folder / name}: expected a folder for each class, as {name!r} looks like the "
                f"name of a split, found none. {WAY_OUT}"
            )
    return kinds[TRAIN][0], heldout[0]


def _is_complete(kinds: Collection[str]) -> bool:
    return TRAIN in kinds and heldout_kind(kinds) is not None


def _check_classes(folder: Path, names: Sequence[str]) -> None:
    """Refuse folders that look like splits, or that contain splits, in place of classes."""
    inner = {name: [entry.name for entry in _subfolders(folder / name)] for name in names}
    likely = [name for name in names if read_name(name).kind and not read_name(name).rest]
    with_classes = [
        name for name in likely if len(inner[name]) > 1 and not _has_images(folder / name)
    ]
    if with_classes or (len(likely) > 1 and len(likely) == len(names)):
        raise _unclear_splits(folder, with_classes or likely)
    for name in names:
        with_splits = any(_is_complete(kinds) for kinds in group_by_split(inner[name]).values())
        if len(names) == 1 and len(inner[name]) > 1 and not _has_images(folder / name):
            raise DataError(
                f"{folder}: expected at least two classes, found one folder, {name!r}. If the "
                f"classes or splits are in it, set path to {str(folder / name)!r}."
            )
        if with_splits:
            raise DataError(
                f"{folder / name}: expected images of one class, found folders that look like "
                f"splits: {', '.join(map(repr, sorted(inner[name])))}. Make a folder for each "
                "split, with a folder for each class in it, or set the source's train to '.' to "
                "use all images of a class alike."
            )


def _has_images(folder: Path) -> bool:
    return any(is_image(entry.name) and not entry.is_dir() for entry in os.scandir(folder))


def _unclear_splits(folder: Path, names: Iterable[str]) -> DataError:
    return DataError(
        f"{folder}: expected one folder of training images and one of held-out images, such as "
        f"'train' and 'val', or folders of classes, found {', '.join(map(repr, sorted(names)))}. "
        f"{WAY_OUT}"
    )


def _count_unused_folders(scan: _Scan, splits: Sequence[str]) -> None:
    """Count the images in folders beside those of the splits."""
    used = {PurePosixPath(split).parts[:1] for split in splits}
    if () in used:  # the whole folder
        return
    entries = _entries(scan.top)
    scan.count_unused((entry.name for entry in entries if not entry.is_dir()), place="./")
    for entry in _subfolders(scan.top):
        if (entry.name,) in used:
            continue
        for _, folders, names in os.walk(entry.path):
            folders[:] = [name for name in folders if not is_system_folder(name)]
            scan.unused[f"{entry.name}/"] += sum(is_image(name) for name in names)


def _pool(source: ImageFolder, class_files: ClassFiles, seed: int) -> ImagePool:
    folder = Path(source.path)
    labels, paths = [], []
    for label, path in class_files.files():
        labels.append(label)
        paths.append(path)

    def read(i: int) -> Image.Image:
        return decode_image(
            folder / paths[i],
            source=str(folder),
            name=printable_name(paths[i]),
            max_megapixels=source.max_megapixels,
        )

    return ImagePool.stratified(np.array(labels, dtype=np.int64), read, seed)


def _list_split(scan: _Scan, below: str) -> ClassFiles:
    folder = scan.top / below
    entries = _entries(folder)
    classes = sorted(
        entry.name for entry in entries if entry.is_dir() and not is_system_folder(entry.name)
    )
    scan.count_unused((e.name for e in entries if not e.is_dir()), place=f"{below}/")
    normalized_names: dict[str, str] = {}
    for name in classes:
        other = normalized_names.setdefault(unicodedata.normalize("NFC", name).casefold(), name)
        if other != name:
            raise DataError(
                f"{folder}: the class folders {other!r} and {name!r} are one folder on some "
                "systems. Merge or rename them."
            )
    paths = {
        name: sorted(_list_files(scan, os.path.normpath(f"{below}/{name}"))) for name in classes
    }
    for name, found in paths.items():
        if not found:
            raise DataError(
                f"{folder / name}: expected images, found {_describe_files(folder / name)}. Add "
                "some, convert those that are of another format, or remove the folder."
            )
    return ClassFiles(paths)


def _describe_files(folder: Path) -> str:
    counts = Counter(suffix(name) for _, _, names in os.walk(folder) for name in names)
    return ", ".join(f"{count} *{ending}" for ending, count in counts.most_common(5)) or "no file"


def _list_files(scan: _Scan, below: str) -> Iterator[str]:
    here = scan.top / below
    try:
        status = here.stat()
    except OSError as error:
        raise _unreadable_folder(here, error) from error
    first = scan.visited.setdefault((status.st_dev, status.st_ino), here)
    if first is not here:
        raise DataError(
            f"{here}: a link makes this the same folder as {first}. Expected each folder of "
            "images once; remove the link."
        )
    others = []
    for entry in _entries(here):
        path = os.path.join(below, entry.name)
        if entry.is_dir():
            if not is_system_folder(entry.name):
                yield from _list_files(scan, path)
        elif is_image(entry.name):
            if not entry.name.startswith("."):
                yield path
        else:
            others.append(entry.name)
    scan.count_unused(others)


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    return [e for e in _entries(folder) if e.is_dir() and not is_system_folder(e.name)]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(folder))
    except OSError as error:
        raise _unreadable_folder(folder, error) from error


def _unreadable_folder(folder: Path, error: OSError) -> DataError:
    return DataError(
        f"{folder}: could not be read ({error.strerror}). Expected a folder of images with one "
        "folder per class. Correct the path, which is relative to the folder where snakemake "
        "runs, or the permissions."
    )
