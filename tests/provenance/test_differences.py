"""How far apart records and tables are, and what explains it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from normreport.provenance.differences import (
    Change,
    Comparison,
    compare_records,
    find_changes,
    largest_difference,
    relative_difference,
)
from normreport.provenance.record import FLOW, Record
from tests.reports import FIGURES, RUNS, write_report

Values = dict[str, Any]


def compared(old: Values, new: Values) -> Comparison:
    """Compare two records, given as JSON."""
    return compare_records(Record.model_validate(old), Record.model_validate(new))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, default_values: Values) -> Values:
    folder = tmp_path_factory.mktemp("results")
    write_report(folder, default_values)
    found: Values = json.loads((folder / "report/provenance.json").read_text())
    return found


@pytest.fixture
def edited(whole: Values) -> Callable[[dict[tuple[str | int, ...], Any]], Values]:
    """Make the record with other values, each named by its keys."""

    def edit(values: dict[tuple[str | int, ...], Any]) -> Values:
        record = deepcopy(whole)
        for (*parents, key), value in values.items():
            part: Any = record
            for parent in parents:
                part = part[parent]
            part[key] = value
        return record

    return edit


# Values and tables


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [(1, 1, 0.0), (1, 2, 0.5), (-1, 1, 2.0), (0, 0.5, 1.0), (0, 0, 0.0), (1, "1", None),
     (True, 1, None), (None, 1.0, None)],
)  # fmt: skip
def test_the_relative_difference_is_that_to_the_larger(
    old: Any, new: Any, expected: float | None
) -> None:
    assert relative_difference(old, new) == expected


def test_the_largest_of_what_is_no_number_is_infinite() -> None:
    assert largest_difference([]) == 0
    assert largest_difference([0.25, 0.5]) == 0.5
    assert largest_difference([0.25, None]) == math.inf


def test_changes_are_named_by_keys_and_ids() -> None:
    old = {"a": {"b": 1, "c": [1, 2]}, "runs": [{"id": "x", "loss": 1}, {"id": "y", "loss": 2}]}
    new = {
        "a": {"b": 1, "c": [1]},
        "runs": [{"id": "y", "loss": 3}, {"id": "x", "loss": 1}],
        "d": 0,
    }
    assert list(find_changes(old, new)) == [
        Change("a.c", [1, 2], [1]),
        Change("runs.y.loss", 2, 3),
        Change("d", None, 0),
    ]


# Records


def test_a_record_does_not_differ_from_itself(whole: Values) -> None:
    found = compared(whole, deepcopy(whole))
    assert not found
    assert found.causes == found.numbers == ()


def test_other_processors_are_a_cause(whole: Values, edited: Any) -> None:
    one, other = ({"device": "cpu", "processor": name} for name in ("one", "other"))
    (cause,) = compared(
        edited({("trained_with",): [one]}), edited({("trained_with",): [one, other]})
    ).causes
    assert (str(cause), cause.stage) == ("machine processor", "train_run")
    assert (cause.old, cause.new) == ("one", "one and other")


def test_another_commit_alone_is_no_difference(whole: Values, edited: Any) -> None:
    assert not compared(whole, edited({("revision", "commit"): "f" * 40}))


@pytest.mark.parametrize(
    ("keys", "value", "name", "stage"),
    [
        (("config", "training", "epochs"), 7, "config training.epochs", "pretrain_model"),
        (
            ("config", "models", "vgg16", "learning_rate"), 0.5,
            "config models.vgg16.learning_rate", "train_run",
        ),
        (
            ("config", "models", "vgg16", "pretraining", "epochs"), 7,
            "config models.vgg16.pretraining.epochs", "pretrain_model",
        ),
        (("config", "experiment", "seeds"), [0], "config experiment.seeds", "compare_arms"),
        (("config", "report", "title"), "T", "config report.title", "render_html"),
        (("config", "report", "density_epoch"), 3, "config report.density_epoch", "draw_figure"),
        (("data", "target", "train_images"), "f", "data target.train_images", "prepare_data"),
        (("pretrained", "vgg16", "weights"), "f", "pretrained vgg16.weights", "pretrain_model"),
        (("code", "judge_claims"), "f", "code judge_claims", "judge_claims"),
        (("templates",), "f", "templates", "render_html"),
        (("versions", "scipy"), "0.1", "version scipy", "measure_weights"),
        (("versions", "python"), "3.99", "version python", "prepare_data"),
    ],
)  # fmt: skip
def test_an_input_that_differs_is_named_with_both_values(
    whole: Values, edited: Any, keys: tuple[str, ...], value: Any, name: str, stage: str
) -> None:
    (cause,) = compared(whole, edited({keys: value})).causes
    assert (str(cause), cause.new, cause.stage) == (name, value, stage)
    part: Any = whole
    for key in keys:
        part = part[key]
    assert cause.old == part


def test_candidates_for_a_learning_rate_enter_the_sweep(edited: Any) -> None:
    key = ("config", "models", "vgg16", "learning_rate")
    old, new = (
        edited({key: {"candidates": candidates, "seeds": [7]}})
        for candidates in ([0.1, 1.0], [0.1, 0.5])
    )
    (cause,) = compared(old, new).causes
    name = "config models.vgg16.learning_rate.candidates"
    assert (str(cause), cause.new, cause.stage) == (name, [0.1, 0.5], "tune_rate")


def test_every_key_of_the_configuration_enters_some_stage(whole: Values, edited: Any) -> None:
    nothing = edited({("config", key): None for key in whole["config"]})
    found = compared(whole, nothing).causes
    assert {cause.stage for cause in found} <= set(FLOW)
    assert {cause.name for cause in found} == set(whole["config"])


def test_a_run_is_explained_by_what_enters_before_it_and_belongs_to_its_model(
    whole: Values, edited: Any
) -> None:
    new = edited({
        ("runs", 0, "final_weights"): "f",
        ("config", "models", "vgg16", "learning_rate"): 0.5,
        ("config", "models", "mobilenet_v2", "learning_rate"): 0.5,
        ("code", "judge_claims"): "f",
    })  # fmt: skip
    (run,) = compared(whole, new).runs
    assert (run.name, run.what) == (RUNS[0], "final weights")
    assert run.because == ("config models.vgg16.learning_rate",)


def test_a_run_is_explained_by_the_code_of_its_arm(whole: Values, edited: Any) -> None:
    values = {("runs", 0, "final_weights"): "f", ("runs", 0, "code"): "f"}
    (run,) = compared(whole, edited(values)).runs
    assert run.because == ("its arm's code",)
    (run,) = compared(whole, edited(values | {("code", "train_run"): "f"})).runs
    assert run.because == ("code train_run",)


def test_a_run_from_scratch_is_not_explained_by_pretraining(whole: Values, edited: Any) -> None:
    values = {
        ("config", "data", "pretraining", "seed"): 7,
        ("config", "models", "vgg16", "pretraining", "epochs"): 7,
        ("data", "target", "train_images"): "f",
        ("pretrained", "vgg16", "weights"): "f",
        ("pretrained", "vgg16", "code"): "f",
        ("code", "pretrain_model"): "f",
    }
    new = edited({("runs", 0, "final_weights"): "f"} | values)
    (run,) = compared(whole, new).runs
    assert run.because == ("data target.train_images",)
    old = deepcopy(whole)
    for side in (old, new):
        name = RUNS[0].replace("scratch", "pretrained")
        side["runs"] = [side["runs"][0] | {"id": name, "start": "pretrained"}]
    (pretrained,) = compared(old, new).runs
    assert len(pretrained.because) == len(values)


def test_a_run_more_is_explained_by_the_experiment(whole: Values, edited: Any) -> None:
    new = edited({("config", "experiment", "seeds"): [0, 1, 2, 3]})
    new["runs"].append(new["runs"][0] | {"id": "vgg16/scratch/unit/seed3", "seed": 3})
    (run,) = compared(whole, new).runs
    assert (run.name, run.what) == ("vgg16/scratch/unit/seed3", "added")
    assert run.because == ("config experiment.seeds",)
    (gone,) = compared(new, whole).runs
    assert gone.what == "removed"


def test_a_verdict_is_explained_by_training_only_where_a_run_differs(
    whole: Values, edited: Any
) -> None:
    before = whole["claims"]["F2"]["verdict"]
    values = {
        ("claims", "F2", "verdict"): "OTHER",
        ("code", "train_run"): "f",
        ("code", "judge_claims"): "f",
        ("code", "draw_figure"): "f",
    }
    (verdict,) = compared(whole, edited(values)).verdicts
    assert verdict.what == f"{before} → OTHER"
    assert verdict.because == ("code judge_claims",)
    values[("runs", 0, "final_weights")] = "f"
    (verdict,) = compared(whole, edited(values)).verdicts
    assert verdict.because == ("code train_run", "code judge_claims")


@pytest.mark.parametrize(
    ("values", "what", "because"),
    [
        (
            {("files", f"figures/{FIGURES[0]}.svg"): "f", ("figures", FIGURES[0], "code"): "f"},
            "drawing", ("its code",),
        ),
        (
            {
                ("files", f"report/data/{FIGURES[0]}.csv"): "f",
                ("figures", FIGURES[0], "inputs"): "f",
                ("code", "measure_weights"): "f", ("code", "judge_claims"): "f",
            },
            "data", ("code measure_weights",),
        ),
        (
            {("figures", FIGURES[0], "caption"): "f", ("versions", "matplotlib"): "9"},
            "caption", ("version matplotlib",),
        ),
    ],
)  # fmt: skip
def test_a_figure_is_explained_by_what_it_was_made_from(
    whole: Values, edited: Any, values: Any, what: str, because: tuple[str, ...]
) -> None:
    (figure,) = compared(whole, edited(values)).figures
    assert (figure.name, figure.what, figure.because) == (FIGURES[0], what, because)


def test_numbers_of_claims_headline_and_runs_have_both_values(whole: Values, edited: Any) -> None:
    name, case = next(iter(whole["claims"]["F1"]["cases"].items()))
    new = edited({
        ("claims", "F1", "cases", name, "mean"): 2 * case["mean"],
        ("headline", "layers", 0, "std_last"): None,
        ("runs", 1, "train_loss"): 0.5,
    })  # fmt: skip
    effect, std, loss = compared(whole, new).numbers
    assert effect == Change(f"claims.F1.cases.{name}.mean", case["mean"], 2 * case["mean"])
    assert effect.relative == 0.5
    assert (std.name, std.new, std.relative) == ("headline.layers.0.std_last", None, None)
    assert (loss.name, loss.old, loss.new) == (f"runs.{RUNS[1]}.train_loss", 0.25, 0.5)
