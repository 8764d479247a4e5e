"""The state of a training, which a checkpoint saves and restores bit for bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import torch
from torch import Tensor
from torch.optim import lr_scheduler

from normreport.config.training import FitSettings
from normreport.training.devices import explain_out_of_memory, find_device, make_deterministic
from normreport.training.networks import Network
from normreport.training.optimizers import make_optimizer, make_scheduler


@dataclass(frozen=True)
class Epoch:
    """Measurements at the end of an epoch; epoch 0 is before the first step.

    Losses are mean cross-entropies in nats per image.

    Attributes
    ----------
    epoch
        Number of the epoch.
    learning_rate
        Rate of this epoch; in epoch 0, the initial rate.
    batch_loss
        Mean of the training batches' losses, in train mode, while the weights change. None in
        epoch 0.
    train_loss, train_accuracy, heldout_loss, heldout_accuracy
        In eval mode, at the end of the epoch, on the images that :func:`train` was given.
    seconds
        Duration of the epoch with its evaluation.
    """

    epoch: int
    learning_rate: float
    batch_loss: float | None
    train_loss: float
    train_accuracy: float
    heldout_loss: float
    heldout_accuracy: float
    seconds: float

    def row(self) -> dict[str, float | int | None]:
        """Return the row of the history, without the duration, which is not reproducible."""
        return {key: value for key, value in asdict(self).items() if key != "seconds"}

    def line(self, epochs: int) -> str:
        """Return the line of the log."""
        return (
            f"epoch {self.epoch:>3}/{epochs}  lr {self.learning_rate:.2e}  "
            f"train loss {self.train_loss:.4f} accuracy {self.train_accuracy:.3f}  "
            f"held-out loss {self.heldout_loss:.4f} accuracy {self.heldout_accuracy:.3f}  "
            f"{self.seconds:.2f} s"
        )


@dataclass
class TrainingState:
    """Everything that changes during training.

    Attributes
    ----------
    network
        Trained in place; channels-last in memory.
    settings
        Epochs, batch size, optimizer, scheduler, threads, precision.
    device
        The device of the network.
    optimizer, scheduler
        With their moments and counters.
    step
        Number of completed steps.
    records
        The completed epochs, starting with epoch 0.
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
        """Create the state before the first step, on the device that the settings name.

        Sets the number of PyTorch's threads, on which the last bits of all results depend.

        Raises
        ------
        ConfigError
            If the device does not exist or lacks memory.
        """
        torch.set_num_threads(settings.threads)
        device = find_device(settings.device)
        make_deterministic(network, device)
        with explain_out_of_memory(settings):
            network.module.to(device).to(memory_format=torch.channels_last)
        optimizer = make_optimizer(network, settings.optimizer, settings.learning_rate)
        scheduler = make_scheduler(optimizer, settings.scheduler, settings.epochs)
        return cls(network, settings, device, optimizer, scheduler)

    def state_dict(self) -> dict[str, Any]:
        """Return the state as JSON values and tensors on the CPU, for a checkpoint.

        Tensors that already lie on the CPU are not copied.
        """
        return {
            "weights": _on_cpu(self.network.module.state_dict()),
            "optimizer": _on_cpu(self.optimizer.state_dict()),
            "scheduler": self.scheduler.state_dict(),
            "step": self.step,
            "records": [asdict(record) for record in self.records],
        }

    def load_state_dict(self, saved: Mapping[str, Any]) -> None:
        """Restore what :meth:`state_dict` returned and a checkpoint saved."""
        weights = {name: torch.as_tensor(value) for name, value in saved["weights"].items()}
        self.network.module.load_state_dict(weights)
        parameters = [p for group in self.optimizer.param_groups for p in group["params"]]
        moments = {
            int(index): {
                name: _with_layout_of(parameters[int(index)], torch.as_tensor(value))
                for name, value in values.items()
            }
            for index, values in saved["optimizer"]["state"].items()
        }
        self.optimizer.load_state_dict({**saved["optimizer"], "state": moments})
        self.scheduler.load_state_dict(saved["scheduler"])
        self.step = saved["step"]
        self.records = [Epoch(**record) for record in saved["records"]]


def _on_cpu(value: Any) -> Any:
    """Move all tensors in nested dictionaries and lists to the CPU."""
    match value:
        case Tensor():
            return value.cpu()
        case Mapping():
            return {key: _on_cpu(item) for key, item in value.items()}
        case list():
            return [_on_cpu(item) for item in value]
        case _:
            return value


def _with_layout_of(parameter: Tensor, moment: Tensor) -> Tensor:
    """Copy a moment to its parameter's memory layout, which fused optimizers require."""
    return torch.empty_like(parameter).copy_(moment) if moment.shape == parameter.shape else moment
