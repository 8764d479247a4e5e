"""Which networks forget the scale of their input."""

from __future__ import annotations

import pytest
import torch
from torchvision import models

from normreport.claims.shifts import forgets_scale

# They look at their weights' values while they are built; RegNets are alike but for their sizes.
REAL = {"maxvit_t", "regnet_y_400mf"}
NAMES = [
    name
    for name in models.list_models(module=models)
    if not name.startswith("regnet") or name in REAL
]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_layers_of_torchvision_say(name: str) -> None:
    more = {"init_weights": False} if name in {"googlenet", "inception_v3"} else {}
    with torch.device("cpu" if name in REAL else "meta"):
        network = models.get_model(name, weights=None, **more)
    leaves = [module for module in network.modules() if not list(module.children())]
    first = next(i for i, leaf in enumerate(leaves) if isinstance(leaf, torch.nn.Conv2d))
    assert forgets_scale(name) == isinstance(leaves[first + 1], torch.nn.BatchNorm2d)
