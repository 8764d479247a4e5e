"""Folding VGG keeps its function and its trajectory.

In float64, torchvision's unchanged network with PyTorch's optimizers is compared to the folded
network with :func:`normreport.training.optimizers.make_optimizer`: every optimizer on a VGG with
few channels, the default one on VGG16.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
import torch
import torchvision
from torch import nn
from torch.nn.functional import cross_entropy

from normreport.config.training import OptimizerSettings
from normreport.training.networks import Network
from normreport.training.optimizers import make_optimizer
from normreport.training.pretrained_weights import StateDict
from normreport.training.seeds import derived_seed
from tests.training.helpers import ADAM, build_network, random_images, relative_gap

pytestmark = pytest.mark.usefixtures("narrow_vggs")


def torchvision_vgg(model: str, classes: int) -> nn.Module:
    """Return torchvision's VGG with only the last layer replaced."""
    module = torchvision.models.get_model(model, weights=None)
    last = module.classifier[6]
    module.classifier[6] = nn.Linear(last.in_features, classes)
    assert isinstance(module, nn.Module)
    return module


def unfolded_and_folded(model: str, optimizer: OptimizerSettings) -> tuple[nn.Module, Network]:
    """Return the original and the folded network with the same weights, in float64."""
    torch.manual_seed(11)
    unfolded = torchvision_vgg(model, classes=10).double()
    folded = build_network(model, optimizer=optimizer)
    folded.module.double()
    state = unfolded.state_dict()
    # The features are flattened from (C, 7, 7): the 49 columns of a channel are adjacent.
    rows, columns = state["classifier.0.weight"].shape
    grouped = state["classifier.0.weight"].reshape(rows, columns // 49, 49)
    folded.module.load_state_dict(state | {"classifier.0.weight": grouped.sum(2)})
    for module in (*unfolded.modules(), *folded.module.modules()):
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return unfolded, folded


def train_steps(
    module: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int = 4, batch: int = 8
) -> None:
    module.train()
    labels = torch.arange(batch)
    for step in range(steps):
        optimizer.zero_grad()
        cross_entropy(module(random_images(batch, seed=step).double()), labels).backward()
        optimizer.step()


def folded_matrices(module: nn.Module) -> StateDict:
    """Copy kernels and matrices, with the first matrix folded.

    Biases are left out: those before a BatchNorm have no effect and contain only rounding noise.
    """
    matrices = {}
    for name, parameter in module.named_parameters():
        if name == "classifier.0.weight" and not isinstance(module.avgpool, nn.Identity):
            rows, columns = parameter.shape
            matrices[name] = parameter.detach().reshape(rows, columns // 49, 49).sum(2)
        elif parameter.ndim > 1:
            matrices[name] = parameter.detach().clone()
    return matrices


def largest_gaps(before: StateDict, unfolded: nn.Module, folded: nn.Module) -> tuple[float, float]:
    """Return the largest relative difference of the matrices, and of their total updates."""
    expected, found = folded_matrices(unfolded), folded_matrices(folded)
    assert expected.keys() == found.keys()
    return (
        max(relative_gap(found[name], expected[name]) for name in found),
        max(
            relative_gap(found[name] - before[name], expected[name] - before[name])
            for name in found
        ),
    )


def torch_optimizer(
    settings: OptimizerSettings, parameters: Iterable[nn.Parameter], rate: float
) -> torch.optim.Optimizer:
    decay, momentum = settings.weight_decay, settings.momentum
    if settings.name == "adam":
        return torch.optim.Adam(parameters, lr=rate, weight_decay=decay)
    if settings.name == "adamw":
        return torch.optim.AdamW(parameters, lr=rate, weight_decay=decay)
    if settings.name == "sgd":
        return torch.optim.SGD(parameters, lr=rate, weight_decay=decay, momentum=momentum)
    return torch.optim.RMSprop(parameters, lr=rate, weight_decay=decay, momentum=momentum)


PROVEN = [
    OptimizerSettings(name="adam"),
    OptimizerSettings(name="adamw"),
    OptimizerSettings(name="adamw", weight_decay=0.3),
    OptimizerSettings(name="sgd"),
    OptimizerSettings(name="sgd", momentum=0.9, weight_decay=0.1),
    OptimizerSettings(name="rmsprop"),
    OptimizerSettings(name="rmsprop", momentum=0.5),
]


@pytest.mark.parametrize("model", ["vgg_narrow", "vgg_narrow_bn"])
@pytest.mark.parametrize(
    "optimizer",
    PROVEN,
    ids=lambda settings: f"{settings.name}-{settings.weight_decay}-{settings.momentum}",
)
def test_a_folded_vgg_follows_the_trajectory_of_the_original(
    model: str, optimizer: OptimizerSettings
) -> None:
    rate = 0.05 if optimizer.name == "sgd" else 1e-3
    unfolded, folded = unfolded_and_folded(model, optimizer)
    assert folded.repeats == {"classifier.0.weight": 49}
    before = folded_matrices(unfolded)
    train_steps(unfolded, torch_optimizer(optimizer, unfolded.parameters(), rate))
    train_steps(folded.module, make_optimizer(folded, optimizer, rate))
    matrices, updates = largest_gaps(before, unfolded, folded.module)
    assert matrices < 1e-9
    assert updates < 1e-6


def test_the_comparison_detects_a_step_that_is_not_49_times_as_long() -> None:
    unfolded, folded = unfolded_and_folded("vgg_narrow", ADAM)
    before = folded_matrices(unfolded)
    train_steps(unfolded, torch_optimizer(ADAM, unfolded.parameters(), 1e-3))
    train_steps(folded.module, make_optimizer(Network(folded.module, folded.head), ADAM, 1e-3))
    matrices, updates = largest_gaps(before, unfolded, folded.module)
    assert matrices > 1e-4
    assert updates > 0.5


@pytest.mark.parametrize("size", [32, 47, 63])
def test_a_folded_vgg_computes_the_same_function_at_every_size(size: int) -> None:
    unfolded, folded = unfolded_and_folded("vgg_narrow", ADAM)
    images = random_images(size=size).double()
    with torch.no_grad():
        assert relative_gap(folded.module.eval()(images), unfolded.eval()(images)) < 1e-12


def test_folding_vgg16_keeps_its_function_and_trajectory() -> None:
    unfolded, folded = unfolded_and_folded("vgg16", ADAM)
    assert folded.module.classifier[0].weight.shape == (4096, 512)
    assert unfolded.classifier[0].weight.shape == (4096, 25_088)
    with torch.no_grad():
        images = random_images().double()
        assert relative_gap(folded.module.eval()(images), unfolded.eval()(images)) < 1e-12
    before = folded_matrices(unfolded)
    train_steps(
        unfolded, torch.optim.Adam(unfolded.parameters(), lr=1e-4, fused=True), steps=2, batch=4
    )
    train_steps(folded.module, make_optimizer(folded, ADAM, 1e-4), steps=2, batch=4)
    matrices, updates = largest_gaps(before, unfolded, folded.module)
    assert len(before) == 16
    assert matrices < 1e-9
    assert updates < 1e-6


@pytest.mark.parametrize("size", [64, 224])
def test_a_vgg_with_a_feature_map_larger_than_one_pixel_is_not_folded(size: int) -> None:
    network = build_network(image_size_px=size)
    assert not network.repeats
    assert network.module.classifier[0].in_features == 16 * 49


@pytest.mark.parametrize("name", ["adam", "rmsprop"])
def test_vgg_is_not_folded_if_an_adaptive_step_contains_the_penalty(name: Any) -> None:
    network = build_network(optimizer=OptimizerSettings(name=name, weight_decay=1e-3))
    assert not network.repeats
    assert network.module.classifier[0].in_features == 16 * 49


@pytest.mark.parametrize("model", ["mobilenet_v2", "squeezenet1_0", "resnet18"])
def test_only_vgg_is_folded(model: str) -> None:
    assert not build_network(model).repeats


def test_a_folded_matrix_starts_as_the_sum_of_torchvisions_columns() -> None:
    torch.manual_seed(derived_seed(0, "init"))
    expected = torchvision.models.get_model("vgg_narrow").state_dict()
    found = build_network(seed=0).module.state_dict()
    columns = expected.pop("classifier.0.weight").double().reshape(24, 16, 49)
    assert torch.equal(found.pop("classifier.0.weight"), columns.sum(2).float())
    for name in expected.keys() - {"classifier.6.weight", "classifier.6.bias"}:
        assert torch.equal(found[name], expected[name]), name


def test_a_kept_layer_is_not_folded() -> None:
    folded, kept = build_network(), build_network(kept=("classifier.0",))
    assert folded.layers()["classifier.0"].shape == (24, 16)
    assert kept.layers()["classifier.0"].shape == (24, 16 * 49)
    assert kept.repeats == {}
