"""The configuration: what is right resolves, what is wrong is named with what would be right."""

from __future__ import annotations

import json
import math
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from snakemake.utils import update_config

from normreport.cli import main
from normreport.config.experiment import Config, load_config, schema
from normreport.config.runs import Run
from normreport.config.training import TrainedWeights
from normreport.errors import ConfigError

Changed = Callable[[dict[str, Any]], dict[str, Any]]

ALL: dict[str, list[Any]] = {
    "experiment.models": ["vgg16", "mobilenet_v2"],
    "experiment.starts": ["pretrained", "scratch"],
    "experiment.normalizations": ["raw", "unit", "imagenet"],
    "experiment.seeds": [0, 1, 2, 3, 4, 5],
}


def _lines(values: Any) -> list[str]:
    """Load a wrong configuration; the lines of the message, the first one apart."""
    with pytest.raises(ConfigError) as caught:
        load_config(values)
    head, *lines = str(caught.value).splitlines()
    count = len(lines)
    plural = ("s", "them") if count > 1 else ("", "it")
    assert head == f"config: {count} invalid value{plural[0]}; correct {plural[1]} and run again"
    return [line.removeprefix("  ") for line in lines]


# The default experiment


def test_the_default_experiment_is_60_runs_in_the_order_of_its_lists(
    default_values: dict[str, Any],
) -> None:
    ids = [run.id for run in load_config(default_values).runs()]
    assert ids == [
        f"{model}/{start}/{normalization}/seed{seed}"
        for model in ("vgg16", "mobilenet_v2")
        for start in ("pretrained", "scratch")
        for normalization in ("raw", "unit", "imagenet")
        for seed in ((0, 1, 2) if normalization == "raw" else (0, 1, 2, 3, 4, 5))
    ]
    assert len(ids) == 60
    assert "vgg16/scratch/unit/seed0" in ids


def _group(annotation: Any) -> type[BaseModel] | None:
    """Find the group of settings in an annotation such as ``Group | None``."""
    candidates = (annotation, *get_args(annotation))
    return next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)


