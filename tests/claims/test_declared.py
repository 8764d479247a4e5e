"""Claims of the configuration are judged like those of the article."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from normreport.claims.claim import Judgement
from normreport.claims.declared import declared_claim
from normreport.claims.judging import judge_all, judge_claim
from normreport.claims.registry import CLAIMS
from normreport.claims.shifts import SAMENESS, SEPARATION
from normreport.claims.study import Study
from normreport.config.claims import STATISTICS, ClaimSettings, ClaimsSettings
from normreport.errors import ConfigError
from normreport.report.axes import in_margins
from normreport.report.chosen_claims import chosen_claims
from normreport.report.claim_results import claim_result
from normreport.statistics.verdict import Verdict
from tests.claims.studies import study, with_failed_run

BUILT_IN = {claim.id: claim for claim in CLAIMS}


def claimed(**values: Any) -> ClaimSettings:
    shared = {"id": "D1", "statement": "It is so.", "expect": "above", "margin": "5%"}
    return ClaimSettings.model_validate(shared | values)


def judged(whole: Study, **values: Any) -> Judgement:
    return judge_claim(declared_claim(claimed(**values)), whole)


@pytest.fixture(scope="module")
def whole() -> Study:
    made: Study = study(noise=0.01)
    return made


@pytest.mark.parametrize(
    ("built_in", "values"),
    [
        ("H4", {"statistic": "std", "contrast": "unit / imagenet"}),
        ("F4b", {"statistic": "std", "contrast": "imagenet / unit", "starts": ["scratch"]}),
        ("F1", {"statistic": "shift", "contrast": "unit - imagenet", "starts": ["pretrained"],
                "expect": "below", "margin": "0.02 sigma"}),
        ("F4", {"statistic": "shift", "contrast": "unit - imagenet", "starts": ["scratch"],
                "margin": "4%"}),
    ],
)  # fmt: skip
def test_a_claim_of_the_article_can_be_declared_with_the_same_outcome(
    whole: Study, built_in: str, values: dict[str, Any]
) -> None:
    expected, found = judge_claim(BUILT_IN[built_in], whole), judged(whole, **values)
    assert found.verdict == expected.verdict
    assert [case.place.layers for case in found.cases if case.place] == [
        case.place.layers for case in expected.cases if case.place
    ]
    for ours, theirs in zip(found.cases, expected.cases, strict=True):
        assert ours.effect is not None
        assert theirs.effect is not None
        assert ours.effect.mean == pytest.approx(theirs.effect.mean, rel=1e-12)
        assert ours.p == theirs.p or ours.p is not None
        assert ours.verdict == theirs.verdict


@pytest.mark.parametrize("statistic", STATISTICS)
def test_each_statistic_is_compared_between_two_arms(whole: Study, statistic: str) -> None:
    contrast = "unit - imagenet"
    margins = {"number": "0.1", "share": "1 point", "shift": "5%", "size": "100%"}
    margin = margins[STATISTICS[statistic].unit]
    outcome = judged(whole, statistic=statistic, contrast=contrast, margin=margin)
    assert outcome.verdict != Verdict.NOT_EVALUABLE


def test_a_difference_of_runs_is_paired_by_seed(whole: Study) -> None:
    found = judged(
        whole, statistic="heldout_accuracy", contrast="imagenet - unit", margin="1 point"
    )
    case = found.cases[0]
    assert case.place is not None
    assert case.place.layers == ()
    runs = whole.runs.at(model=case.place.models[0], start=case.place.starts[0])
    table = runs.pivot(index="seed", columns="normalization", values="heldout_accuracy")
    assert case.values == pytest.approx(list(table["imagenet"] - table["unit"]))


def test_an_arm_can_be_compared_with_itself_before_the_first_step(whole: Study) -> None:
    found = judged(whole, statistic="std", contrast="unit / unit@0", starts=["scratch"])
    case = found.cases[0]
    assert case.place is not None
    (model,), (layer,) = case.place.models, case.place.layers
    runs = whole.measures.at(model=model, start="scratch", layer=layer, normalization="unit")
    first, last = (
        runs[runs["epoch"] == epoch].set_index("seed")["std"]
        for epoch in (0, whole.settings.epochs)
    )
    assert case.values == pytest.approx(list(np.log(last / first)))


def test_measured_layers_beside_the_kept_ones_can_be_judged(whole: Study) -> None:
    fewer = whole.settings.model_copy(update={"layers": {"vgg16": ("features.10",)}})
    found = judged(
        replace(whole, settings=fewer),
        statistic="displacement",
        contrast="unit",
        margin="1%",
        layers=["measured"],
        starts=["scratch"],
        models=["vgg16"],
    )
    layers = [case.place.layers[0] for case in found.cases if case.place]
    assert layers == ["features.10", "features.0"]
    assert all(case.effect for case in found.cases)


@pytest.mark.parametrize(
    ("expect", "margin", "verdict"),
    [("above", "-50%", Verdict.SUPPORTED), ("below", "-50%", Verdict.REFUTED),
     ("within", "50%", Verdict.SUPPORTED), ("above", "50%", Verdict.REFUTED)],
)  # fmt: skip
def test_what_is_clear_is_decided(whole: Study, expect: str, margin: str, verdict: Verdict) -> None:
    found = judged(whole, statistic="std", contrast="unit / imagenet", expect=expect, margin=margin)
    assert found.verdict is verdict


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"contrast": "placebo / unit"}, "the experiment has no run with the arm placebo"),
        ({"contrast": "unit / imagenet", "starts": ["scratch_head"]},
         "the experiment has no run with the start scratch_head"),
        ({"contrast": "unit / imagenet", "models": ["resnet18"]},
         "the experiment has no run with the model resnet18"),
        ({"contrast": "unit / imagenet", "layers": ["nowhere"]}, "nothing to judge it by"),
    ],
)  # fmt: skip
def test_without_runs_the_reason_is_given(
    whole: Study, values: dict[str, Any], reason: str
) -> None:
    found = judged(whole, statistic="std", **values)
    assert found.verdict is Verdict.NOT_EVALUABLE
    assert found.reason == reason


def test_a_failed_run_and_a_single_seed_leave_the_case_open() -> None:
    values = {"statistic": "std", "contrast": "unit / imagenet"}
    run = {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": 1}
    failed = with_failed_run(study(), gate="finite", **run)
    broken = judged(failed, **values)
    assert any(case.verdict is Verdict.NOT_EVALUABLE for case in broken.cases)
    single = judged(study(seeds=(0,)), **values)
    assert single.reason == "one seed gives no interval"


def test_own_claims_are_corrected_together_and_apart_from_the_article(whole: Study) -> None:
    settings = ClaimsSettings(
        article=("H4",),
        own=tuple(
            claimed(id=f"D{number}", statistic="std", contrast="unit / imagenet", margin=margin)
            for number, margin in ((1, "-5%"), (2, "-4%"), (3, "5%"))
        ),
    )
    found = judge_all(chosen_claims(settings), whole)
    assert [one.claim.id for one in found] == ["D1", "D2", "D3", "H4"]
    alone = judge_all(chosen_claims(settings.model_copy(update={"article": "none"})), whole)
    assert [one.judgement.p_holm for one in found[:3]] == [one.judgement.p_holm for one in alone]
    assert all(one.judgement.p_holm is not None for one in alone)


@pytest.mark.parametrize(
    ("margin", "place"), [("-10%", -1.0), ("10%", math.log(1.1) / math.log(1.1)), ("0%", 0.0)]
)
def test_a_margin_below_zero_stands_left_of_zero_on_the_axis_of_the_scorecard(
    whole: Study, margin: str, place: float
) -> None:
    claim = declared_claim(claimed(statistic="std", contrast="unit / imagenet", margin=margin))
    result = claim_result(judge_all([claim], whole)[0])
    assert result.axis_margin is not None
    assert result.axis_margin > 0
    found = in_margins(result.margin, margin=result.axis_margin, shown=result.shown)
    assert found == pytest.approx(place)


def test_words_of_the_user_are_printed_as_they_are(whole: Study) -> None:
    statement = "100% of it is <b>%(model)s</b> {layer}"
    claim = declared_claim(
        claimed(statistic="std", contrast="unit / imagenet", statement=statement)
    )
    result = claim_result(judge_all([claim], whole)[0])
    assert (result.statement, result.topic) == (statement, statement)
    assert result.unit == "the change of the standard deviation from imagenet to unit"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (ClaimsSettings(article=("F99",)), "claims.article: unknown claim 'F99'"),
        (
            ClaimsSettings(own=(claimed(id="F1", statistic="std", contrast="unit / raw"),)),
            "claims.own: the article has a claim F1, too",
        ),
    ],
)
def test_unknown_and_equal_ids_are_one_message(settings: ClaimsSettings, message: str) -> None:
    with pytest.raises(ConfigError) as error:
        chosen_claims(settings)
    assert message in str(error.value)


def test_own_claims_cannot_reuse_an_article_id() -> None:
    own = claimed(id="F1", statistic="std", contrast="unit / raw")
    with pytest.raises(ConfigError, match="the article has a claim F1, too"):
        chosen_claims(ClaimsSettings(article="none", own=(own,)))


@pytest.mark.parametrize(
    ("id_", "label"),
    [("H4", "half / decay"), ("F4b", "decay / half"), ("F1", "half - decay"), ("H1", "raw / unit")],
)
def test_claims_of_the_article_are_about_the_arms_that_the_experiment_compares(
    id_: str, label: str
) -> None:
    made = study(arms=("raw", "unit", "half", "decay"))
    settings = made.settings.model_copy(update={"contrast": ("half", "decay")})
    found = judge_claim(BUILT_IN[id_], replace(made, settings=settings))
    assert {case.place.contrast.label for case in found.cases if case.place} == {label}


def test_margins_of_the_article_that_appear_twice_are_equal() -> None:
    assert BUILT_IN["F1"].test == SAMENESS
    assert BUILT_IN["F4"].test == SEPARATION


@pytest.mark.parametrize(
    ("expect", "margin", "has_null"),
    [("above", "5%", True), ("above", "-30%", False), ("below", "5%", False)],
)
def test_a_rougher_arm_must_exceed_what_chance_gives(
    expect: str, margin: str, has_null: bool
) -> None:
    made = study(rougher={"imagenet": 0.5}, seeds=(0, 1, 2, 3), sizes={"features.0": 40})
    values = {
        "statistic": "roughness",
        "contrast": "imagenet / unit",
        "expect": expect,
        "margin": margin,
    }
    claim = declared_claim(claimed(**values))
    found = judge_claim(claim, made)
    small = [case for case in found.cases if case.place and case.place.layers == ("features.0",)]
    assert [case.null is not None for case in small] == [has_null] * len(small)
    assert ("chance" in claim.localized().rule or "Gaussian samples" in claim.localized().rule) == (
        has_null
    )


@pytest.mark.parametrize(("apart", "verdict"), [(0.3, Verdict.SUPPORTED), (0.0, Verdict.REFUTED)])
def test_the_variance_ratio_is_large_if_arms_differ_more_than_seeds(
    apart: float, verdict: Verdict
) -> None:
    made = study(apart={"pretrained": apart, "scratch": apart}, seeds=range(6), noise=0.01)
    found = judged(made, statistic="variance_ratio", contrast="unit - imagenet", margin="100%")
    assert found.verdict is verdict


def test_a_claim_of_roughness_has_the_same_outcome_the_other_way_round() -> None:
    made = study(rougher={"imagenet": 0.5}, seeds=(0, 1, 2, 3), noise=0.05)
    above = judged(made, statistic="roughness", contrast="imagenet / unit", margin="25%")
    below = judged(
        made, statistic="roughness", contrast="unit / imagenet", margin="-20%", expect="below"
    )
    assert {case.null is not None for case in above.cases} == {True}
    for one, other in zip(above.cases, below.cases, strict=True):
        assert one.null is not None
        assert one.verdict is other.verdict
        assert other.null == -one.null
        assert one.p is not None
        assert other.p is not None
        assert other.p.support == pytest.approx(one.p.support)
