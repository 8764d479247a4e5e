"""Decoding image files of every format, and filling arrays with them."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from normreport.errors import UnreadableImageError
from normreport.sources import decoding
from normreport.sources.decoding import NO_IMAGE, Skipped, decode_image, resize
from normreport.sources.pool import ImagePool
from tests.sources.images import picture


def seen(image: Image.Image, kind: str = "PNG", **options: Any) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    found = decode_image(io.BytesIO(buffer.getvalue()), source="memory", name="image")
    return resize(found, found.width)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})],
)
def test_a_lossless_file_gives_its_pixels(kind: str, options: dict[str, Any]) -> None:
    assert np.array_equal(seen(picture(0), kind, **options), np.asarray(picture(0)))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_of_one_colour_gives_that_colour(mode: str) -> None:
    colours: dict[str, Any] = {"RGB": (200, 100, 50), "L": 120, "CMYK": (55, 155, 205, 0)}
    expected = {"RGB": (200, 100, 50), "L": (120,) * 3, "CMYK": (200, 100, 50)}[mode]
    found = seen(Image.new(mode, (16, 16), colours[mode]), "JPEG", quality=100)
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_grey_and_binary_images_give_equal_channels() -> None:
    grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert np.array_equal(seen(grey), np.asarray(grey)[..., None].repeat(3, axis=2))
    assert set(np.unique(seen(grey.convert("1")))) == {0, 255}


def test_16_bit_grey_is_rounded_to_8_bits() -> None:
    levels = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        found = seen(Image.fromarray(levels), kind)
        assert np.array_equal(found[..., 0], np.rint(levels / 257).astype(np.uint8))


def test_transparency_becomes_white() -> None:
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (0, 0, 8, 16))
    image.paste((0, 0, 0, 128), (8, 0, 16, 8))
    found = seen(image)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[15, 15].tolist() == [255, 0, 0]
    assert found[0, 15].tolist() == [127, 127, 127]


def test_a_transparent_colour_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 8, 16))
    for kind in ("PNG", "GIF"):
        found = seen(image, kind, transparency=0)
        assert found[0, 0].tolist() == [200, 100, 50]
        assert found[0, 15].tolist() == [255, 255, 255]
    assert seen(image)[0, 15].tolist() == [10, 20, 30]


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    expected = np.asarray(picture(0).rotate(-90))
    assert np.array_equal(seen(picture(0), "PNG", exif=exif), expected)


def test_the_first_of_several_frames_is_used() -> None:
    for kind in ("GIF", "TIFF"):
        red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
        found = seen(red, kind, save_all=True, append_images=[blue])
        assert found[8, 8].tolist() == [255, 0, 0]


def test_a_photograph_of_108_megapixels_is_read() -> None:
    buffer = io.BytesIO()
    Image.new("L", (12000, 9000), 77).save(buffer, "JPEG")
    found = decode_image(buffer, source="memory", name="image")
    assert found.size == (12000, 9000)
    assert found.getpixel((6000, 4500)) == (77, 77, 77)


def test_a_larger_image_raises_until_the_limit_is_raised() -> None:
    buffer = io.BytesIO()
    Image.new("L", (2000, 1001)).save(buffer, "PNG")
    with pytest.raises(UnreadableImageError) as caught:
        decode_image(buffer, source="memory", name="image", max_megapixels=2)
    assert str(caught.value) == (
        "memory: image: this image cannot be read (2000 x 1001 pixels, but max_megapixels is 2). "
        "Make it smaller, or raise the source's max_megapixels if the memory suffices. Or set the "
        "source's skip_unreadable to true to use other images instead."
    )
    buffer.seek(0)
    assert decode_image(buffer, source="memory", name="image", max_megapixels=3).width == 2000


def test_other_formats_that_pillow_knows_raise() -> None:
    for kind in ("TGA", "PCX", "JPEG2000", "ICO"):
        with pytest.raises(UnreadableImageError, match="not an image of a known format"):
            seen(picture(0), kind)


@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_a_truncated_file_of_any_format_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "AVIF", "PPM"):
        buffer = io.BytesIO()
        picture(0, size=64).save(buffer, kind)
        whole = buffer.getvalue()
        for share in (0.0, 0.01, 0.1, 0.5, 0.9):
            path = tmp_path / f"{kind}-{share}"
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(
                UnreadableImageError, match=rf"^source: {path.name}: this image cannot"
            ):
                decode_image(path, source="source", name=path.name)


def fill(
    pool: ImagePool,
    images: np.ndarray,
    labels: np.ndarray,
    checksums: np.ndarray,
    *,
    threads: int = 1,
    skip: bool = False,
    after_batch: Callable[[], None] = lambda: None,
) -> list[Skipped]:
    """Fill arrays and return the skipped images."""
    skipped: list[Skipped] = []
    decoding.fill_arrays(
        pool,
        images,
        labels,
        checksums,
        split="train",
        threads=threads,
        skip=skip,
        skipped=skipped,
        after_batch=after_batch,
    )
    return skipped


def test_at_most_one_batch_of_images_is_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "BATCH", 4)
    done = np.zeros(40, dtype=bool)
    far_ahead = []

    def read(i: int) -> Image.Image:
        far_ahead.append(i - int(done.argmin()))
        return picture(i)

    class Watched(np.ndarray):
        def __setitem__(self, place: Any, value: Any) -> None:
            done[place] = True
            super().__setitem__(place, value)

    images = np.zeros((40, 16, 16, 3), dtype=np.uint8).view(Watched)
    labels = np.zeros(40, dtype=np.int64)
    pool = ImagePool(labels, np.arange(40), read)
    fill(pool, images, labels, np.full(40, NO_IMAGE), threads=3)
    assert done.all()
    assert max(far_ahead) < 4


class Album:
    """Numbered pictures, some unreadable, with a list of those that were read."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.read = bad, list[int]()

    def pool(self, count: int = 20) -> ImagePool:
        return ImagePool(
            np.arange(count) % 3, np.random.default_rng(0).permutation(count), self.look
        )

    def look(self, number: int) -> Image.Image:
        self.read.append(number)
        if number in self.bad:
            raise UnreadableImageError("album", f"picture {number}", "it is torn")
        return picture(number)


