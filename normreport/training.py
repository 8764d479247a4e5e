"""Training one network, readable from top to bottom.

On two cores (two processes of one thread) and 32 x 32 images this trains about 130 images per
second of VGG16 and 1,100 of MobileNetV2: the images are normalized once and lie in memory, memory
is laid out channels-last, Adam is fused and VGG's first linear layer is folded (see
:mod:`normreport.networks`). Evaluation is in eval mode, on fixed images, after every epoch; the
first record is made before the first step.
"""

from __future__ import annotations

import ctypes
import math
import platform
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torchvision
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim import lr_scheduler

from normreport.networks import Network
from normreport.normalizations import normalize
from normreport.seeds import derived_seed, epoch_order
from normreport.settings.training import FitSettings, OptimizerSettings, SchedulerSettings

EVALUATION_BATCH = 256


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


def versions() -> dict[str, str]:
    """Versions of what decides the bytes of trained weights."""
    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
    }


def use_memory_well() -> None:
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
    network: Network, train_set: Images, heldout_set: Images, settings: FitSettings, *, seed: int
) -> Iterator[Epoch]:
    """Train, yielding before the first step and after every epoch.

    The network's weights are those of the epoch just yielded until the iterator is advanced.

    Parameters
    ----------
    network
        Trained in place.
    train_set, heldout_set
        What is learned, and what only measures.
    settings
        Epochs, batch size, optimizer, scheduler, threads.
    seed
        Decides the order of images and the dropout, each by a generator of its own.

    Raises
    ------
    Diverged
        Before the step that would have used a loss that is not finite, or at the end of the epoch
        after which a loss or a weight is not. A gradient that is not finite shows in the loss of
        the next step, so that no time is spent on looking at each.
    """
    torch.set_num_threads(settings.threads)
    torch.use_deterministic_algorithms(True)
    module = network.module.to(memory_format=torch.channels_last)
    optimizer = make_optimizer(network, settings.optimizer, settings.learning_rate)
    scheduler = make_scheduler(optimizer, settings.scheduler, settings.epochs)
    repeats = [group["repeats"] for group in optimizer.param_groups]
    count = len(train_set.labels)
    step = 0

    started = time.perf_counter()
    yield _evaluated(module, train_set, heldout_set, 0, settings.learning_rate, None, started, step)
    for epoch in range(1, settings.epochs + 1):
        started = time.perf_counter()
        learning_rate = optimizer.param_groups[0]["lr"]
        network.train_mode()
        total_loss, seen = 0.0, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(seed, "dropout", epoch))
            order = torch.from_numpy(epoch_order(seed, epoch, count))
            for batch in order.split(settings.batch_size):
                if len(batch) < 2:
                    continue  # batch normalization needs two images
                loss = cross_entropy(module(train_set.inputs[batch]), train_set.labels[batch])
                if not torch.isfinite(loss):
                    raise Diverged(step, "the loss")
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                step += 1
                total_loss += loss.item() * len(batch)
                seen += len(batch)
        record = _evaluated(
            module, train_set, heldout_set, epoch, learning_rate, total_loss / seen, started, step
        )
        scheduler(record.heldout_loss)
        for group, repeat in zip(optimizer.param_groups, repeats, strict=True):
            group["lr"] = optimizer.param_groups[0]["lr"] * repeat
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
) -> Callable[[float], None]:
    """Make a function that is called with the held-out loss at the end of each epoch."""
    factor = settings.factor
    if settings.name == "plateau":
        plateau = lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=factor, patience=settings.patience_epochs
        )
        return plateau.step
    scheduler: lr_scheduler.LRScheduler
    match settings.name:
        case "constant":
            scheduler = lr_scheduler.ConstantLR(optimizer, factor=1.0)
        case "step":
            scheduler = lr_scheduler.StepLR(optimizer, settings.step_epochs, factor)
        case "exponential":
            scheduler = lr_scheduler.ExponentialLR(optimizer, factor)
        case "cosine":
            scheduler = lr_scheduler.CosineAnnealingLR(optimizer, epochs)

    def step(_: float) -> None:
        scheduler.step()

    return step


@torch.no_grad()
def evaluate(module: nn.Module, images: Images) -> tuple[float, float]:
    """Mean cross-entropy in nats and accuracy, in eval mode."""
    module.eval()
    loss = correct = 0.0
    for inputs, labels in zip(
        images.inputs.split(EVALUATION_BATCH), images.labels.split(EVALUATION_BATCH), strict=True
    ):
        outputs = module(inputs)
        loss += cross_entropy(outputs, labels, reduction="sum").item()
        correct += (outputs.argmax(1) == labels).sum().item()
    return loss / len(images.labels), correct / len(images.labels)


def _evaluated(
    module: nn.Module,
    train_set: Images,
    heldout_set: Images,
    epoch: int,
    learning_rate: float,
    batch_loss: float | None,
    started: float,
    step: int,
) -> Epoch:
    train_loss, train_accuracy = evaluate(module, train_set)
    heldout_loss, heldout_accuracy = evaluate(module, heldout_set)
    weights = sum(float(parameter.detach().sum()) for parameter in module.parameters())
    for value, what in (
        (train_loss, "the training loss"),
        (heldout_loss, "the held-out loss"),
        (weights, "a weight"),
    ):
        if not math.isfinite(value):
            raise Diverged(step, what)
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