def _keys(
    model: type[BaseModel], values: Mapping[str, Any], where: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Every key of a model: its path, its default, and what the values hold there."""
    for name, field in model.model_fields.items():
        path, value = f"{where}{name}", values.get(name, "is missing")
        group = _group(field.annotation)
        if group is None or value == {}:
            yield path, field.default, value
        elif isinstance(value, Mapping) and name == "models":
            key, entry = next(iter(value.items()))  # the one with the comments
            yield from _keys(group, entry, f"{path}.{key}.")
        elif isinstance(value, Mapping) and field.default is not None:
            yield from _keys(group, value, f"{path}.")
        else:
            yield path, field.default, value


def test_every_key_stands_in_config_yaml(default_values: dict[str, Any]) -> None:
    keys = list(_keys(Config, default_values))
    assert len(keys) > 30
    assert [path for path, _, value in keys if value == "is missing"] == []


def test_the_defaults_that_config_yaml_spells_out_are_those_of_the_code(
    default_values: dict[str, Any],
) -> None:
    spelled = {
        path: (default, value)
        for path, default, value in _keys(Config, default_values)
        if default is not PydanticUndefined
    }
    assert len(spelled) > 10
    as_lists = {path: json.loads(json.dumps(pair)) for path, pair in spelled.items()}
    differing = {path for path, pair in as_lists.items() if pair[0] != pair[1]}
    # These make the default experiment what it is.
    assert differing == {"experiment.exclude", "models.vgg16.pretraining"}


def test_every_preset_laid_over_the_default_is_an_experiment(
    root: Path, default_values: dict[str, Any]
) -> None:
    presets = sorted((root / "workflow" / "presets").glob("*.yaml"))
    assert presets
    for path in presets:
        values = json.loads(json.dumps(default_values))
        update_config(values, yaml.safe_load(path.read_text(encoding="utf-8")))
        assert list(load_config(values, where=path.name).runs())


def test_the_imagenet_preset_differs_from_the_default_in_the_weights_alone(
    root: Path, default_values: dict[str, Any], changed: Changed
) -> None:
    values = json.loads(json.dumps(default_values))
    preset = root / "workflow" / "presets" / "imagenet.yaml"
    update_config(values, yaml.safe_load(preset.read_text(encoding="utf-8")))
    assert load_config(values) == load_config(changed({"pretraining.weights": "IMAGENET1K_V1"}))


def test_reading_the_workflow_needs_neither_torch_nor_figures() -> None:
    # Snakemake does it in every job.
    program = (
        "import sys, normreport.config.experiment, normreport.plan.figure_index\n"
        "import normreport.source_code, normreport.io.files, normreport.plan.system\n"
        "import normreport.cli\n"
        "print(sorted({'torch', 'torchvision', 'matplotlib', 'pandas', 'scipy'} & {*sys.modules}))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert ended.stdout.strip() == "[]"


# Wrong keys

UNKNOWN = {
    "reprot": "report",
    "report.titel": "title",
    "experiment.model": "models",
    "data.targt": "target",
    "data.target.sorce": "source",
    "data.pretraining.image_size": "image_size_px",
    "training.epoch": "epochs",
    "training.optimizer.nme": "name",
    "training.scheduler.patience": "patience_epochs",
    "models.vgg16.layer": "layers",
    "models.mobilenet_v2.batchsize": "batch_size",
    "models.vgg16.pretraining.epoch": "epochs",
    "pretraining.weight": "weights",
}


@pytest.mark.parametrize("key", UNKNOWN)
def test_an_unknown_key_is_answered_with_the_nearest(changed: Changed, key: str) -> None:
    (line,) = _lines(changed({key: 1}))
    assert line.startswith(f"{key}: unknown key. Did you mean '{UNKNOWN[key]}'? Known: ")


REQUIRED = ["experiment", "data", "models", "experiment.seeds", "data.target.source"]
REQUIRED += ["models.vgg16.layers", "models.vgg16.batch_size", "models.vgg16.pretraining.epochs"]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_named(changed: Changed, key: str) -> None:
    values = changed({})
    *parents, last = key.split(".")
    group = values
    for parent in parents:
        group = group[parent]
    del group[last]
    assert _lines(values) == [f"{key}: missing, expected a value"]


def test_all_that_has_a_default_may_be_left_out(changed: Changed) -> None:
    values = changed({})
    for key in ("report", "training", "pretraining"):
        del values[key]
    for name in ("target", "pretraining"):
        for key in ("image_size_px", "seed"):
            del values["data"][name][key]
    assert len(list(load_config(values).runs())) == 60


# Wrong values

WRONG: dict[str, tuple[Any, str]] = {
    # types
    "training.epochs": ("many", "expected a valid integer"),
    "training.threads": (1.5, "expected a valid integer"),
    "training.device": ("gpu", "expected 'cpu', 'cuda', 'mps' or 'auto', found \"gpu\""),
    "training.precision": ("fp16", "expected 'fp32' or 'bf16', found \"fp16\""),
    "models.vgg16.learning_rate": ("fast", "expected a valid number"),
    "report.title": (7, "expected a valid string"),
    "experiment.seeds": ([0, "x"], "expected a valid integer"),
    "data.target": (None, "found null"),
    "models.vgg16": ([], "found"),
    # ranges
    "data.target.heldout_images": (0, "expected greater than or equal to 1, found 0"),
    "data.target.image_size_px": (8, "expected greater than or equal to 16, found 8"),
    "data.target.seed": (-1, "expected greater than or equal to 0, found -1"),
    "models.vgg16.batch_size": (1, "expected greater than or equal to 2, found 1"),
    "models.mobilenet_v2.learning_rate": (0, "expected greater than 0, found 0"),
    "training.scheduler.factor": (1, "expected less than 1, found 1"),
    "training.optimizer.weight_decay": (-0.1, "expected greater than or equal to 0, found -0.1"),
    "training.optimizer.momentum": (1.0, "expected less than 1, found 1.0"),
    "report.density_epoch": (-1, "expected greater than or equal to 0, found -1"),
    "pretraining.seed": (2**32, f"expected less than {2**32}, found {2**32}"),
}


@pytest.mark.parametrize("key", WRONG)
def test_a_wrong_value_is_named_with_what_was_expected_and_found(
    changed: Changed, key: str
) -> None:
    value, message = WRONG[key]
    lines = _lines(changed({key: value}))
    assert lines[0].startswith(key)
    assert message in lines[0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("key", ["models.vgg16.learning_rate", "training.optimizer.weight_decay"])
def test_a_number_that_is_not_finite_is_wrong(changed: Changed, key: str, value: float) -> None:
    (line,) = _lines(changed({key: value}))
    assert line.startswith(f"{key}: expected a finite number")


@pytest.mark.parametrize(
    "key", ["training.epochs", "models.vgg16.learning_rate", "data.target.seed"]
)
def test_yes_is_not_a_number(changed: Changed, key: str) -> None:
    (line,) = _lines(changed({key: True}))
    assert line.startswith(f"{key}: ")


SWEEP = {"candidates": [1e-3, 1e-2], "seeds": [100, 101]}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"candidates": [1e-3]},
            ": expected two or more candidates, found 1; for a fixed learning",
        ),
        ({"candidates": []}, ": expected two or more candidates, found 0; for a fixed "),
        ({"candidates": [1e-3, 0.001]}, ": candidates must be unique, found 0.001, 0.001"),
        ({"candidates": [1e-3, 0]}, ".candidates.1: expected greater than 0, found 0."),
        ({"candidates": 1e-3}, ".candidates: expected a list, found 0.001."),
        ({"seeds": [5, 5]}, ": seeds must be unique, found 5, 5"),
        ({"seeds": []}, '.seeds: expected a list of at least 1 item, found "[]".'),
        (
            {"seeds": [7, 2, 1]},
            ".seeds: the experiment has the seed 2, 1, too. Choose other seeds for the trial runs.",
        ),
        ({"seed": [7]}, ".seed: unknown key. Did you mean 'seeds'? Known: candidates, seeds."),
    ],
)
def test_a_wrong_sweep_is_one_message(
    changed: Changed, change: dict[str, Any], message: str
) -> None:
    (line,) = _lines(changed({"models.vgg16.learning_rate": SWEEP | change}))
    assert line.startswith(f"models.vgg16.learning_rate{message}")


def test_a_sweep_without_its_keys_names_both(changed: Changed) -> None:
    assert _lines(changed({"models.vgg16.learning_rate": {}})) == [
        f"models.vgg16.learning_rate.{key}: missing, expected a value"
        for key in ("candidates", "seeds")
    ]


CHOICES = {
    "training.optimizer.name": ("adan", "adam"),
    "training.scheduler.name": ("plato", "plateau"),
    "data.target.source": ("digit", "digits"),
    "experiment.starts": (["scrach"], "scratch"),
    "experiment.normalizations": (["raw", "imagnet"], "imagenet"),
    "pretraining.normalization": ("unt", "unit"),
}


@pytest.mark.parametrize("key", CHOICES)
def test_an_unknown_choice_is_answered_with_the_nearest(changed: Changed, key: str) -> None:
    value, expected = CHOICES[key]
    (line,) = _lines(changed({key: value}))
    assert line.startswith(key.split(".")[0])
    assert (value if isinstance(value, str) else value[-1]) in line
    assert f"Did you mean '{expected}'?" in line


@pytest.mark.parametrize("key", ALL)
def test_an_experiment_without_conditions_is_wrong(changed: Changed, key: str) -> None:
    (line,) = _lines(changed({key: []}))
    assert line.startswith(f"{key}: expected ")
    assert "at least 1" in line


@pytest.mark.parametrize("key", ALL)
def test_a_condition_that_is_there_twice_is_wrong(changed: Changed, key: str) -> None:
    twice = [*ALL[key], ALL[key][0]]
    (line,) = _lines(changed({key: twice}))
    name = key.split(".")[1]
    assert line == f"experiment: {name} must be unique, found {ALL[key][0]!r} twice"


def test_a_layer_that_is_there_twice_is_wrong(changed: Changed) -> None:
    # Two figures would have one name.
    (line,) = _lines(changed({"models.vgg16.layers": ["features.0", "features.0"]}))
    assert "models.vgg16" in line
    assert "'features.0' twice" in line


@pytest.mark.parametrize("value", ["vgg16", 3, {"vgg16": 1}])
def test_what_must_be_a_list_is_called_a_list(changed: Changed, value: Any) -> None:
    (line,) = _lines(changed({"experiment.models": value}))
    assert line.startswith("experiment.models: expected ")
    assert "list" in line


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("experiment.models", ["../../etc"]),
        ("experiment.models", ["vgg 16"]),
        ("models.vgg16.layers", ["features/0"]),
        ("models.vgg16.layers", ["$(rm -r .)"]),
    ],
)
def test_a_name_that_is_no_name_in_a_path_is_one_wrong_value(
    changed: Changed, key: str, value: list[str]
) -> None:
    (line,) = _lines(changed({key: value}))
    assert line.startswith(f"{key}.0: expected ")
    assert f"found {json.dumps(value[0])}" in line
    assert "expected String" not in line


def test_a_long_value_is_not_printed_whole(changed: Changed) -> None:
    lines = _lines(changed({"training.epochs": "x" * 10_000}))
    assert len("".join(lines)) < 300


# What must fit together


def test_a_model_without_an_entry_is_answered_with_the_nearest(changed: Changed) -> None:
    (line,) = _lines(changed({"experiment.models": ["vgg61", "mobilenet_v2"]}))
    assert "experiment.models lists 'vgg61', but models has no such entry" in line
    assert "Did you mean 'vgg16'?" in line


@pytest.mark.parametrize(
    ("key", "asked", "there"),
    [
        ("models.vgg16.train_images", 129, 128),
        ("models.mobilenet_v2.pretraining.train_images", 8001, 8000),
    ],
)
def test_no_model_can_use_more_images_than_are_prepared(
    changed: Changed, key: str, asked: int, there: int
) -> None:
    assert list(load_config(changed({key: there})).runs())
    (line,) = _lines(changed({key: asked}))
    assert f"{key} must be at most the train_images of its data ({there}), found {asked}" in line


@pytest.mark.parametrize(
    "key",
    ["models.vgg16.train_images", "models.vgg16.pretraining.train_images"],
)
def test_a_training_needs_two_images(changed: Changed, key: str) -> None:
    # Batch normalization needs two, so that a batch of one makes no step.
    (line,) = _lines(changed({key: 1}))
    assert line.startswith(f"{key}: ")


def test_the_epoch_of_the_densities_must_be_one_that_is_trained(changed: Changed) -> None:
    assert load_config(changed({"report.density_epoch": 35})).report.density_epoch == 35
    (line,) = _lines(changed({"report.density_epoch": 36}))
    assert "report.density_epoch must be at most training.epochs (35), found 36" in line


def test_the_network_sees_images_of_one_size_before_and_after_pretraining(changed: Changed) -> None:
    larger = {"data.target.image_size_px": 48}
    (line,) = _lines(changed(larger))
    assert "image_size_px must be equal, found 48 and 32" in line
    assert load_config(changed(larger | {"experiment.starts": ["scratch"]}))


def test_momentum_belongs_to_the_optimizers_that_have_it(changed: Changed) -> None:
    momentum = {"training.optimizer.momentum": 0.9}
    assert load_config(changed(momentum | {"training.optimizer.name": "sgd"}))
    (line,) = _lines(changed(momentum))
    expected = "momentum belongs to sgd and rmsprop, found 0.9 with adam; set it to 0"
    assert line == f"training.optimizer: {expected}"


def test_pretraining_here_needs_its_settings_and_other_weights_do_not(changed: Changed) -> None:
    without = {"models.vgg16.pretraining": None}
    (line,) = _lines(changed(without))
    assert "models.vgg16.pretraining is missing" in line
    for change in ({"pretraining.weights": "IMAGENET1K_V1"}, {"experiment.starts": ["scratch"]}):
        config = load_config(changed(without | change))
        assert not config.is_pretrained_here
    assert load_config(changed({})).is_pretrained_here


def test_several_wrong_values_are_told_at_once_one_line_each(changed: Changed) -> None:
    lines = _lines(
        changed(
            {
                "training.epochs": 0,
                "training.optimizer.name": "adan",
                "data.target.sorce": "digits",
                "models.vgg16.learning_rate": math.nan,
                "experiment.seeds": [1, 1],
            }
        )
    )
    assert sorted(line.split(": ")[0] for line in lines) == [
        "data.target.sorce",
        "experiment",
        "models.vgg16.learning_rate",
        "training.epochs",
        "training.optimizer.name",
    ]


def test_several_things_that_do_not_fit_together_are_told_at_once(changed: Changed) -> None:
    lines = _lines(changed({"models.vgg16.train_images": 129, "report.density_epoch": 36}))
    assert len(lines) == 2


def test_the_message_calls_the_file_by_its_name() -> None:
    with pytest.raises(ConfigError, match=r"^my\.yaml: 3 invalid values"):
        load_config({}, where="my.yaml")


@pytest.mark.parametrize("values", [None, [], "text", 7])
def test_a_configuration_that_is_no_mapping_is_wrong_as_a_whole(values: Any) -> None:
    (line,) = _lines(values)
    assert line.startswith("the configuration: expected ")


def test_a_key_that_is_no_text_is_wrong(changed: Changed) -> None:
    values = changed({})
    values[1] = 2
    (line,) = _lines(values)
    assert line.startswith("1: ")


# What each stage gets


def test_a_run_gets_its_condition_its_models_values_and_what_all_share(changed: Changed) -> None:
    config = load_config(changed({"training.epochs": 7, "models.vgg16.learning_rate": 0.5}))
    settings = config.run_settings(Run("vgg16", "scratch", "unit", 2))
    assert settings.model_dump(mode="json") == {
        "model": "vgg16",
        "architecture": "vgg16",
        "start": "scratch",
        "normalization": "unit",
        "inputs": None,
        "seed": 2,
        "layers": ["features.0", "features.10"],
        "train_images": 40,
        "batch_size": 20,
        "learning_rate": 0.5,
        "epochs": 7,
        "optimizer": {"name": "adam", "weight_decay": 0.0, "momentum": 0.0},
        "scheduler": {
            "name": "plateau",
            "factor": 0.1,
            "patience_epochs": 10,
            "step_epochs": 10,
        },
        "epoch_heldout_images": 24,
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"report.title": "Another"},
        {"experiment.seeds": [0, 1, 2, 3]},
        {"experiment.normalizations": ["unit"]},
        {"experiment.models": ["vgg16"]},
        {"models.mobilenet_v2.learning_rate": 0.5},
        {"models.vgg16.pretraining.epochs": 9},
        {"models.vgg16.pretraining.optimizer": {"name": "sgd"}},
        {"pretraining.seed": 4},
        {"data.pretraining.train_images": 9000},
    ],
    ids=str,
)
def test_a_change_elsewhere_leaves_a_run_alone(changed: Changed, change: dict[str, Any]) -> None:
    run = Run("vgg16", "scratch", "unit", 0)
    before, after = load_config(changed({})), load_config(changed(change))
    assert after.run_settings(run) == before.run_settings(run)


def test_pretraining_gets_its_own_values_and_the_optimizer_that_all_share(
    changed: Changed,
) -> None:
    optimizer = {"training.optimizer.name": "sgd", "training.optimizer.momentum": 0.5}
    settings = load_config(changed(optimizer)).pretrain_settings("mobilenet_v2")
    found = settings.model_dump(mode="json")
    assert found.pop("optimizer") == {"name": "sgd", "weight_decay": 0.0, "momentum": 0.5}
    assert found.pop("scheduler")["name"] == "cosine"
    assert found == {
        "model": "mobilenet_v2",
        "architecture": "mobilenet_v2",
        "weights": "train",
        "normalization": "imagenet",
        "inputs": None,
        "seed": 1000,
        "train_images": 8000,
        "epochs": 2,
        "batch_size": 32,
        "learning_rate": 0.001,
        "epoch_heldout_images": 24,
        "threads": 1,
        "device": "cpu",
        "precision": "fp32",
    }


def test_a_pretraining_can_use_another_optimizer_than_the_runs(changed: Changed) -> None:
    own = {"name": "sgd", "weight_decay": 0.0, "momentum": 0.9}
    change = {"models.vgg16.pretraining.optimizer": own}
    before, after = load_config(changed({})), load_config(changed(change))
    found = after.pretrain_settings("vgg16").model_dump(mode="json")
    assert found["optimizer"] == own
    assert found == before.pretrain_settings("vgg16").model_dump(mode="json") | {"optimizer": own}
    assert after.pretrain_settings("mobilenet_v2") == before.pretrain_settings("mobilenet_v2")
    run = Run("vgg16", "pretrained", "unit", 0)
    assert after.run_settings(run) == before.run_settings(run)


@pytest.mark.parametrize(
    ("pretraining", "model", "used"),
    [(None, None, "adam"), (None, "rmsprop", "rmsprop"), ("sgd", "rmsprop", "sgd")],
)
def test_a_pretraining_without_an_optimizer_uses_that_of_the_models_runs(
    changed: Changed, pretraining: str | None, model: str | None, used: str
) -> None:
    change = {
        "models.vgg16.pretraining.optimizer": pretraining and {"name": pretraining},
        "models.vgg16.optimizer": model and {"name": model},
    }
    settings = load_config(changed(change)).pretrain_settings("vgg16")
    assert isinstance(settings, TrainedWeights)
    assert settings.optimizer.name == used


def test_a_pretraining_has_the_schedule_of_the_runs_unless_it_has_its_own(
    changed: Changed,
) -> None:
    own = load_config(changed({"models.vgg16.pretraining.scheduler": {"name": "cosine"}}))
    shared = load_config(changed({"models.vgg16.pretraining.scheduler": None}))
    names = []
    for config in (own, shared):
        settings = config.pretrain_settings("vgg16")
        assert isinstance(settings, TrainedWeights)
        names.append(settings.scheduler.name)
    assert names == ["cosine", "plateau"]
    run = Run("vgg16", "pretrained", "unit", 0)
    assert own.run_settings(run) == shared.run_settings(run)


def test_a_wrong_optimizer_of_a_pretraining_is_named(changed: Changed) -> None:
    key = "models.vgg16.pretraining.optimizer"
    (line,) = _lines(changed({key: {"name": "adam", "momentum": 0.9}}))
    assert line == f"{key}: momentum belongs to sgd and rmsprop, found 0.9 with adam; set it to 0"


def test_a_model_can_be_an_architecture_under_another_name_with_its_own_optimizer(
    changed: Changed,
) -> None:
    values = changed({})
    own = {"name": "sgd", "weight_decay": 0.0, "momentum": 0.9}
    values["models"]["vgg16_sgd"] = values["models"]["vgg16"] | {
        "architecture": "vgg16",
        "optimizer": own,
        "learning_rate": 0.01,
    }
    values["experiment"]["models"] = ["vgg16", "vgg16_sgd"]
    config = load_config(values)
    run = config.run_settings(Run("vgg16_sgd", "scratch", "unit", 0))
    assert (run.model, run.architecture, run.learning_rate) == ("vgg16_sgd", "vgg16", 0.01)
    assert run.optimizer.model_dump() == own
    pretraining = config.pretrain_settings("vgg16_sgd")
    assert (pretraining.architecture, pretraining.optimizer) == ("vgg16", run.optimizer)
    assert config.run_settings(Run("vgg16", "scratch", "unit", 0)).optimizer.name == "adam"


@pytest.mark.parametrize(
    ("starts", "here"),
    [
        (["scratch", "scratch_uniform", "scratch_laplace", "scratch_head"], False),
        (["scratch", "pretrained"], True),
        (["pretrained_head"], True),
    ],
)
def test_pretrained_weights_are_made_only_where_a_start_uses_them(
    changed: Changed, starts: list[str], here: bool
) -> None:
    assert load_config(changed({"experiment.starts": starts})).is_pretrained_here == here


def test_the_path_of_a_checkpoint_can_name_the_model(changed: Changed) -> None:
    config = load_config(changed({"pretraining.weights": "w/{model}/{model}.pth"}))
    assert config.pretrain_settings("vgg16").weights == "w/vgg16/vgg16.pth"
    assert not config.is_pretrained_here


def test_weights_from_elsewhere_need_no_settings_of_a_training(changed: Changed) -> None:
    change = {"pretraining.weights": "IMAGENET1K_V1", "models.vgg16.pretraining": None}
    settings = load_config(changed(change)).pretrain_settings("vgg16")
    assert (settings.model, settings.weights) == ("vgg16", "IMAGENET1K_V1")


def test_fetched_weights_are_fetched_once_however_the_runs_are_trained(changed: Changed) -> None:
    weights = {"pretraining.weights": "IMAGENET1K_V1"}
    trained_otherwise = {
        "training.optimizer.name": "sgd",
        "training.scheduler.name": "cosine",
        "training.threads": 2,
        "training.device": "auto",
        "training.precision": "bf16",
        "models.vgg16.pretraining.epochs": 9,
        "pretraining.normalization": "unit",
        "pretraining.seed": 4,
    }
    before, after = (load_config(changed(weights | change)) for change in ({}, trained_otherwise))
    assert after.pretrain_settings("vgg16") == before.pretrain_settings("vgg16")


def test_the_judge_knows_which_runs_there_are(changed: Changed) -> None:
    change = {"experiment.models": ["vgg16"], "experiment.starts": ["scratch"]}
    assert load_config(changed(change)).judge_settings().model_dump(mode="json") == {
        "models": ["vgg16"],
        "architectures": {"vgg16": "vgg16"},
        "built_as": {"vgg16": "vgg16"},
        "layers": {"vgg16": ["features.0", "features.10"]},
        "starts": ["scratch"],
        "normalizations": ["raw", "unit", "imagenet"],
        "seeds": [0, 1, 2, 3, 4, 5],
        "planned": [
            {"model": "vgg16", "start": "scratch", "normalization": arm, "seeds": seeds}
            for arm, seeds in (
                ("raw", [0, 1, 2]),
                ("unit", [0, 1, 2, 3, 4, 5]),
                ("imagenet", [0, 1, 2, 3, 4, 5]),
            )
        ],
        "contrast": None,
        "claims": {"article": "all", "own": []},
        "inputs": {},
        "arms": {},
        "candidates": {},
        "optimizer_variants": [],
        "epochs": 35,
        "target": changed({})["data"]["target"],
        "pretraining": None,
    }
    before = load_config(changed({})).judge_settings().pretraining
    assert before is not None
    assert before.source == "printed_digits"


def test_each_start_and_arm_of_a_tuned_model_has_a_sweep(changed: Changed) -> None:
    config = load_config(
        changed(
            {
                "models.vgg16.learning_rate": SWEEP,
                "models.vgg16.optimizer": {"name": "sgd", "momentum": 0.9},
                "experiment.exclude": [{"start": "scratch", "normalization": "raw"}],
            }
        )
    )
    assert config.tuned_models == ("vgg16",)
    sweeps = list(config.sweeps())
    assert [(one.model, one.start, one.normalization) for one in sweeps] == [
        ("vgg16", start, arm)
        for start in ("pretrained", "scratch")
        for arm in ("raw", "unit", "imagenet")
        if (start, arm) != ("scratch", "raw")
    ]
    assert (sweeps[0].candidates, sweeps[0].seeds) == ((1e-3, 1e-2), (100, 101))
    assert config.judge_settings().candidates == {"vgg16": (1e-3, 1e-2)}
    # A trial run is a run with another seed and rate that keeps no weights.
    run = config.run_settings(Run("vgg16", "pretrained", "raw", 0))
    other = {"learning_rate": 0.5, "seed": 101, "layers": ()}
    assert sweeps[0].trial(0.5, 101) == run.model_copy(update=other)
    with pytest.raises(ValueError, match=r"models\.mobilenet_v2\.learning_rate is fixed"):
        config.sweep_settings("mobilenet_v2", "scratch", "unit")


@pytest.mark.parametrize(
    ("optimizers", "variants"),
    [
        ({}, ()),
        ({"models.sgd.optimizer": {"name": "sgd"}}, ("sgd",)),
        # No model of the architecture has the shared optimizer.
        (
            {
                "models.sgd.optimizer": {"name": "sgd"},
                "models.vgg16.optimizer": {"name": "rmsprop"},
            },
            (),
        ),
        ({"models.sgd.optimizer": {"weight_decay": 0.1}}, ("sgd",)),
        ({"models.mobilenet_v2.optimizer": {"name": "sgd"}}, ()),
        # The other model of the architecture is tuned.
        ({"models.sgd.optimizer": {"name": "sgd"}, "models.vgg16.learning_rate": SWEEP}, ()),
        ({"models.sgd.optimizer": {"name": "sgd"}, "models.sgd.learning_rate": SWEEP}, ()),
    ],
)
def test_a_model_beside_one_with_the_shared_optimizer_is_a_variant(
    changed: Changed, optimizers: dict[str, Any], variants: tuple[str, ...]
) -> None:
    values = changed({"experiment.models": ["sgd", "vgg16", "mobilenet_v2"]})
    values["models"]["sgd"] = values["models"]["vgg16"] | {"architecture": "vgg16"}
    for path, value in optimizers.items():
        _, model, key = path.split(".")
        values["models"][model] = values["models"][model] | {key: value}
    assert load_config(values).judge_settings().optimizer_variants == variants


def test_a_model_without_runs_is_not_tuned(changed: Changed) -> None:
    models = {"experiment.models": ["mobilenet_v2"], "models.vgg16.learning_rate": SWEEP}
    config = load_config(changed(models))
    assert (config.tuned_models, list(config.sweeps())) == ((), [])
    # Its seeds may be those of the experiment.
    load_config(changed(models | {"models.vgg16.learning_rate": SWEEP | {"seeds": [0]}}))


def test_a_model_with_a_fixed_learning_rate_stands_for_its_architecture(changed: Changed) -> None:
    vgg16 = changed({})["models"]["vgg16"]
    models = {
        "experiment.models": ["tuned", "sgd"],
        "models.tuned": vgg16 | {"architecture": "vgg16", "learning_rate": SWEEP},
        "models.sgd": vgg16 | {"architecture": "vgg16", "optimizer": {"name": "sgd"}},
    }
    assert load_config(changed(models)).judge_settings().architectures == {"vgg16": "sgd"}


@pytest.mark.parametrize("accent", ["red", "#0b5ca", "0b5cad"])
def test_what_is_no_color_is_told_what_a_color_looks_like(changed: Changed, accent: str) -> None:
    with pytest.raises(ConfigError, match=r'report\.accent: expected a colour such as "#0b5cad"'):
        load_config(changed({"report.accent": accent}))
    load_config(changed({"report.accent": "#0B5CAD"}))


@pytest.mark.parametrize(
    ("own", "stands"),
    [(None, "fast"), ({"name": "adam"}, "fast"), ({"name": "sgd"}, "vgg16")],
)
def test_the_model_with_the_shared_optimizer_stands_for_its_architecture(
    changed: Changed, own: dict[str, str] | None, stands: str
) -> None:
    vgg16 = changed({})["models"]["vgg16"]
    fast = vgg16 | {"architecture": "vgg16", "optimizer": own}
    models = {"experiment.models": ["fast", "vgg16", "mobilenet_v2"], "models.fast": fast}
    chosen = load_config(changed(models)).judge_settings().architectures
    assert chosen == {"vgg16": stands, "mobilenet_v2": "mobilenet_v2"}
    assert load_config(changed(models)).judge_settings().built_as["fast"] == "vgg16"
    # Where neither has it, the first one stands.
    none = models | {"training.optimizer.name": "rmsprop", "models.vgg16.optimizer": {}}
    assert load_config(changed(none)).judge_settings().architectures["vgg16"] == "fast"


@pytest.mark.parametrize("with_pdf", [True, False])
def test_the_templates_get_the_title_page(changed: Changed, with_pdf: bool) -> None:
    own = {"title": "T", "authors": ["A", "B"], "abstract": "W.", "accent": "#123456"}
    own |= {"logo_alt": "The lab", "language": "pt_BR"}
    config = load_config(changed({f"report.{key}": value for key, value in own.items()}))
    found = config.render_settings(with_pdf=with_pdf).model_dump(mode="json")
    others: dict[str, Any] = {"introduction": None, "texts": {}, "is_article": True}
    assert found == {**own, **others, "with_pdf": with_pdf}


def test_a_configuration_cannot_be_changed_after_it_was_checked(
    default_values: dict[str, Any],
) -> None:
    config = load_config(default_values)
    with pytest.raises(ValueError, match="frozen"):
        config.training.epochs = 3  # type: ignore[misc]


# The schema


def test_the_schema_is_one_and_has_the_title_of_this_project() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    assert schema()["title"] == "normreport configuration"


def test_the_schema_takes_the_default_and_refuses_what_the_code_refuses(
    default_values: dict[str, Any], changed: Changed
) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    assert list(validator.iter_errors(default_values)) == []
    wrong = [{key: 1} for key in UNKNOWN]
    wrong += [{key: value} for key, (value, _) in WRONG.items()]
    assert [change for change in wrong if validator.is_valid(changed(change))] == []


def test_the_schema_describes_every_key() -> None:
    groups = schema()["$defs"] | {"Config": schema()}

    def described(details: dict[str, Any]) -> bool:
        group = groups.get(details.get("$ref", "").rsplit("/", 1)[-1], {})
        return "description" in details or "description" in group

    assert len(groups) > 8
    for name, group in groups.items():
        for key, details in group["properties"].items():
            assert described(details), f"{name}.{key}"


def test_the_schema_file_is_fresh(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "workflow" / "schemas" / "config.schema.json"
    assert main(["schema"]) == 0
    assert path.read_text(encoding="utf-8") == capsys.readouterr().out, (
        "the settings have changed; repair: normreport schema > workflow/schemas/config.schema.json"
    )


def test_the_schema_file_has_no_path_or_clock_in_it(root: Path) -> None:
    text = (root / "workflow" / "schemas" / "config.schema.json").read_text(encoding="utf-8")
    assert str(root) not in text
    assert not re.search(r"20\d\d-\d\d-\d\d", text)
