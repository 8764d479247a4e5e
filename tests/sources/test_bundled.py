"""Handwritten digits, printed digits and photographs: their pixels, strata, and separate splits."""

from __future__ import annotations

import re
import socket
from dataclasses import astuple
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage import data as skimage_data
from sklearn.datasets import load_digits
from torch.nn.functional import interpolate

from normreport.config.data import DataSettings
from normreport.errors import DataError
from normreport.sources import DataSet
from normreport.sources.bundled import PHOTOGRAPHS
from tests.sources.images import in_memory


def _load(
    source: str, train: int = 60, heldout: int = 40, size: int = 32, seed: int = 0
) -> DataSet:
    settings = DataSettings.model_validate(
        {
            "source": source,
            "train_images": train,
            "heldout_images": heldout,
            "image_size_px": size,
            "seed": seed,
        }
    )
    return in_memory(settings)


def _same(a: DataSet, b: DataSet) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(astuple(a), astuple(b), strict=True))


@pytest.fixture
def no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


every = pytest.mark.parametrize("source", ["digits", "printed_digits", "photographs"])


@every
@pytest.mark.usefixtures("no_connection")
def test_a_source_gives_the_requested_images_without_a_connection(source: str) -> None:
    found = _load(source, train=23, heldout=11, size=24)
    assert found.train_images.shape == (23, 24, 24, 3)
    assert found.heldout_images.shape == (11, 24, 24, 3)
    assert found.train_labels.shape == (23,)
    assert found.heldout_labels.shape == (11,)
    for images in (found.train_images, found.heldout_images):
        assert images.dtype == np.uint8
    for labels in (found.train_labels, found.heldout_labels):
        assert labels.dtype == np.int64
        assert set(labels) <= set(range(len(found.classes)))


@every
def test_the_same_seed_gives_the_same_bytes(source: str) -> None:
    assert _same(_load(source, seed=5), _load(source, seed=5))


@every
def test_the_seed_affects_both_splits(source: str) -> None:
    a, b = _load(source, seed=5), _load(source, seed=6)
    assert not np.array_equal(a.train_images, b.train_images)
    assert not np.array_equal(a.heldout_images, b.heldout_images)


@every
def test_more_training_images_keep_the_others_and_the_held_out_ones(source: str) -> None:
    few, many = _load(source, train=60), _load(source, train=90)
    assert np.array_equal(few.heldout_images, many.heldout_images)
    assert np.array_equal(few.heldout_labels, many.heldout_labels)
    assert np.array_equal(few.train_images, many.train_images[:60])
    assert np.array_equal(few.train_labels, many.train_labels[:60])


@every
def test_loading_keeps_numpys_global_generator(source: str) -> None:
    before = np.random.get_state()[1].copy()
    _load(source)
    assert np.array_equal(np.random.get_state()[1], before)


@every
def test_the_first_images_are_of_different_classes(source: str) -> None:
    # The figure of the inputs shows the first eight images.
    for seed in range(3):
        labels = _load(source, train=128, heldout=64, size=16, seed=seed).train_labels
        assert len(set(labels[:8].tolist())) >= 7


# Digits


@pytest.fixture(scope="module")
def enlarged() -> NDArray[np.float64]:
    """Return scikit-learn's digits, resized by PyTorch, not Pillow; shape (1797, 32, 32)."""
    grey = torch.from_numpy(load_digits().images) * (255 / 16)
    resized = interpolate(grey[:, None].round(), size=(32, 32), mode="bilinear", antialias=True)
    return resized[:, 0].numpy()


def test_digits_are_resized_and_each_is_in_only_one_split(
    enlarged: NDArray[np.float64],
) -> None:
    found = _load("digits", train=100, heldout=50)
    images = np.concatenate([found.train_images, found.heldout_images])
    labels = np.concatenate([found.train_labels, found.heldout_labels])
    targets = load_digits().target
    used = []
    for image, label in zip(images, labels, strict=True):
        assert (image == image[..., :1]).all()  # grey
        gaps = np.abs(enlarged - image[..., 0]).max(axis=(1, 2))
        index = int(gaps.argmin())
        assert gaps[index] <= 1  # Pillow rounds to a level after each of its two passes
        assert label == targets[index]
        used.append(index)
    assert len(set(used)) == 150


def test_the_classes_of_the_digits_are_the_numerals() -> None:
    assert _load("digits").classes == tuple("0123456789")


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_every_prefix_of_the_digits_is_stratified(split: str) -> None:
    found = _load("digits", train=900, heldout=800, size=16)
    labels = getattr(found, f"{split}_labels")
    shares = np.bincount(load_digits().target) / 1797
    counts = np.cumsum(labels[:, None] == np.arange(10), axis=0)
    expected = np.arange(1, len(labels) + 1)[:, None] * shares
    # Each end of a slice is off by at most one. The held-out slice starts at the first image.
    assert np.abs(counts - expected).max() <= (1 if split == "heldout" else 2)


