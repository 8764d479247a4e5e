"""NumPy .npz files: valid arrays and errors."""

from __future__ import annotations

import inspect
import io
import re
import tempfile
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from normreport import sources
from normreport.errors import DataError, StorageError
from normreport.sources.decoding import resize
from normreport.sources.fingerprint import files_digest
from tests.sources.images import load, picture, settings

IMAGES = np.stack([np.asarray(picture(i, size=16)) for i in range(8)])
LABELS = np.array([0, 1] * 4)


Save = Callable[..., None]
SAVES = pytest.mark.parametrize("save", [np.savez, np.savez_compressed])


def saved(folder: Path, save: Save = np.savez, **values: Any) -> dict[str, str]:
    path = folder / "data.npz"
    save(path, **({"images": IMAGES, "labels": LABELS} | values))
    return {"kind": "npz", "path": str(path)}


def test_images_and_labels_are_those_of_the_file(tmp_path: Path) -> None:
    found = load(saved(tmp_path, classes=np.array(["off <b>", "on"])), train=5, heldout=3)
    assert found.classes == ("off <b>", "on")
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    expected = {image.tobytes(): label for image, label in zip(IMAGES, LABELS, strict=True)}
    assert {i.tobytes(): label for i, label in zip(images, labels, strict=True)} == expected


@pytest.mark.parametrize("images", [IMAGES[..., 0], IMAGES[..., :1]])
def test_grey_images_give_equal_channels(tmp_path: Path, images: Any) -> None:
    found = load(saved(tmp_path, images=images), train=6, heldout=2)
    assert found.classes == ("0", "1")
    assert np.array_equal(found.train_images, found.train_images[..., :1].repeat(3, axis=3))


@SAVES
def test_images_are_memory_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save: Save
) -> None:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    pool = sources.list_images(settings(saved(tmp_path, save))).train
    mapped = inspect.getclosurevars(pool.read).nonlocals["images"]
    assert isinstance(mapped, np.memmap)
    assert np.array_equal(mapped, IMAGES)
    assert pool.read(3) == Image.fromarray(IMAGES[3])
    assert list((tmp_path / "temporary").iterdir()) == []


def test_a_full_disk_while_unpacking_raises(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = saved(tmp_path, np.savez_compressed)
    monkeypatch.setattr(tempfile, "TemporaryFile", partial(open, "/dev/full", "r+b"))
    with pytest.raises(StorageError) as caught:
        load(source)
    assert str(caught.value) == (
        f"{source['path']}: images: could not be unpacked into {tempfile.gettempdir()} (No space "
        "left on device). They are compressed, and unpacking needs 0 MB. Free some space, or set "
        "TMPDIR to another folder."
    )


def test_fortran_order_gives_the_same_images(tmp_path: Path) -> None:
    found, expected = (
        load(saved(tmp_path, images=images)) for images in (np.asfortranarray(IMAGES), IMAGES)
    )
    assert np.array_equal(found.train_images, expected.train_images)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_truncated_array_raises(tmp_path: Path, method: int) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "|u1", "fortran_order": False, "shape": (8, 16, 16, 3)}
    )
    labels = io.BytesIO()
    np.save(labels, LABELS)
    with zipfile.ZipFile(tmp_path / "data.npz", "w", method) as archive:
        archive.writestr("images.npy", header.getvalue() + b"\0" * 100)
        archive.writestr("labels.npy", labels.getvalue())
    with pytest.raises(
        DataError, match=r"could not be read \(images\.npy has another length than its"
    ):
        load({"kind": "npz", "path": str(tmp_path / "data.npz")})


@SAVES
def test_a_damaged_array_raises(tmp_path: Path, save: Save) -> None:
    source = saved(tmp_path, save)
    path = Path(source["path"])
    content = bytearray(path.read_bytes())
    content[1000] ^= 1  # in the images
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"could not be read \(Bad CRC-32 for file 'images\.npy'\)"):
        load(source)


@pytest.mark.parametrize("dtype", ["u1", "i1", ">i2", "u4", "i8", "u8", ">u8"])
def test_labels_may_have_any_integer_type(tmp_path: Path, dtype: str) -> None:
    found = load(saved(tmp_path, labels=LABELS.astype(dtype)), train=6, heldout=2)
    assert found.classes == ("0", "1")
    assert sorted([*found.train_labels, *found.heldout_labels]) == [0] * 4 + [1] * 4


def test_a_class_name_with_a_lone_surrogate_is_made_printable(tmp_path: Path) -> None:
    found = load(saved(tmp_path, classes=np.array(["\ud800", "b"])))
    assert found.classes == ("\ufffd", "b")


