"""Reading and writing files atomically, with reproducible bytes.

Equal values give equal bytes: JSON has sorted keys and no NaN, CSV has Python's shortest exact
floats, and arrays are written as safetensors, which has no timestamps, unlike ``.npz``.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from normreport.errors import StorageError
from normreport.io.atomic import atomic

# Names of dtypes in safetensors files whose arrays are written or read piece by piece.
DTYPES: Mapping[str, np.dtype[Any]] = {
    "F32": np.dtype("<f4"),
    "I64": np.dtype("<i8"),
    "U8": np.dtype("u1"),
}
Shapes = Mapping[str, tuple[str, tuple[int, ...]]]
"""The dtype, one of ``DTYPES``, and the shape of each array of a safetensors file."""


def canonical_json(value: Any, *, indent: int | None = None) -> str:
    """Return the same text for equal values: sorted keys, no NaN, no spaces unless indented."""
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
    """Write bytes."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_text(path: Path, text: str) -> None:
    """Write text as UTF-8."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write a value as canonical JSON with indentation."""
    write_text(path, canonical_json(value, indent=1) + "\n")


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as CSV. Missing values are empty cells, floats their shortest exact text."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, fieldnames=list(columns), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as CSV."""
    write_text(path, csv_text(columns, rows))


def write_arrays(path: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays to a safetensors file."""
    with atomic(path) as temporary:
        ordered = {name: np.asarray(array, order="C") for name, array in arrays.items()}
        try:
            save_file(ordered, temporary)
        except SafetensorError as error:  # the error of a full disk
            raise OSError(str(error)) from error


def write_items(path: Path, shapes: Shapes, items: Callable[[str], Iterable[np.ndarray]]) -> None:
    """Write a safetensors file, which may be larger than memory, item by item.

    Parameters
    ----------
    path
        The file.
    shapes
        The dtype and shape of each array.
    items
        Returns the items of an array along its first axis, in order.
    """
    header, starts, _ = _layout(shapes)
    with atomic(path) as temporary, temporary.open("wb") as stream:
        stream.write(header)
        for name in starts:
            for item in items(name):
                stream.write(np.ascontiguousarray(item, DTYPES[shapes[name][0]]).data)


def _layout(shapes: Shapes) -> tuple[bytes, dict[str, int], int]:
    """Return the header of a safetensors file, where each array starts, and the file's size."""
    # Arrays with larger items come first, which aligns all of them.
    names = sorted(shapes, key=lambda name: -DTYPES[shapes[name][0]].itemsize)
    header, starts, end = {}, {}, 0
    for name in names:
        dtype, shape = shapes[name]
        starts[name], end = end, end + DTYPES[dtype].itemsize * math.prod(shape)
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": (starts[name], end)}
    text = canonical_json(header).encode()
    text += b" " * (-len(text) % 8)
    begin = 8 + len(text)
    places = {name: begin + start for name, start in starts.items()}
    return len(text).to_bytes(8, "little") + text, places, begin + end


@contextmanager
def arrays_in_place(
    path: Path, shapes: Shapes, *, progress: Path | None = None
) -> Iterator[dict[str, np.ndarray]]:
    """Give memory-mapped arrays of a new safetensors file, which may be larger than memory.

    Parameters
    ----------
    path
        The file, which appears when the block ends without an exception.
    shapes
        The dtype and shape of each array.
    progress
        As for :func:`~normreport.io.atomic.atomic`. The arrays contain zeros, or the values of an
        interrupted block.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    header, starts, end = _layout(shapes)
    with atomic(path, progress=progress) as temporary:
        with temporary.open("r+b") as stream:
            stream.write(header)
            stream.truncate(end)
            # Preallocate: on a full disk, writing to a memory map would raise SIGBUS.
            os.posix_fallocate(stream.fileno(), 0, end)
        arrays = {
            name: np.memmap(temporary, DTYPES[shapes[name][0]], "r+", start, shapes[name][1])
            for name, start in starts.items()
        }
        yield {name: np.asarray(array) for name, array in arrays.items()}
        for array in arrays.values():
            array.flush()


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises
    ------
    StorageError
        If the file is missing or damaged; so do all functions that read.
    """
    try:
        return json.loads(read_text(path))
    except ValueError as error:
        raise unreadable(path, error) from error


def read_text(path: Path) -> str:
    """Read UTF-8 text."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def read_arrays(path: Path, names: Iterable[str] | None = None) -> dict[str, np.ndarray]:
    """Read the arrays of a safetensors file: all, or only `names`."""
    try:
        with safe_open(path, framework="numpy") as archive:
            wanted = list(archive.keys()) if names is None else list(names)
            return {name: archive.get_tensor(name) for name in wanted}
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


@dataclass(frozen=True)
class StoredArray:
    """An array of a safetensors file, whose items along the first axis are read one at a time.

    The file is neither kept open, because a process may read a thousand, nor mapped, because the
    pages of a map count as memory of the process until it is closed.

    Attributes
    ----------
    path
        The file.
    dtype, shape
        Those of the array.
    start
        The position of its first byte in the file.
    """

    path: Path
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    start: int

    @classmethod
    def find(cls, path: Path, name: str) -> Self:
        """Find a named array in a file."""
        try:
            with path.open("rb") as stream:
                length = int.from_bytes(stream.read(8), "little")
                size = os.fstat(stream.fileno()).st_size
                if 8 + length > size:
                    raise ValueError("the file is too short for its header")
                header = json.loads(stream.read(length))
            if name not in header:
                raise ValueError(f"it has no array {name}")
            entry = header[name]
            found = cls(
                path,
                DTYPES[entry["dtype"]],
                tuple(entry["shape"]),
                8 + length + entry["data_offsets"][0],
            )
            if found.start + found.dtype.itemsize * math.prod(found.shape) > size:
                raise ValueError("the file is too short for its arrays")
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise unreadable(path, error) from error
        return found

    def __len__(self) -> int:
        return self.shape[0]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> np.ndarray:
        """Read one item; the index is not negative."""
        shape = self.shape[1:]
        count = math.prod(shape)
        try:
            if index >= len(self):
                raise IndexError(f"it has {len(self)} items, expected more than {index}")
            with self.path.open("rb") as stream:
                stream.seek(self.start + index * count * self.dtype.itemsize)
                return np.fromfile(stream, self.dtype, count).reshape(shape)
        except (OSError, ValueError, IndexError) as error:
            raise unreadable(self.path, error) from error


def unreadable(path: Path, error: Exception) -> StorageError:
    """Return the error for a file that is missing, damaged or of another format."""
    return StorageError(
        f"{path}: could not be read ({error}). Expected a complete file written by normreport. "
        "Delete it and run snakemake again, which rebuilds only what is missing."
    )


def array_digest(array: np.ndarray) -> str:
    """Return the SHA-256 of an array's dtype, shape and values in C order."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(path, error) from error


def check_digest(path: Path, expected: str | None) -> None:
    """Check that a file has the digest that its manifest records.

    Raises
    ------
    StorageError
        If the digest differs, the file is missing, or the manifest has no digest of it.
    """
    if file_digest(path) != expected:
        raise unreadable(path, ValueError("its digest differs from the one in its manifest"))
