"""Initial weights from other laws than torchvision's Gaussian, with the same variance."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import nn

InitLaw = Literal["gaussian", "uniform", "laplace"]


@torch.no_grad()
def redraw_convolutions(module: nn.Module, law: InitLaw) -> None:
    """Change the law of all convolution weights in place; keep variance, rank and sign.

    Each weight keeps its quantile, so one seed gives the same draw under every law.
    """
    for layer in module.modules():
        if not isinstance(layer, nn.Conv2d):
            continue
        gaussian = layer.weight.double()
        sigma = gaussian.square().mean().sqrt()
        quantile = torch.special.ndtr(gaussian / sigma)
        if law == "uniform":
            standardized = (2 * quantile - 1) * math.sqrt(3)
        else:
            # Symmetric about one half: the smaller tail probability keeps its precision.
            tail = torch.special.ndtr(-(gaussian / sigma).abs())
            standardized = -torch.log(2 * tail) * gaussian.sign() / math.sqrt(2)
        layer.weight.copy_(standardized * sigma)
