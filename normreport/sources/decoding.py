"""Decoding image files of all formats to RGB arrays of one size."""

from __future__ import annotations

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
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from normreport.errors import DataError, UnreadableImageError
from normreport.sources.pool import ImagePool

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
# Images that the threads decode before the next batch starts, which bounds the memory.
BATCH = 256
# The checksum of an empty place; CRC-32 values are never negative.
NO_IMAGE = -1


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


def decode_image(file: Path | IO[bytes], *, source: str, name: str) -> Image.Image:
    """Decode the first frame of an image file to mode L or RGB.

    EXIF orientation is applied, transparency becomes white, 16-bit grey becomes 8-bit, and
    palettes and CMYK become RGB. Colour profiles are ignored.

    Parameters
    ----------
    file
        Path or content of the file.
    source, name
        The source and the image in error messages.

    Raises
    ------
    UnreadableImageError
        If the file is not an image of the `FORMATS`, is truncated, or has more pixels than
        Pillow's limit.
    """
    # A global switch of Pillow, which importing WeasyPrint turns on.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        if isinstance(file, Path) and not stat.S_ISREG(file.stat().st_mode):
            raise ValueError("not a regular file")
        with Image.open(file, formats=FORMATS) as image:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise ValueError(f"{image.width} x {image.height} pixels, more than {limit}")
            return _to_rgb(ImageOps.exif_transpose(image))
    except Exception as error:  # decoders raise many types
        raise UnreadableImageError(source, name, error_reason(error)) from error


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


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("its grey values exceed 16 bits")
        # 65535 / 255 = 257
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its grey values are floats, which have no defined black and white")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")
