"""Training against plain loops, torch's own schedules, and two identities of the gradient."""

from __future__ import annotations

import copy
import itertools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from normreport.config.data import DataSettings
from normreport.config.training import FitSettings, OptimizerSettings
from normreport.errors import ConfigError
from normreport.io import checkpoints
from normreport.io.checkpoints import Checkpoint
from normreport.normalizations import normalize
from normreport.training import loop as training
from normreport.training import networks
from normreport.training.loop import Diverged, Epoch, Images, TrainingState, normalized
from normreport.training.networks import Network
from normreport.training.seeds import derived_seed, epoch_order
from tests.sources.images import in_memory

Arrays = dict[str, NDArray[Any]]

SGD = {"name": "sgd"}
ARMS = ("raw", "unit", "imagenet")


def _arrays(train_images: int = 40, heldout_images: int = 20, size: int = 16) -> Arrays:
    found = in_memory(
        DataSettings(
            source="digits",
            train_images=train_images,
            heldout_images=heldout_images,
            image_size_px=size,
        )
    )
    splits = ("train_images", "train_labels", "heldout_images", "heldout_labels")
    return {name: getattr(found, name) for name in splits}


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    return _arrays()


def _fit(**changes: Any) -> FitSettings:
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


def _network(seed: int = 0) -> Network:
    """Make a small network with all that differs between training and evaluation."""
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


def _linear(pixels: int = 3 * 16 * 16) -> Network:
    """Make a network that is zero at zero, whatever its weights."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(nn.Sequential(nn.Flatten(), nn.Linear(pixels, 10, bias=False)), "1")


def train(
    network: Network, train_set: Images, heldout_set: Images, settings: FitSettings, *, seed: int
) -> Iterator[Epoch]:
    """Train from the beginning."""
    return training.train(TrainingState.begin(network, settings), train_set, heldout_set, seed=seed)


def _sets(arrays: Arrays, arm: str = "unit", count: int | None = 24) -> tuple[Images, Images]:
    return normalized(arrays, "train", arm, count), normalized(arrays, "heldout", arm)


def _weights(network: Network) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in network.module.state_dict().items()}


def _equal(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def _trained(arrays: Arrays, *, seed: int = 0, init: int = 0, **changes: Any) -> dict[str, Tensor]:
    network = _network(init)
    list(train(network, *_sets(arrays), _fit(**changes), seed=seed))
    return _weights(network)


def _plain_sgd(network: Network, images: Images, settings: FitSettings, seed: int) -> list[float]:
    """Train by the textbook as long as the loss is finite; the loss of every step."""
    losses = []
    for epoch in range(1, settings.epochs + 1):
        torch.manual_seed(derived_seed(seed, "dropout", epoch))
        order = epoch_order(seed, epoch, len(images.labels))
        for start in range(0, len(order), settings.batch_size):
            batch = order[start : start + settings.batch_size]
            network.module.train().zero_grad()
            loss = cross_entropy(network.module(images.inputs[batch]), images.labels[batch])
            if not loss.isfinite():
                return losses
            loss.backward()
            parameters = list(network.module.parameters())
            gradients = [p.grad for p in parameters if p.grad is not None]
            losses.append(loss.item())
            with torch.no_grad():
                for parameter, gradient in zip(parameters, gradients, strict=True):
                    parameter -= settings.learning_rate * gradient
    return losses


# Images


@pytest.mark.parametrize("arm", [*ARMS, "dataset"])
def test_images_are_normalized_once_and_lie_channels_last(arrays: Arrays, arm: str) -> None:
    found = normalized(arrays, "train", arm, 7)
    assert found.inputs.shape == (7, 3, 16, 16)
    assert found.inputs.dtype == torch.float32
    assert found.inputs.is_contiguous(memory_format=torch.channels_last)
    expected = normalize(arrays["train_images"][:7], arm, arrays["train_images"])
    assert np.array_equal(found.inputs.permute(0, 2, 3, 1).numpy(), expected)
    assert found.labels.tolist() == arrays["train_labels"][:7].tolist()


def test_heldout_images_are_standardized_by_the_training_images(arrays: Arrays) -> None:
    found = normalized(arrays, "heldout", "dataset").inputs.double()
    train, heldout = (arrays[f"{split}_images"] / 255 for split in ("train", "heldout"))
    expected = (heldout - train.mean(axis=(0, 1, 2))) / train.std(axis=(0, 1, 2))
    assert np.allclose(found.permute(0, 2, 3, 1).numpy(), expected, rtol=0, atol=1e-6)


def test_all_images_of_a_split_are_used_unless_a_count_is_given(arrays: Arrays) -> None:
    assert len(normalized(arrays, "heldout", "raw").labels) == 20
    assert len(normalized(arrays, "train", "raw").labels) == 40


# Records


def test_the_first_record_is_made_before_the_first_step(arrays: Arrays) -> None:
    network = _network()
    before = _weights(network)
    record = next(train(network, *_sets(arrays), _fit(), seed=0))
    assert (record.epoch, record.batch_loss, record.learning_rate) == (0, None, 0.05)
    assert _equal(_weights(network), before)


def test_every_epoch_has_its_record_and_its_weights(arrays: Arrays) -> None:
    network = _network()
    epochs, weights = [], []
    for record in train(network, *_sets(arrays), _fit(epochs=4), seed=0):
        epochs.append(record.epoch)
        weights.append(_weights(network))
    assert epochs == [0, 1, 2, 3, 4]
    assert all(not _equal(a, b) for a, b in itertools.pairwise(weights))


def _cross_entropy(module: nn.Module, images: Images) -> tuple[float, float]:
    """Evaluate in eval mode, image by image, in float64 and without PyTorch's loss."""
    module = copy.deepcopy(module).eval().double()
    with torch.no_grad():
        logits = np.array([module(image[None].double())[0].numpy() for image in images.inputs])
    labels = images.labels.numpy()
    chosen = logits[np.arange(len(labels)), labels]
    losses = np.log(np.exp(logits).sum(axis=1)) - chosen
    return float(losses.mean()), float((logits.argmax(axis=1) == labels).mean())


