"""Image files of every kind to uint8 RGB of one size, as a person would see them."""

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
from normreport.sources.pool import Pool

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP")
# Images that are handed to the threads at once, which bounds what is in memory.
BATCH = 256
# In the place of a checksum: of no image.
NOTHING = -1


@dataclass(frozen=True)
class Skipped:
    """An image that was left out, and why; neither says where the source lies."""

    split: str
    image: str
    why: str


def fill(
    pool: Pool,
    images: NDArray[Any],
    labels: NDArray[Any],
    checksums: NDArray[np.int64],
    *,
    what: str,
    threads: int,
    skip: bool,
    skipped: list[Skipped],
    after_batch: Callable[[], None],
) -> int:
    """Decode the first images of a pool into arrays, in bounded memory.

    Of an image that lies in its place already, as its checksum tells, nothing is read. So a
    decoding that was stopped goes on with what is left of the arrays, whatever that is; and all
    else, also which images are skipped, comes out as if it had not been stopped.

    Parameters
    ----------
    pool
        Has at least as many images as the arrays have room for.
    images : array of uint8, shape (n, size, size, 3)
    labels : array of int64, shape (n,)
        Filled in the pool's order, whatever the number of threads.
    checksums : array of int64, shape (n,)
        Of the image that was put into each place, and of its number in the pool; or NOTHING.
    what
        The split, for the log.
    threads
        Images decoded at a time.
    skip
        Whether the place of an image that cannot be read goes to the next in the order.
    skipped
        Images that could not be read, also of other splits; grows.
    after_batch
        Called after each batch, when nothing is written to the arrays.

    Returns
    -------
    int
        How many of the order were used up.
    """
    size = images.shape[1]
    taken = 0
    places = np.arange(len(images))

    def decode(place: int, number: int) -> UnreadableImageError | None:
        if checksums[place] != zlib.crc32(images[place], number):
            try:
                images[place] = resized(pool.read(number), size)
            except UnreadableImageError as error:
                return error
            checksums[place] = zlib.crc32(images[place], number)
        labels[place] = pool.labels[number]
        return None

    with ThreadPoolExecutor(threads) as executor:
        while len(places):
            numbers = pool.order[taken : taken + len(places)]
            if len(numbers) < len(places):
                last, missing = skipped[-1], len(places) - len(numbers)
                raise DataError(
                    f"{missing} of the {len(images)} {what} images are missing, as "
                    f"{len(skipped)} of the source cannot be read and there are no others to take "
                    f"instead; the last: {last.image} ({last.why}). Ask for fewer, or mend them."
                )
            taken += len(numbers)
            failed = []
            # As they lie in the source: neighbours are read together.
            nearby = np.argsort(numbers, kind="stable")
            for start in range(0, len(nearby), BATCH):
                batch = nearby[start : start + BATCH]
                found = executor.map(decode, places[batch].tolist(), numbers[batch].tolist())
                for place, error in zip(places[batch], found, strict=True):
                    if error is None:
                        continue
                    if not skip:
                        raise error
                    print(f"skipped: {error}", file=sys.stderr, flush=True)
                    skipped.append(Skipped(what, error.image, error.why))
                    failed.append(place)
                done = len(images) - len(nearby) + start + len(batch)
                print(f"{what}: {done} of {len(images)} images", file=sys.stderr, flush=True)
                after_batch()
            places = np.array(sorted(failed), dtype=np.int64)
    return taken


def decoded(file: Path | IO[bytes], *, source: str, name: str) -> Image.Image:
    """Decode one image file, which messages call `name`.

    Its first frame, turned as its EXIF says; transparent parts on white; 16 bits of grey to 8;
    grey, palettes and CMYK to RGB. Colour profiles are not applied.

    Raises
    ------
    UnreadableImageError
        If it is no such file, is truncated, or has more pixels than Pillow thinks safe.
    """
    # A switch of the whole process, which importing WeasyPrint turns on.
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    try:
        if isinstance(file, Path) and not stat.S_ISREG(file.stat().st_mode):
            raise ValueError("it is no file")
        with Image.open(file, formats=FORMATS) as image:
            limit = Image.MAX_IMAGE_PIXELS
            if limit is not None and image.width * image.height > limit:
                raise ValueError(f"{image.width} x {image.height} pixels, more than {limit}")
            return _as_seen(ImageOps.exif_transpose(image))
    except Exception as error:  # decoders raise whatever they stumble over
        raise UnreadableImageError(source, name, reason(error)) from error


def reason(error: Exception) -> str:
    """Say what an error says, without a path or an address in memory."""
    if isinstance(error, UnidentifiedImageError):
        return "it does not begin as such a file does"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _as_seen(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image)
        if values.min() < 0 or values.max() > 65535:
            raise ValueError("its grey values are not within 16 bits")
        # 65535 / 255 = 257
        return Image.fromarray(((values.astype(np.uint32) + 128) // 257).astype(np.uint8))
    if image.mode == "F":
        raise ValueError("its grey values are floats, of which black and white are not known")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def resized(image: Image.Image, size: int) -> NDArray[np.uint8]:
    """Resize to a square with Pillow's antialiased bilinear filter; RGB."""
    return np.asarray(image.convert("RGB").resize((size, size), Image.Resampling.BILINEAR))
