"""A split of the data, normalized and held in memory as tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from normreport.normalizations import Normalization, normalize


@dataclass(frozen=True)
class ImageSet:
    """Normalized images and their labels.

    Attributes
    ----------
    inputs : float32 tensor, shape (N, 3, H, W), channels-last in memory
    labels : int64 tensor, shape (N,)
    """

    inputs: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> ImageSet:
        """Return the images on a device; tensors that are already there are not copied."""
        return ImageSet(self.inputs.to(device), self.labels.to(device))

    def first(self, count: int) -> ImageSet:
        """Return the first `count` images, or all if there are fewer, without copying them."""
        return ImageSet(self.inputs[:count], self.labels[:count])


def normalize_split(
    arrays: Mapping[str, NDArray[Any]],
    split: str,
    normalization: Normalization,
    count: int | None = None,
) -> ImageSet:
    """Normalize the first `count` images of a split.

    Parameters
    ----------
    arrays
        ``{split}_images``, uint8 of shape (N, H, W, 3), ``{split}_labels``, int64 of shape (N,),
        and ``train_images``, from which some normalizations take their statistics.
    split
        ``train`` or ``heldout``.
    normalization
        The normalization.
    count
        Number of images; all if None.
    """
    images, train_images = arrays[f"{split}_images"][:count], arrays["train_images"]
    inputs = normalize(images, normalization, train_images)
    labels = torch.from_numpy(arrays[f"{split}_labels"][:count])
    # A permuted view of (N, H, W, C) memory is what PyTorch calls channels-last.
    return ImageSet(torch.from_numpy(inputs).permute(0, 3, 1, 2), labels)
