"""One image file of each kind, as a person would see it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from normreport.errors import UnreadableImageError
from normreport.sources import decoding
from normreport.sources.decoding import NOTHING, Skipped, decoded, resized
from normreport.sources.pool import Pool
from tests.sources.images import picture


def seen(image: Image.Image, kind: str = "PNG", **options: Any) -> np.ndarray:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    found = decoded(io.BytesIO(buffer.getvalue()), source="memory", name="image")
    return resized(found, found.width)


@pytest.mark.parametrize(
    ("kind", "options"),
    [("PNG", {}), ("BMP", {}), ("TIFF", {}), ("WEBP", {"lossless": True})],
)
def test_a_file_without_loss_gives_its_pixels(kind: str, options: dict[str, Any]) -> None:
    assert np.array_equal(seen(picture(0), kind, **options), np.asarray(picture(0)))


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_of_one_colour_has_that_colour(mode: str) -> None:
    colour = {"RGB": (200, 100, 50), "L": 120, "CMYK": (55, 155, 205, 0)}[mode]
    expected = {"RGB": (200, 100, 50), "L": (120,) * 3, "CMYK": (200, 100, 50)}[mode]
    found = seen(Image.new(mode, (16, 16), colour), "JPEG", quality=100)
    assert np.abs(found.astype(int) - expected).max() <= 2


def test_grey_and_black_and_white_become_equal_channels() -> None:
    grey = Image.fromarray(np.arange(256, dtype=np.uint8).reshape(16, 16))
    assert np.array_equal(seen(grey), np.asarray(grey)[..., None].repeat(3, axis=2))
    assert set(np.unique(seen(grey.convert("1")))) == {0, 255}


def test_sixteen_bits_of_grey_become_the_nearest_of_eight() -> None:
    levels = np.linspace(0, 65535, 256).round().astype(np.uint16).reshape(16, 16)
    for kind in ("PNG", "TIFF"):
        found = seen(Image.fromarray(levels), kind)
        assert np.array_equal(found[..., 0], np.rint(levels / 257).astype(np.uint8))


@pytest.mark.parametrize(
    ("values", "why"),
    [
        (np.full((16, 16), -1, dtype=np.int32), "its grey values are not within 16 bits"),
        (np.full((16, 16), 0.5, dtype=np.float32), "its grey values are floats"),
    ],
)
def test_grey_of_which_black_and_white_are_unknown_is_refused(values: Any, why: str) -> None:
    with pytest.raises(UnreadableImageError, match=why):
        seen(Image.fromarray(values), "TIFF")


def test_what_is_transparent_is_white() -> None:
    image = Image.new("RGBA", (16, 16), (255, 0, 0, 255))
    image.paste((0, 0, 255, 0), (0, 0, 8, 16))
    image.paste((0, 0, 0, 128), (8, 0, 16, 8))
    found = seen(image)
    assert found[0, 0].tolist() == [255, 255, 255]
    assert found[15, 15].tolist() == [255, 0, 0]
    assert found[0, 15].tolist() == [127, 127, 127]


def test_a_palette_with_a_transparent_colour_is_its_colours_on_white() -> None:
    image = Image.new("P", (16, 16), 0)
    image.putpalette([10, 20, 30, 200, 100, 50])
    image.paste(1, (0, 0, 8, 16))
    for kind in ("PNG", "GIF"):
        found = seen(image, kind, transparency=0)
        assert found[0, 0].tolist() == [200, 100, 50]
        assert found[0, 15].tolist() == [255, 255, 255]
    assert seen(image)[0, 15].tolist() == [10, 20, 30]


def test_an_image_is_turned_as_its_exif_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    expected = np.asarray(picture(0).rotate(-90))
    assert np.array_equal(seen(picture(0), "PNG", exif=exif), expected)


def test_of_several_frames_the_first_is_taken() -> None:
    for kind in ("GIF", "TIFF"):
        red, blue = (Image.new("RGB", (16, 16), colour) for colour in ("red", "blue"))
        found = seen(red, kind, save_all=True, append_images=[blue])
        assert found[8, 8].tolist() == [255, 0, 0]


def test_more_pixels_than_are_safe_are_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    for limit in (399, 150):  # Pillow itself warns above its limit and refuses twice of it
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
        with pytest.raises(UnreadableImageError, match=r"400 pixels|20 x 20 pixels, more than 399"):
            seen(picture(0))


def test_other_formats_are_refused_even_if_pillow_knows_them() -> None:
    with pytest.raises(UnreadableImageError, match="does not begin as such a file does"):
        seen(picture(0), "PPM")


@pytest.mark.parametrize("lenient", [False, True], ids=["", "where another library is lenient"])
def test_any_first_part_of_a_file_is_refused_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lenient: bool
) -> None:
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", lenient)
    for kind in ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP"):
        buffer = io.BytesIO()
        picture(0, size=64).save(buffer, kind)
        whole = buffer.getvalue()
        for share in (0.0, 0.01, 0.1, 0.5, 0.9):
            path = tmp_path / f"{kind}-{share}"
            path.write_bytes(whole[: int(len(whole) * share)])
            with pytest.raises(UnreadableImageError, match=rf"^source: {path.name}: is no image"):
                decoded(path, source="source", name=path.name)


def fill(
    pool: Pool,
    images: np.ndarray,
    labels: np.ndarray,
    checksums: np.ndarray,
    *,
    threads: int = 1,
    skip: bool = False,
    after_batch: Callable[[], None] = lambda: None,
) -> list[Skipped]:
    """Fill arrays and give what was skipped."""
    skipped: list[Skipped] = []
    decoding.fill(
        pool,
        images,
        labels,
        checksums,
        what="train",
        threads=threads,
        skip=skip,
        skipped=skipped,
        after_batch=after_batch,
    )
    return skipped


def test_only_a_batch_of_images_is_in_memory_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
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
    pool = Pool(labels, np.arange(40), read)
    fill(pool, images, labels, np.full(40, NOTHING), threads=3)
    assert done.all()
    assert max(far_ahead) < 4


class Album:
    """Pictures by number, of which some cannot be read; it knows which ones were looked at."""

    def __init__(self, *bad: int) -> None:
        self.bad, self.read = bad, list[int]()

    def pool(self, count: int = 20) -> Pool:
        return Pool(np.arange(count) % 3, np.random.default_rng(0).permutation(count), self.look)

    def look(self, number: int) -> Image.Image:
        self.read.append(number)
        if number in self.bad:
            raise UnreadableImageError("album", f"picture {number}", "it is torn")
        return picture(number)


def room(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give images, labels and checksums, all of nothing."""
    images = np.zeros((count, 16, 16, 3), dtype=np.uint8)
    return images, np.zeros(count, dtype=np.int64), np.full(count, NOTHING)


