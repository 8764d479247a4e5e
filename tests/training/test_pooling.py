from __future__ import annotations

import pytest
import torch
from torch import nn

from normreport.training.networks import shape_only_network
from normreport.training.pooling import AveragePool, replace_adaptive_pooling


@pytest.mark.parametrize("size", [(7, 7), (3, 3), (10, 8)])
def test_average_pool_equals_adaptive_pooling_and_its_gradient(size: tuple[int, int]) -> None:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(2, 5, *size, generator=generator)
    gradient = torch.randn(2, 5, 7, 6, generator=generator)
    found = []
    for layer in (nn.AdaptiveAvgPool2d((7, 6)), AveragePool(7, 6)):
        inputs = features.clone().requires_grad_()
        pooled = layer(inputs)
        pooled.backward(gradient)
        found.append((pooled.detach(), inputs.grad))
    torch.testing.assert_close(found[1], found[0])


@pytest.mark.parametrize(("model", "replaced"), [("alexnet", ["avgpool"]), ("resnet18", [])])
def test_only_pooling_to_several_pixels_is_replaced(model: str, replaced: list[str]) -> None:
    module = shape_only_network(model).module
    replace_adaptive_pooling(module)
    pooling = [name for name, layer in module.named_modules() if isinstance(layer, AveragePool)]
    assert pooling == replaced
