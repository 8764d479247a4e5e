"""A training that resumes from a checkpoint ends in the same bits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from normreport.config.training import OptimizerSettings
from normreport.training.networks import Network, build
from normreport.training.state import Epoch
from tests.training.helpers import (
    OPTIMIZERS,
    SCHEDULES,
    assert_same_state,
    digits,
    fit_settings,
    image_sets,
    resume,
    train_until,
)


def test_a_row_of_the_history_has_no_duration() -> None:
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


@pytest.mark.parametrize("scheduler", SCHEDULES)
@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("narrow_vggs", "always_due")
def test_a_folded_vgg_resumes_bit_for_bit_after_every_epoch(
    tmp_path: Path, name: Any, scheduler: str
) -> None:
    optimizer = {"name": name, **OPTIMIZERS[name][1]}
    if name in {"adam", "rmsprop"}:
        optimizer["weight_decay"] = 0  # VGG is not folded with a penalty in an adaptive step

    def network() -> Network:
        made = build(
            "vgg_narrow_bn",
            classes=10,
            image_size_px=32,
            optimizer=OptimizerSettings(**optimizer),
            seed=0,
        )
        assert made.repeats
        return made

    sets = image_sets(digits(size=32), count=12)
    schedule = {"name": scheduler, "patience_epochs": 0, "step_epochs": 1, "factor": 0.7}
    settings = fit_settings(optimizer=optimizer, scheduler=schedule, learning_rate=1e-3, epochs=4)
    expected = train_until(4, network(), sets, settings)
    if scheduler not in {"constant", "plateau"}:
        assert len({record.learning_rate for record in expected.records}) == 4
    for epoch in range(5):
        killed = train_until(epoch, network(), sets, settings)
        assert_same_state(resume(tmp_path, killed, network(), sets), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.usefixtures("always_due")
def test_mobilenet_resumes_bit_for_bit_after_every_epoch(tmp_path: Path, name: Any) -> None:
    def network() -> Network:
        return build(
            "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=2
        )

    sets = image_sets(digits(8, 4, size=32), count=8)
    optimizer = {"name": name, **OPTIMIZERS[name][1]}
    plateau = {"name": "plateau", "patience_epochs": 0}
    settings = fit_settings(
        optimizer=optimizer, scheduler=plateau, learning_rate=1e-3, batch_size=4, epochs=3
    )
    expected = train_until(3, network(), sets, settings)
    for epoch in range(1, 4):
        killed = train_until(epoch, network(), sets, settings)
        assert_same_state(resume(tmp_path, killed, network(), sets), expected)


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")


@needs_cuda
@pytest.mark.usefixtures("narrow_vggs", "always_due")
@pytest.mark.parametrize(("model", "size"), [("vgg_narrow_bn", 96), ("mobilenet_v2", 32)])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_training_on_a_gpu_is_bit_for_bit_reproducible_and_resumable(
    tmp_path: Path, model: str, size: int, precision: str
) -> None:
    def network() -> Network:
        return build(model, classes=10, image_size_px=size, optimizer=OptimizerSettings(), seed=0)

    sets = image_sets(digits(16, 4, size=size), count=16)
    settings = fit_settings(
        optimizer={"name": "adam"}, learning_rate=1e-3, device="cuda", precision=precision
    )
    expected = train_until(3, network(), sets, settings)
    assert expected.device.type == "cuda"
    assert_same_state(train_until(3, network(), sets, settings), expected)
    killed = train_until(2, network(), sets, settings)
    assert_same_state(resume(tmp_path, killed, network(), sets), expected)