def test_images_are_resized(tmp_path: Path) -> None:
    found = load(saved(tmp_path), size=24)
    sizes = {resize(picture(i, size=16), 24).tobytes() for i in range(8)}
    assert {image.tobytes() for image in found.train_images} <= sizes


NAN = np.full(IMAGES.shape, np.nan, dtype=np.float32)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "floats": (
        {"images": IMAGES / 255},
        "images: expected uint8 of shape (N, H, W), (N, H, W, 1) or (N, H, W, 3), found float64 "
        "of shape (8, 16, 16, 3). Convert the",
    ),
    "NaN": ({"images": NAN}, "found float32 of shape (8, 16, 16, 3) with NaN"),
    "one image": ({"images": IMAGES[0, :, :, 0]}, "found uint8 of shape (16, 16)"),
    "channels first": ({"images": IMAGES.transpose(0, 3, 1, 2)}, "found uint8 of shape (8, 3,"),
    "no pixels": ({"images": IMAGES[:, :0]}, "expected images with pixels"),
    "no image": ({"images": IMAGES[:0], "labels": LABELS[:0]}, "expected images with pixels"),
    "float labels": ({"labels": LABELS / 1}, "labels: expected whole numbers of shape (8,), found"),
    "too few labels": ({"labels": LABELS[:7]}, "found int64 of shape (7,)"),
    "one-hot": ({"labels": np.eye(8, dtype=int)}, "found int64 of shape (8, 8)"),
    "negative": ({"labels": LABELS - 1}, "expected whole numbers from 0 to 0, one for each class"),
    "beyond": ({"labels": LABELS + 1, "classes": ["a", "b"]}, "from 0 to 1, one for each class, "),
    "largest": (
        {"labels": LABELS.astype("u8") * (2**64 - 1)},
        "expected whole numbers from 0 to 8, one for each class, found 18446744073709551615",
    ),
    "huge": ({"labels": LABELS * 10**12}, "expected whole numbers from 0 to 8, one for each class"),
    "a gap": ({"labels": LABELS * 2}, "class '1' has no training image"),
    "one class": ({"labels": LABELS * 0}, "expected at least two classes, found '0'"),
    "classes": ({"classes": np.zeros((2, 2))}, "classes: expected a list of names, found float64"),
    "pickled": ({"images": np.array([{}] * 8)}, "Object arrays cannot be loaded when allow_pickle"),
    "pickled classes": ({"classes": np.array(["a", None])}, "Object arrays cannot be loaded"),
}


@pytest.mark.parametrize("kind", WRONG)
@SAVES
def test_arrays_that_are_not_images_and_labels_raise(tmp_path: Path, save: Save, kind: str) -> None:
    values, message = WRONG[kind]
    source = saved(tmp_path, save, **values)
    with pytest.raises(DataError, match="^" + re.escape(f"{source['path']}: ")) as caught:
        load(source)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file or directory"),
        (b"", "No data left in file"),
        (b"text", "This file contains pickled (object) data"),
        (b"PK\x03\x04 broken", "File is not a zip file"),
    ],
)
def test_a_file_of_another_format_raises(
    tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "data.npz"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load({"kind": "npz", "path": str(path)})
    assert message in str(caught.value)


def test_a_missing_array_raises_an_error_with_its_name(tmp_path: Path) -> None:
    np.savez(tmp_path / "data.npz", pixels=IMAGES)
    with pytest.raises(DataError, match=r"images is not a file in the archive"):
        load({"kind": "npz", "path": str(tmp_path / "data.npz")})
    np.save(tmp_path / "one.npy", IMAGES)
    with pytest.raises(DataError, match=r"it contains a single array without a name"):
        load({"kind": "npz", "path": str(tmp_path / "one.npy")})


def test_a_new_file_changes_the_fingerprint(tmp_path: Path) -> None:
    source = settings(saved(tmp_path)).source
    before = files_digest(source)
    assert files_digest(source) == before
    saved(tmp_path, labels=LABELS[::-1])
    assert files_digest(source) != before


KINDS: list[np.dtype[Any]] = [np.dtype(kind) for kind in ("u1", "i8", "f4", "U2", "?")]
ARRAYS = arrays.arrays(
    st.sampled_from(KINDS),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)


@hypothesis_settings(max_examples=40, deadline=None)
@given(images=ARRAYS, labels=ARRAYS)
def test_any_arrays_are_read_or_raise_an_error_with_the_path(
    tmp_path_factory: pytest.TempPathFactory, images: Any, labels: Any
) -> None:
    source = saved(tmp_path_factory.mktemp("any"), images=images, labels=labels)
    try:
        found = load(source, train=2, heldout=1)
    except DataError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert len(images) >= 3
        assert len(found.classes) == labels.max() + 1
    assert not refusal or refusal.startswith(source["path"])
