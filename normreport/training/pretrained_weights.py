"""Pretrained weights: reading our file of them, and loading them into a network."""

from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.models import GoogLeNet, Inception3
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from normreport.errors import WeightsError
from normreport.io.files import unreadable
from normreport.training.folding import match_columns

StateDict = dict[str, Tensor]

# GoogLeNet's and Inception's auxiliary classifiers, which are never trained here.
AUXILIARY = re.compile(r"(aux1|aux2|AuxLogits)\.")
# A vision transformer's position embeddings: one for each patch of an image.
POSITIONS = "encoder.pos_embedding"


def read_state_dict(path: Path) -> StateDict:
    """Read weights that this workflow wrote.

    Raises
    ------
    StorageError
        If the file is missing or damaged.
    """
    try:
        return load_file(path)
    except (OSError, SafetensorError) as error:
        raise unreadable(path, error) from error


def load_backbone(module: nn.Module, state: StateDict, *, head: str) -> None:
    """Copy all weights except the last layer's from a state dictionary into a network.

    VGG's first linear layer is folded or unfolded as the network needs. The position embeddings
    of a vision transformer are interpolated to its number of patches, as torchvision does.

    Parameters
    ----------
    module
        The network, changed in place.
    state
        Weights of the same architecture.
    head
        Dotted path of the last layer.

    Raises
    ------
    WeightsError
        Lists the weights that are missing, unexpected, of another shape or not finite.
    """
    module.load_state_dict(adapt(state, module, head=head), strict=False)


def adapt(
    state: StateDict, module: nn.Module, *, head: str, source: str = "pretrained weights"
) -> StateDict:
    """Return the weights of `state` in the shapes that `module` needs, without the last layer.

    Parameters
    ----------
    state, module, head
        As for :func:`load_backbone`; `module` may lie on the meta device.
    source
        Names the weights in the error message.

    Raises
    ------
    WeightsError
        As :func:`load_backbone`.
    """
    expected = without_layer(module.state_dict(), head)
    weights = without_layer(state, head)
    if isinstance(module, GoogLeNet | Inception3):
        weights = {name: value for name, value in weights.items() if not AUXILIARY.match(name)}
    for name in expected.keys() & weights.keys():
        weights[name] = match_columns(weights[name], expected[name])
    if isinstance(module, VisionTransformer) and POSITIONS in weights:
        weights = _with_interpolated_positions(weights, module)
    if problems := _misfits(weights, expected):
        first = "; ".join(problems[:5])
        rest = f"; and {len(problems) - 5} more" if len(problems) > 5 else ""
        raise WeightsError(
            f"{source}: {len(problems)} weights do not fit the network: {first}{rest}. Expected "
            "the weights of the same architecture; only the last layer may differ."
        )
    return weights


def without_layer(state: StateDict, head: str) -> StateDict:
    """Leave out the weights of one layer, by its dotted path."""
    return {name: value for name, value in state.items() if not name.startswith(f"{head}.")}


def _with_interpolated_positions(state: StateDict, vit: VisionTransformer) -> StateDict:
    try:
        return dict(interpolate_embeddings(vit.image_size, vit.patch_size, OrderedDict(state)))
    except (ValueError, RuntimeError):
        return state  # the check of shapes reports them like any other weight that does not fit


def _misfits(weights: StateDict, expected: StateDict) -> list[str]:
    return [
        *(
            f"missing {name}"
            for name in expected
            # Files from 2017 predate this counter, and no result depends on it.
            if name not in weights and not name.endswith("num_batches_tracked")
        ),
        *(f"unexpected {name}" for name in weights if name not in expected),
        *(
            f"{name} has shape {tuple(weights[name].shape)}, expected {tuple(value.shape)}"
            for name, value in expected.items()
            if name in weights and weights[name].shape != value.shape
        ),
        *(
            f"{name} has values that are not finite"
            for name, value in weights.items()
            if name in expected and not value.isfinite().all()
        ),
    ]
