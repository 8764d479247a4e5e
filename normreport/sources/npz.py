"""Arrays of images and labels in one file of NumPy's."""

from __future__ import annotations

import math
import shutil
import struct
import tempfile
import zipfile
import zlib
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from normreport.config.data import Npz
from normreport.errors import DataError, StorageError
from normreport.sources.pool import Pool, Splits

PIECE = 1 << 20  # bytes that are unpacked at a time


def find(source: Npz, seed: int) -> Splits:
    """Read the arrays; nothing in the file is executed.

    Raises
    ------
    DataError
        If an array is missing or is not what the settings' description says.
    StorageError
        If there is no room on the disk to unpack the images.
    """
    arrays = _read(source.path)
    images, labels = arrays["images"], arrays["labels"]
    channels = images.shape[3:]
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or channels not in ((), (1,), (3,)):
        raise _wrong(
            source.path, "images", "uint8 of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3)", images
        )
    if not all(images.shape):
        raise _wrong(source.path, "images", "images with pixels", images)
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise _wrong(source.path, "labels", f"whole numbers of shape ({len(images)},)", labels)
    classes = arrays.get("classes", np.arange(min(labels.max(), len(labels)) + 1))
    if classes.dtype.kind not in "iuU" or classes.ndim != 1:
        raise _wrong(source.path, "classes", "a list of names", classes)
    outside = labels[(labels < 0) | (labels >= len(classes))]
    if outside.size:
        raise DataError(
            f"{source.path}: labels: expected whole numbers from 0 to {len(classes) - 1}, one for "
            f"each class, found {outside[0]}. Number the classes from 0 without gaps."
        )
    if channels == (1,):
        images = images[..., 0]
    return Splits(
        name=source.path,
        classes=tuple(str(name) for name in classes),
        train=Pool.stratified(labels.astype(np.int64), lambda i: Image.fromarray(images[i]), seed),
    )


def _read(path: str) -> dict[str, NDArray[Any]]:
    try:
        with open(path, "rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it holds one array without a name")
            mapped = _mapped(path, "images.npy")
            images = archive["images"] if mapped is None else mapped
            return {"images": images, "labels": archive["labels"]} | {
                name: archive[name] for name in ("classes",) if name in archive
            }
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        MemoryError,
        zipfile.BadZipFile,
        zlib.error,
    ) as error:
        raise DataError(
            f"{path}: could not be read ({error or type(error).__name__}). Expected a file that "
            "numpy.savez(path, images=..., labels=...) wrote, without Python objects in it."
        ) from error


def _mapped(path: str, name: str) -> NDArray[Any] | None:
    """Map an array as it lies in the file, or is unpacked from it: it may be larger than memory.

    None where that cannot be: where it is not there, or not of plain bytes in rows.
    """
    with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
        member = archive.NameToInfo.get(name)
        if member is None:
            return None
        with archive.open(member) as content:
            if np.lib.format.read_magic(content) != (1, 0):
                return None
            shape, in_columns, dtype = np.lib.format.read_array_header_1_0(content)
            if dtype != np.uint8 or in_columns or 0 in shape:
                return None
            header = content.tell()
            if header + math.prod(shape) != member.file_size:
                raise ValueError(f"{name} is not as long as its shape says")
            if member.compress_type != zipfile.ZIP_STORED:
                return _unpacked(content, path, shape)
        if damaged := archive.testzip():  # a map has no checksum
            raise ValueError(f"Bad CRC-32 for file {damaged!r}")
        # Before the content stand 30 bytes, of which the last four tell the lengths of a name and
        # of extra data that follow.
        stream.seek(member.header_offset)
        name_length, extra_length = struct.unpack("<26xHH", stream.read(30))
        start = member.header_offset + 30 + name_length + extra_length + header
    return np.memmap(path, dtype, mode="r", offset=start, shape=shape)


def _unpacked(content: IO[bytes], path: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Unpack the rest of an array into a file without a name, which vanishes with its last user."""
    with tempfile.TemporaryFile() as unpacked:
        try:
            shutil.copyfileobj(content, unpacked, PIECE)
            unpacked.flush()
        except OSError as error:
            raise StorageError(
                f"{path}: images: could not be unpacked into {tempfile.gettempdir()} "
                f"({error.strerror or error}). Expected room for {math.prod(shape) / 1e6:,.0f} MB "
                "there, as they are compressed. Free some space, or name another folder by TMPDIR."
            ) from error
        return np.memmap(unpacked, np.uint8, mode="r", shape=shape)


def _wrong(path: str, name: str, expected: str, array: NDArray[Any]) -> DataError:
    found = f"{array.dtype} of shape {array.shape}"
    if array.dtype.kind == "f" and np.isnan(array).any():
        found += " with NaN"
    return DataError(
        f"{path}: {name}: expected {expected}, found {found}. Convert it and save it again."
    )
