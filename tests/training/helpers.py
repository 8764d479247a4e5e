"""Networks, images and settings that the tests of training share."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from normreport.config.data import DataSettings
from normreport.config.training import FitSettings, OptimizerSettings
from normreport.io.checkpoints import Checkpoint
from normreport.training.images import ImageSet, normalize_split
from normreport.training.loop import train
from normreport.training.networks import Network, build
from normreport.training.pretrained_weights import StateDict
from normreport.training.state import Epoch, TrainingState
from tests.sources.images import in_memory

ADAM = OptimizerSettings()
SGD = {"name": "sgd"}
ARMS = ("raw", "unit", "imagenet")
Arrays = dict[str, NDArray[Any]]


def build_network(model: str = "vgg_narrow", **changes: Any) -> Network:
    options: dict[str, Any] = {"classes": 10, "image_size_px": 32, "optimizer": ADAM, "seed": 0}
    return build(model, **(options | changes))


def tiny_network(seed: int = 0) -> Network:
    """Build a network of a few weights whose last layer is `classifier.1`."""
    torch.manual_seed(seed)
    features = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU())
    classifier = nn.Sequential(nn.Dropout(), nn.Linear(4, 10))
    parts = {"features": features, "classifier": classifier}
    module = nn.Module()
    for name, part in parts.items():
        module.add_module(name, part)
    return Network(module, "classifier.1")


def random_images(count: int = 8, size: int = 32, seed: int = 0) -> Tensor:
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


def copy_state(network: Network) -> StateDict:
    return {name: value.clone() for name, value in network.module.state_dict().items()}


def equal_states(a: StateDict, b: StateDict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def relative_gap(a: Tensor, b: Tensor) -> float:
    return float((a - b).abs().max() / b.abs().max())


class Bomb:
    """An object in a malicious checkpoint that writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return Path.write_text, (self.path, "executed")


OPTIMIZERS: dict[str, tuple[Callable[..., torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {"weight_decay": 0.25}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.25}),
    "sgd": (torch.optim.SGD, {"weight_decay": 0.25, "momentum": 0.5}),
    "rmsprop": (torch.optim.RMSprop, {"weight_decay": 0.25, "momentum": 0.5}),
}

SCHEDULES: dict[str, tuple[dict[str, Any], Callable[[int], float]]] = {
    "constant": ({}, lambda epoch: 1),
    "step": ({"step_epochs": 3, "factor": 0.5}, lambda epoch: 0.5 ** ((epoch - 1) // 3)),
    "exponential": ({"factor": 0.7}, lambda epoch: 0.7 ** (epoch - 1)),
    "cosine": ({}, lambda epoch: (1 + math.cos(math.pi * (epoch - 1) / 10)) / 2),
    # For a loss that never improves: epoch 1 sets the best, 2 epochs of patience follow, and the
    # next one lowers the rate.
    "plateau": (
        {"factor": 0.1, "patience_epochs": 2},
        lambda epoch: 0.1 ** (0 if epoch <= 4 else 1 if epoch <= 7 else 2),
    ),
}


def digits(train_images: int = 40, heldout_images: int = 20, size: int = 16) -> Arrays:
    """Return the arrays of a small data set of digits."""
    data_set = in_memory(
        DataSettings(
            source="digits",
            train_images=train_images,
            heldout_images=heldout_images,
            image_size_px=size,
        )
    )
    splits = ("train_images", "train_labels", "heldout_images", "heldout_labels")
    return {name: getattr(data_set, name) for name in splits}


def image_sets(
    arrays: Arrays, arm: str = "unit", count: int | None = 24
) -> tuple[ImageSet, ImageSet]:
    return normalize_split(arrays, "train", arm, count), normalize_split(arrays, "heldout", arm)


def fit_settings(**changes: Any) -> FitSettings:
    values: dict[str, Any] = {
        "model": "tiny",
        "architecture": "none",
        "epochs": 3,
        "train_images": 24,
        "batch_size": 8,
        "learning_rate": 0.05,
        "optimizer": SGD,
        "scheduler": {"name": "constant"},
    }
    return FitSettings.model_validate(values | changes)


def small_network(seed: int = 0) -> Network:
    """Return a network whose layers all differ between train and eval mode."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = nn.Sequential(
            nn.Conv2d(3, 6, 3, stride=2),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Flatten(),
            nn.Dropout(0.4),
            nn.Linear(6 * 7 * 7, 10),
        )
    return Network(module, "5")


def linear_network(pixels: int = 3 * 16 * 16) -> Network:
    """Return a network without bias: a zero input gives a zero output."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(nn.Sequential(nn.Flatten(), nn.Linear(pixels, 10, bias=False)), "1")


def train_from_scratch(
    network: Network,
    train_set: ImageSet,
    heldout_set: ImageSet,
    settings: FitSettings,
    *,
    seed: int,
) -> Iterator[Epoch]:
    return train(TrainingState.begin(network, settings), train_set, heldout_set, seed=seed)


def trained_mobilenet() -> str:
    """Return the digest of a MobileNetV2 after two short epochs."""
    from normreport.stages.train_run import weights_digest

    network = build(
        "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=2
    )
    settings = fit_settings(epochs=2, batch_size=4, learning_rate=1e-3, optimizer={"name": "adam"})
    list(train_from_scratch(network, *image_sets(digits(8, 4, size=32), count=8), settings, seed=2))
    return weights_digest(network.module)


def train_until(
    epochs: int, network: Network, sets: tuple[ImageSet, ImageSet], settings: FitSettings
) -> TrainingState:
    """Train up to the end of an epoch, and stop there as a killed process would."""
    state = TrainingState.begin(network, settings)
    for record in train(state, *sets, seed=3):
        if record.epoch == epochs:
            break
    return state


def resume(
    folder: Path, killed: TrainingState, network: Network, sets: tuple[ImageSet, ImageSet]
) -> TrainingState:
    """Save a state to a checkpoint, load it into a new network, and finish the training."""
    Checkpoint(folder, {}).save_if_due(killed.state_dict)
    state = TrainingState.begin(network, killed.settings)
    state.load_state_dict(Checkpoint(folder, {}).load())
    list(train(state, *sets, seed=3))
    return state


def memory_layouts(state: TrainingState) -> list[Any]:
    """Return the strides of all weights, buffers and moments."""
    moments = [
        (name, value.shape, value.stride())
        for values in state.optimizer.state_dict()["state"].values()
        for name, value in values.items()
    ]
    return [*(value.stride() for value in state.network.module.state_dict().values()), *moments]


def assert_same_state(found: TrainingState, expected: TrainingState) -> None:
    assert equal_states(copy_state(found.network), copy_state(expected.network))
    assert [r.row() for r in found.records] == [r.row() for r in expected.records]
    assert found.step == expected.step
    assert memory_layouts(found) == memory_layouts(expected)
    assert found.scheduler.state_dict() == expected.scheduler.state_dict()
    states = [state.optimizer.state_dict() for state in (found, expected)]
    assert as_json(states[0]["param_groups"]) == as_json(states[1]["param_groups"])
    for moments in zip(*(state["state"].values() for state in states), strict=True):
        assert equal_states(*moments)


def as_json(value: Any) -> Any:
    """Return the value as JSON restores it, with lists instead of tuples."""
    return json.loads(json.dumps(value))
