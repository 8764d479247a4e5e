"""Fingerprints of a source's files, which reveal edits without reading the contents."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from normreport.config.data import ImageFolder, Npz, Parquet, Source, TorchvisionData
from normreport.errors import DataError
from normreport.io.files import canonical_json, text_digest
from normreport.sources import imagefolder


def files_digest(source: Source, *, is_fetched: bool = False) -> str | None:
    """Return the SHA-256 of the names, sizes and modification times of a source's files.

    This takes a second for fifty thousand images, while reading them whenever the workflow starts
    would take minutes. Images that were touched or copied are prepared again, to the same bytes.

    Parameters
    ----------
    source
        The source.
    is_fetched
        Whether torchvision has downloaded its files. Only then are they included.

    Returns
    -------
    str or None
        None for bundled images and for torchvision's data sets before the download.

    Raises
    ------
    DataError
        If a file or folder does not exist.
    """
    match source:
        case ImageFolder():
            top = Path(source.path)
            contents = imagefolder.list_contents(source).splits.values()
            return _digest(top, [path for split in contents for _, path in split.files()])
        case Npz():
            path = Path(source.path)
            return _digest(path.parent, [path.name])
        case Parquet():
            from normreport.sources import parquet  # importing pyarrow takes half a second

            top = Path(source.path)
            splits, _ = parquet.find_splits(source)
            files = sorted(path for paths in splits.values() for path in paths)
            return _digest(top, [os.path.relpath(path, top) for path in files])
        case TorchvisionData() if is_fetched:
            top = Path(source.root)
            paths = sorted(path for path in top.rglob("*") if path.is_file())
            return _digest(top, [os.path.relpath(path, top) for path in paths])
    return None


def file_fingerprint(path: Path) -> str:
    """Return what changes with a large file: the SHA-256 of its size and modification time."""
    return _digest(path.parent, [path.name])


def _digest(top: Path, paths: Iterable[str]) -> str:
    rows = []
    for path in paths:
        try:
            status = os.stat(top / path)
        except OSError as error:
            if not os.path.islink(top / path):
                raise DataError(
                    f"{top / path}: could not be read ({error.strerror}). Correct the path, which "
                    "is relative to the folder where snakemake runs, or the permissions."
                ) from error
            status = os.lstat(top / path)  # the decoder reports a broken link
        rows.append((os.fsencode(path).hex(), status.st_size, status.st_mtime_ns))
    return text_digest(canonical_json(rows))
