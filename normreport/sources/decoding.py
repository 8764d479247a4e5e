"""Decoding image files of all formats to RGB arrays of one size."""

from __future__ import annotations

import re
import stat
import sys
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, UnidentifiedImageError

from normreport.config.data import MAX_MEGAPIXELS
from normreport.errors import DataError, UnreadableImageError
from normreport.sources.pixels import to_rgb
from normreport.sources.png_chunks import without_texts
from normreport.sources.pool import ImagePool

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "PPM")
# What an unknown file may be, by its first bytes.
UNSUPPORTED = {
    "this kind of TIFF": re.compile(rb"II[*+]|MM\0[*+]"),
    "HEIC": re.compile(rb"....ftyp(hei|hev|mif1|msf1)", re.DOTALL),
    "JPEG XL": re.compile(rb"\xff\x0a|....JXL ", re.DOTALL),
}
TOO_LARGE = "Make it smaller, or raise the source's max_megapixels if the memory suffices."
# Images that the threads decode before the next batch starts, which bounds the memory.
BATCH = 256
# The checksum of an empty place; CRC-32 values are never negative.
NO_IMAGE = -1


class _TooLargeError(ValueError):
    pass


@dataclass(frozen=True)
class Skipped:
    """An image that was left out, and the reason. Neither contains the path of the source."""

    split: str
    image: str
    why: str


def fill_arrays(
    pool: ImagePool,
    images: NDArray[Any],
    labels: NDArray[Any],
    checksums: NDArray[np.int64],
    *,
    split: str,
    threads: int,
    skip: bool,
    skipped: list[Skipped],
    after_batch: Callable[[], None],
) -> int:
    """Decode the first images of a pool into arrays, in bounded memory.

    An image that is already in its place, with the right checksum, is not read again. Interrupted
    decoding therefore resumes, and its result and skipped images equal those of an uninterrupted
    one.

    Parameters
    ----------
    pool
        At least as many images as the arrays have places.
    images : array of uint8, shape (n, size, size, 3)
    labels : array of int64, shape (n,)
        Filled in the pool's order, for any number of threads.
    checksums : array of int64, shape (n,)
        For each place the CRC-32 of its image and the image's number, or NO_IMAGE. Updated.
    split
        ``train`` or ``heldout``.
    threads
        Number of images to decode at the same time.
    skip
        Use the next image in the order instead of an unreadable one.
    skipped
        Unreadable images of all splits so far. Extended.
    after_batch
        Called after each batch, while no thread writes to the arrays.

    Returns
    -------
    int
        How many images of the pool's order were used or skipped.

    Raises
    ------
    UnreadableImageError
        If an image cannot be decoded and `skip` is false.
    DataError
        If too few readable images are left.
    """
    size = images.shape[1]
    used = 0
    places = np.arange(len(images))

    def decode(place: int, number: int) -> UnreadableImageError | None:
        if checksums[place] != zlib.crc32(images[place], number):
            try:
                images[place] = resize(pool.read(number), size)
            except UnreadableImageError as error:
                return error
            checksums[place] = zlib.crc32(images[place], number)
        labels[place] = pool.labels[number]
        return None

    with ThreadPoolExecutor(threads) as executor:
        while len(places):
            numbers = pool.order[used : used + len(places)]
            if len(numbers) < len(places):
                last, missing = skipped[-1], len(places) - len(numbers)
                raise DataError(
                    f"{missing} of the {len(images)} {split} images are missing: {len(skipped)} "
                    "images of the source cannot be read, and no others are left. The last one "
                    f"is {last.image} ({last.why}). Repair the images, or lower the number."
                )
            used += len(numbers)
            failed = []
            # Read in the order of the source, where neighbours are stored together.
            by_number = np.argsort(numbers, kind="stable")
            for start in range(0, len(by_number), BATCH):
                batch = by_number[start : start + BATCH]
                errors = executor.map(decode, places[batch].tolist(), numbers[batch].tolist())
                for place, error in zip(places[batch], errors, strict=True):
                    if error is None:
                        continue
                    if not skip:
                        raise error
                    print(f"skipped: {error}", file=sys.stderr, flush=True)
                    skipped.append(Skipped(split, error.image, error.why))
                    failed.append(place)
                done = len(images) - len(by_number) + start + len(batch)
                print(f"{split}: {done} of {len(images)} images", file=sys.stderr, flush=True)
                after_batch()
            places = np.array(sorted(failed), dtype=np.int64)
    return used


def decode_image(
    file: Path | IO[bytes], *, source: str, name: str, max_megapixels: int = MAX_MEGAPIXELS
) -> Image.Image:
    """Decode the first frame of an image file to mode L or RGB, as a viewer shows it.

    EXIF orientation is applied, transparency becomes white, 16-bit grey becomes 8-bit, and
    palettes and CMYK become RGB. Colour profiles are ignored.

    Parameters
    ----------
    file
        Path or content of the file.
    source, name
        The source and the image in error messages.
    max_megapixels
        The largest image, in millions of pixels.

    Raises
    ------
    UnreadableImageError
        If the file is not an image of the `FORMATS`, is truncated or too large, or does not define
        how its pixels look.
    """
    # Global switches of Pillow. Importing WeasyPrint turns the first one on; the second is a limit
    # of which Pillow's own message does not say how to raise it.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    Image.MAX_IMAGE_PIXELS = None
    try:
        if isinstance(file, Path):
            if not stat.S_ISREG(file.stat().st_mode):
                raise ValueError("not a regular file")
            with file.open("rb") as stream:
                return _decode(stream, max_megapixels)
        return _decode(file, max_megapixels)
    except _TooLargeError as error:
        raise UnreadableImageError(source, name, str(error), advice=TOO_LARGE) from error
    except Exception as error:  # decoders raise many types
        raise UnreadableImageError(source, name, error_reason(error)) from error


def _decode(stream: IO[bytes], max_megapixels: int) -> Image.Image:
    try:
        opened = Image.open(without_texts(stream), formats=FORMATS)
    except UnidentifiedImageError as error:
        stream.seek(0)
        begin = stream.read(12)
        kind = next((kind for kind, pattern in UNSUPPORTED.items() if pattern.match(begin)), None)
        raise ValueError(f"{kind} is not supported") if kind else error from error
    with opened as image:
        width, height = image.size
        if width * height > max_megapixels * 1_000_000:
            raise _TooLargeError(
                f"{width} x {height} pixels, but max_megapixels is {max_megapixels}"
            )
        return to_rgb(image)


def error_reason(error: Exception) -> str:
    """Return an error's message without a path or a memory address."""
    if isinstance(error, UnidentifiedImageError):
        return "not an image of a known format"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def resize(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Resize to a square RGB array with Pillow's antialiased bilinear filter."""
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
