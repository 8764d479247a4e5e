"""Designs with holes: which runs exist, in which order, and what is a mistake."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from normreport.config.design import ExperimentSettings
from normreport.config.experiment import Config, load_config, schema
from normreport.config.runs import Run
from normreport.errors import ConfigError
from normreport.normalizations import NORMALIZATIONS

Changed = Callable[[dict[str, Any]], dict[str, Any]]

KEYS = ("model", "start", "normalization", "seed")
VALUES: dict[str, list[Any]] = {
    "model": ["vgg16", "vgg11", "mobilenet_v2"],
    "start": ["scratch", "pretrained", "scratch_head"],
    "normalization": ["raw", "unit", "imagenet"],
    "seed": [0, 7, 3],
}
SMALL = {
    "experiment.models": ["vgg16", "mobilenet_v2"],
    "experiment.starts": ["pretrained", "scratch"],
    "experiment.normalizations": ["unit", "imagenet"],
    "experiment.seeds": [0, 1],
}


def _ids(config: Config) -> list[str]:
    return [run.id for run in config.runs()]


def _line(values: dict[str, Any]) -> str:
    """Load a configuration with one mistake; its line of the message."""
    with pytest.raises(ConfigError) as caught:
        load_config(values)
    _, line = str(caught.value).splitlines()
    return line.strip()


# A reference of its own: sets of dictionaries


@st.composite
def _experiments(draw: st.DrawFn) -> dict[str, Any]:
    lists = {
        f"{key}s": draw(st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True))
        for key, values in VALUES.items()
    }

    def entries(choices: dict[str, list[Any]]) -> list[dict[str, Any]]:
        value = {
            key: st.sampled_from(known) | st.lists(st.sampled_from(known), min_size=1, max_size=3)
            for key, known in choices.items()
        }
        some = st.fixed_dictionaries({}, optional=value).filter(bool)
        return draw(st.lists(some, max_size=3))

    listed = {key: lists[f"{key}s"] for key in KEYS}
    return {**lists, "exclude": entries(listed), "include": entries(VALUES)}


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _expected(experiment: dict[str, Any]) -> tuple[set[tuple[Any, ...]], list[bool]]:
    """Give the combinations that are run, and for each included entry whether it adds any."""
    runs = {
        combination
        for combination in itertools.product(*(experiment[f"{key}s"] for key in KEYS))
        if not any(
            all(dict(zip(KEYS, combination, strict=True))[key] in _as_list(wanted)
                for key, wanted in entry.items())
            for entry in experiment["exclude"]
        )
    }  # fmt: skip
    adds = []
    for entry in experiment["include"]:
        choices = [_as_list(entry.get(key, experiment[f"{key}s"])) for key in KEYS]
        new = set(itertools.product(*choices)) - runs
        adds.append(bool(new))
        runs |= new
    return runs, adds


@given(_experiments())
def test_the_runs_are_the_product_less_what_is_excluded_plus_what_is_included(
    experiment: dict[str, Any],
) -> None:
    settings = ExperimentSettings.model_validate(experiment)
    expected, adds = _expected(experiment)
    found = [tuple(getattr(run, key) for key in KEYS) for run in settings.design.runs]
    assert set(found) == expected
    assert len(set(found)) == len(found)
    problems = [*settings.find_problems(settings.models, NORMALIZATIONS)]
    number_of_problems = adds.count(False) + (not expected)
    assert len(problems) == number_of_problems


@given(_experiments())
def test_the_order_is_that_of_the_lists_with_new_values_last(experiment: dict[str, Any]) -> None:
    design = ExperimentSettings.model_validate(experiment).design
    assume(design.runs)
    orders = []
    for key in KEYS:
        mentioned = [*experiment[f"{key}s"]]
        for entry in experiment["include"]:
            mentioned += _as_list(entry.get(key, []))
        orders.append(list(dict.fromkeys(mentioned)))
    planned = set(design.runs)
    assert list(design.runs) == [
        run for run in itertools.starmap(Run, itertools.product(*orders)) if run in planned
    ]
    for key, order in zip(KEYS, orders, strict=True):
        used = {getattr(run, key) for run in design.runs}
        assert list(getattr(design, f"{key}s")) == [value for value in order if value in used]


@given(_experiments())
def test_each_arm_knows_its_seeds(experiment: dict[str, Any]) -> None:
    design = ExperimentSettings.model_validate(experiment).design
    again = [Run(*arm, seed) for arm, seeds in design.arms.items() for seed in seeds]
    assert tuple(again) == design.runs
    for arm in itertools.product(*(VALUES[key] for key in KEYS[:3])):
        assert design.has_runs(*arm) == (arm in design.arms)


# Examples


def test_without_entries_every_combination_is_run(changed: Changed) -> None:
    assert _ids(load_config(changed(SMALL))) == [
        f"{model}/{start}/{arm}/seed{seed}"
        for model in ("vgg16", "mobilenet_v2")
        for start in ("pretrained", "scratch")
        for arm in ("unit", "imagenet")
        for seed in (0, 1)
    ]


def test_an_arm_can_have_fewer_seeds(changed: Changed) -> None:
    config = load_config(
        changed(SMALL | {"experiment.exclude": [{"normalization": "imagenet", "seed": 1}]})
    )
    assert {arm[2]: seeds for arm, seeds in config.design.arms.items()} == {
        "unit": (0, 1),
        "imagenet": (0,),
    }
    assert len(config.design.runs) == 12


def test_a_start_and_its_seeds_can_be_of_one_model_only(changed: Changed) -> None:
    only = {"model": "vgg16", "start": "scratch_head", "normalization": "unit", "seed": [5, 1]}
    config = load_config(changed(SMALL | {"experiment.include": [only]}))
    assert config.design.starts == ("pretrained", "scratch", "scratch_head")
    assert config.design.seeds == (0, 1, 5)
    head = [run.id for run in config.runs() if run.start == "scratch_head"]
    assert head == ["vgg16/scratch_head/unit/seed1", "vgg16/scratch_head/unit/seed5"]


def test_included_runs_stand_beside_those_of_their_model_and_arm(changed: Changed) -> None:
    config = load_config(changed(SMALL | {"experiment.include": [{"model": "vgg16", "seed": 2}]}))
    ids = _ids(config)
    place = ids.index("vgg16/pretrained/unit/seed2")
    assert ids[place - 1 : place + 2] == [
        "vgg16/pretrained/unit/seed1",
        "vgg16/pretrained/unit/seed2",
        "vgg16/pretrained/imagenet/seed0",
    ]


def test_what_is_excluded_can_be_included_again(changed: Changed) -> None:
    config = load_config(
        changed(
            SMALL
            | {
                "experiment.exclude": [{"model": "vgg16"}],
                "experiment.include": [{"model": "vgg16", "start": "scratch", "seed": 0}],
            }
        )
    )
    assert [run.id for run in config.runs() if run.model == "vgg16"] == [
        "vgg16/scratch/unit/seed0",
        "vgg16/scratch/imagenet/seed0",
    ]


def test_a_model_without_runs_is_not_part_of_the_experiment(changed: Changed) -> None:
    without = {"experiment.exclude": [{"model": "vgg16"}], "models.vgg16.pretraining": None}
    config = load_config(changed(SMALL | without))
    assert config.design.models == ("mobilenet_v2",)
    assert config.judge_settings().models == ("mobilenet_v2",)
    assert list(config.judge_settings().layers) == ["mobilenet_v2"]


def test_weights_are_pretrained_only_for_models_that_begin_with_them(changed: Changed) -> None:
    only = {"experiment.exclude": [{"model": "vgg16", "start": "pretrained"}]}
    config = load_config(changed(SMALL | only | {"models.vgg16.pretraining": None}))
    assert config.is_pretrained_here
    assert not config.pretrains_here("vgg16")
    assert config.pretrains_here("mobilenet_v2")


def test_an_included_start_can_be_the_only_pretrained_one(changed: Changed) -> None:
    included = {
        "experiment.starts": ["scratch"],
        "experiment.include": [{"model": "mobilenet_v2", "start": "pretrained"}],
        "models.vgg16.pretraining": None,
    }
    config = load_config(changed(SMALL | included))
    assert set(config.data_sets()) == {"target", "pretraining"}
    missing = included | {"models.mobilenet_v2.pretraining": None}
    assert _line(changed(SMALL | missing)).startswith("models.mobilenet_v2.pretraining is missing")


def test_a_run_has_the_same_settings_whatever_else_is_planned(changed: Changed) -> None:
    run = Run("vgg16", "scratch", "unit", 0)
    before = load_config(changed(SMALL)).run_settings(run)
    for design in (
        {"experiment.exclude": [{"model": "mobilenet_v2", "seed": 1}]},
        {"experiment.include": [{"normalization": "raw", "seed": 0}]},
        {
            "experiment.exclude": [{"seed": 0}],
            "experiment.include": [{"model": "vgg16", "seed": 0}],
        },
    ):
        assert load_config(changed(SMALL | design)).run_settings(run) == before


def test_the_judge_knows_the_seeds_of_every_arm(changed: Changed) -> None:
    design = {
        "experiment.exclude": [{"model": "vgg16", "start": "pretrained"}],
        "experiment.include": [{"model": "vgg16", "start": "scratch_head", "seed": 9}],
        "experiment.normalizations": ["unit"],
    }
    settings = load_config(changed(SMALL | design)).judge_settings()
    assert [(arm.model, arm.start, arm.normalization, arm.seeds) for arm in settings.planned] == [
        ("vgg16", "scratch", "unit", (0, 1)),
        ("vgg16", "scratch_head", "unit", (9,)),
        ("mobilenet_v2", "pretrained", "unit", (0, 1)),
        ("mobilenet_v2", "scratch", "unit", (0, 1)),
    ]


def test_a_design_survives_the_way_to_another_process(changed: Changed) -> None:
    design = {
        "experiment.exclude": [{"seed": 1, "normalization": ["unit"]}],
        "experiment.include": [{"seed": [3, 4], "model": "vgg16"}],
    }
    config = load_config(changed(SMALL | design))
    again = load_config(json.loads(json.dumps(config.model_dump(mode="json"))))
    assert again == config
    assert _ids(again) == _ids(config)


def test_the_schema_takes_one_value_or_a_list(changed: Changed) -> None:
    validator = jsonschema.Draft202012Validator(schema())

    def is_valid(entry: Any) -> bool:
        return bool(validator.is_valid(changed({"experiment.exclude": [entry]})))

    assert all(map(is_valid, [{"seed": 1}, {"seed": [0, 1]}, {"model": "vgg16", "start": None}]))
    assert not any(map(is_valid, [{"seed": []}, {"seed": "x"}, {"sede": 1}, {"start": "scrach"}]))


def test_an_exclusion_may_be_wider_than_the_lists(changed: Changed) -> None:
    wide = [{"normalization": ["raw", "placebo"], "seed": [1, 9]}, {"start": "scratch_head"}]
    lists = {"experiment.normalizations": ["raw", "unit"], "experiment.seeds": [0, 1]}
    design = load_config(changed(lists | {"experiment.exclude": wide})).design
    assert ("vgg16", "scratch", "raw") in design.arms
    assert design.arms["vgg16", "scratch", "raw"] == (0,)
    assert design.arms["vgg16", "scratch", "unit"] == (0, 1)


# Mistakes

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "an unknown key": (
        {"experiment.exclude": [{"sede": 0}]},
        "experiment.exclude.0.sede: unknown key. Did you mean 'seed'? "
        "Known: model, normalization, seed, start.",
    ),
    "an unknown start": (
        {"experiment.exclude": [{"seed": 0}, {"start": "scrach"}]},
        "experiment.exclude.1.start: expected 'scratch', 'scratch_uniform', 'scratch_laplace', "
        "'scratch_head', 'pretrained' or 'pretrained_head', found \"scrach\". "
        "Did you mean 'scratch'?",
    ),
    "an unknown start in a list": (
        {"experiment.include": [{"start": ["scratch", "pretraind"]}]},
        "experiment.include.0.start.1: expected 'scratch', 'scratch_uniform', 'scratch_laplace', "
        "'scratch_head', 'pretrained' or 'pretrained_head', found \"pretraind\". "
        "Did you mean 'pretrained'?",
    ),
    "an unknown normalization that is excluded": (
        {"experiment.exclude": [{"normalization": ["unit", "imagenett"]}]},
        "experiment.exclude.0.normalization: unknown normalization 'imagenett'. "
        "Did you mean 'imagenet'?",
    ),
    "an unknown model": (
        {"experiment.exclude": [{"model": "vgg61"}]},
        "experiment.exclude.0.model: unknown model 'vgg61'. Did you mean 'vgg16'?",
    ),
    "a seed that is no number": (
        {"experiment.include": [{"seed": "one"}]},
        "experiment.include.0.seed: expected a valid integer, unable to parse string as an "
        'integer, found "one".',
    ),
    "a seed that is yes": (
        {"experiment.include": [{"seed": True}]},
        "experiment.include.0.seed: expected a number or a text, not yes/no, found true.",
    ),
    "an empty list": (
        {"experiment.include": [{"seed": []}]},
        'experiment.include.0.seed: expected a list of at least 1 item, found "[]".',
    ),
    "an entry without keys": (
        {"experiment.exclude": [{}]},
        "experiment.exclude.0: expected at least one of model, start, normalization, seed, "
        "found none",
    ),
    "an entry that is no mapping": (
        {"experiment.exclude": ["vgg16"]},
        'experiment.exclude.0: expected keys and values, found "vgg16".',
    ),
    "no list of entries": (
        {"experiment.exclude": {"model": "vgg16"}},
        "experiment.exclude: expected a list, found \"{'model': 'vgg16'}\".",
    ),
    "nothing left": (
        {"experiment.exclude": [{"seed": 0}, {"seed": 1}]},
        "experiment.exclude: excludes every combination, expected at least one run",
    ),
    "nothing new": (
        {"experiment.include": [{"seed": 5}, {"model": "vgg16", "seed": [0, 5]}]},
        "experiment.include.1: adds nothing, because the experiment already has all of its "
        "combinations. Remove the entry or change a value.",
    ),
    "an unknown normalization": (
        {"experiment.include": [{"normalization": "imagnet"}]},
        "experiment.include.0.normalization: unknown normalization 'imagnet'. Did you mean "
        "'imagenet'? ",
    ),
    "a model without an entry": (
        {"experiment.include": [{"model": "vgg61", "seed": 0}]},
        "experiment.include.0.model names 'vgg61', but models has no such entry. Did you mean "
        "'vgg16'? Known: mobilenet_v2, vgg16.",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_that_begins_with_its_key(changed: Changed, mistake: str) -> None:
    change, expected = MISTAKES[mistake]
    assert _line(changed(SMALL | change)).startswith(expected)