def test_all_digits_can_be_used_but_no_more() -> None:
    found = _load("digits", train=1697, heldout=100, size=16)
    assert (
        np.bincount(np.concatenate([found.train_labels, found.heldout_labels])).tolist()
        == np.bincount(load_digits().target).tolist()
    )
    message = (
        "digits: train_images + heldout_images is 1798, but the source has only 1797 images. "
        "Lower the number, or add images."
    )
    with pytest.raises(DataError, match=re.escape(message)):
        _load("digits", train=1698, heldout=100)


# Printed digits


def test_the_class_of_a_drawing_is_its_digit(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(
        "normreport.sources.printed_digits.ImageDraw.ImageDraw.text",
        lambda _self, _xy, text, **_options: drawn.append(text),
    )
    found = _load("printed_digits", train=60, heldout=40, size=16)
    assert [found.classes[label] for label in found.heldout_labels] == drawn[:40]
    assert [found.classes[label] for label in found.train_labels] == drawn[40:]


def test_printed_digits_have_equally_many_drawings_up_to_one() -> None:
    found = _load("printed_digits", train=64, heldout=45, size=16)
    for labels in (found.train_labels, found.heldout_labels):
        assert np.ptp(np.bincount(labels, minlength=10)) == 1
    assert found.classes == tuple("0123456789")


def test_no_two_drawings_are_the_same() -> None:
    found = _load("printed_digits", train=300, heldout=100, size=16)
    images = [*found.train_images, *found.heldout_images]
    assert len({image.tobytes() for image in images}) == 400


def test_printed_digits_are_lighter_than_their_background() -> None:
    images = _load("printed_digits", train=260, heldout=26, size=16).train_images.astype(float)
    # The digit stands in the middle, so most of the frame is background.
    frame = np.ones((16, 16), dtype=bool)
    frame[1:-1, 1:-1] = False
    background = np.median(images[:, frame, 0], axis=1)
    lightest = images.max(axis=(1, 2, 3))
    assert (lightest > background + 10).all()
    assert np.median(lightest - background) > 50


def test_printed_digits_cover_many_grey_levels() -> None:
    images = _load("printed_digits", train=260, heldout=26, size=16).train_images
    darkest, lightest = images.min(axis=(1, 2, 3)), images.max(axis=(1, 2, 3))
    # Uniform from 0 to 140, and then uniform from 40 above that to 255.
    assert np.quantile(darkest, [0.1, 0.5, 0.9]) == pytest.approx([14, 70, 126], abs=12)
    assert np.ptp(lightest.astype(int)) > 150


# Photographs


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the pixels of scikit-image's photographs by marks, and keep their sizes.

    Red is 0 in the region of training crops and 255 elsewhere. Green is ten times the class.
    """

    def mark(photograph: NDArray[np.uint8], label: int) -> NDArray[np.uint8]:
        height, width = photograph.shape[:2]
        pixels = np.zeros((height, width, 3), dtype=np.uint8)
        pixels[:, round(width * 3 / 4) :, 0] = 255
        pixels[..., 1] = 10 * label
        return pixels

    for label, name in enumerate(PHOTOGRAPHS):
        if name == "motorcycle":
            left, *rest = skimage_data.stereo_motorcycle()
            both_eyes = (mark(left, label), *rest)
            monkeypatch.setattr(skimage_data, "stereo_motorcycle", lambda pair=both_eyes: pair)
        else:
            pixels = mark(getattr(skimage_data, name)(), label)
            monkeypatch.setattr(skimage_data, name, lambda pixels=pixels: pixels)


@pytest.mark.usefixtures("marked")
def test_training_and_held_out_crops_share_no_pixel() -> None:
    for seed in range(5):
        found = _load("photographs", train=200, heldout=200, size=16, seed=seed)
        assert (found.train_images[..., 0] == 0).all()
        assert (found.heldout_images[..., 0] == 255).all()


@pytest.mark.usefixtures("marked")
def test_the_class_of_a_crop_is_its_photograph() -> None:
    found = _load("photographs")
    for images, labels in (
        (found.train_images, found.train_labels),
        (found.heldout_images, found.heldout_labels),
    ):
        assert (images[..., 1] == 10 * labels[:, None, None]).all()


def test_photographs_have_equally_many_crops_up_to_one() -> None:
    found = _load("photographs", train=64, heldout=27, size=16)
    for labels in (found.train_labels, found.heldout_labels):
        counts = np.bincount(labels, minlength=10)
        assert counts.max() - counts.min() <= 1
    assert len(found.classes) == 10


def test_no_two_crops_are_the_same() -> None:
    found = _load("photographs", train=300, heldout=100, size=16)
    images = [*found.train_images, *found.heldout_images]
    assert len({image.tobytes() for image in images}) == 400
