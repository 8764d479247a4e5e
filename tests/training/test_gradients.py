"""Gradients obey the identities that the claims about the input's scale rest on."""

from __future__ import annotations

import itertools
import math

import pytest
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from normreport.training.networks import build
from tests.training.helpers import ADAM, digits, image_sets


def gradients(module: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    module.train().zero_grad()
    cross_entropy(module(inputs), labels).backward()
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def convolutions(module: nn.Module) -> list[str]:
    return [name for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d)]


def float64_network(model: str) -> nn.Module:
    network = build(model, classes=10, image_size_px=32, optimizer=ADAM, seed=0)
    for module in network.module.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network.module.double()


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    """Return sixteen digits, divided by 255, in float64, and their labels."""
    images, _ = image_sets(digits(16, 1, size=32), count=16)
    return images.inputs.double(), images.labels


@pytest.mark.usefixtures("narrow_vggs")
def test_consecutive_vgg_layers_obey_the_homogeneity_identity(
    batch: tuple[Tensor, Tensor],
) -> None:
    # ReLU and max pooling are homogeneous: scaling one layer by c and the next by 1/c changes
    # nothing.
    # The derivative at c = 1 is <W_l, g> + <b_l, g_b> - <W_(l+1), g> = 0.
    module = float64_network("vgg_narrow")
    gradient = gradients(module, *batch)
    layers = [*convolutions(module), "classifier.0", "classifier.3", "classifier.6"]
    weights = dict(module.named_parameters())

    def product(name: str) -> float:
        return float((weights[name].detach() * gradient[name]).sum())

    assert len(layers) == 10
    for first, second in itertools.pairwise(layers):
        left = product(f"{first}.weight") + product(f"{first}.bias")
        assert left == pytest.approx(product(f"{second}.weight"), rel=1e-6, abs=1e-15)
        assert abs(product(f"{first}.bias")) > 1e-9  # the bias contributes


def gradient_change(eps: float, batch: tuple[Tensor, Tensor]) -> float:
    """Return the relative change of MobileNetV2's gradients if raw inputs replace unit inputs."""
    module = float64_network("mobilenet_v2")
    first = module.features[0][1]
    assert isinstance(first, nn.BatchNorm2d)
    first.eps = eps
    inputs, labels = batch
    unit, raw = gradients(module, inputs, labels), gradients(module, 255 * inputs, labels)
    change = sum((raw[name] - unit[name]).square().sum() for name in unit)
    return math.sqrt(change / sum(gradient.square().sum() for gradient in unit.values()))


def test_batch_normalization_cancels_the_scale_of_the_input_up_to_eps(
    batch: tuple[Tensor, Tensor],
) -> None:
    changes = [gradient_change(eps, batch) for eps in (1e-5, 1e-8, 1e-13)]
    assert changes[0] < 0.05
    assert changes[1] < 1e-5
    assert changes[2] < 1e-9


@pytest.mark.usefixtures("narrow_vggs")
def test_without_batch_normalization_the_scale_of_the_input_changes_all_gradients(
    batch: tuple[Tensor, Tensor],
) -> None:
    module = float64_network("vgg_narrow")
    inputs, labels = batch
    unit, raw = gradients(module, inputs, labels), gradients(module, 255 * inputs, labels)
    for name in convolutions(module):
        assert raw[f"{name}.weight"].norm() > 3 * unit[f"{name}.weight"].norm()
