"""One model of each of torchvision's families trains for one epoch."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
import torchvision
from numpy.typing import NDArray

from normreport.config.training import FitSettings, OptimizerSettings, SchedulerSettings
from normreport.errors import ConfigError
from normreport.stages.train_run import copied_weights
from normreport.training import networks
from normreport.training.images import normalize_split
from normreport.training.layer_summaries import summarize_layer
from normreport.training.loop import train
from normreport.training.probe import evaluate_start
from normreport.training.state import TrainingState

# The smallest model of each family, and the size of its images: 32 px if its layers accept it.
FAMILIES = {
    "alexnet": 64,
    "convnext_tiny": 32,
    "densenet121": 32,
    "efficientnet_b0": 32,
    "efficientnet_v2_s": 32,
    "googlenet": 32,
    "inception_v3": 75,
    "maxvit_t": 224,
    "mnasnet0_5": 32,
    "mobilenet_v2": 32,
    "mobilenet_v3_small": 32,
    "regnet_y_400mf": 32,
    "resnet18": 32,
    "resnext50_32x4d": 32,
    "shufflenet_v2_x0_5": 32,
    "squeezenet1_1": 32,
    "swin_t": 32,
    "swin_v2_t": 32,
    "vgg11": 32,
    "vgg11_bn": 32,
    "vit_b_32": 64,
    "wide_resnet50_2": 32,
}
# Models and sizes that their layers do not accept.
UNSUITABLE = {"maxvit_t": 64, "vit_b_32": 48, "alexnet": 32}


def _family(name: str) -> str:
    """Return the torchvision module that builds an architecture."""
    return str(torchvision.models.get_model_builder(name).__module__)


def test_every_family_is_tested() -> None:
    known = torchvision.models.list_models(torchvision.models)
    assert {_family(name) for name in FAMILIES} == {_family(name) for name in known}


@pytest.mark.parametrize("name", FAMILIES)
def test_an_architecture_trains_and_its_layers_are_measured(name: str) -> None:
    size = FAMILIES[name]
    generator = np.random.default_rng(0)
    arrays: dict[str, NDArray[Any]] = {
        "train_images": generator.integers(0, 256, (4, size, size, 3), dtype=np.uint8),
        "train_labels": np.arange(4),
        "heldout_images": generator.integers(0, 256, (2, size, size, 3), dtype=np.uint8),
        "heldout_labels": np.arange(2),
    }
    settings = FitSettings(
        model=name,
        architecture=name,
        train_images=4,
        epochs=1,
        batch_size=4,
        learning_rate=1e-3,
        optimizer=OptimizerSettings(),
        scheduler=SchedulerSettings(),
        threads=1,
    )
    network = networks.build(
        name, classes=4, image_size_px=size, optimizer=settings.optimizer, seed=0
    )
    shapes = networks.shape_only_network(name, image_size_px=size)
    before = copied_weights(network)
    sets = [normalize_split(arrays, split, "imagenet") for split in ("train", "heldout")]
    state = TrainingState.begin(network, settings)
    assert evaluate_start(state, *sets).probe_accuracy in {0.0, 0.5, 1.0}
    first, last = train(state, *sets, seed=0)
    after = copied_weights(network)
    assert before
    assert list(before) == list(shapes.measured_layers())
    assert before.keys() == after.keys()
    summaries = [summarize_layer(before[layer], after[layer]) for layer in before]
    assert any(summary.displacement for summary in summaries)
    assert all(summary.std is not None and math.isfinite(summary.std) for summary in summaries)
    assert last.train_loss != first.train_loss
    with torch.no_grad():
        assert network.module.eval()(torch.zeros(1, 3, size, size)).shape == (1, 4)


@pytest.mark.parametrize("name", UNSUITABLE)
def test_an_unsuitable_image_size_raises(name: str) -> None:
    size = UNSUITABLE[name]
    with pytest.raises(ConfigError, match=f"^here: {name} cannot take images of {size} px"):
        networks.shape_only_network(name, image_size_px=size, size_key="here")
