"""Training one network, readable from top to bottom.

On two cores (two processes of one thread) and 32 x 32 images this trains about 130 images per
second of VGG16 and 1,100 of MobileNetV2: the images are normalized once and lie in memory, memory
is laid out channels-last, Adam is fused and VGG's first linear layer is folded (see
:mod:`normreport.training.networks`). Evaluation is in eval mode, on fixed images, after every
epoch; the first record is made before the first step.
"""

from __future__ import annotations

import ctypes
import math
import os
import platform
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import lr_scheduler

from normreport.config.training import FitSettings, OptimizerSettings, SchedulerSettings
from normreport.errors import ConfigError
from normreport.normalizations import batches, normalize
from normreport.training.networks import Network, pool_deterministically
from normreport.training.seeds import derived_seed, epoch_order


@dataclass(frozen=True)
class Images:
    """Normalized images and labels as tensors.

    Attributes
    ----------
    inputs : float32 tensor, shape (N, 3, H, W), channels-last in memory
    labels : int64 tensor, shape (N,)
    """

    inputs: Tensor
    labels: Tensor

    def to(self, device: torch.device) -> Images:
        """Give the same images on a device; themselves where they lie on it."""
        return Images(self.inputs.to(device), self.labels.to(device))


@dataclass(frozen=True)
class Epoch:
    """What is known at the end of an epoch; epoch 0 is before the first step."""

    epoch: int
    learning_rate: float
    batch_loss: float | None  # mean over the epoch, in train mode, while the weights move
    train_loss: float  # eval mode, nats per image, here and below
    train_accuracy: float
    heldout_loss: float
    heldout_accuracy: float
    seconds: float

    def row(self) -> dict[str, float | int | None]:
        """All but the seconds, which no result may depend on."""
        return {key: value for key, value in asdict(self).items() if key != "seconds"}

    def line(self, epochs: int) -> str:
        """Text for the log."""
        return (
            f"epoch {self.epoch:>3}/{epochs}  lr {self.learning_rate:.2e}  "
            f"train loss {self.train_loss:.4f} accuracy {self.train_accuracy:.3f}  "
            f"held-out loss {self.heldout_loss:.4f} accuracy {self.heldout_accuracy:.3f}  "
            f"{self.seconds:.2f} s"
        )


@dataclass
class TrainingState:
    """All that changes while a network is trained; the rest of the training follows from it.

    Attributes
    ----------
    network
        Trained in place; its memory is laid out channels-last.
    settings
        Epochs, batch size, optimizer, scheduler, threads, precision.
    device
        Where the network lies.
    optimizer, scheduler
        With their moments and counters.
    step
        Steps made so far.
    records
        One for every epoch so far, from epoch 0 on.
    """

    network: Network
    settings: FitSettings
    device: torch.device
    optimizer: torch.optim.Optimizer
    scheduler: lr_scheduler.LRScheduler
    step: int = 0
    records: list[Epoch] = field(default_factory=list)

    @classmethod
    def begin(cls, network: Network, settings: FitSettings) -> Self:
        """Make the state before the first step, on the device that the settings name.

        Raises
        ------
        ConfigError
            If there is no such device.
        """
        device = find_device(settings.device)
        make_deterministic(network, device)
        with explain_out_of_memory(settings):
            network.module.to(device).to(memory_format=torch.channels_last)
        optimizer = make_optimizer(network, settings.optimizer, settings.learning_rate)
        scheduler = make_scheduler(optimizer, settings.scheduler, settings.epochs)
        return cls(network, settings, device, optimizer, scheduler)

    def exported(self) -> dict[str, Any]:
        """Give the state as plain values and tensors on the CPU; those that lie there uncopied."""
        return {
            "weights": _on_cpu(self.network.module.state_dict()),
            "optimizer": _on_cpu(self.optimizer.state_dict()),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "records": [asdict(record) for record in self.records],
        }

    def restore(self, exported: Mapping[str, Any]) -> None:
        """Take over what :meth:`exported` gave and JSON and NumPy kept, bit for bit."""
        weights = {name: torch.as_tensor(value) for name, value in exported["weights"].items()}
        self.network.module.load_state_dict(weights)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        moments = {
            int(index): {
                name: _laid_out_like(parameters[int(index)], torch.as_tensor(value))
                for name, value in values.items()
            }
            for index, values in exported["optimizer"]["state"].items()
        }
        self.optimizer.load_state_dict({**exported["optimizer"], "state": moments})
        self.scheduler.load_state_dict(exported["scheduler"])
        self.step = exported["step"]
        self.records = [Epoch(**record) for record in exported["records"]]


class Diverged(Exception):  # noqa: N818 - an outcome, not an error
    """A loss or a weight is not finite any more."""

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step
        self.what = what


