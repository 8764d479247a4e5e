"""Adaptive average pooling with a deterministic gradient on a GPU."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class AveragePool(nn.Module):
    """``nn.AdaptiveAvgPool2d`` as two matrix products, which CUDA differentiates reproducibly.

    Parameters
    ----------
    height, width
        Size of the output in pixels.
    """

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        self.output_size = (height, width)

    def forward(self, features: Tensor) -> Tensor:
        """Average features, shape (N, C, H, W), to shape (N, C, height, width)."""
        # Pooling is linear: pooling the identity gives its matrix, shapes (H, h) and (W, w).
        rows, columns = (
            nn.functional.adaptive_avg_pool1d(torch.eye(size, device=features.device), pooled)
            for size, pooled in zip(features.shape[-2:], self.output_size, strict=True)
        )
        return rows.T @ features @ columns


def replace_adaptive_pooling(module: nn.Module) -> None:
    """Replace the adaptive pooling of networks such as VGG and AlexNet by `AveragePool`.

    CUDA sums the gradient of adaptive pooling in an arbitrary order. Pooling to one pixel is a
    plain mean, which is deterministic, and stays.
    """
    for name, layer in list(module.named_modules()):
        match layer:
            case nn.AdaptiveAvgPool2d(output_size=(int(height), int(width))) if height * width > 1:
                module.set_submodule(name, AveragePool(height, width))