def test_no_image_is_read_again_that_lies_in_its_place() -> None:
    filled = room(12)
    fill(Album().pool(), *filled)
    images, labels, checksums = (array.copy() for array in filled)
    labels[:] = 7
    images[3, 0, 0, 0] ^= 1
    images[8] = 0
    checksums[5] = NOTHING
    again = Album()
    fill(again.pool(), images, labels, checksums)
    order = again.pool().order
    assert again.read == sorted(order[[3, 5, 8]])
    for found, expected in zip((images, labels, checksums), filled, strict=True):
        assert np.array_equal(found, expected)


def test_an_image_in_the_place_of_another_is_none_of_its() -> None:
    black = Pool(np.zeros(4, dtype=np.int64), np.arange(4), lambda i: Image.new("L", (16, 16)))
    images, labels, checksums = room(2)
    fill(black, images, labels, checksums)
    others = Album()
    # All are as black as these, yet they are of other numbers.
    fill(Pool(black.labels, np.array([2, 1]), others.look), images, labels, checksums)
    assert others.read == [2]


def test_whatever_was_filled_when_it_was_stopped_the_same_images_are_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(decoding, "BATCH", 3)
    bad = (2, 3, 11, 13, 17)
    expected = room(14)
    skipped = fill(Album(*bad).pool(), *expected, skip=True)
    assert sorted(int(image.image.split()[1]) for image in skipped) == sorted(bad)
    for batches in range(1, 7):
        left = iter(range(batches - 1))
        arrays, album = room(14), Album(*bad)
        with pytest.raises(StopIteration):
            fill(album.pool(), *arrays, skip=True, after_batch=lambda left=left: next(left))
        begun, again = set(album.read) - set(bad), Album(*bad)
        assert fill(again.pool(), *arrays, skip=True) == skipped
        assert not begun & set(again.read)
        for found, whole in zip(arrays, expected, strict=True):
            assert np.array_equal(found, whole)


def test_progress_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    from tests.sources.images import load

    load("digits", train=300, heldout=5)
    assert capsys.readouterr().err.splitlines() == [
        "heldout: 5 of 5 images",
        "train: 256 of 300 images",
        "train: 300 of 300 images",
    ]
