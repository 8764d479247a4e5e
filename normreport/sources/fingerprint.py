"""Which files a source reads, so that an edit of one is seen without reading them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from normreport.config.data import ImageFolder, Npz, Parquet, Source, TorchvisionData
from normreport.errors import DataError
from normreport.io.files import canonical_json, text_digest
from normreport.sources import imagefolder


def files_digest(source: Source, *, is_fetched: bool = False) -> str | None:
    """SHA-256 of the names, sizes and times of a source's files; None if none are watched.

    Reading the contents of thousands of images whenever the workflow is read would take minutes,
    a look at their names, sizes and times takes a second for fifty thousand. Images that are the
    same after all (touched, or copied anew) are prepared again, to the same bytes. All that is in
    torchvision's root is looked at once torchvision has fetched what it lacked.

    Raises
    ------
    DataError
        If a file or folder is not there.
    """
    match source:
        case ImageFolder():
            top = Path(source.path)
            listings = imagefolder.listed(top).values()
            return _digest(top, [path for listing in listings for _, path in listing.files()])
        case Npz():
            path = Path(source.path)
            return _digest(path.parent, [path.name])
        case Parquet():
            from normreport.sources import parquet  # half a second that others need not wait

            top = Path(source.path)
            return _digest(top, [os.path.relpath(path, top) for path in parquet.files(top)])
        case TorchvisionData() if is_fetched:
            top = Path(source.root)
            paths = sorted(path for path in top.rglob("*") if path.is_file())
            return _digest(top, [os.path.relpath(path, top) for path in paths])
    return None


def _digest(top: Path, paths: Iterable[str]) -> str:
    rows = []
    for path in paths:
        try:
            status = os.stat(top / path)
        except OSError as error:
            if not os.path.islink(top / path):
                raise DataError(
                    f"{top / path}: could not be read ({error.strerror}). Mend the path, which is "
                    "taken from the folder that snakemake runs in, or the permissions."
                ) from error
            status = os.lstat(top / path)  # a link to nothing is for the decoder to tell
        rows.append((os.fsencode(path).hex(), status.st_size, status.st_mtime_ns))
    return text_digest(canonical_json(rows))
