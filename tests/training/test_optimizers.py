from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from normreport.config.training import OptimizerSettings
from normreport.training import state
from normreport.training.images import ImageSet
from normreport.training.networks import build
from normreport.training.optimizers import make_optimizer
from tests.training.helpers import (
    OPTIMIZERS,
    SCHEDULES,
    Arrays,
    copy_state,
    digits,
    fit_settings,
    image_sets,
    linear_network,
    small_network,
    train_from_scratch,
)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_all_settings_of_an_optimizer_reach_pytorch(name: Any) -> None:
    kind, values = OPTIMIZERS[name]
    optimizer = make_optimizer(small_network(), OptimizerSettings(name=name, **values), 0.125)
    assert type(optimizer) is kind
    (group,) = optimizer.param_groups
    assert group["lr"] == 0.125
    for key, value in values.items():
        assert group[key] == value
    defaults = OPTIMIZERS[name][0]([nn.Parameter(torch.zeros(1))]).param_groups[0]
    for key in defaults.keys() - {"params", "lr", "fused", *values}:
        assert group[key] == defaults[key], key


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_reduces_the_loss(arrays: Arrays, name: str) -> None:
    rate = 0.1 if name == "sgd" else 3e-3
    settings = fit_settings(optimizer={"name": name}, learning_rate=rate, epochs=12)
    records = list(train_from_scratch(small_network(), *image_sets(arrays), settings, seed=0))
    assert records[-1].train_loss < records[0].train_loss / 2


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("narrow_vggs")
def test_training_a_frozen_network_changes_only_the_last_layer(name: str) -> None:
    network = build(
        "vgg_narrow_bn",
        classes=10,
        image_size_px=32,
        optimizer=OptimizerSettings(),
        seed=0,
        head_only=True,
    )
    before = copy_state(network)
    settings = fit_settings(optimizer={"name": name, "weight_decay": 0.1}, epochs=2)
    list(train_from_scratch(network, *image_sets(digits(size=32)), settings, seed=0))
    moved = {n for n, value in copy_state(network).items() if not torch.equal(value, before[n])}
    assert moved == {"classifier.6.weight", "classifier.6.bias"}


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_learning_rate_follows_its_schedule(arrays: Arrays, name: str) -> None:
    values, share = SCHEDULES[name]
    train_set, heldout_set = image_sets(arrays)
    stalled = ImageSet(torch.zeros_like(heldout_set.inputs), heldout_set.labels)
    settings = fit_settings(epochs=10, learning_rate=0.01, scheduler={"name": name, **values})
    records = list(train_from_scratch(linear_network(), train_set, stalled, settings, seed=0))
    assert {record.heldout_loss for record in records} == {records[0].heldout_loss}
    expected = [0.01 * share(epoch) for epoch in range(1, 11)]
    assert [r.learning_rate for r in records[1:]] == pytest.approx(expected, rel=1e-9)


def test_plateau_keeps_the_learning_rate_while_the_loss_falls(arrays: Arrays) -> None:
    scheduler = {"name": "plateau", "patience_epochs": 0}
    settings = fit_settings(epochs=6, learning_rate=0.01, scheduler=scheduler)
    train_set, _ = image_sets(arrays)
    records = list(train_from_scratch(linear_network(), train_set, train_set, settings, seed=0))
    losses = [record.heldout_loss for record in records]
    assert losses == sorted(losses, reverse=True)
    assert {record.learning_rate for record in records} == {0.01}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.usefixtures("narrow_vggs")
def test_a_folded_layer_keeps_49_times_the_learning_rate_on_every_schedule(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    made = []

    def record_optimizer(*arguments: Any) -> torch.optim.Optimizer:
        made.append(make_optimizer(*arguments))
        return made[-1]

    monkeypatch.setattr(state, "make_optimizer", record_optimizer)
    network = build(
        "vgg_narrow", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=0
    )
    scheduler = {"name": name, "patience_epochs": 0, "step_epochs": 1}
    settings = fit_settings(
        optimizer={"name": "adam"}, learning_rate=1e-6, scheduler=scheduler, epochs=5
    )
    sets = image_sets(digits(size=32), count=8)
    rates = []
    for _ in train_from_scratch(network, *sets, settings, seed=0):
        plain, folded = made[0].param_groups
        assert [p.shape for p in folded["params"]] == [(24, 16)]
        assert folded["lr"] == 49 * plain["lr"]
        rates.append(plain["lr"])
    assert (len(set(rates)) > 1) == (name != "constant")
