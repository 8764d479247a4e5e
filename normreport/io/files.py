"""Reading and writing: whole files or none, the same bytes every time.

Every write goes to a temporary name in the same folder and is renamed at the end, so that no
partial file is ever seen under a final name. Formats are chosen for their bytes: JSON with sorted
keys and without NaN, CSV with Python's shortest exact floats, safetensors (which, unlike ``.npz``,
holds no clock) for arrays.
"""

from __future__ import annotations

import csv
import fcntl
import glob
import hashlib
import io
import json
import math
import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from normreport.errors import StorageError


@contextmanager
def atomic(path: Path, *, progress: Path | None = None) -> Iterator[Path]:
    """Give a temporary path that becomes `path` when the block ends well, and vanishes otherwise.

    Parameters
    ----------
    path
        The file to write.
    progress
        A file that tells what of an unfinished one is of use. While it is there, what a block
        leaves that failed or was killed is kept, and given to the next one. (Not on a file system
        without locks, where nobody can tell it from what another process is writing.)

    Raises
    ------
    StorageError
        If the disk is full, read-only, or the folder may not be written.
    """
    temporary: Path | None = None
    handle: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        found = _leftover(path, is_wanted=progress is not None and progress.exists())
        handle, temporary = found or _created(path)
        yield temporary
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise StorageError(
            f"{path}: could not be written ({error.strerror or error}). Expected a disk with free "
            "space and a folder that may be written; nothing was left half-written. Free some "
            "space or mend the permissions and run the same command again."
        ) from error
    finally:
        if handle is not None:
            os.close(handle)
        if temporary is not None and (progress is None or not progress.exists()):
            temporary.unlink(missing_ok=True)


def _created(path: Path) -> tuple[int, Path]:
    """Make an empty file beside `path`, and lock it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    _lock(handle)
    return handle, Path(name)


def _leftover(path: Path, *, is_wanted: bool) -> tuple[int, Path] | None:
    """Lock one, if wanted, of what processes that ended left half-written, and remove the others.

    What a living one is writing is locked.
    """
    found = None
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.part"):
        with suppress(FileNotFoundError), leftover.open("r+b") as stream:
            if not _lock(stream.fileno()):
                continue
            # It may have got its final name before it was locked.
            if is_wanted and found is None and leftover.exists():
                found = os.dup(stream.fileno()), leftover
            else:
                leftover.unlink()
    return found


def _lock(handle: int) -> bool:
    """Lock an open file until it is closed, however its process ends; whether that was possible."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another process has it, or the file system has no locks
        return False
    return True


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """One text for equal values: sorted keys, no NaN, no spaces unless indented."""
    separators = (",", ": ") if indent is not None else (",", ":")
    return json.dumps(
        value,
        sort_keys=True,
        indent=indent,
        separators=separators,
        ensure_ascii=False,
        allow_nan=False,
    )


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` whole or not at all."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as canonical, indented JSON."""
    write_text(path, canonical_json(value, indent=1) + "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Rows as CSV: a missing value is an empty cell, a float its shortest exact text."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV."""
    write_text(path, csv_text(columns, rows))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as one safetensors file."""
    with atomic(path) as temporary:
        ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        try:
            save_file(ordered, temporary)
        except SafetensorError as error:  # how a full disk shows there
            raise OSError(str(error)) from error


@contextmanager
def arrays_in_place(
    path: Path,
    shapes: Mapping[str, tuple[str, tuple[int, ...]]],
    *,
    progress: Path | None = None,
) -> Iterator[dict[str, np.ndarray]]:
    """Give arrays that lie in a safetensors file, to be filled there instead of in memory.

    Parameters
    ----------
    path
        The file, which is whole when the block ends well and is not there otherwise.
    shapes
        Of each array its safetensors dtype, ``I64`` or ``U8``, and its shape.
    progress
        As :func:`atomic` has it: the arrays may hold what an unfinished block put there, or zeros.
    """
    dtypes: dict[str, np.dtype[Any]] = {"I64": np.dtype("<i8"), "U8": np.dtype("u1")}
    # The largest items first, so that every array is aligned.
    names = sorted(shapes, key=lambda name: -dtypes[shapes[name][0]].itemsize)
    header, starts, end = {}, {}, 0
    for name in names:
        dtype, shape = shapes[name]
        starts[name], end = end, end + dtypes[dtype].itemsize * math.prod(shape)
        offsets = (starts[name], end)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
    text = canonical_json(header).encode()
    text += b" " * (-len(text) % 8)
    begin = 8 + len(text)
    with atomic(path, progress=progress) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(len(text).to_bytes(8, "little") + text)
            stream.truncate(begin + end)
            # Room on the disk is taken now: later its lack would be a signal, not an error.
            os.posix_fallocate(stream.fileno(), 0, begin + end)
        arrays = {
            name: np.memmap(
                temporary, dtypes[shapes[name][0]], "r+", begin + start, shapes[name][1]
            )
            for name, start in starts.items()
        }
        yield {name: np.asarray(array) for name, array in arrays.items()}
        for array in arrays.values():
            array.flush()


def read_json(path: Path) -> Any:
    """Read a JSON file."""
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Read UTF-8."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read named arrays, all of them or only `names`, from a safetensors file."""
    try:
        with safe_open(path, framework="numpy") as archive:
            wanted = list(archive.keys()) if names is None else list(names)
            return {name: archive.get_tensor(name) for name in wanted}
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


def read_item(path: Path, name: str, index: int) -> np.ndarray:
    """Read one item along the first axis of a named array; the others stay on the disk."""
    try:
        with safe_open(path, framework="numpy") as archive:
            item: np.ndarray = archive.get_slice(name)[index]
            return item
    except (OSError, IndexError, SafetensorError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> StorageError:
    """Make the error for a file that is missing, truncated or of another format."""
    return StorageError(
        f"{path}: could not be read ({error}). Expected a whole file as normreport writes it. "
        "Delete it and run snakemake again: only this part is made anew."
    )


def array_digest(array: np.ndarray) -> str:
    """SHA-256 of an array's dtype, shape and values (C order)."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def check_digest(path: Path, expected: str | None) -> None:
    """Check that a file is the one whose digest was written down.

    Raises
    ------
    StorageError
        If it is another, or missing, or an older version wrote no digest of it.
    """
    if file_digest(path) != expected:
        raise unreadable(path, ValueError("it is not the file that its manifest tells of"))