def test_a_record_holds_loss_and_accuracy_in_eval_mode_on_all_images(arrays: Arrays) -> None:
    network = _network()
    train_set, heldout_set = _sets(arrays)
    accuracies = set()
    for record in train(network, train_set, heldout_set, _fit(learning_rate=0.5), seed=0):
        loss, accuracy = _cross_entropy(network.module, train_set)
        assert record.train_loss == pytest.approx(loss, rel=1e-5)
        assert record.train_accuracy == accuracy
        loss, accuracy = _cross_entropy(network.module, heldout_set)
        assert record.heldout_loss == pytest.approx(loss, rel=1e-5)
        assert record.heldout_accuracy == accuracy
        accuracies |= {record.train_accuracy, record.heldout_accuracy}
    assert len(accuracies) > 3


def test_evaluation_weighs_every_image_alike_whatever_its_batch() -> None:
    images = normalized(_arrays(train_images=1027), "train", "unit")  # 1,024 at a time
    network = _network(3)
    loss, accuracy = training.evaluate(network.module, images)
    expected_loss, expected_accuracy = _cross_entropy(network.module, images)
    assert loss == pytest.approx(expected_loss, rel=1e-5)
    assert accuracy == expected_accuracy


@pytest.mark.parametrize("size_px", [32, 64])
def test_evaluation_takes_fewer_images_at_a_time_where_they_are_larger(size_px: int) -> None:
    images = Images(torch.zeros(300, 3, size_px, size_px), torch.zeros(300, dtype=torch.int64))
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    seen: list[int] = []
    module.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].numel()))
    training.evaluate(module, images)
    assert max(seen) == 256 * 3 * 32**2
    assert sum(seen) == images.inputs.numel()


def test_a_row_of_the_history_holds_no_time() -> None:
    record = Epoch(3, 1e-3, 2.0, 1.5, 0.5, 1.75, 0.25, seconds=12.5)
    assert "seconds" not in record.row()
    assert record.row() == {
        "epoch": 3,
        "learning_rate": 1e-3,
        "batch_loss": 2.0,
        "train_loss": 1.5,
        "train_accuracy": 0.5,
        "heldout_loss": 1.75,
        "heldout_accuracy": 0.25,
    }
    line = record.line(35)
    assert line.startswith("epoch   3/35  lr 1.00e-03  train loss 1.5000 accuracy 0.500")
    assert line.endswith("held-out loss 1.7500 accuracy 0.250  12.50 s")