def empty_arrays(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return empty images, labels and checksums."""
    images = np.zeros((count, 16, 16, 3), dtype=np.uint8)
    return images, np.zeros(count, dtype=np.int64), np.full(count, NO_IMAGE)


def test_images_that_are_already_in_place_are_not_read_again() -> None:
    filled = empty_arrays(12)
    fill(Album().pool(), *filled)
    images, labels, checksums = (array.copy() for array in filled)
    labels[:] = 7
    images[3, 0, 0, 0] ^= 1
    images[8] = 0
    checksums[5] = NO_IMAGE
    again = Album()
    fill(again.pool(), images, labels, checksums)
    order = again.pool().order
    assert again.read == sorted(order[[3, 5, 8]])
    for found, expected in zip((images, labels, checksums), filled, strict=True):
        assert np.array_equal(found, expected)


def test_an_equal_image_of_another_number_is_read_again() -> None:
    black = ImagePool(np.zeros(4, dtype=np.int64), np.arange(4), lambda i: Image.new("L", (16, 16)))
    images, labels, checksums = empty_arrays(2)
    fill(black, images, labels, checksums)
    others = Album()
    # The images in place are equally black, but have other numbers.
    fill(ImagePool(black.labels, np.array([2, 1]), others.look), images, labels, checksums)
    assert others.read == [2]


def test_resumed_decoding_skips_the_same_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "BATCH", 3)
    bad = (2, 3, 11, 13, 17)
    expected = empty_arrays(14)
    skipped = fill(Album(*bad).pool(), *expected, skip=True)
    assert sorted(int(image.image.split()[1]) for image in skipped) == sorted(bad)
    for batches in range(1, 7):
        stop_after: Callable[[], None] = partial(next, iter([None] * (batches - 1)))
        arrays, album = empty_arrays(14), Album(*bad)
        with pytest.raises(StopIteration):
            fill(album.pool(), *arrays, skip=True, after_batch=stop_after)
        begun, again = set(album.read) - set(bad), Album(*bad)
        assert fill(again.pool(), *arrays, skip=True) == skipped
        assert not begun & set(again.read)
        for found, whole in zip(arrays, expected, strict=True):
            assert np.array_equal(found, whole)


def test_progress_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.sources.images import load

    load("digits", train=300, heldout=5)
    assert capsys.readouterr().err.splitlines() == [
        "heldout: 5 of 5 images",
        "train: 256 of 300 images",
        "train: 300 of 300 images",
    ]
