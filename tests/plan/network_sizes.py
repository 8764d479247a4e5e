"""Measure the sizes of torchvision's networks.

python -m tests.plan.network_sizes prints the table of normreport/plan/network_sizes.py.
"""

from __future__ import annotations

import torch
import torchvision
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.utils.flop_counter import FlopCounterMode

from normreport.plan.network_sizes import NetworkSize
from normreport.training.networks import IMAGENET_PX, shape_only_network

BATCH = 2  # batch normalization needs two images


def architectures() -> list[str]:
    """List the architectures that an experiment can name."""
    names: list[str] = torchvision.models.list_models(torchvision.models)
    return names


def measure(architecture: str) -> NetworkSize:
    """Measure a network for images of 224 px, without computing anything where torch allows it."""
    module = shape_only_network(architecture).module
    device = next(module.parameters()).device
    images = torch.zeros(BATCH, 3, IMAGENET_PX, IMAGENET_PX, device=device)
    storages: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        storages[storage._cdata] = storage.nbytes()
        return tensor

    with (
        FlopCounterMode(display=False) as counter,
        saved_tensors_hooks(note, lambda tensor: tensor),
    ):
        outputs = module(images)  # keeps alive what is saved
    parameters = sum(parameter.numel() for parameter in module.parameters())
    saved_bytes = sum(storages.values()) - 4 * parameters
    del outputs
    return NetworkSize(
        parameters=round(parameters / 1e6, 1),
        gflops=round(counter.get_total_flops() / BATCH / 1e9, 2),
        saved_mb=round(saved_bytes / BATCH / 1e6, 1),
    )


if __name__ == "__main__":
    for architecture in architectures():
        size = measure(architecture)
        values = f"{size.parameters}, {size.gflops}, {size.saved_mb}"
        print(f'    "{architecture}": NetworkSize({values}),', flush=True)
