"""Each arm against torchvision's own transforms, on every level that a pixel can have."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import transforms

from normreport.normalizations import NORMALIZATIONS, imagenet, normalize, raw, unit

Array = NDArray[np.uint8]


@pytest.fixture
def levels() -> Array:
    """All 256 levels in each channel, each channel in another order, shape (1, 16, 16, 3)."""
    generator = np.random.default_rng(0)
    channels = [np.arange(256), np.arange(256)[::-1], generator.permutation(256)]
    return np.stack(channels, axis=-1).reshape(1, 16, 16, 3).astype(np.uint8)


def _published(images: Array, *steps: Callable[..., torch.Tensor]) -> NDArray[np.float32]:
    """Put each image through torchvision's transforms; back to shape (N, H, W, 3)."""
    pipeline = transforms.Compose(steps)
    tensors = [pipeline(Image.fromarray(image)) for image in images]
    return torch.stack(tensors).permute(0, 2, 3, 1).contiguous().numpy()


def test_raw_is_the_level_itself(levels: Array) -> None:
    assert raw(levels).tolist() == levels.tolist()


def test_unit_is_what_torchvisions_to_tensor_does_bit_for_bit(levels: Array) -> None:
    expected = _published(levels, transforms.ToTensor())
    assert np.array_equal(unit(levels).view(np.int32), expected.view(np.int32))


def test_none_and_minmax_of_the_article_are_the_same_bits(levels: Array) -> None:
    none = _published(levels, transforms.ToTensor())
    minmax = levels.astype("float32") / 255
    assert np.array_equal(none.view(np.int32), minmax.view(np.int32))


def test_imagenet_is_what_torchvisions_normalize_does_bit_for_bit(levels: Array) -> None:
    expected = _published(
        levels,
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    )
    assert np.array_equal(imagenet(levels).view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("name", ["raw", "unit", "imagenet"])
def test_an_arm_gives_float32_of_the_same_shape(name: str) -> None:
    images = np.zeros((2, 5, 7, 3), dtype=np.uint8)
    inputs = normalize(images, name)
    assert inputs.dtype == np.float32
    assert inputs.shape == images.shape


@pytest.mark.parametrize("name", ["raw", "unit", "imagenet"])
def test_an_arm_neither_changes_its_images_nor_shares_their_memory(
    levels: Array, name: str
) -> None:
    before = levels.copy()
    inputs = normalize(levels, name)
    inputs += 1
    assert np.array_equal(levels, before)


def test_an_arm_treats_every_image_alone(levels: Array) -> None:
    other = np.full_like(levels, 200)
    for name in NORMALIZATIONS:
        together = normalize(np.concatenate([levels, other]), name)
        assert np.array_equal(together[:1], normalize(levels, name))


def test_the_arms_have_the_names_of_the_configuration_in_their_order() -> None:
    assert list(NORMALIZATIONS) == ["raw", "unit", "imagenet"]


def test_no_module_can_change_the_arms_for_another() -> None:
    with pytest.raises(TypeError):
        NORMALIZATIONS["raw"] = unit  # type: ignore[index]
