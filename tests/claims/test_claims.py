"""Every claim on whole studies with a known truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.claims.claim import JudgedClaim
from normreport.claims.inputs import SALT, SALT_SEED
from normreport.claims.judging import judge_all, judge_claim
from normreport.claims.pairs import compare_arms_by_permanova
from normreport.claims.registry import CLAIMS
from normreport.claims.study import select_rows
from normreport.normalizations import minmax
from normreport.statistics.arrays import sort_weights
from normreport.statistics.nulls import roughness_ratio_null
from normreport.statistics.permanova import permanova
from normreport.statistics.summary import summarize
from normreport.statistics.verdict import Verdict
from tests.claims.studies import (
    ARMS,
    EPOCHS,
    LAYERS,
    replace_tables,
    study,
    with_failed_run,
    without_runs,
)

BY_ID = {claim.id: claim for claim in CLAIMS}
SUPPORTED, REFUTED = Verdict.SUPPORTED, Verdict.REFUTED
INCONCLUSIVE, NOT_EVALUABLE = Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE


FLAT = {"pretrained": 1.0, "scratch": 1.0}
NOISY = {"arms": (*ARMS, "placebo"), "floor": 0.095}
LAWS = ("scratch_uniform", "scratch_laplace")
BN = {"vgg16": ("features.0",), "vgg16_bn": ("features.0",)}
# Claims about the pipelines themselves, which no run can fail, and one that is never judged.
WITHOUT_RUNS = {"C0", "H3", "H6"}


def judge(claim, whole):
    """Judge a claim without a correction for the others; F11 from the stories."""
    is_about_stories = claim == "F11"
    stories = [
        JudgedClaim(story, judge_claim(story, whole))
        for story in CLAIMS
        if story.is_story and is_about_stories
    ]
    return judge_claim(BY_ID[claim], whole, stories)


def judgements_of(claims, whole):
    """Judge claims together; give their judgements by id."""
    return {one.claim.id: one.judgement for one in judge_all(claims, whole)}


def verdict(claim, whole):
    return judge(claim, whole).verdict


@pytest.mark.parametrize(
    ("claim", "truth", "expected"),
    [
        ("C0", {}, REFUTED),
        ("H3", {}, REFUTED),
        ("H1", {}, REFUTED),
        ("H2", {"rougher": {"raw": 0.5}}, SUPPORTED),
        ("H2", {"rougher": {"raw": -0.5}}, REFUTED),
        ("H4", {}, REFUTED),
        ("H5", {"rougher": {"imagenet": -0.5}}, SUPPORTED),
        ("F3", {"loss": {"pretrained": 0.9, "scratch": 0.1}}, SUPPORTED),
        ("F3", {"loss": {"pretrained": 0.01, "scratch": 0.1}}, REFUTED),
        ("F3b", {"loss": FLAT, "jumps": {"pretrained": 0.2, "scratch": 0.05}}, SUPPORTED),
        ("F3b", {"loss": FLAT, "jumps": {"pretrained": 0.05, "scratch": 0.05}}, REFUTED),
        ("F6", {"grown": 1.0}, SUPPORTED),
        ("F6", {"grown": 0.0}, REFUTED),
        ("F9", {"starts": LAWS, "kurtosis": (-1.2, -1.2)}, REFUTED),
        ("F9", {"starts": LAWS, "kurtosis": (3.0, 0.3)}, SUPPORTED),
        ("F10", {"layers": BN, "w1_normal": {"vgg16": 0.1, "vgg16_bn": 0.02}}, SUPPORTED),
        ("F10", {"layers": BN, "w1_normal": {"vgg16": 0.02, "vgg16_bn": 0.02}}, REFUTED),
        ("F11", {"displacement": {"pretrained": 0.01, "scratch": 0.2}}, SUPPORTED),
        ("F11", {"moved": {"vgg16": 1.0, "mobilenet_v2": 20.0}}, REFUTED),
        ("F1", {"apart": {"pretrained": 0.005, "scratch": 0.1}}, SUPPORTED),
        ("F1", {"apart": {"pretrained": 0.05, "scratch": 0.1}}, REFUTED),
        ("F1", {"apart": {"pretrained": 0.02, "scratch": 0.1}, "noise": 0.01}, INCONCLUSIVE),
        ("F2", {"displacement": {"pretrained": 0.01, "scratch": 0.2}}, SUPPORTED),
        ("F2", {"displacement": {"pretrained": 0.10, "scratch": 0.2}}, REFUTED),
        ("F4", {"apart": {"pretrained": 0.0, "scratch": 0.1}}, SUPPORTED),
        ("F4", {"apart": {"pretrained": 0.0, "scratch": 0.01}}, REFUTED),
        ("F4b", {"std_order": ("imagenet", "raw", "unit")}, SUPPORTED),
        ("F4b", {"std_order": ("unit", "raw", "imagenet")}, INCONCLUSIVE),
        ("F4b", {"std_order": ("unit", "raw", "imagenet"), "seeds": tuple(range(30))}, REFUTED),
        ("F5", {"drift": 0.001}, SUPPORTED),
        ("F5", {"drift": -0.1}, REFUTED),
        ("P2", {"apart": {"pretrained": 0.005, "scratch": 0.005}}, SUPPORTED),
        ("P2", {"apart": {"pretrained": 0.005, "scratch": 0.1}}, REFUTED),
        ("P2", {"apart": {"pretrained": 0.1, "scratch": 0.1}, **NOISY}, SUPPORTED),
        ("P6", {"displacement": {"pretrained": 0.01, "scratch": 0.2}}, SUPPORTED),
        ("P6", {"displacement": {"pretrained": 0.20, "scratch": 0.1}}, REFUTED),
        ("F7", {"iqr_ratio": {"vgg16": 1.1, "mobilenet_v2": 1.0}}, SUPPORTED),
        ("F7", {"iqr_ratio": {"vgg16": 1.0, "mobilenet_v2": 1.1}}, REFUTED),
        ("F8", {"excess_kurtosis": 0.1}, SUPPORTED),
        ("F8", {"excess_kurtosis": 2.0}, REFUTED),
    ],
)
def test_a_planted_truth_is_found(claim, truth, expected):
    assert verdict(claim, study(**truth)) is expected


@pytest.mark.parametrize(
    ("claim", "lack", "reason"),
    [
        ("F1", {"starts": ("scratch",)}, "pretrained"),
        ("F1", {"arms": ("unit",)}, "one arm"),
        ("F2", {"starts": ("scratch",)}, "pretrained"),
        ("F4", {"starts": ("pretrained",)}, "scratch"),
        ("F4b", {"arms": ("unit", "imagenet")}, "raw"),
        ("F5", {"starts": ("pretrained",)}, "scratch"),
        ("P2", {"layers": {"vgg16": LAYERS["vgg16"]}}, "no network with batch normalization"),
        ("P2", {"arms": ("unit", "imagenet")}, "raw"),
        ("P2", {"starts": LAWS}, "the start pretrained or the start scratch"),
        ("P6", {"starts": ("scratch",)}, "pretrained"),
        ("F7", {"layers": {"vgg16": LAYERS["vgg16"]}}, "mobilenet_v2"),
    ],
)
def test_a_claim_names_what_the_experiment_lacks(claim, lack, reason):
    judgement = judge(claim, study(**lack))
    assert judgement.verdict is NOT_EVALUABLE
    assert reason in judgement.reason
    assert judgement.flags == ()


@pytest.mark.parametrize("claim", ["H1", "H2", "H4", "H5", "F7", "F8", "F10"])
def test_starts_that_the_article_does_not_have_change_no_verdict(claim):
    """Frozen convolutions never move, and what is drawn from another law is not Gaussian."""
    whole = study_for(claim, starts=("pretrained", "scratch", "scratch_head", *LAWS))
    whole.runs.rows.loc[whole.runs.rows["start"] == "scratch_head", "moved"] = False
    whole.measures.rows.loc[whole.measures.rows["start"].isin(LAWS), "excess_kurtosis"] = -1.2
    found, plain = judge(claim, whole), judge(claim, study_for(claim))
    assert found.verdict is plain.verdict
    assert [case.place for case in found.cases] == [case.place for case in plain.cases]
    others = judge(claim, study_for(claim, starts=("scratch_head", *LAWS)))
    expected = "the experiment has no run with the start pretrained or the start scratch"
    assert others.reason == expected


def test_every_network_that_forgets_the_scale_is_asked_whatever_its_name():
    names = {"with_sgd": LAYERS["mobilenet_v2"], "plain": LAYERS["vgg16"]}
    built_as = {"with_sgd": "mobilenet_v2", "plain": "vgg16"}
    judgement = judge("P2", study(layers=LAYERS | names, built_as=built_as))
    assert {case.place.models for case in judgement.cases} == {("mobilenet_v2",), ("with_sgd",)}


def test_two_optimizers_of_one_architecture_are_no_two_architectures():
    """Let VGG16 move twenty times as far with another optimizer."""
    both = {"layers": {"vgg16_sgd": LAYERS["vgg16"]} | LAYERS, "moved": {"vgg16_sgd": 20.0}}
    stands = {"vgg16": "vgg16", "mobilenet_v2": "mobilenet_v2"}
    judgement = judge("F11", study(**both, architectures=stands))
    assert judgement.verdict is SUPPORTED
    assert {case.place.models for case in judgement.cases} == {("vgg16", "mobilenet_v2")}
    assert verdict("F11", study(**both)) is REFUTED
    one = dict.fromkeys(("vgg16", "vgg16_sgd"), LAYERS["vgg16"])
    alone = judge("F11", study(layers=one, architectures={"vgg16": "vgg16"}))
    assert alone.reason == "the experiment has one architecture; two are needed"


def test_networks_are_found_by_their_architecture_whatever_they_are_called():
    layers = {"wide": LAYERS["vgg16"], "small": LAYERS["mobilenet_v2"]}
    stands = {"vgg16": "wide", "mobilenet_v2": "small"}
    judgement = judge("F7", study(layers=layers, architectures=stands, iqr_ratio={"wide": 1.1}))
    assert judgement.verdict is SUPPORTED
    assert {case.place.models for case in judgement.cases} == {("wide", "small")}


def study_for(claim, **changes):
    """Make a study that a claim can be judged on."""
    needs: dict[str, dict[str, Any]] = {
        "F9": {"starts": LAWS, "kurtosis": (3.0, 0.3)},
        "F10": {"layers": BN},
    }
    return study(**{**needs.get(claim, {}), **changes})


@pytest.mark.parametrize(
    "claim", [c for c in BY_ID if c not in WITHOUT_RUNS | {"F4b", "F6", "F11"}]
)
def test_one_seed_is_no_evidence(claim):
    judgement = judge(claim, study_for(claim, seeds=(0,)))
    assert judgement.verdict is NOT_EVALUABLE
    assert judgement.reason == "one seed gives no interval"


@pytest.mark.parametrize(
    ("gate", "words"),
    [("finite", "diverged"), ("learned", "has not learned"), ("moved", "did not move")],
)
@pytest.mark.parametrize("claim", [claim for claim in BY_ID if claim not in WITHOUT_RUNS])
def test_a_failed_run_is_named_and_never_averaged_away(claim, gate, words):
    arm = "unit" if claim in {"H4", "H5"} else "raw"
    model = "mobilenet_v2" if claim == "P2" else "vgg16"
    condition = {"model": model, "normalization": arm, "seed": 1}
    whole = study_for(claim)
    for start in whole.settings.starts:
        whole = with_failed_run(whole, gate=gate, start=start, **condition)
    judgement = judge(claim, whole)
    silent = [case for case in judgement.cases if case.verdict is NOT_EVALUABLE]
    assert silent
    assert judgement.verdict is not SUPPORTED
    if claim == "F11":
        return  # its cases are claims
    for case in silent:
        for start in case.place.starts:
            assert f"{model}/{start}/{arm}/seed1 ({words})" in case.reason
        assert case.effect is None
    assert all(model in case.place.models for case in silent)


@pytest.mark.parametrize("claim", ["F4", "P2"])
def test_a_failed_run_that_is_a_control_as_well_is_named_once(claim):
    whole = study(arms=(*ARMS, "placebo"))
    place = {"model": "mobilenet_v2", "start": "scratch", "normalization": "unit", "seed": 1}
    whole = with_failed_run(whole, gate="learned", **place)
    reasons = {case.reason for case in judge(claim, whole).cases if case.reason}
    assert reasons == {"mobilenet_v2/scratch/unit/seed1 (has not learned)"}


def test_one_case_among_many_refutes_only_beyond_the_correction_for_their_number():
    """Push one of 12 cases beyond the margin, by little or by much."""
    for distance, expected in ((0.0203, INCONCLUSIVE), (0.03, REFUTED)):
        whole = study(apart={"pretrained": 0.005, "scratch": 0.1}, noise=1e-4)
        table = whole.distances.rows
        one = (table["model"] == "vgg16") & (table["layer"] == "features.0")
        one &= (table["start"] == "pretrained") & (table["epoch"] == EPOCHS)
        one &= (table["seed_a"] == table["seed_b"]) & (table["normalization_a"] == "raw")
        one &= table["normalization_b"] == "unit"
        table.loc[one, "w1_over_sigma0"] = distance + np.array([-1e-4, 0, 1e-4])
        judgement = judge("F1", whole)
        refuted = [case for case in judgement.cases if case.verdict is REFUTED]
        assert len(refuted) == 1
        assert judgement.verdict is expected
        assert judgement.least_favourable.place == refuted[0].place


def test_the_interval_of_a_case_is_the_t_interval_of_its_seeds():
    whole = study(noise=0.002)
    case = judge("F4", whole).cases[0]
    table = whole.distances.rows
    a, b = case.place.contrast.arms
    rows = table[
        (table["model"] == case.place.models[0])
        & (table["start"] == "scratch")
        & (table["layer"] == case.place.layers[0])
        & (table["epoch"] == whole.settings.epochs)
        & (table["normalization_a"] == a)
        & (table["normalization_b"] == b)
        & (table["seed_a"] == table["seed_b"])
    ]
    expected = stats.ttest_1samp(rows["w1_over_sigma0"], 0).confidence_interval(0.95)
    assert case.values == pytest.approx(tuple(rows["w1_over_sigma0"]))
    assert (case.effect.low, case.effect.high) == pytest.approx((expected.low, expected.high))


def test_the_p_values_of_a_case_are_those_of_scipys_t_test_against_the_margin():
    case = judge("F4", study(noise=0.02)).cases[0]
    for side, alternative in ((case.p.support, "greater"), (case.p.refute, "less")):
        expected = stats.ttest_1samp(case.values, 0.04, alternative=alternative)
        assert side == pytest.approx(expected.pvalue, rel=1e-9)
    assert case.sign_flip is None


def test_all_cases_support_a_claim_but_one_of_them_refutes_it_after_correction():
    whole = study(noise=0.01)
    judgement = judge("F1", whole)
    found = [case.p for case in judgement.cases]
    assert judgement.p.support == max(p.support for p in found)
    assert judgement.p.refute == min(1, len(found) * min(p.refute for p in found))
    place = {"model": "vgg16", "start": "pretrained", "normalization": "raw", "seed": 1}
    silent = judge("F1", with_failed_run(whole, gate="learned", **place))
    judged = [case.p for case in silent.cases if case.p]
    assert len(judged) < len(found)
    assert silent.p.support == 1
    assert silent.p.refute == min(1, len(judged) * min(p.refute for p in judged))


@pytest.mark.parametrize(
    "condition",
    [
        {"start": "scratch", "normalization": "raw", "seed": 1},
        {"start": "pretrained", "model": "vgg16"},
        {"model": "vgg16"},
    ],
    ids=str,
)
@pytest.mark.parametrize("claim", [c for c in BY_ID if c not in WITHOUT_RUNS | {"F11"}])
def test_a_case_that_needs_a_run_that_failed_is_not_evaluated_and_names_it(claim, condition):
    before = judge(claim, study_for(claim))
    judgement = judge(claim, without_runs(study_for(claim), **condition))
    assert [case.place for case in judgement.cases] == [case.place for case in before.cases]
    for case, whole in zip(judgement.cases, before.cases, strict=True):
        if case.verdict is NOT_EVALUABLE and whole.verdict is not NOT_EVALUABLE:
            assert "(failed: it was made to fail)" in case.reason
            assert case.effect is None
        else:  # it needs no such run
            assert case == whole
    if "start" not in condition and claim != "F9":
        assert judgement.verdict is not SUPPORTED


def test_from_six_seeds_on_every_case_has_exact_sign_flip_p_values():
    for case in judge("F4", study(seeds=tuple(range(6)))).cases:
        assert (case.sign_flip.support, case.sign_flip.refute) == (2**-6, 1.0)


def test_the_claims_of_a_family_that_are_judged_by_intervals_are_corrected():
    uncorrected = {claim.id for claim in CLAIMS if claim.family is None}
    assert uncorrected == {*WITHOUT_RUNS, "F11"}
    for one in judge_all(CLAIMS, study()):
        evaluable = one.judgement.verdict is not NOT_EVALUABLE
        assert (one.judgement.p_holm is not None) == (one.claim.family is not None and evaluable)


def test_families_are_corrected_apart_from_each_other():
    """Move one claim to a family of its own: nothing else is corrected with it."""
    whole = study(seeds=tuple(range(6)), noise=0.01)
    claims = [replace(claim, family="alone") if claim.id == "F1" else claim for claim in CLAIMS]
    together, apart = (judgements_of(some, whole) for some in (CLAIMS, claims))
    p = together["F1"].p
    assert apart["F1"].p_holm == pytest.approx(min(p.support, p.refute))
    assert together["F1"].p_holm > apart["F1"].p_holm
    assert apart["F7"].p_holm <= together["F7"].p_holm


def test_a_verdict_that_holms_correction_takes_away_says_so():
    """Make H1 hardly significant: by itself it is supported, among many claims it is not."""
    whole = study(seeds=tuple(range(6)))
    last = (whole.measures.rows["epoch"] == EPOCHS) & (
        whole.measures.rows["normalization"] == "raw"
    )
    scatter = np.array([-0.06, -0.03, -0.01, 0.01, 0.03, 0.06])
    whole.measures.rows.loc[last, "std"] *= np.exp(0.1 + scatter)[
        whole.measures.rows.loc[last, "seed"]
    ]
    alone = judge("H1", whole)
    judged = judgements_of(CLAIMS, whole)
    corrected = judged["H1"]
    others = sum(judgement.p_holm is not None for judgement in judged.values())
    assert alone.verdict is SUPPORTED
    assert 0.05 / others < 2 * alone.p.support < 0.05
    assert corrected.verdict is INCONCLUSIVE
    assert corrected.p_holm > 0.05
    assert f"supported when judged alone (p = {2 * alone.p.support:.2g})" in corrected.flags[0]
    assert f"corrected for the {others} claims" in corrected.flags[0]
    assert [case.verdict for case in corrected.cases] == [case.verdict for case in alone.cases]
    # Overwhelming evidence stays what it is.
    assert judged["F4"].verdict is judge("F4", whole).verdict is SUPPORTED


def test_the_loss_before_the_first_step_is_none_of_the_last_ones():
    whole = study(loss={"pretrained": 0.1, "scratch": 0.1})
    before = judge("F3", whole).cases
    whole.histories.rows.loc[whole.histories.rows["epoch"] == 0, "train_loss"] = 1000.0
    assert judge("F3", replace(whole)).cases == before
    assert before[0].effect.mean == pytest.approx((0.1**0.5 + 0.1) / 2 * 2.3 / np.log(10), rel=1e-3)


def test_a_drift_that_comes_back_is_still_a_drift():
    whole = study()
    middle = whole.layers.rows["epoch"] == 1
    whole.layers.rows.loc[middle, "std"] *= 0.8
    case = judge("F5", whole).cases[0]
    assert case.verdict is REFUTED
    assert case.effect.mean == pytest.approx(-np.log(0.8), abs=0.01)


def test_closeness_by_a_shared_start_is_flagged():
    close = study(apart={"pretrained": 0.005, "scratch": 0.005})
    assert judge("F1", close).flags[0].startswith("BY CONSTRUCTION")
    assert judge("F1", study()).flags == ()


def test_gaussian_weights_at_the_start_are_flagged_as_constructed():
    assert judge("F8", study()).flags[0].startswith("BY CONSTRUCTION")
    heavy = study()
    heavy.measures.rows["excess_kurtosis"] += 3.0
    assert judge("F8", heavy).flags == ()


def test_distances_between_seeds_enter_as_pseudo_values_of_the_jackknife():
    whole = study(noise=0.1, seeds=(0, 1, 2, 3), grown=0.5)
    case = judge("F6", whole).cases[0]
    place = {"model": case.place.models[0], "start": "scratch", "layer": case.place.layers[0]}
    rows = whole.distances.rows[
        (whole.distances.rows[list(place)] == list(place.values())).all(axis=1)
    ]
    arms = set(case.place.contrast.arms)

    def mean(epoch, seeds):
        return np.mean([
            row.w1 for row in rows.itertuples()
            if row.epoch == epoch and {row.normalization_a, row.normalization_b} == arms
            and row.seed_a != row.seed_b and {row.seed_a, row.seed_b} <= seeds
        ])  # fmt: skip

    def growth(seeds):
        return np.log(mean(EPOCHS, seeds) / mean(0, seeds))

    everyone = {0, 1, 2, 3}
    expected = [4 * growth(everyone) - 3 * growth(everyone - {seed}) for seed in range(4)]
    assert case.values == pytest.approx(expected)
    assert case.effect.mean == pytest.approx(0.5, abs=0.3)


WITH_PLACEBO = ("raw", "unit", "placebo", "imagenet")


@pytest.mark.parametrize(("floor", "expected"), [(0.001, SUPPORTED), (0.08, REFUTED)])
def test_arms_separate_only_above_what_the_placebo_does(floor, expected):
    whole = study(arms=WITH_PLACEBO, floor=floor)
    judgement = judge("F4", whole)
    assert judgement.verdict is expected
    assert judgement.least_favourable.effect.mean == pytest.approx(0.1 - floor, abs=1e-3)
    assert not any("placebo" in case.place.contrast.arms for case in judgement.cases)
    assert not any("noise floor" in flag for flag in judgement.flags)


def test_without_a_placebo_the_noise_floor_is_said_to_be_unknown():
    for arms in (ARMS, ("raw", "placebo", "imagenet")):
        flags = judge("F4", study(arms=arms)).flags
        assert flags[0].startswith("the noise floor was not measured")


def test_a_failed_placebo_leaves_no_floor_to_judge_by():
    whole = with_failed_run(
        study(arms=WITH_PLACEBO), gate="learned", model="vgg16", start="scratch",
        normalization="placebo", seed=1,
    )  # fmt: skip
    judgement = judge("F4", whole)
    silent = [case for case in judgement.cases if case.verdict is NOT_EVALUABLE]
    assert {case.place.models for case in silent} == {("vgg16",)}
    assert {case.reason for case in silent} == {"vgg16/scratch/placebo/seed1 (has not learned)"}
    assert judgement.verdict is INCONCLUSIVE


def test_permanova_is_that_of_the_matrix_of_distances():
    whole = study(arms=WITH_PLACEBO, apart={"scratch": 0.01}, noise=0.01)
    place = {"model": "vgg16", "start": "scratch", "layer": "features.0", "epoch": EPOCHS}
    rows = whole.distances.rows[
        (whole.distances.rows[list(place)] == list(place.values())).all(axis=1)
    ]
    runs = [(seed, arm) for seed in (2, 0, 1) for arm in ("imagenet", "raw", "unit")]
    matrix = np.zeros((9, 9))
    for row in rows.itertuples():
        a, b = (row.seed_a, row.normalization_a), (row.seed_b, row.normalization_b)
        if a in runs and b in runs:
            matrix[runs.index(a), runs.index(b)] = matrix[runs.index(b), runs.index(a)] = row.w1
    seeds, arms = zip(*runs, strict=True)
    # Few seeds: every relabelling counts, in whatever order.
    expected = permanova(matrix, arms, seeds, 9999, seed=7)
    found = compare_arms_by_permanova(whole, "vgg16", "scratch", "features.0")
    assert found == pytest.approx(expected, rel=1e-12)
    flags = judge("F4", whole).flags
    assert any("tells the arms apart in 0 of 4 layers" in flag for flag in flags)


def test_permanova_needs_whole_runs_defined_distances_and_several_seeds():
    place = ("vgg16", "scratch", "features.0")
    assert compare_arms_by_permanova(study(seeds=(0,)), *place) == (None, None)
    assert compare_arms_by_permanova(study(arms=("unit", "placebo")), *place) == (None, None)
    failed = with_failed_run(
        study(), gate="finite", model="vgg16", start="scratch", normalization="raw", seed=0
    )
    assert compare_arms_by_permanova(failed, *place) == (None, None)
    undefined = study()
    undefined.distances.rows.loc[undefined.distances.rows["epoch"] == EPOCHS, "w1"] = np.nan
    assert compare_arms_by_permanova(undefined, *place) == (None, None)


@pytest.mark.parametrize("claim", ["H2", "H5"])
def test_a_rougher_density_must_be_rougher_than_chance_makes_it(claim):
    """Add 27% of roughness, beyond the margin, to layers of many and of few weights."""
    arm, sign = ("raw", 1) if claim == "H2" else ("imagenet", -1)
    for weights, expected in ((2000, SUPPORTED), (864, INCONCLUSIVE)):
        whole = study(rougher={arm: sign * 0.24})
        whole.measures.rows["n"] = weights
        judgement = judge(claim, whole)
        assert judgement.verdict is expected
        for case in judgement.cases:
            assert case.null == roughness_ratio_null(weights)
    whole = study(rougher={arm: sign * 0.1})
    whole.measures.rows["n"] = 864
    assert judge(claim, whole).verdict is REFUTED


def test_a_small_layer_of_gaussian_numbers_is_gaussian():
    """Give every run Gaussian numbers, as many as MobileNetV2's first layer has weights."""
    whole = study()
    generator = np.random.default_rng(5)
    columns = ["n", "skewness", "excess_kurtosis", "l_kurtosis", "w1_normal"]
    for index in whole.measures.rows.index:
        weights = generator.standard_normal((32, 27)).astype(np.float32)
        found = summarize(weights, weights, sort_weights(weights))
        whole.measures.rows.loc[index, columns] = [found[column] for column in columns]
    judgement = judge("F8", whole)
    assert judgement.verdict is SUPPORTED
    assert judgement.least_favourable.effect.mean > 0.3
    # One of the four beyond its bound is enough.
    for column in columns[1:]:
        heavy = replace_tables(
            whole, measures=lambda table, name=column: table.assign(**{name: 1.5})
        )
        assert judge("F8", heavy).verdict is REFUTED


