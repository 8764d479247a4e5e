"""PyTorch's optimizers and learning-rate schedules, as the configuration names them."""

from __future__ import annotations

from typing import Any

import torch
from torch.optim import lr_scheduler

from normreport.config.training import OptimizerSettings, SchedulerSettings
from normreport.training.networks import Network


def make_optimizer(
    network: Network, settings: OptimizerSettings, learning_rate: float
) -> torch.optim.Optimizer:
    """Make the optimizer of a network's trainable parameters.

    A folded parameter that sums `r` equal ones gets `r` times the learning rate
    (:mod:`normreport.training.folding`).
    """
    plain, folded = [], []
    for name, parameter in network.module.named_parameters():
        if not parameter.requires_grad:
            continue
        repeats = network.repeats.get(name, 1)
        if repeats == 1:
            plain.append(parameter)
            continue
        folded.append({
            "params": [parameter],
            "lr": learning_rate * repeats,
            "weight_decay": settings.weight_decay / repeats,
            "repeats": repeats,
        })  # fmt: skip
    groups = [{"params": plain, "repeats": 1}, *folded]
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
    """Make the learning-rate schedule, which advances once per epoch."""
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