def test_the_versions_are_those_that_are_installed() -> None:
    found = training.versions(torch.device("cpu"))
    assert found["numpy"] == metadata.version("numpy")
    for name in ("torch", "torchvision"):
        assert found[name].split("+")[0] == metadata.version(name).split("+")[0]
    assert found["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert found["device"] == "cpu"
    assert "cuda" not in found


# Devices

CUDA = torch.device("cuda")


@pytest.mark.parametrize(("is_there", "expected"), [(False, "cpu"), (True, "cuda")])
def test_auto_is_a_gpu_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch, is_there: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_there)
    assert training.find_device("auto").type == expected
    assert training.find_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_asked_for_is_found_or_refused(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    backend = {"cuda": torch.cuda, "mps": torch.backends.mps}[name]
    monkeypatch.setattr(backend, "is_available", lambda: True)
    assert training.find_device(name).type == name
    monkeypatch.setattr(backend, "is_available", lambda: False)
    with pytest.raises(ConfigError, match=rf"^training\.device: .* found '{name}'.* to 'cpu' or"):
        TrainingState.begin(_network(), _fit(device=name))


def test_cuda_is_told_to_be_deterministic_before_it_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    for flag in ("benchmark", "allow_tf32"):
        monkeypatch.setattr(torch.backends.cudnn, flag, True)
    network = Network(nn.Sequential(nn.AdaptiveAvgPool2d((7, 7))), "0")
    training.make_deterministic(network, torch.device("cpu"))
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    assert torch.backends.cudnn.allow_tf32
    training.make_deterministic(network, CUDA)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32
    assert isinstance(network.module[0], networks.AveragePool)


@pytest.mark.parametrize("where", ["at the start", "in a step"])
def test_a_gpu_without_enough_memory_is_told_with_what_to_lower(
    monkeypatch: pytest.MonkeyPatch, arrays: Arrays, where: str
) -> None:
    text = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 1 MiB"

    def full(*_: Any, **__: Any) -> NoReturn:
        raise torch.OutOfMemoryError(text)

    network = _network()
    monkeypatch.setattr(network.module, "to" if where == "at the start" else "forward", full)
    with pytest.raises(ConfigError) as caught:
        list(train(network, *_sets(arrays), _fit(), seed=0))
    assert str(caught.value) == (
        "models.tiny: expected a training that fits into the memory of the GPU, found "
        "one with a batch_size of 8 and 24 train_images, "
        "which does not (CUDA out of memory). Lower one of these keys, or start snakemake with "
        "--resources gpu=1, so that one training at a time uses the GPU."
    )


def test_a_gpu_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"the {device.type} card")
    found = training.versions(CUDA)
    assert found["device"] == "the cuda card"
    assert found["cuda"] == str(torch.version.cuda)


def test_images_move_to_a_device_with_their_layout(arrays: Arrays) -> None:
    images = normalized(arrays, "train", "unit")
    moved = images.to(torch.device("meta"))
    assert moved.inputs.device.type == moved.labels.device.type == "meta"
    assert moved.inputs.stride() == images.inputs.stride()
    assert images.to(torch.device("cpu")).inputs is images.inputs