@pytest.mark.parametrize("gate", ["finite", "learned", "moved"])
def test_where_all_runs_failed_nothing_about_runs_is_judged(gate):
    whole = study(starts=("scratch", "pretrained", *LAWS), layers=LAYERS | BN)
    whole.runs.rows[gate] = False
    if gate == "finite":
        whole.runs.rows["state"] = "DIVERGED"
        names = ("layers", "measures", "distances", "histories")
        before = dict.fromkeys(names, lambda table: table[table["epoch"] == 0])
        whole = replace_tables(whole, **before)
    for claim, judgement in judgements_of(CLAIMS, whole).items():
        if claim not in WITHOUT_RUNS:
            assert judgement.verdict is NOT_EVALUABLE
            assert judgement.reason
            assert not any(case.values for case in judgement.cases)


def test_weights_that_are_all_equal_give_a_reason_and_no_nan():
    """Their spread is 0, and what is relative to it is not defined: empty in the tables."""
    whole = study(starts=("scratch", "pretrained", *LAWS), layers=LAYERS | BN)
    undefined = ["excess_kurtosis", "skewness", "l_kurtosis", "w1_normal", "iqr_ratio", "roughness"]
    whole.measures.rows[undefined] = np.nan
    whole.measures.rows["std"] = whole.layers.rows["std"] = 0.0
    whole.layers.rows["displacement"] = np.nan
    whole.distances.rows["w1"] = 0.0
    whole.distances.rows["w1_over_sigma0"] = np.nan
    about_loss = {"F3", "F3b"}
    for claim, judgement in judgements_of(CLAIMS, whole).items():
        if claim not in WITHOUT_RUNS | about_loss | {"F4b", "F11"}:
            assert judgement.verdict is NOT_EVALUABLE, claim
            assert judgement.reason == "the statistic is not defined here"
            assert not any(case.values for case in judgement.cases)


