"""Judged claims as parts of results.json."""

from __future__ import annotations

import json
import math

import pytest

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.report.claim_results import claim_result
from tests.claims.studies import LAYERS, study

# Claims about the pipelines, which no run can fail, and one that needs tuned learning rates.
WITHOUT_RUNS = {"C0", "H3", "H6"}
# Claims that need networks trained by SGD, which the study lacks.
ABOUT_OPTIMIZERS = {"P3", "P4", "P5"}


@pytest.fixture(scope="module")
def judged():
    whole = study(
        layers=LAYERS | {"vgg16_bn": ("features.0",)},
        starts=("pretrained", "scratch", "scratch_uniform"),
        kurtosis=(-1.2, -0.3),
    )
    return {one.claim.id: (one, claim_result(one)) for one in judge_all(CLAIMS, whole)}


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS])
def test_a_judged_claim_is_json_without_nan(judged, claim):
    one, part = judged[claim]
    described = part.model_dump(mode="json")
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["verdict"] == one.judgement.verdict
    assert sum(described["counts"].values()) == len(one.judgement.cases)
    assert described["pilot"] == (claim not in WITHOUT_RUNS | ABOUT_OPTIMIZERS)
    effects = [case["effect"]["mean"] for case in described["cases"] if case["effect"]]
    if claim not in {"H6"} | ABOUT_OPTIMIZERS:
        assert described["least_favourable"]["effect"]["mean"] in effects
        assert described["most_favourable"]["effect"]["mean"] in effects


def test_a_statistic_that_is_not_defined_gives_no_number():
    whole = study()
    whole.products.rows["product"] = math.nan
    (one,) = judge_all([claim for claim in CLAIMS if claim.id == "F1"], whole)
    part = claim_result(one)
    assert (part.least_favourable, part.most_favourable, part.p) == (None, None, None)
    assert part.cases
    for case in part.cases:
        assert (case.effect, case.values, case.p) == (None, [], None)


def test_a_place_names_what_is_compared_in_lists_and_in_columns(judged):
    places = {claim: part.cases[0].place for claim, (_, part) in judged.items() if part.cases}
    assert places["F4"].contrast.arms == ["unit", "imagenet"]
    assert places["F7"].models == ["vgg16", "mobilenet_v2"]
    assert places["P6"].starts == ["scratch", "pretrained"]
    assert places["F7"].columns() == {
        "model": "vgg16 - mobilenet_v2",
        "start": "pretrained",
        "layer": "features.0 - features.0.0",
        "contrast": "unit + imagenet",
    }
    assert places["F11"].columns() == {
        "model": "vgg16 - mobilenet_v2",
        "start": "pretrained",
        "layer": "features.0 - features.0.0",
        "contrast": "F1: unit - imagenet",
    }


def test_cases_are_counted_for_the_model_that_they_are_about(judged):
    assert set(judged["F1"][1].by_model) == {"vgg16", "mobilenet_v2", "vgg16_bn"}
    assert sum(judged["F1"][1].by_model["vgg16_bn"].counts.values()) == 1
    assert judged["F1"][1].by_model["vgg16_bn"].verdict == "SUPPORTED"
    assert judged["F7"][1].by_model == {}


def test_a_case_about_whole_networks_has_its_layers_and_their_averages(judged):
    case = judged["F2"][1].cases[0]
    assert [part.label for part in case.layers] == list(LAYERS["vgg16"])
    assert [part.label for part in case.averages] == ["mean", "median"]
    assert case.layers[0].weights == 2000


def test_comparisons_with_raw_inputs_stand_beside_the_cases(judged):
    for claim in ("F1", "F4", "F6"):
        part = judged[claim][1]
        assert {tuple(case.place.contrast.arms) for case in part.cases} == {("unit", "imagenet")}
        assert {tuple(case.place.contrast.arms) for case in part.beyond} == {("raw", "unit")}
