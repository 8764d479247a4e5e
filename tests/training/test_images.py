from __future__ import annotations

import numpy as np
import pytest
import torch

from normreport.normalizations import normalize
from normreport.training.images import normalize_split
from tests.training.helpers import ARMS, Arrays


@pytest.mark.parametrize("arm", [*ARMS, "dataset"])
def test_images_are_normalized_and_channels_last(arrays: Arrays, arm: str) -> None:
    found = normalize_split(arrays, "train", arm, 7)
    assert found.inputs.shape == (7, 3, 16, 16)
    assert found.inputs.dtype == torch.float32
    assert found.inputs.is_contiguous(memory_format=torch.channels_last)
    expected = normalize(arrays["train_images"][:7], arm, arrays["train_images"])
    assert np.array_equal(found.inputs.permute(0, 2, 3, 1).numpy(), expected)
    assert found.labels.tolist() == arrays["train_labels"][:7].tolist()


def test_heldout_images_are_standardized_by_the_training_images(arrays: Arrays) -> None:
    found = normalize_split(arrays, "heldout", "dataset").inputs.double()
    train, heldout = (arrays[f"{split}_images"] / 255 for split in ("train", "heldout"))
    expected = (heldout - train.mean(axis=(0, 1, 2))) / train.std(axis=(0, 1, 2))
    assert np.allclose(found.permute(0, 2, 3, 1).numpy(), expected, rtol=0, atol=1e-6)


def test_without_a_count_all_images_are_used(arrays: Arrays) -> None:
    assert len(normalize_split(arrays, "heldout", "raw").labels) == 20
    assert len(normalize_split(arrays, "train", "raw").labels) == 40


def test_the_first_images_are_a_view_of_all_and_at_most_all(arrays: Arrays) -> None:
    images = normalize_split(arrays, "heldout", "unit")
    few = images.first(7)
    assert torch.equal(few.inputs, normalize_split(arrays, "heldout", "unit", 7).inputs)
    assert few.labels.tolist() == arrays["heldout_labels"][:7].tolist()
    assert few.inputs.data_ptr() == images.inputs.data_ptr()
    assert len(images.first(21).labels) == 20


def test_images_keep_their_memory_layout_on_another_device(arrays: Arrays) -> None:
    images = normalize_split(arrays, "train", "unit")
    moved = images.to(torch.device("meta"))
    assert moved.inputs.device.type == moved.labels.device.type == "meta"
    assert moved.inputs.stride() == images.inputs.stride()
    assert images.to(torch.device("cpu")).inputs is images.inputs
