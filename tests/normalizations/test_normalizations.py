"""Normalizations are compared to torchvision's transforms, on all 256 pixel levels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torchvision import transforms

from normreport.figures.style import arm_styles
from normreport.normalizations import (
    NORMALIZATIONS,
    module_name,
    normalize,
)
from normreport.source_code import source_files

Array = NDArray[np.uint8]


@pytest.fixture
def levels() -> Array:
    """Return an image with all 256 levels in each channel, shape (1, 16, 16, 3)."""
    generator = np.random.default_rng(0)
    channels = [np.arange(256), np.arange(256)[::-1], generator.permutation(256)]
    return np.stack(channels, axis=-1).reshape(1, 16, 16, 3).astype(np.uint8)


def torchvision_inputs(images: Array, *steps: Callable[..., torch.Tensor]) -> NDArray[np.float32]:
    """Apply torchvision's transforms to each image; return shape (N, H, W, 3)."""
    pipeline = transforms.Compose(steps)
    tensors = [pipeline(Image.fromarray(image)) for image in images]
    return torch.stack(tensors).permute(0, 2, 3, 1).contiguous().numpy()


def test_raw_keeps_the_levels(levels: Array) -> None:
    assert normalize(levels, "raw").tolist() == levels.tolist()


def test_unit_equals_torchvisions_to_tensor_bit_for_bit(levels: Array) -> None:
    expected = torchvision_inputs(levels, transforms.ToTensor())
    assert np.array_equal(normalize(levels, "unit").view(np.int32), expected.view(np.int32))


def test_the_articles_none_and_minmax_are_bit_for_bit_equal(levels: Array) -> None:
    none = torchvision_inputs(levels, transforms.ToTensor())
    minmax = levels.astype("float32") / 255
    assert np.array_equal(none.view(np.int32), minmax.view(np.int32))


def test_imagenet_equals_torchvisions_normalize_bit_for_bit(levels: Array) -> None:
    expected = torchvision_inputs(
        levels,
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    )
    assert np.array_equal(normalize(levels, "imagenet").view(np.int32), expected.view(np.int32))


@pytest.mark.parametrize("name", [n for n in NORMALIZATIONS if n != "published_meanstd"])
def test_a_normalization_returns_float32_of_the_same_shape(name: str) -> None:
    images = np.zeros((2, 5, 7, 3), dtype=np.uint8)
    inputs = normalize(images, name)
    assert inputs.dtype == np.float32
    assert inputs.shape == images.shape


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_a_normalization_neither_changes_nor_shares_its_images(levels: Array, name: str) -> None:
    before = levels.copy()
    inputs = normalize(levels, name)
    inputs += 1
    assert np.array_equal(levels, before)


def test_all_but_dataset_treat_images_independently(levels: Array) -> None:
    other = np.full_like(levels, 200)
    for name in set(NORMALIZATIONS) - {"dataset"}:
        together = normalize(np.concatenate([levels, other]), name)
        assert np.array_equal(together[:1], normalize(levels, name)), name


def test_the_placebo_differs_by_one_bit_in_126_of_256_levels(levels: Array) -> None:
    one_channel = (slice(None), slice(None), slice(None), 0)
    ours = normalize(levels, "placebo")[one_channel].view(np.int32)
    steps = np.abs(ours - normalize(levels, "unit")[one_channel].view(np.int32))
    assert (steps > 0).sum() == 126
    assert steps.max() == 1


def test_double_divides_and_rounds_twice(levels: Array) -> None:
    expected = (torch.from_numpy(levels).float() / 255 / 255).numpy()
    assert np.array_equal(normalize(levels, "double"), expected)


def test_minmax_scales_each_image_to_0_and_1() -> None:
    images = np.random.default_rng(0).integers(40, 180, (3, 8, 8, 3), dtype=np.uint8)
    inputs = normalize(images, "minmax")
    assert inputs.min(axis=(1, 2, 3)).tolist() == [0, 0, 0]
    assert inputs.max(axis=(1, 2, 3)).tolist() == [1, 1, 1]


def test_standardize_scales_each_image_to_mean_0_and_std_1() -> None:
    images = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), dtype=np.uint8)
    inputs = normalize(images, "standardize").astype(np.float64)
    assert inputs.mean(axis=(1, 2, 3)) == pytest.approx([0, 0, 0], abs=1e-7)
    assert inputs.std(axis=(1, 2, 3)) == pytest.approx([1, 1, 1], abs=1e-7)


def test_dataset_standardizes_channels_by_the_training_images() -> None:
    generator = np.random.default_rng(0)
    train = generator.integers(0, 256, (4, 8, 8, 3), dtype=np.uint8)
    other = generator.integers(0, 100, (2, 8, 8, 3), dtype=np.uint8)
    inputs = normalize(train, "dataset", train).astype(np.float64)
    assert inputs.mean(axis=(0, 1, 2)) == pytest.approx([0, 0, 0], abs=1e-6)
    assert inputs.std(axis=(0, 1, 2)) == pytest.approx([1, 1, 1], abs=1e-6)
    together = normalize(np.concatenate([train, other]), "dataset", train)
    assert np.array_equal(together[4:], normalize(other, "dataset", train))


@pytest.mark.parametrize("name", ["minmax", "standardize", "dataset"])
def test_a_constant_image_becomes_zero(name: str) -> None:
    images = np.full((2, 4, 4, 3), 77, dtype=np.uint8)
    assert not normalize(images, name).any()


def test_std_only_and_mean_only_are_the_halves_of_imagenet(levels: Array) -> None:
    mean = torch.tensor([0.485, 0.456, 0.406])
    std = torch.tensor([0.229, 0.224, 0.225])
    inputs = torch.from_numpy(levels).float() / 255
    assert np.array_equal(normalize(levels, "mean_only"), (inputs - mean).numpy())
    assert np.array_equal(normalize(levels, "std_only"), (inputs / std).numpy())


def test_only_the_third_published_pipeline_resizes_and_the_others_are_equal(levels: Array) -> None:
    none, minmax = normalize(levels, "published_none"), normalize(levels, "published_minmax")
    assert np.array_equal(none.view(np.int32), minmax.view(np.int32))
    expected = torchvision_inputs(
        levels,
        transforms.Resize((224, 224)),
        transforms.ToTensor(),
        transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
    )
    assert np.array_equal(normalize(levels, "published_meanstd"), expected)


def test_every_normalization_has_its_own_label_and_color() -> None:
    styles = arm_styles(NORMALIZATIONS)
    assert all(style.label != name for name, style in styles.items())
    assert len({style.color for style in styles.values()}) == len(NORMALIZATIONS)


def test_normalizations_are_the_modules_of_the_package() -> None:
    assert {"raw", "unit", "imagenet", "dataset", "published_meanstd"} < set(NORMALIZATIONS)
    assert len(NORMALIZATIONS) == 13


def test_training_depends_only_on_the_code_of_its_normalization() -> None:
    def normalizations(name: str) -> set[str]:
        files = source_files("normreport.stages.train_run", module_name(name))
        return {path.stem for path in files if path.stem in NORMALIZATIONS}

    assert normalizations("raw") == {"raw"}
    assert normalizations("imagenet") == {"imagenet", "unit"}
    assert normalizations("mean_only") == {"mean_only", "imagenet", "unit"}
