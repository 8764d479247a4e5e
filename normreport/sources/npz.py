"""Images and labels in a NumPy .npz file."""

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
from normreport.sources.pool import ImagePool, SourceImages

CHUNK = 1 << 20  # bytes to unpack at a time


def list_images(source: Npz, seed: int) -> SourceImages:
    """Read the labels, and map the images. No code in the file is executed.

    Raises
    ------
    DataError
        If the file cannot be read, or an array is missing or has the wrong type or shape.
    StorageError
        If the disk lacks space to unpack the images.
    """
    arrays = _read(source.path)
    images, labels = arrays["images"], arrays["labels"]
    channels = images.shape[3:]
    if images.dtype != np.uint8 or images.ndim not in (3, 4) or channels not in ((), (1,), (3,)):
        raise _unexpected_array(
            source.path, "images", "uint8 of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3)", images
        )
    if not all(images.shape):
        raise _unexpected_array(source.path, "images", "images with pixels", images)
    if labels.dtype.kind not in "iu" or labels.shape != images.shape[:1]:
        raise _unexpected_array(
            source.path, "labels", f"whole numbers of shape ({len(images)},)", labels
        )
    classes = arrays.get("classes", np.arange(min(int(labels.max()), len(labels)) + 1))
    if classes.dtype.kind not in "iuU" or classes.ndim != 1:
        raise _unexpected_array(source.path, "classes", "a list of names", classes)
    outside = labels[(labels < 0) | (labels >= len(classes))]
    if outside.size:
        raise DataError(
            f"{source.path}: labels: expected whole numbers from 0 to {len(classes) - 1}, one for "
            f"each class, found {outside[0]}. Number the classes from 0 without gaps."
        )
    if channels == (1,):
        images = images[..., 0]
    return SourceImages(
        name=source.path,
        classes=tuple(str(name) for name in classes),
        train=ImagePool.stratified(
            labels.astype(np.int64), lambda i: Image.fromarray(images[i]), seed
        ),
    )


def _read(path: str) -> dict[str, NDArray[Any]]:
    try:
        with open(path, "rb") as stream:
            archive = np.load(stream, allow_pickle=False)
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise ValueError("it contains a single array without a name")
            mapped = _map_array(path, "images.npy")
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
            f"{path}: could not be read ({error or type(error).__name__}). Expected a file written "
            "by numpy.savez(path, images=..., labels=...), without Python objects."
        ) from error


def _map_array(path: str, name: str) -> NDArray[Any] | None:
    """Memory-map a uint8 array of the file, which may be larger than memory.

    A compressed array is first unpacked to a temporary file. None if the array is missing, has
    another dtype, is empty or in Fortran order.
    """
    with open(path, "rb") as stream, zipfile.ZipFile(stream) as archive:
        member = archive.NameToInfo.get(name)
        if member is None:
            return None
        with archive.open(member) as content:
            if np.lib.format.read_magic(content) != (1, 0):
                return None
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(content)
            if dtype != np.uint8 or is_fortran or 0 in shape:
                return None
            header = content.tell()
            if header + math.prod(shape) != member.file_size:
                raise ValueError(f"{name} has another length than its shape")
            if member.compress_type != zipfile.ZIP_STORED:
                return _unpack(content, path, shape)
        if damaged := archive.testzip():  # reading a memory map checks nothing
            raise ValueError(f"Bad CRC-32 for file {damaged!r}")
        # A local file header has 30 bytes. The last four are the lengths of the name and of the
        # extra field that follow.
        stream.seek(member.header_offset)
        name_length, extra_length = struct.unpack("<26xHH", stream.read(30))
        start = member.header_offset + 30 + name_length + extra_length + header
    return np.memmap(path, dtype, mode="r", offset=start, shape=shape)


def _unpack(content: IO[bytes], path: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Unpack the rest of an array to an unnamed temporary file, removed with its last reader."""
    with tempfile.TemporaryFile() as unpacked:
        try:
            shutil.copyfileobj(content, unpacked, CHUNK)
            unpacked.flush()
        except OSError as error:
            raise StorageError(
                f"{path}: images: could not be unpacked into {tempfile.gettempdir()} "
                f"({error.strerror or error}). They are compressed, and unpacking needs "
                f"{math.prod(shape) / 1e6:,.0f} MB. Free some space, or set TMPDIR to another "
                "folder."
            ) from error
        return np.memmap(unpacked, np.uint8, mode="r", shape=shape)


def _unexpected_array(path: str, name: str, expected: str, array: NDArray[Any]) -> DataError:
    description = f"{array.dtype} of shape {array.shape}"
    if array.dtype.kind == "f" and np.isnan(array).any():
        description += " with NaN"
    return DataError(
        f"{path}: {name}: expected {expected}, found {description}. Convert the array and save "
        "the file again."
    )
