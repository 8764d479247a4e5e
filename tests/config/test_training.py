"""What a training may be told."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from normreport.config.base import parse, validate
from normreport.config.training import (
    FitSettings,
    OptimizerSettings,
    RunSettings,
    SchedulerSettings,
)
from normreport.errors import ConfigError

RUN: dict[str, Any] = {
    "model": "vgg16",
    "architecture": "vgg16",
    "train_images": 64,
    "batch_size": 32,
    "learning_rate": 1e-4,
    "start": "scratch",
    "normalization": "unit",
    "seed": 0,
    "layers": ["features.0"],
}


def _names(settings: type[Any]) -> tuple[str, ...]:
    return get_args(settings.model_fields["name"].annotation)


def test_a_run_of_nothing_but_its_own_values_has_the_articles_habits() -> None:
    found = validate(RunSettings, RUN, where="run")
    assert (found.epochs, found.threads) == (35, 1)
    assert (found.optimizer.name, found.scheduler.name) == ("adam", "plateau")
    assert found.optimizer.weight_decay == found.optimizer.momentum == 0


def test_a_run_survives_the_way_through_the_command_line() -> None:
    run = validate(RunSettings, RUN | {"learning_rate": 1 / 3}, where="run")
    assert parse(RunSettings, run.model_dump_json(), where="run") == run


@pytest.mark.parametrize("name", _names(OptimizerSettings))
def test_momentum_is_taken_only_where_it_is_used(name: str) -> None:
    values = {"name": name, "momentum": 0.9}
    if name in {"sgd", "rmsprop"}:
        assert validate(OptimizerSettings, values, where="here").momentum == 0.9
    else:
        with pytest.raises(ConfigError, match=f"found 0.9 with {name}; set it to 0"):
            validate(OptimizerSettings, values, where="here")


@pytest.mark.parametrize("name", _names(OptimizerSettings))
def test_every_optimizer_takes_a_penalty_on_the_weights(name: str) -> None:
    values = {"name": name, "weight_decay": 0.1}
    assert validate(OptimizerSettings, values, where="here").weight_decay == 0.1


@pytest.mark.parametrize(
    ("group", "wrong"),
    [
        (SchedulerSettings, {"factor": 0}),
        (SchedulerSettings, {"factor": 1.0}),
        (SchedulerSettings, {"patience_epochs": -1}),
        (SchedulerSettings, {"step_epochs": 0}),
        (OptimizerSettings, {"weight_decay": -1e-9}),
        (OptimizerSettings, {"name": "sgd", "momentum": 1.0}),
        (RunSettings, RUN | {"learning_rate": 0.0}),
        (RunSettings, RUN | {"learning_rate": 101}),
        (RunSettings, RUN | {"batch_size": 1}),
        (RunSettings, RUN | {"epochs": 0}),
        (RunSettings, RUN | {"threads": 0}),
        (RunSettings, RUN | {"start": "fresh"}),
    ],
    ids=str,
)
def test_values_that_cannot_train_are_wrong(group: type[Any], wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="1 invalid value"):
        validate(group, wrong, where="here")


def test_a_training_knows_neither_arm_nor_seed_of_its_own() -> None:
    # They decide the images and the generators that it is given.
    assert not {"normalization", "seed", "start"} & set(FitSettings.model_fields)
