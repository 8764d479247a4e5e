"""Arms that the configuration defines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normreport.config.experiment import Config, load_config
from normreport.config.runs import Run
from normreport.config.training import TrainedWeights
from normreport.errors import ConfigError
from normreport.normalizations import OwnFile, Scaling

Changed = Callable[..., dict[str, Any]]
RUN = Run("mobilenet_v2", "scratch", "mine", 0)


def configured(changed: Changed, arms: dict[str, Any], **changes: Any) -> Config:
    values = {"arms": arms, "experiment.normalizations": ["unit", *arms]}
    values |= {"experiment.exclude": []} | changes
    return load_config(changed(values))


def problem(changed: Changed, arms: dict[str, Any], **changes: Any) -> str:
    with pytest.raises(ConfigError) as error:
        configured(changed, arms, **changes)
    return str(error.value).partition("\n  ")[2]


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ({"divide": 255}, Scaling(255.0, (0.0,) * 3, (1.0,) * 3)),
        ({"mean": 127.5}, Scaling(1.0, (127.5,) * 3, (1.0,) * 3)),
        (
            {"divide": 255, "mean": [0.1, 0.2, 0.3], "std": 0.5},
            Scaling(255.0, (0.1, 0.2, 0.3), (0.5,) * 3),
        ),
        ({"file": "arms/clahe.py"}, OwnFile("arms/clahe.py")),
        ({"normalization": "imagenet"}, "imagenet"),
    ],
)
def test_an_arm_gives_the_inputs_in_one_of_three_ways(
    changed: Changed, arm: dict[str, Any], expected: object
) -> None:
    config = configured(changed, {"mine": arm})
    assert config.normalization("mine") == expected
    plan = config.run_plan(RUN)
    assert (plan.normalization, plan.applied) == ("mine", expected)
    assert type(plan).model_validate_json(plan.model_dump_json()) == plan


def test_a_built_in_arm_keeps_its_settings_beside_own_ones(
    changed: Changed, default_values: dict[str, Any]
) -> None:
    run = Run("mobilenet_v2", "scratch", "unit", 0)
    config = configured(changed, {"mine": {"divide": 2, "training": {"batch_size": 4}}})
    assert config.run_settings(run) == load_config(default_values).run_settings(run)


def test_an_arm_can_take_the_inputs_of_another_one(changed: Changed) -> None:
    config = configured(changed, {"mine": {"divide": 2}, "decay": {"normalization": "mine"}})
    assert config.normalization("decay") == config.normalization("mine")


def test_a_treatment_replaces_the_keys_that_it_names_and_no_others(changed: Changed) -> None:
    training = {
        "optimizer": {"weight_decay": 0.05},
        "scheduler": {"name": "cosine"},
        "learning_rate": 0.5,
        "batch_size": 4,
        "train_images": 8,
        "precision": "bf16",
    }
    config = configured(changed, {"mine": {"normalization": "unit", "training": training}})
    plain = config.run_settings(Run("mobilenet_v2", "scratch", "unit", 0))
    treated = config.run_settings(RUN)
    assert treated.optimizer.weight_decay == 0.05
    assert treated.optimizer.name == plain.optimizer.name
    assert treated.scheduler.name == "cosine"
    assert treated.scheduler.factor == plain.scheduler.factor
    names = ("learning_rate", "batch_size", "train_images", "precision")
    assert [getattr(treated, name) for name in names] == [training[name] for name in names]
    differing = {*training, "normalization", "inputs"}
    assert treated.model_dump(exclude=differing) == plain.model_dump(exclude=differing)


def test_the_weights_can_be_pretrained_with_the_inputs_of_an_own_arm(changed: Changed) -> None:
    config = configured(changed, {"mine": {"divide": 2}}, **{"pretraining.normalization": "mine"})
    settings = config.pretrain_settings("vgg16")
    assert isinstance(settings, TrainedWeights)
    assert settings.applied == config.normalization("mine")


def test_the_trial_runs_of_a_sweep_are_those_of_the_arm(changed: Changed) -> None:
    training = {"optimizer": {"weight_decay": 0.05}}
    config = configured(
        changed,
        {"mine": {"divide": 2, "training": training}},
        **{"models.mobilenet_v2.learning_rate": {"candidates": [0.1, 0.2], "seeds": [99]}},
    )
    trial = config.sweep_settings("mobilenet_v2", "scratch", "mine").trial(0.1, 99)
    assert trial.applied == config.normalization("mine")
    assert trial.optimizer.weight_decay == 0.05


@pytest.mark.parametrize(
    ("arm", "expected"),
    [
        ({}, "arms.mine: expected one of divide/mean/std, file and normalization, which give the "
         "inputs; found none"),
        ({"divide": 2, "std": 3, "file": "a.py"}, "found divide/std and file"),
        ({"file": "a.py", "normalization": "unit"}, "found file and normalization"),
        ({"divide": 0}, "arms.mine.divide: expected greater than or equal to 0.000000001, found"),
        ({"std": [1, 0, 1]}, "arms.mine.std.1: expected greater than or equal to 0.000000001"),
        ({"mean": [1, 2]}, "arms.mine.mean.2: missing"),
        ({"mean": "half"}, "arms.mine.mean: expected a valid number"),
        ({"devide": 255}, "arms.mine.devide: unknown key. Did you mean 'divide'?"),
        ({"normalization": "unot"}, "arms.mine.normalization: unknown normalization 'unot'. Did you"
         " mean 'unit'?"),
        ({"divide": 2, "training": {"epochs": 3}}, "arms.mine.training.epochs: unknown key"),
        ({"divide": 2, "training": {"optimizer": {"momentum": 0.5}}},
         "arms.mine.training.optimizer: with the optimizer of models.vgg16: momentum belongs to "
         "sgd"),
        ({"divide": 2, "training": {"train_images": 10**6}},
         "arms.mine.training.train_images must be at most"),
        ({"divide": 2, "color": "red"}, 'arms.mine.color: expected a colour such as "#0b5cad"'),
    ],
)  # fmt: skip
def test_a_wrong_arm_is_one_message(changed: Changed, arm: dict[str, Any], expected: str) -> None:
    assert expected in problem(changed, {"mine": arm})


def test_an_arm_must_not_have_the_name_of_a_built_in_one(changed: Changed) -> None:
    found = problem(changed, {"raw": {"divide": 2}})
    assert found == "arms.raw: 'raw' is built in; choose another name"


def test_an_arm_must_not_name_one_that_names_another(changed: Changed) -> None:
    arms = {"one": {"normalization": "unit"}, "two": {"normalization": "one"}}
    assert "arms.two.normalization: 'one' itself takes its inputs from" in problem(changed, arms)


@pytest.mark.parametrize(
    "arms",
    [
        {"one": {"normalization": "one"}},
        {"one": {"normalization": "two"}, "two": {"normalization": "one"}},
    ],
)
def test_an_arm_must_not_lead_back_to_itself(changed: Changed, arms: dict[str, Any]) -> None:
    expected = "arms.one.normalization: circular reference to 'one'; use a built-in normalization"
    assert expected in problem(changed, arms)


def test_a_learning_rate_is_either_tuned_or_that_of_the_arm(changed: Changed) -> None:
    sweep = {"candidates": [0.1, 0.2], "seeds": [99]}
    arms = {"mine": {"divide": 2, "training": {"learning_rate": 0.1}}}
    found = problem(changed, arms, **{"models.mobilenet_v2.learning_rate": sweep})
    assert found == (
        "arms.mine.training.learning_rate: trial runs choose that of models.mobilenet_v2; remove "
        "one"
    )


def test_the_contrast_is_that_of_the_article_unless_the_experiment_has_its_own(
    changed: Changed,
) -> None:
    arms = {"mine": {"divide": 2}}
    assert configured(changed, arms).contrast == ("unit", "imagenet")
    own = configured(changed, arms, **{"experiment.contrast": ["unit", "mine"]})
    assert own.contrast == own.judge_settings().contrast == ("unit", "mine")


@pytest.mark.parametrize(
    ("contrast", "expected"),
    [
        (
            ["unit", "minee"],
            "experiment.contrast: unknown normalization 'minee'. Did you mean 'mine'?",
        ),
        (["unit", "unit"], "experiment: contrast must have two arms, found 'unit' twice"),
    ],
)
def test_a_wrong_contrast_is_one_message(
    changed: Changed, contrast: list[str], expected: str
) -> None:
    found = problem(changed, {"mine": {"divide": 2}}, **{"experiment.contrast": contrast})
    assert found.partition(" Known:")[0] == expected