def normalized(
    arrays: Mapping[str, NDArray[Any]], split: str, normalization: str, count: int | None = None
) -> Images:
    """Normalize the first `count` images of a split once and keep them as one tensor.

    Parameters
    ----------
    arrays
        ``{split}_images``, uint8 of shape (N, H, W, 3), and ``{split}_labels``, int64; the
        training images also where another split is asked for.
    split
        ``train`` or ``heldout``.
    normalization
        The arm.
    count
        All images if None.
    """
    # A permuted view of (N, H, W, C) memory is what PyTorch calls channels-last.
    images, train_images = arrays[f"{split}_images"][:count], arrays["train_images"]
    inputs = normalize(images, normalization, train_images)
    labels = torch.from_numpy(arrays[f"{split}_labels"][:count])
    return Images(torch.from_numpy(inputs).permute(0, 3, 1, 2), labels)


def find_device(name: str) -> torch.device:
    """Find the device that ``training.device`` names.

    Raises
    ------
    ConfigError
        If this machine, or the installed PyTorch, has none.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    accelerators = {"cuda": torch.cuda, "mps": torch.backends.mps}
    if name in accelerators and not accelerators[name].is_available():
        raise ConfigError(
            f"training.device: expected a device that PyTorch {torch.__version__} finds here, "
            f"found {name!r}, which it does not. Mend driver or installation, or set the key to "
            "'cpu' or 'auto'."
        )
    return torch.device(name)


@contextmanager
def explain_out_of_memory(settings: FitSettings) -> Iterator[None]:
    """Say what to do where the memory of a GPU is not enough.

    Raises
    ------
    ConfigError
        Instead of PyTorch's error.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        first = str(error).split(". ")[0]
        raise ConfigError(
            f"models.{settings.model}: expected a training that fits into the memory of the GPU, "
            f"found one with a batch_size of {settings.batch_size} and {settings.train_images} "
            f"train_images, which does not ({first}). Lower one of these keys, or start snakemake "
            "with --resources gpu=1, so that one training at a time uses the GPU."
        ) from error


def make_deterministic(network: Network, device: torch.device) -> None:
    """See to it that a training gives the same bits twice; before anything lies on the device."""
    torch.use_deterministic_algorithms(True)
    if device.type == "cuda":
        # cuBLAS reads this when it starts: two of its default workspaces may be used in any order.
        os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
        torch.backends.cudnn.benchmark = False
        # fp32 is meant where it is said; PyTorch's default for convolutions is TF32.
        torch.backends.cudnn.allow_tf32 = False
        pool_deterministically(network.module)


def versions(device: torch.device) -> dict[str, str]:
    """Versions of what decides the bytes of trained weights, and the device's name."""
    found = {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "device": device.type,
    }
    if device.type == "cuda":
        found |= {
            "device": torch.cuda.get_device_name(device),
            "cuda": str(torch.version.cuda),
            "cudnn": str(torch.backends.cudnn.version()),
        }
    return found