def test_a_story_is_judged_once_and_its_judgement_passed_on():
    asked = []

    def judge_and_count(study, test):
        asked.append(study)
        return BY_ID["F2"].judge(study, test)

    whole = study()
    story = replace(BY_ID["F2"], judge=judge_and_count)
    judged = judgements_of([BY_ID["F11"], story], whole)
    assert list(judged) == ["F11", "F2"]
    assert [case.place.contrast.label for case in judged["F11"].cases] == ["F2"]
    assert judged["F11"].verdict is SUPPORTED
    assert asked == [whole]
    assert judged["F2"].cases == judge("F2", study()).cases


@pytest.mark.parametrize(
    "condition",
    [
        {"model": "vgg16", "start": "scratch", "layer": "features.0", "normalization": "unit"},
        {"model": "mobilenet_v2", "epoch": 0},
        {"model": "vgg16", "start": "scratch_laplace"},
    ],
    ids=str,
)
def test_rows_of_a_place_are_those_with_its_values_in_their_order(condition):
    whole = study()
    shuffled = replace_tables(whole, measures=lambda table: table.sample(frac=1, random_state=0))
    pd.testing.assert_frame_equal(
        shuffled.measures.at(**condition), select_rows(shuffled.measures.rows, **condition)
    )


def test_runs_that_failed_are_named_in_the_order_of_the_runs():
    whole = without_runs(study(), normalization="imagenet")
    failed = whole.failed_runs(
        models=["vgg16"], starts=["scratch", "pretrained"], arms=["unit", "imagenet", "unit"]
    )
    names = [text.split(" ")[0] for text in failed]
    assert names == [
        f"vgg16/{start}/imagenet/seed{seed}" for start in ("pretrained", "scratch")
        for seed in range(3)
    ]  # fmt: skip


def test_salted_images_are_judged_a_batch_at_a_time_as_all_at_once():
    """The grains are those of one draw over all images; the largest change is in any batch."""
    images = np.random.default_rng(4).integers(0, 40, (300, 32, 32, 3), dtype=np.uint8)
    salt = np.random.default_rng(SALT_SEED).random(images.shape[:3]) < SALT
    salted = np.where(salt[..., None], np.uint8(255), images)
    expected = np.abs(minmax.apply(salted) - minmax.apply(images))[~salt].max()
    assert expected > 0.5
    effects = {
        case.place.contrast.label: case.effect.mean
        for case in judge("H3", replace(study(), images=images)).cases
    }
    assert effects == {"unit": 0, "minmax": expected}
