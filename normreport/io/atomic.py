"""Atomic writes: a file appears complete under its name, or not at all."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from normreport.errors import StorageError
from normreport.io.locks import try_lock


@contextmanager
def atomic(path: Path, *, progress: Path | None = None) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`, and rename it to `path` at the end.

    If the block raises, the temporary file is removed and `path` stays unchanged.

    Parameters
    ----------
    path
        The file to write.
    progress
        A file that records which parts of the temporary file are complete. While it exists, an
        interrupted block's temporary file is kept, and the next block continues with it. On a
        file system without locks each block starts with a new file.

    Raises
    ------
    StorageError
        If the disk is full or read-only, or the folder is not writable.
    """
    temporary: Path | None = None
    handle: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        leftover = _claim_leftover(path, keep=progress is not None and progress.exists())
        handle, temporary = leftover or _create(path)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path}: could not be written ({error.strerror or error}). Expected free disk space "
            "and a writable folder. No partial file was left. Free some space or correct the "
            "permissions, then run the same command again."
        ) from error
    finally:
        if handle is not None:
            os.close(handle)
        if temporary is not None and (progress is None or not progress.exists()):
            temporary.unlink(missing_ok=True)


def _create(path: Path) -> tuple[int, Path]:
    """Create and lock an empty temporary file beside `path`."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    _lock(handle)
    return handle, Path(name)


def _claim_leftover(path: Path, *, keep: bool) -> tuple[int, Path] | None:
    """Remove the temporary files of ended processes; if `keep`, lock and return one of them.

    The files of running processes are locked, and stay.
    """
    claimed = None
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(FileNotFoundError), leftover.open("r+b") as stream:
            if not _lock(stream.fileno()):
                continue
            # The file may have been renamed to its final name before it was locked.
            if keep and claimed is None and leftover.exists():
                claimed = os.dup(stream.fileno()), leftover
            else:
                leftover.unlink()
    return claimed


def _lock(handle: int) -> bool:
    """Lock an open file; without locks in the file system, no file counts as a leftover."""
    try:
        return try_lock(handle)
    except OSError:
        return False
