"""The training loop.

On two cores (two processes with one thread each) and 32 x 32 images it trains about 130 images
per second of VGG16 and 1,100 of MobileNetV2. Images are normalized once and stay in memory,
tensors are channels-last, Adam is fused and VGG's first linear layer is folded
(:mod:`normreport.training.folding`). Evaluation runs in eval mode on fixed images, before the
first step and after every epoch: on few held-out images, because it takes a third of the time that
training on the same images takes. :func:`evaluate_all` measures the final accuracy on all.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim import lr_scheduler

from normreport.config.manifests import Evaluation
from normreport.normalizations import batches
from normreport.training.devices import explain_out_of_memory
from normreport.training.images import ImageSet
from normreport.training.seeds import derived_seed, epoch_order
from normreport.training.state import Epoch, TrainingState


class Diverged(Exception):  # noqa: N818 - an outcome of the experiment, not an error
    """A loss or a weight is no longer finite.

    Attributes
    ----------
    step
        Number of steps before it was noticed.
    what
        The value that is not finite.
    """

    def __init__(self, step: int, what: str) -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step
        self.what = what


def train(
    state: TrainingState,
    train_set: ImageSet,
    heldout_set: ImageSet,
    *,
    seed: int,
    evaluated_train_images: int | None = None,
) -> Iterator[Epoch]:
    """Train, and yield a record before the first step and after every epoch.

    A state with records resumes after the last one. Until the iterator advances, the state is
    that of the yielded epoch.

    Parameters
    ----------
    state
        Changed in place.
    train_set
        Images to train on.
    heldout_set
        Images to evaluate after every epoch. The plateau schedule follows their loss.
    seed
        Seeds the order of the images and the dropout, each with its own generator.
    evaluated_train_images
        Number of training images to evaluate after every epoch, from the first; all if None.

    Raises
    ------
    Diverged
        Before the step of a loss that is not finite, or at the end of an epoch if a loss or a
        weight is not finite. Gradients are not checked, as they show in the next step's loss.
    ConfigError
        If the GPU runs out of memory.
    """
    with explain_out_of_memory(state.settings):
        train_set, heldout_set = train_set.to(state.device), heldout_set.to(state.device)
        count = evaluated_train_images or len(train_set.labels)
        yield from _epochs(state, train_set, (train_set.first(count), heldout_set), seed=seed)


def evaluate_all(state: TrainingState, images: ImageSet) -> Evaluation:
    """Evaluate the network of a state on images, on its device.

    Raises
    ------
    Diverged
        If the loss is not finite.
    ConfigError
        If the GPU runs out of memory.
    """
    with explain_out_of_memory(state.settings):
        loss, accuracy = evaluate(state.network.module, images.to(state.device))
    if not math.isfinite(loss):
        raise Diverged(state.step, "the held-out loss")
    return Evaluation(loss=loss, accuracy=accuracy, images=len(images.labels))


@torch.no_grad()
def evaluate(module: nn.Module, images: ImageSet) -> tuple[float, float]:
    """Return mean cross-entropy in nats and accuracy, in eval mode."""
    module.eval()
    loss = correct = 0.0
    for batch in batches(len(images.labels), images.inputs.shape[-1]):
        outputs, labels = module(images.inputs[batch]), images.labels[batch]
        loss += cross_entropy(outputs, labels, reduction="sum").item()
        correct += (outputs.argmax(1) == labels).sum().item()
    return loss / len(images.labels), correct / len(images.labels)


def _epochs(
    state: TrainingState, train_set: ImageSet, evaluated: tuple[ImageSet, ImageSet], *, seed: int
) -> Iterator[Epoch]:
    """Train on images on the state's device; evaluate training and held-out images."""
    settings, optimizer, scheduler = state.settings, state.optimizer, state.scheduler
    module, device = state.network.module, state.device
    in_bf16 = settings.precision == "bf16"
    count = len(train_set.labels)

    if not state.records:
        started = time.perf_counter()
        rate = settings.learning_rate
        state.records.append(_measure_epoch(state, evaluated, 0, rate, None, started))
        yield state.records[-1]
    for epoch in range(len(state.records), settings.epochs + 1):
        started = time.perf_counter()
        rate = optimizer.param_groups[0]["lr"]
        state.network.train_mode()
        total_loss, seen = 0.0, 0
        with torch.random.fork_rng(devices=[]):
            # Seeds the device's generator too, which draws the dropout.
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
        batch_loss = total_loss / seen
        record = _measure_epoch(state, evaluated, epoch, rate, batch_loss, started)
        if isinstance(scheduler, lr_scheduler.ReduceLROnPlateau):
            scheduler.step(record.heldout_loss)
        else:
            scheduler.step()
        for group in optimizer.param_groups:
            group["lr"] = optimizer.param_groups[0]["lr"] * group["repeats"]
        state.records.append(record)
        yield record


def _measure_epoch(
    state: TrainingState,
    evaluated: tuple[ImageSet, ImageSet],
    epoch: int,
    learning_rate: float,
    batch_loss: float | None,
    started: float,
) -> Epoch:
    module = state.network.module
    (train_loss, train_accuracy), (heldout_loss, heldout_accuracy) = (
        evaluate(module, images) for images in evaluated
    )
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
