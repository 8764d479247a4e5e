"""Folding VGG's first linear layer, which saves time and changes nothing else.

VGG pools its feature map to 7 x 7 pixels. At input sizes of 32 to 63 px the feature map is a
single pixel, so pooling repeats every feature 49 times. The 49 columns of the first linear layer
that read the same feature always receive the same gradient, and only their sum matters.

:func:`fold` keeps that sum: 512 columns instead of 25,088, which saves reading and updating 103
million weights in every step. A step of the sum is 49 times as long as a step of one column. The
tests prove that function and trajectory equal those of the original network.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torchvision.models import VGG

from normreport.config.training import OptimizerSettings

FOLDED_LAYER = "classifier.0"
PIXELS = 7 * 7


def can_fold(module: nn.Module, image_size_px: int, optimizer: OptimizerSettings) -> bool:
    """Return whether folding is exact for a network, an input size and an optimizer."""
    # Five poolings halve 32..63 px to one pixel. Adam and RMSprop put the L2 penalty inside their
    # adaptive step, where columns with different initial values would take different steps. SGD
    # and AdamW are linear in the penalty, so the sum follows the same rule as its columns.
    is_linear = optimizer.weight_decay == 0 or optimizer.name in {"sgd", "adamw"}
    return isinstance(module, VGG) and 32 <= image_size_px < 64 and is_linear


def fold(vgg: nn.Module) -> dict[str, int]:
    """Fold the first linear layer of a VGG in place.

    Returns
    -------
    dict
        The name of the folded parameter, and how many equal columns each of its columns sums.
    """
    assert isinstance(vgg, VGG)
    unfolded = vgg.classifier[0]
    assert isinstance(unfolded, nn.Linear)
    folded = nn.utils.skip_init(nn.Linear, unfolded.in_features // PIXELS, unfolded.out_features)
    with torch.no_grad():
        folded.weight.copy_(match_columns(unfolded.weight, folded.weight))
        folded.bias.copy_(unfolded.bias)
    vgg.avgpool = nn.Identity()
    vgg.classifier[0] = folded
    return {f"{FOLDED_LAYER}.weight": PIXELS}


def match_columns(matrix: Tensor, like: Tensor) -> Tensor:
    """Fold or unfold a matrix to the number of columns of `like`.

    Parameters
    ----------
    matrix : tensor, shape (rows, columns)
    like : tensor, shape (rows, columns), (rows, columns / 49) or (rows, 49 * columns)

    Returns
    -------
    tensor
        With the shape of `like`; `matrix` itself if the shapes are not related in this way.
    """
    if matrix.ndim != 2 or like.ndim != 2 or matrix.shape[0] != like.shape[0]:
        return matrix
    columns = matrix.shape[1]
    if columns == PIXELS * like.shape[1]:
        # In chunks of rows: the whole matrix in float64 would be the largest array of a run.
        chunks = [
            rows.double().view(len(rows), -1, PIXELS).sum(2).float() for rows in matrix.split(64)
        ]
        return torch.cat(chunks)
    if PIXELS * columns == like.shape[1]:
        return (matrix / PIXELS).repeat_interleave(PIXELS, dim=1)
    return matrix
