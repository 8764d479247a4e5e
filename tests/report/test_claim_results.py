"""Judged claims as parts of results.json."""

from __future__ import annotations

import json
import math

import pytest

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.report.claim_results import claim_result
from tests.claims.studies import LAYERS, study

# Claims about the pipelines, which no run can fail, and one that is never judged.
WITHOUT_RUNS = {"C0", "H3", "H6"}


@pytest.fixture(scope="module")
def judged():
    whole = study(
        layers=LAYERS | {"vgg16_bn": ("features.0",)},
        starts=("pretrained", "scratch", "scratch_uniform"),
        kurtosis=(-1.2, -0.3),
    )
    return {one.claim.id: (one, claim_result(one, whole)) for one in judge_all(CLAIMS, whole)}


@pytest.mark.parametrize("claim", [claim.id for claim in CLAIMS])
def test_a_judged_claim_is_json_without_nan(judged, claim):
    one, part = judged[claim]
    described = part.model_dump(mode="json")
    assert json.loads(json.dumps(described, allow_nan=False)) == described
    assert described["verdict"] == one.judgement.verdict
    assert sum(described["counts"].values()) == len(one.judgement.cases)
    assert described["pilot"] == (claim not in WITHOUT_RUNS)
    effects = [case["effect"]["mean"] for case in described["cases"] if case["effect"]]
    if claim != "H6":
        assert described["least_favourable"]["effect"]["mean"] in effects
        assert described["most_favourable"]["effect"]["mean"] in effects


def test_a_statistic_that_is_not_defined_gives_no_number():
    whole = study()
    whole.distances.rows["w1_over_sigma0"] = math.nan
    (one,) = judge_all([claim for claim in CLAIMS if claim.id == "F1"], whole)
    part = claim_result(one, whole)
    assert (part.least_favourable, part.most_favourable, part.p) == (None, None, None)
    assert part.cases
    for case in part.cases:
        assert (case.effect, case.values, case.p) == (None, [], None)


def test_a_place_names_what_is_compared_in_lists_and_in_columns(judged):
    places = {claim: part.cases[0].place for claim, (_, part) in judged.items() if part.cases}
    assert places["F4"].contrast.arms == ["raw", "unit"]
    assert places["F7"].models == ["vgg16", "mobilenet_v2"]
    assert places["P6"].starts == ["scratch", "pretrained"]
    assert places["F7"].columns() == {
        "model": "vgg16 - mobilenet_v2",
        "start": "pretrained",
        "layer": "features.0 - features.0.0",
        "contrast": "raw",
    }
    assert list(places["F11"].columns().values()) == [
        "vgg16 - mobilenet_v2 - vgg16_bn",
        "",
        "",
        "F1",
    ]


def test_cases_are_counted_for_the_model_that_they_are_about(judged):
    assert set(judged["F1"][1].by_model) == {"vgg16", "mobilenet_v2", "vgg16_bn"}
    assert sum(judged["F1"][1].by_model["vgg16_bn"].values()) == 3
    assert judged["F7"][1].by_model == {}
