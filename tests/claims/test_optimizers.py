"""P3, P4 and P5 on studies with two optimizers and with weight decay."""

from __future__ import annotations

import math

import numpy as np
import pytest

from normreport.claims.judging import judge_claim
from normreport.claims.registry import CLAIMS
from normreport.statistics.verdict import Verdict
from tests.claims.studies import EPOCHS, LAYERS, replace_tables, study, with_failed_run

BY_ID = {claim.id: claim for claim in CLAIMS}
TWO = {"vgg16": LAYERS["vgg16"], "vgg16_sgd": LAYERS["vgg16"]}
BUILT_AS = {"vgg16_sgd": "vgg16"}
SGD = {"vgg16_sgd": {"name": "sgd"}}
# 40 images in batches of 10 for two epochs at a learning rate of 0.01.
NARROWING = 0.5 * 0.01 * 4 * EPOCHS
DECAY = {
    "vgg16": {"name": "sgd"},
    "vgg16_sgd": {"name": "sgd", "weight_decay": 0.5},
}


def with_sgd(**changes):
    return study(layers=TWO, built_as=BUILT_AS, **{"optimizers": SGD, **changes})


def judge(claim, whole):
    return judge_claim(BY_ID[claim], whole)


@pytest.mark.parametrize(("factor", "expected"), [(2.0, Verdict.SUPPORTED), (1.0, Verdict.REFUTED)])
def test_larger_inputs_move_the_first_layer_farther_in_the_first_epoch(factor, expected):
    whole = with_sgd()
    table = whole.layers.rows
    early = (table["epoch"] == 1) & (table["normalization"] == "imagenet")
    table.loc[early, "displacement"] *= factor
    judgement = judge("P3", whole)
    assert judgement.verdict is expected
    for case in judgement.cases:
        assert case.place.models == ("vgg16_sgd",)
        assert case.place.layers == ("features.0",)
        assert case.place.contrast.label == "imagenet / unit"
        assert case.effect.mean == pytest.approx(math.log(factor), abs=0.02)


def test_the_larger_inputs_are_those_of_the_larger_first_batch():
    whole = with_sgd()
    runs = whole.runs.rows
    runs.loc[runs["normalization"] == "unit", "input_mean"] = 5.0
    assert judge("P3", whole).cases[0].place.contrast.label == "unit / imagenet"


def test_raw_runs_that_diverged_are_counted_beside_the_verdict():
    whole = with_failed_run(
        with_sgd(), gate="finite", model="vgg16_sgd", start="scratch", normalization="raw", seed=1
    )
    flags = judge("P3", whole).flags
    assert flags == ("with raw inputs 1 of 6 runs trained by SGD diverged",)


def test_arms_that_lie_apart_with_sgd_only_differ_less_with_adam():
    whole = with_sgd(apart={"pretrained": 0.1, "scratch": 0.1})
    assert judge("P4", whole).verdict is Verdict.REFUTED

    def shrink_adam(table):
        return table.assign(
            product=table["product"].where(table["model"] != "vgg16", 0.01 * table["product"])
        )

    judgement = judge("P4", replace_tables(whole, products=shrink_adam))
    assert judgement.verdict is Verdict.SUPPORTED
    for case in judgement.cases:
        assert case.place.models == ("vgg16_sgd", "vgg16")
        assert case.effect.mean == pytest.approx(0.01 - 0.0001, rel=0.1)


@pytest.mark.parametrize(
    ("narrowed", "expected"),
    [(NARROWING, Verdict.SUPPORTED), (0.0, Verdict.REFUTED), (3 * NARROWING, Verdict.REFUTED)],
)
def test_weight_decay_narrows_by_the_rate_times_the_decay_times_the_steps(narrowed, expected):
    whole = with_sgd(optimizers=DECAY)
    table = whole.layers.rows
    last = (table["epoch"] == EPOCHS) & (table["model"] == "vgg16_sgd")
    table.loc[last, "std"] *= np.exp(-narrowed)
    judgement = judge("P5", whole)
    assert judgement.verdict is expected
    for case in judgement.cases:
        assert case.effect.mean == pytest.approx(NARROWING - narrowed, abs=1e-3)
        assert [part.label for part in case.layers] == list(LAYERS["vgg16"])


def test_optimizers_are_compared_at_equal_weight_decay():
    decayed = {**SGD, "decayed": {"name": "sgd", "weight_decay": 0.5}}
    layers = {**TWO, "decayed": LAYERS["vgg16"]}
    whole = study(layers=layers, built_as={**BUILT_AS, "decayed": "vgg16"}, optimizers=decayed)
    assert {case.place.models for case in judge("P4", whole).cases} == {("vgg16_sgd", "vgg16")}
    assert {case.place.models for case in judge("P5", whole).cases} == {("decayed", "vgg16_sgd")}


def test_models_with_another_optimizer_than_the_shared_one_count():
    assert judge("P4", with_sgd(variants=("vgg16_sgd",))) == judge("P4", with_sgd())


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("P3", "no network without batch normalization trained by SGD"),
        ("P4", "no network trained by both SGD and Adam"),
        ("P5", "both with and without weight decay"),
    ],
)
def test_a_prediction_names_what_the_experiment_lacks(claim, reason):
    judgement = judge(claim, study())
    assert judgement.verdict is Verdict.NOT_EVALUABLE
    assert reason in judgement.reason


def test_a_failed_run_leaves_its_case_open():
    for claim, optimizers in (("P3", SGD), ("P4", SGD), ("P5", DECAY)):
        whole = with_failed_run(
            with_sgd(optimizers=optimizers), gate="learned", model="vgg16_sgd", start="scratch",
            normalization="unit", seed=1,
        )  # fmt: skip
        silent = [
            case for case in judge(claim, whole).cases if case.verdict is Verdict.NOT_EVALUABLE
        ]
        assert silent
        for case in silent:
            assert case.place.starts == ("scratch",)
            assert "vgg16_sgd/scratch/unit/seed1 (has not learned)" in case.reason