def test_bf16_rounds_the_forward_pass_of_training_and_nothing_that_is_kept(arrays: Arrays) -> None:
    states = []
    for precision in ("fp32", "bf16"):
        state = TrainingState.begin(_network(), _fit(precision=precision, epochs=1))
        list(training.train(state, *_sets(arrays), seed=0))
        states.append(state)
    exact, rounded = states
    assert rounded.records[0].row() == exact.records[0].row()  # measured in fp32
    assert rounded.records[1].batch_loss == pytest.approx(exact.records[1].batch_loss, rel=0.02)
    assert rounded.records[1].batch_loss != exact.records[1].batch_loss
    kept = {value.dtype for value in rounded.network.module.state_dict().values()}
    assert kept == {torch.float32, torch.int64}


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@needs_cuda
@pytest.mark.usefixtures("narrow_vggs", "always_due")
@pytest.mark.parametrize(("model", "size"), [("vgg_narrow_bn", 96), ("mobilenet_v2", 32)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_a_gpu_gives_the_same_bits_twice_and_after_a_kill(
    tmp_path: Path, model: str, size: int, precision: str
) -> None:
    def network() -> Network:
        return networks.build(
            model, classes=10, image_size_px=size, optimizer=OptimizerSettings(), seed=0
        )

    sets = _sets(_arrays(16, 4, size=size), count=16)
    settings = _fit(
        optimizer={"name": "adam"}, learning_rate=1e-3, device="cuda", precision=precision
    )
    expected = _state_after(3, network(), sets, settings)
    assert expected.device.type == "cuda"
    _assert_same(_state_after(3, network(), sets, settings), expected)
    killed = _state_after(2, network(), sets, settings)
    _assert_same(_gone_on(tmp_path, killed, network(), sets), expected)


@needs_cuda
def test_a_gpu_takes_the_steps_of_the_cpu_but_for_rounding(arrays: Arrays) -> None:
    # Without dropout, which each device draws by itself.
    found = []
    for device in ("cpu", "cuda"):
        network = _network()
        network.module[4] = nn.Identity()
        state = TrainingState.begin(network, _fit(device=device))
        list(training.train(state, *_sets(arrays), seed=0))
        found.append(state)
    for ours, theirs in zip(*(state.records for state in found), strict=True):
        assert theirs.train_loss == pytest.approx(ours.train_loss, rel=1e-4)


# Steps


def test_training_is_what_a_plain_loop_does(arrays: Arrays) -> None:
    settings = _fit(epochs=4, train_images=22, batch_size=8)
    images, heldout = _sets(arrays, count=22)
    network, plain = _network(), _network()
    records = list(train(network, images, heldout, settings, seed=5))
    losses = np.array(_plain_sgd(plain, images, settings, seed=5)).reshape(4, 3)
    torch.testing.assert_close(_weights(network), _weights(plain), rtol=1e-4, atol=1e-6)
    expected = losses @ np.array([8, 8, 6]) / 22
    assert [r.batch_loss for r in records[1:]] == pytest.approx(expected.tolist(), rel=1e-5)


@pytest.mark.parametrize("count", [9, 17])
def test_an_image_that_is_left_over_alone_makes_no_step(arrays: Arrays, count: int) -> None:
    network = _network()
    sizes: list[int] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if module.training:
            sizes.append(len(inputs[0]))

    network.module.register_forward_pre_hook(note)
    list(train(network, *_sets(arrays, count=count), _fit(epochs=2), seed=0))
    assert sizes == [8] * (count // 8) * 2


OPTIMIZERS: dict[str, tuple[type[torch.optim.Optimizer], dict[str, Any]]] = {
    "adam": (torch.optim.Adam, {"weight_decay": 0.25}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.25}),
    "sgd": (torch.optim.SGD, {"weight_decay": 0.25, "momentum": 0.5}),
    "rmsprop": (torch.optim.RMSprop, {"weight_decay": 0.25, "momentum": 0.5}),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_setting_of_an_optimizer_reaches_pytorch(name: Any) -> None:
    kind, values = OPTIMIZERS[name]
    optimizer = training.make_optimizer(_network(), OptimizerSettings(name=name, **values), 0.125)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert group["lr"] == 0.125
    for key, value in values.items():
        assert group[key] == value
    defaults = kind([nn.Parameter(torch.zeros(1))]).param_groups[0]
    for key in defaults.keys() - {"params", "lr", "fused", *values}:
        assert group[key] == defaults[key], key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_learns(arrays: Arrays, name: str) -> None:
    rate = 0.1 if name == "sgd" else 3e-3
    settings = _fit(optimizer={"name": name}, learning_rate=rate, epochs=12)
    records = list(train(_network(), *_sets(arrays), settings, seed=0))
    assert records[-1].train_loss < records[0].train_loss / 2


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("narrow_vggs")
def test_a_frozen_network_moves_nothing_but_its_last_layer(name: str) -> None:
    network = networks.build(
        "vgg_narrow_bn",
        classes=10,
        image_size_px=32,
        optimizer=OptimizerSettings(),
        seed=0,
        head_only=True,
    )
    before = _weights(network)
    settings = _fit(optimizer={"name": name, "weight_decay": 0.1}, epochs=2)
    list(train(network, *_sets(_arrays(size=32)), settings, seed=0))
    moved = {n for n, value in _weights(network).items() if not torch.equal(value, before[n])}
    assert moved == {"classifier.6.weight", "classifier.6.bias"}


# Schedules

SCHEDULES: dict[str, tuple[dict[str, Any], Callable[[int], float]]] = {
    "constant": ({}, lambda epoch: 1),
    "step": ({"step_epochs": 3, "factor": 0.5}, lambda epoch: 0.5 ** ((epoch - 1) // 3)),
    "exponential": ({"factor": 0.7}, lambda epoch: 0.7 ** (epoch - 1)),
    "cosine": ({}, lambda epoch: (1 + math.cos(math.pi * (epoch - 1) / 10)) / 2),
    # The loss below never improves: 1 epoch sets the best, 2 are waited for, the next is too much.
    "plateau": (
        {"factor": 0.1, "patience_epochs": 2},
        lambda epoch: 0.1 ** (0 if epoch <= 4 else 1 if epoch <= 7 else 2),
    ),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_learning_rate_follows_its_schedule(arrays: Arrays, name: str) -> None:
    values, share = SCHEDULES[name]
    train_set, heldout_set = _sets(arrays)
    stalled = Images(torch.zeros_like(heldout_set.inputs), heldout_set.labels)
    settings = _fit(epochs=10, learning_rate=0.01, scheduler={"name": name, **values})
    records = list(train(_linear(), train_set, stalled, settings, seed=0))
    assert {record.heldout_loss for record in records} == {records[0].heldout_loss}
    expected = [0.01 * share(epoch) for epoch in range(1, 11)]
    assert [r.learning_rate for r in records[1:]] == pytest.approx(expected, rel=1e-9)


def test_the_plateau_schedule_leaves_the_rate_alone_while_the_loss_falls(arrays: Arrays) -> None:
    scheduler = {"name": "plateau", "patience_epochs": 0}
    settings = _fit(epochs=6, learning_rate=0.01, scheduler=scheduler)
    train_set, _ = _sets(arrays)
    records = list(train(_linear(), train_set, train_set, settings, seed=0))
    losses = [record.heldout_loss for record in records]
    assert losses == sorted(losses, reverse=True)
    assert {record.learning_rate for record in records} == {0.01}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.usefixtures("narrow_vggs")
def test_the_folded_layer_keeps_49_times_the_rate_on_every_schedule(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made = []

    def noted(*arguments: Any) -> torch.optim.Optimizer:
        made.append(make_optimizer(*arguments))
        return made[-1]

    make_optimizer = training.make_optimizer
    monkeypatch.setattr(training, "make_optimizer", noted)
    network = networks.build(
        "vgg_narrow", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=0
    )
    scheduler = {"name": name, "patience_epochs": 0, "step_epochs": 1}
    settings = _fit(optimizer={"name": "adam"}, learning_rate=1e-6, scheduler=scheduler, epochs=5)
    sets = _sets(_arrays(size=32), count=8)
    rates = []
    for _ in train(network, *sets, settings, seed=0):
        plain, folded = made[0].param_groups
        assert [p.shape for p in folded["params"]] == [(24, 16)]
        assert folded["lr"] == 49 * plain["lr"]
        rates.append(plain["lr"])
    assert (len(set(rates)) > 1) == (name != "constant")


# The same again


def test_the_same_settings_and_seed_give_the_same_bits_twice(arrays: Arrays) -> None:
    assert _equal(_trained(arrays, seed=4), _trained(arrays, seed=4))


def test_another_seed_gives_other_weights_from_the_same_start(arrays: Arrays) -> None:
    assert not _equal(_trained(arrays, seed=4), _trained(arrays, seed=5))


def trained_mobilenet() -> str:
    """Digest of a MobileNetV2 after two short epochs; also called in another process."""
    from normreport.stages.train_run import weights_digest

    network = networks.build(
        "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=2
    )
    settings = _fit(epochs=2, batch_size=4, learning_rate=1e-3, optimizer={"name": "adam"})
    list(train(network, *_sets(_arrays(8, 4, size=32), count=8), settings, seed=2))
    return weights_digest(network.module)


def test_another_process_that_keeps_its_memory_gives_the_same_bits() -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from normreport.training.loop import tune_malloc; tune_malloc()\n"
        "from test_loop import trained_mobilenet; print(trained_mobilenet())\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == trained_mobilenet()


def test_the_global_generators_neither_decide_the_weights_nor_move(arrays: Arrays) -> None:
    found = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        np.random.seed(seed)
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        found.append(_trained(arrays))
        assert torch.equal(torch.get_rng_state(), before[0])
        assert np.array_equal(np.random.get_state()[1], before[1])
    assert _equal(*found)


def _seen(arm: str, *, seed: int, init: int = 0) -> tuple[list[int], Tensor]:
    """Train on images that tell their number; their order, and what dropout let through."""
    numbers = np.arange(12)
    images = np.broadcast_to((15 + 20 * numbers)[:, None, None, None], (12, 16, 16, 3))
    arrays = {
        f"{split}_{kind}": values
        for split in ("train", "heldout")
        for kind, values in (("images", images.astype(np.uint8)), ("labels", numbers % 10))
    }
    network = _linear()
    with torch.no_grad():
        network.module[1].weight += init
    network.module.insert(0, nn.Dropout(0.5))
    order: list[Tensor] = []
    kept: list[Tensor] = []

    def note(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if module.training:
            order.append(inputs[0][:, 0, 0, 0])
            kept.append(output != 0)

    network.module[0].register_forward_hook(note)
    settings = _fit(epochs=2, batch_size=4, learning_rate=1e-4)
    list(train(network, *_sets(arrays, arm, None), settings, seed=seed))
    values = torch.cat(order)
    return torch.unique(values, return_inverse=True)[1].tolist(), torch.cat(kept)


@pytest.mark.parametrize("arm", ARMS)
def test_every_arm_sees_the_images_in_the_order_of_the_seed(arm: str) -> None:
    order, _ = _seen(arm, seed=3)
    assert order == [*epoch_order(3, 1, 12).tolist(), *epoch_order(3, 2, 12).tolist()]


def test_arms_and_initial_weights_share_dropout_and_order_within_a_seed() -> None:
    order, kept = _seen("raw", seed=3)
    for arm, init in (("unit", 0), ("imagenet", 0), ("raw", 1)):
        other_order, other_kept = _seen(arm, seed=3, init=init)
        assert other_order == order
        assert torch.equal(other_kept, kept)
    other_order, other_kept = _seen("raw", seed=4)
    assert other_order != order
    assert not torch.equal(other_kept, kept)


def test_dropout_differs_between_epochs_and_keeps_its_share() -> None:
    _, kept = _seen("raw", seed=3)
    first, second = kept.split(12)
    assert not torch.equal(first, second)
    # 18,432 fair coins: five standard deviations
    assert abs(kept.float().mean().item() - 0.5) < 5 * 0.5 / math.sqrt(kept.numel())


# Going on after a kill


def _state_after(
    epochs: int, network: Network, sets: tuple[Images, Images], settings: FitSettings
) -> TrainingState:
    """Train until so many epochs are done."""
    state = TrainingState.begin(network, settings)
    for record in training.train(state, *sets, seed=3):
        if record.epoch == epochs:
            break
    return state


def _gone_on(
    folder: Path, killed: TrainingState, network: Network, sets: tuple[Images, Images]
) -> TrainingState:
    """Go on in a fresh network with what a file kept of the state."""
    Checkpoint(folder, {}).save_if_due(killed.exported)
    state = TrainingState.begin(network, killed.settings)
    state.restore(Checkpoint(folder, {}).load())
    list(training.train(state, *sets, seed=3))
    return state


def _strides(state: TrainingState) -> list[Any]:
    """Layout in memory of all weights, buffers and moments."""
    moments = [
        (name, value.shape, value.stride())
        for values in state.optimizer.state_dict()["state"].values()
        for name, value in values.items()
    ]
    return [*(value.stride() for value in state.network.module.state_dict().values()), *moments]


def _assert_same(found: TrainingState, expected: TrainingState) -> None:
    assert _equal(_weights(found.network), _weights(expected.network))
    assert [r.row() for r in found.records] == [r.row() for r in expected.records]
    assert found.step == expected.step
    assert _strides(found) == _strides(expected)
    assert found.scheduler.state_dict() == expected.scheduler.state_dict()
    states = [state.optimizer.state_dict() for state in (found, expected)]
    assert _plain(states[0]["param_groups"]) == _plain(states[1]["param_groups"])
    for moments in zip(*(state["state"].values() for state in states), strict=True):
        assert _equal(*moments)


def _plain(value: Any) -> Any:
    """Give the value as JSON keeps it: tuples are lists there."""
    return json.loads(json.dumps(value))


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "SECONDS", 0.0)


@pytest.mark.parametrize("scheduler", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("narrow_vggs", "always_due")
def test_a_folded_vgg_goes_on_bit_for_bit_from_every_epoch(
    tmp_path: Path, name: Any, scheduler: str
) -> None:
    optimizer = {"name": name, **OPTIMIZERS[name][1]}
    if name in {"adam", "rmsprop"}:
        optimizer["weight_decay"] = 0  # with a penalty theirs is not folded

    def network() -> Network:
        made = networks.build(
            "vgg_narrow_bn",
            classes=10,
            image_size_px=32,
            optimizer=OptimizerSettings(**optimizer),
            seed=0,
        )
        assert made.repeats
        return made

    sets = _sets(_arrays(size=32), count=12)
    schedule = {"name": scheduler, "patience_epochs": 0, "step_epochs": 1, "factor": 0.7}
    settings = _fit(optimizer=optimizer, scheduler=schedule, learning_rate=1e-3, epochs=4)
    expected = _state_after(4, network(), sets, settings)
    if scheduler not in {"constant", "plateau"}:
        assert len({record.learning_rate for record in expected.records}) == 4
    for epoch in range(5):
        killed = _state_after(epoch, network(), sets, settings)
        _assert_same(_gone_on(tmp_path, killed, network(), sets), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("always_due")
def test_mobilenet_goes_on_bit_for_bit_from_every_epoch(tmp_path: Path, name: Any) -> None:
    def network() -> Network:
        return networks.build(
            "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=2
        )

    sets = _sets(_arrays(8, 4, size=32), count=8)
    optimizer = {"name": name, **OPTIMIZERS[name][1]}
    plateau = {"name": "plateau", "patience_epochs": 0}
    settings = _fit(
        optimizer=optimizer, scheduler=plateau, learning_rate=1e-3, batch_size=4, epochs=3
    )
    expected = _state_after(3, network(), sets, settings)
    for epoch in range(1, 4):
        killed = _state_after(epoch, network(), sets, settings)
        _assert_same(_gone_on(tmp_path, killed, network(), sets), expected)


# Divergence


def _exploding() -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Network(nn.Sequential(nn.Flatten(), nn.Linear(768, 16), nn.Linear(16, 10)), "2")


def test_a_rate_that_is_too_high_ends_before_the_step_that_cannot_be_made(arrays: Arrays) -> None:
    settings = _fit(learning_rate=0.01, epochs=50, batch_size=12)
    images, heldout = _sets(arrays, "raw")
    images = Images(images.inputs * 30, images.labels)
    steps = len(_plain_sgd(_exploding(), images, settings, seed=0))
    assert 4 < steps < 100
    network = _exploding()
    kept: list[tuple[Epoch, dict[str, Tensor]]] = []
    run = train(network, images, heldout, settings, seed=0)
    with pytest.raises(Diverged) as caught:
        kept.extend((record, _weights(network)) for record in run)
    assert caught.value.step == steps
    # The last step of an epoch is judged by what is measured after it.
    assert caught.value.what == ("the loss" if steps % 2 else "the training loss")
    assert str(caught.value) == f"{caught.value.what} is not finite at step {steps}"
    assert len(kept) == 1 + (steps - 1) // 2
    for record, weights in kept:
        assert math.isfinite(record.train_loss)
        assert all(value.isfinite().all() for value in weights.values())


@pytest.mark.usefixtures("always_due")
def test_a_training_that_went_on_diverges_at_the_same_step(tmp_path: Path, arrays: Arrays) -> None:
    settings = _fit(learning_rate=0.01, epochs=50, batch_size=12)
    images, heldout = _sets(arrays, "raw")
    sets = Images(images.inputs * 30, images.labels), heldout
    with pytest.raises(Diverged) as expected:
        _state_after(50, _exploding(), sets, settings)
    killed = _state_after(1, _exploding(), sets, settings)
    with pytest.raises(Diverged) as found:
        _gone_on(tmp_path, killed, _exploding(), sets)
    assert (found.value.step, found.value.what) == (expected.value.step, expected.value.what)


@pytest.mark.parametrize("split", ["training", "held-out"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_input_that_is_not_finite_ends_before_the_first_step(
    arrays: Arrays, split: str, value: float
) -> None:
    sets = dict(zip(("training", "held-out"), _sets(arrays), strict=True))
    sets[split].inputs[3, 0, 2, 2] = value
    network = _network()
    before = _weights(network)
    with pytest.raises(Diverged, match=f"the {split} loss is not finite at step 0"):
        next(train(network, *sets.values(), _fit(), seed=0))
    assert _equal(_weights(network), before)


def test_a_loss_that_is_not_finite_in_train_mode_alone_ends_before_its_step(
    arrays: Arrays,
) -> None:
    train_set, heldout_set = _sets(arrays)
    network = _linear()
    with torch.no_grad():
        network.module[1].weight.zero_()
    network.module.insert(0, nn.Dropout(0.5))  # doubles what it keeps: beyond float32
    huge = Images(torch.full_like(train_set.inputs, 3e38), train_set.labels)
    run = train(network, huge, heldout_set, _fit(), seed=0)
    next(run)
    with pytest.raises(Diverged, match="the loss is not finite at step 0"):
        next(run)


class Sum(nn.Module):
    """Sums every channel over its pixels, so that a shared weight collects their gradients."""

    def forward(self, inputs: Tensor) -> Tensor:
        return inputs.sum((2, 3))


def test_a_gradient_that_is_not_finite_is_seen_in_the_next_loss(arrays: Arrays) -> None:
    train_set, heldout_set = _sets(arrays)
    shared = nn.Conv2d(3, 10, 1, bias=False)
    nn.init.zeros_(shared.weight)
    network = Network(nn.Sequential(shared, Sum()), "0")
    huge = Images(torch.full_like(train_set.inputs, 3e38), train_set.labels)
    run = train(network, huge, heldout_set, _fit(batch_size=12), seed=0)
    assert next(run).train_loss == pytest.approx(math.log(10))
    with pytest.raises(Diverged, match="the loss is not finite at step 1"):
        next(run)


def test_a_weight_that_is_not_finite_ends_though_the_loss_does_not_show_it(arrays: Arrays) -> None:
    network = _network()
    network.module.register_parameter("unused", nn.Parameter(torch.tensor([1.0, math.nan])))
    with pytest.raises(Diverged, match="a weight is not finite at step 0"):
        next(train(network, *_sets(arrays), _fit(), seed=0))


def test_a_step_that_ends_in_infinity_is_seen_at_the_end_of_its_epoch(arrays: Arrays) -> None:
    train_set, heldout_set = _sets(arrays)
    network = _linear()
    with torch.no_grad():
        network.module[1].weight.zero_()
    # A gradient of 1e18 is finite, a step of 100 x 1e18 too; the logits after it are not.
    large = Images(torch.full_like(train_set.inputs, 1e18), train_set.labels)
    run = train(network, large, heldout_set, _fit(learning_rate=100, batch_size=24), seed=0)
    next(run)
    with pytest.raises(Diverged) as caught:
        next(run)
    assert caught.value.step == 1
    assert caught.value.what == "the training loss"


# Identities of the gradient


def _gradients(module: nn.Module, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    module.train().zero_grad()
    cross_entropy(module(inputs), labels).backward()
    return {n: p.grad.clone() for n, p in module.named_parameters() if p.grad is not None}


def _double(model: str) -> nn.Module:
    network = networks.build(
        model, classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=0
    )
    for module in network.module.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    return network.module.double()


@pytest.fixture(scope="module")
def batch() -> tuple[Tensor, Tensor]:
    """Sixteen digits in the unit arm, float64, and their labels."""
    images, _ = _sets(_arrays(16, 1, size=32), count=16)
    return images.inputs.double(), images.labels


@pytest.mark.usefixtures("narrow_vggs")
def test_consecutive_convolutions_of_a_vgg_share_what_homogeneity_demands(
    batch: tuple[Tensor, Tensor],
) -> None:
    # ReLU and max pooling are homogeneous: c times a layer, 1/c times the next, changes nothing.
    # The derivative at c = 1 is <W_l, g> + <b_l, g_b> - <W_(l+1), g> = 0.
    module = _double("vgg_narrow")
    gradients = _gradients(module, *batch)
    layers = [*networks.convolutions(module), "classifier.0", "classifier.3", "classifier.6"]
    weights = dict(module.named_parameters())

    def product(name: str) -> float:
        return float((weights[name].detach() * gradients[name]).sum())

    assert len(layers) == 10
    for first, second in itertools.pairwise(layers):
        left = product(f"{first}.weight") + product(f"{first}.bias")
        assert left == pytest.approx(product(f"{second}.weight"), rel=1e-6, abs=1e-15)
        assert abs(product(f"{first}.bias")) > 1e-9  # the bias has its part in it


def _change(eps: float, batch: tuple[Tensor, Tensor]) -> float:
    """Find by how much MobileNetV2's gradients change when raw input takes the place of unit."""
    module = _double("mobilenet_v2")
    first = module.features[0][1]
    assert isinstance(first, nn.BatchNorm2d)
    first.eps = eps
    inputs, labels = batch
    unit, raw = _gradients(module, inputs, labels), _gradients(module, 255 * inputs, labels)
    change, whole = (
        sum(gradient.square().sum() for gradient in gradients)
        for gradients in ([raw[name] - unit[name] for name in unit], unit.values())
    )
    return math.sqrt(change / whole)


def test_batch_normalization_makes_the_inputs_scale_vanish_up_to_its_eps(
    batch: tuple[Tensor, Tensor],
) -> None:
    changes = [_change(eps, batch) for eps in (1e-5, 1e-8, 1e-13)]
    assert changes[0] < 0.05
    assert changes[1] < 1e-5
    assert changes[2] < 1e-9


@pytest.mark.usefixtures("narrow_vggs")
def test_without_batch_normalization_the_inputs_scale_changes_every_gradient(
    batch: tuple[Tensor, Tensor],
) -> None:
    module = _double("vgg_narrow")
    inputs, labels = batch
    unit, raw = _gradients(module, inputs, labels), _gradients(module, 255 * inputs, labels)
    for name in networks.convolutions(module):
        assert raw[f"{name}.weight"].norm() > 3 * unit[f"{name}.weight"].norm()