def tune_malloc() -> None:
    """Keep freed activations for the next step instead of giving them back to the system.

    With glibc's defaults every step's large arrays are mapped, cleared and unmapped again, a
    tenth (VGG16) to a third (MobileNetV2) of the time. A no-op elsewhere.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    m_trim_threshold, m_top_pad, m_mmap_max = -1, -2, -4  # from malloc.h
    mallopt(m_mmap_max, 0)
    mallopt(m_trim_threshold, 2**31 - 1)
    mallopt(m_top_pad, 2**26)


def train(
    state: TrainingState, train_set: Images, heldout_set: Images, *, seed: int
) -> Iterator[Epoch]:
    """Train, yielding before the first step and after every epoch.

    A state that has records already goes on after the last of them. Until the iterator is
    advanced, the state is that of the epoch just yielded.

    Parameters
    ----------
    state
        Changed in place.
    train_set, heldout_set
        What is learned, and what only measures.
    seed
        Decides the order of images and the dropout, each by a generator of its own.

    Raises
    ------
    Diverged
        Before the step that would have used a loss that is not finite, or at the end of the epoch
        after which a loss or a weight is not. A gradient that is not finite shows in the loss of
        the next step, so that no time is spent on looking at each.
    ConfigError
        If the memory of the GPU is not enough.
    """
    with explain_out_of_memory(state.settings):
        yield from _epochs(state, train_set, heldout_set, seed=seed)


def _epochs(
    state: TrainingState, train_set: Images, heldout_set: Images, *, seed: int
) -> Iterator[Epoch]:
    settings, optimizer, scheduler = state.settings, state.optimizer, state.scheduler
    torch.set_num_threads(settings.threads)
    module, device = state.network.module, state.device
    train_set, heldout_set = train_set.to(device), heldout_set.to(device)
    in_bf16 = settings.precision == "bf16"
    count = len(train_set.labels)

    if not state.records:
        started = time.perf_counter()
        rate = settings.learning_rate
        state.records.append(_evaluated(state, train_set, heldout_set, 0, rate, None, started))
        yield state.records[-1]
    for epoch in range(len(state.records), settings.epochs + 1):
        started = time.perf_counter()
        rate = optimizer.param_groups[0]["lr"]
        state.network.train_mode()
        total_loss, seen = 0.0, 0
        with torch.random.fork_rng(devices=[]):
            # The device's generator too: dropout is drawn there.
            torch.manual_seed(derived_seed(seed, "dropout", epoch))
            order = torch.from_numpy(epoch_order(seed, epoch, count)).to(device)
            for batch in order.split(settings.batch_size):
                if len(batch) < 2:
                    continue  # batch normalization needs two images
                with torch.autocast(device.type, torch.bfloat16, enabled=in_bf16):
                    outputs = module(train_set.inputs[batch])
                loss = cross_entropy(outputs.float(), train_set.labels[batch])
                if not torch.isfinite(loss):
                    raise Diverged(state.step, "the loss")
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                state.step += 1
                total_loss += loss.item() * len(batch)
                seen += len(batch)
        mean_loss = total_loss / seen
        record = _evaluated(state, train_set, heldout_set, epoch, rate, mean_loss, started)
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(record.heldout_loss)
        else:
            scheduler.step()
        for group in optimizer.param_groups:
            group["lr"] = optimizer.param_groups[0]["lr"] * group["repeats"]
        state.records.append(record)
        yield record


def make_optimizer(
    network: Network, settings: OptimizerSettings, learning_rate: float
) -> torch.optim.Optimizer:
    """Make the optimizer; a parameter that stands for `r` equal ones steps `r` times as far."""
    plain, groups = [], []
    for name, parameter in network.module.named_parameters():
        if not parameter.requires_grad:
            continue
        repeats = network.repeats.get(name, 1)
        if repeats == 1:
            plain.append(parameter)
            continue
        groups.append({
            "params": [parameter],
            "lr": learning_rate * repeats,
            "weight_decay": settings.weight_decay / repeats,
            "repeats": repeats,
        })  # fmt: skip
    groups.insert(0, {"params": plain, "repeats": 1})
    common: dict[str, Any] = {"lr": learning_rate, "weight_decay": settings.weight_decay}
    match settings.name:
        case "adam":
            return torch.optim.Adam(groups, fused=True, **common)
        case "adamw":
            return torch.optim.AdamW(groups, fused=True, **common)
        case "sgd":
            return torch.optim.SGD(groups, fused=True, momentum=settings.momentum, **common)
        case "rmsprop":
            return torch.optim.RMSprop(groups, momentum=settings.momentum, **common)


def make_scheduler(
    optimizer: torch.optim.Optimizer, settings: SchedulerSettings, epochs: int
) -> lr_scheduler.LRScheduler:
    """Make the schedule of the learning rate, whose steps are epochs."""
    factor = settings.factor
    match settings.name:
        case "plateau":
            return lr_scheduler.ReduceLROnPlateau(
                optimizer, factor=factor, patience=settings.patience_epochs
            )
        case "constant":
            return lr_scheduler.ConstantLR(optimizer, factor=1.0)
        case "step":
            return lr_scheduler.StepLR(optimizer, settings.step_epochs, factor)
        case "exponential":
            return lr_scheduler.ExponentialLR(optimizer, factor)
        case "cosine":
            return lr_scheduler.CosineAnnealingLR(optimizer, epochs)


@torch.no_grad()
def evaluate(module: nn.Module, images: Images) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy, in eval mode."""
    module.eval()
    loss = correct = 0.0
    for part in batches(len(images.labels), images.inputs.shape[-1]):
        outputs, labels = module(images.inputs[part]), images.labels[part]
        loss += cross_entropy(outputs, labels, reduction="sum").item()
        correct += (outputs.argmax(1) == labels).sum().item()
    return loss / len(images.labels), correct / len(images.labels)


def _on_cpu(value: Any) -> Any:
    """Move every tensor of nested dictionaries and lists to the CPU."""
    match value:
        case Tensor():
            return value.cpu()
        case Mapping():
            return {key: _on_cpu(item) for key, item in value.items()}
        case list():
            return [_on_cpu(item) for item in value]
        case _:
            return value


def _laid_out_like(parameter: Tensor, value: Tensor) -> Tensor:
    """Copy a moment of a parameter to the same layout: fused optimizers go by memory alone."""
    return torch.empty_like(parameter).copy_(value) if value.shape == parameter.shape else value


def _evaluated(
    state: TrainingState,
    train_set: Images,
    heldout_set: Images,
    epoch: int,
    learning_rate: float,
    batch_loss: float | None,
    started: float,
) -> Epoch:
    module = state.network.module
    train_loss, train_accuracy = evaluate(module, train_set)
    heldout_loss, heldout_accuracy = evaluate(module, heldout_set)
    weights = sum(float(parameter.detach().sum()) for parameter in module.parameters())
    for value, what in (
        (train_loss, "the training loss"),
        (heldout_loss, "the held-out loss"),
        (weights, "a weight"),
    ):
        if not math.isfinite(value):
            raise Diverged(state.step, what)
    return Epoch(
        epoch=epoch,
        learning_rate=learning_rate,
        batch_loss=batch_loss,
        train_loss=train_loss,
        train_accuracy=train_accuracy,
        heldout_loss=heldout_loss,
        heldout_accuracy=heldout_accuracy,
        seconds=time.perf_counter() - started,
    )
