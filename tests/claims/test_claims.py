"""Every claim on whole studies with a known truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.claims.inputs import SALT, SALT_SEED
from normreport.claims.judging import judge_all, judge_claim
from normreport.claims.registry import CLAIMS
from normreport.claims.study import select_rows
from normreport.normalizations import minmax
from normreport.statistics.arrays import sort_weights
from normreport.statistics.nulls import gaussian_null, roughness_ratio_null
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
SUPPORTED, REFUTED, MIXED = Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED
INCONCLUSIVE, NOT_EVALUABLE = Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE


FLAT = {"pretrained": 1.0, "scratch": 1.0}
LAWS = ("scratch_uniform", "scratch_laplace")
BN = {"vgg16": ("features.0",), "vgg16_bn": ("features.0",)}
# Claims about the pipelines themselves, which no run can fail.
WITHOUT_RUNS = {"C0", "H3"}
# H6 is judged on models whose learning rates were tuned.
TUNED = dict.fromkeys(LAYERS, (0.001, 0.01, 0.1))
# Claims about optimizers: they are in test_optimizers.py.
ABOUT_OPTIMIZERS = {"P3", "P4", "P5"}
# Claims whose effects are squared shifts: their numbers are pseudo-values of three seeds or more.
ABOUT_SHIFTS = {"F1", "F4", "F6", "F11", "P2"}
ABOUT_LAWS = {"F9", "P7"}


def judge(claim, whole):
    """Judge a claim without a correction for the others."""
    return judge_claim(BY_ID[claim], whole)


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
        ("F3b", {"loss": FLAT, "jumps": {"pretrained": 0.4, "scratch": 0.05}}, SUPPORTED),
        ("F3b", {"loss": FLAT, "jumps": {"pretrained": 0.05, "scratch": 0.05}}, REFUTED),
        ("F6", {"apart": {"scratch": 0.1}, "between_seeds": 0.05}, SUPPORTED),
        ("F6", {"apart": {"scratch": 0.1}, "between_seeds": 0.25}, REFUTED),
        ("F9", {"starts": LAWS, "kurtosis": (-1.2, -1.2)}, REFUTED),
        ("F9", {"starts": LAWS, "kurtosis": (3.0, 0.3)}, SUPPORTED),
        ("P7", {"starts": LAWS, "kurtosis": (-1.2, -1.2)}, SUPPORTED),
        ("P7", {"starts": LAWS, "kurtosis": (3.0, 0.3)}, REFUTED),
        ("F10", {"layers": BN, "w1_normal": {"vgg16": 0.1, "vgg16_bn": 0.02}}, SUPPORTED),
        ("F10", {"layers": BN, "w1_normal": {"vgg16": 0.02, "vgg16_bn": 0.02}}, REFUTED),
        ("F11", {}, SUPPORTED),
        ("F1", {"apart": {"pretrained": 0.005, "scratch": 0.1}}, SUPPORTED),
        ("F1", {"apart": {"pretrained": 0.05, "scratch": 0.1}}, REFUTED),
        ("F1", {"apart": {"pretrained": 0.02, "scratch": 0.1}, "noise": 0.01}, INCONCLUSIVE),
        ("F2", {"displacement": {"pretrained": 0.01, "scratch": 0.2}}, SUPPORTED),
        ("F2", {"displacement": {"pretrained": 0.10, "scratch": 0.2}}, REFUTED),
        ("F4", {"apart": {"pretrained": 0.0, "scratch": 0.1}}, SUPPORTED),
        ("F4", {"apart": {"pretrained": 0.0, "scratch": 0.01}}, REFUTED),
        ("F4b", {}, REFUTED),
        ("F4b", {"wider": {"imagenet": 0.1}}, SUPPORTED),
        ("F5", {"drift": 0.001}, SUPPORTED),
        ("F5", {"drift": -0.1}, REFUTED),
        ("F5", {"drift": 0.1}, REFUTED),
        ("P2", {"apart": {"pretrained": 0.005, "scratch": 0.005}}, SUPPORTED),
        ("P2", {"apart": {"pretrained": 0.1, "scratch": 0.1}}, REFUTED),
        ("P2", {"apart": {"pretrained": 0.005, "scratch": 0.1}}, MIXED),
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
        ("F1", {"arms": ("unit",)}, "imagenet"),
        ("F2", {"arms": ("raw",)}, "the arm unit or the arm imagenet"),
        ("F2", {"starts": ("scratch",)}, "pretrained"),
        ("F4", {"starts": ("pretrained",)}, "scratch"),
        ("F4b", {"arms": ("raw", "unit")}, "imagenet"),
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
    layers = {"vgg16_sgd": LAYERS["vgg16"]} | LAYERS
    stands = {"vgg16": "vgg16", "mobilenet_v2": "mobilenet_v2"}
    judgement = judge("F11", study(layers=layers, architectures=stands))
    assert {case.place.models for case in judgement.cases} == {("vgg16", "mobilenet_v2")}
    one = dict.fromkeys(("vgg16", "vgg16_sgd"), LAYERS["vgg16"])
    alone = judge("F11", study(layers=one, architectures={"vgg16": "vgg16"}))
    assert alone.reason == "the experiment has one architecture; two are needed"


def test_networks_whose_effects_differ_do_not_tell_the_same_story():
    whole = study()
    table = whole.products.rows
    table.loc[table["model"] == "vgg16", "product"] *= 4.0
    judgement = judge("F11", whole)
    assert judgement.verdict is MIXED  # F1's effects are close in both networks
    refuted = {case.place.contrast.label[:2] for case in judgement.cases if case.verdict is REFUTED}
    assert refuted == {"F4", "F6"}


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
        "P7": {"starts": LAWS, "kurtosis": (3.0, 2.9)},
        "F10": {"layers": BN},
        "H6": {"candidates": TUNED},
    }
    return study(**{**needs.get(claim, {}), **changes})


@pytest.mark.parametrize("claim", [c for c in BY_ID if c not in WITHOUT_RUNS | ABOUT_OPTIMIZERS])
def test_one_seed_is_no_evidence(claim):
    judgement = judge(claim, study_for(claim, seeds=(0,)))
    assert judgement.verdict is NOT_EVALUABLE
    assert judgement.reason == "one seed gives no interval"


@pytest.mark.parametrize("claim", sorted(ABOUT_SHIFTS))
def test_a_shift_that_repeats_needs_three_seeds(claim):
    judgement = judge(claim, study(seeds=(0, 1)))
    assert judgement.verdict is NOT_EVALUABLE
    assert judgement.reason.startswith("two seeds are too few")


@pytest.mark.parametrize(
    ("gate", "words"),
    [("finite", "diverged"), ("learned", "has not learned"), ("moved", "did not move")],
)
@pytest.mark.parametrize("claim", [c for c in BY_ID if c not in WITHOUT_RUNS | ABOUT_OPTIMIZERS])
def test_a_failed_run_is_named_and_never_averaged_away(claim, gate, words):
    model = "mobilenet_v2" if claim == "P2" else "vgg16"
    condition = {"model": model, "normalization": "unit", "seed": 1}
    whole = study_for(claim)
    for start in whole.settings.starts:
        whole = with_failed_run(whole, gate=gate, start=start, **condition)
    judgement = judge(claim, whole)
    silent = [case for case in judgement.cases if case.verdict is NOT_EVALUABLE]
    assert silent
    assert judgement.verdict is not SUPPORTED
    for case in silent:
        for start in case.place.starts:
            assert f"{model}/{start}/unit/seed1 ({words})" in case.reason
        assert case.effect is None
    assert all(model in case.place.models for case in silent)


@pytest.mark.parametrize("claim", ["F1", "F2", "F3", "F4", "F5", "F6", "F8"])
def test_a_failed_raw_run_concerns_only_the_cases_beyond_the_published_design(claim):
    condition = {"model": "vgg16", "normalization": "raw", "seed": 1}
    whole = study()
    before = judge(claim, whole)
    for start in whole.settings.starts:
        whole = with_failed_run(whole, gate="learned", start=start, **condition)
    after = judge(claim, whole)
    assert after.verdict is before.verdict
    assert after.cases == before.cases
    silent = [case for case in after.beyond if case.verdict is NOT_EVALUABLE]
    assert {case.place.models for case in silent} == {("vgg16",)}


def test_cases_that_decide_opposite_ways_make_a_claim_mixed_and_say_by_what():
    """Shift one layer of one network, one network, and one start."""
    for column, value, expected in (
        ("layer", "features.0", "layer"), ("model", "vgg16", "network"),
    ):  # fmt: skip
        whole = study(apart={"pretrained": 0.005, "scratch": 0.1})
        table = whole.products.rows
        one = (table[column] == value) & (table["start"] == "pretrained")
        table.loc[one, "product"] = 400 * table.loc[one, "product"]
        judgement = judge("F1", whole)
        assert judgement.verdict is MIXED
        assert judgement.mixed_by == expected
        assert judgement.least_favourable.verdict is REFUTED
        assert judgement.by_model["mobilenet_v2"].verdict is SUPPORTED
    by_start = judge("P2", study(apart={"pretrained": 0.005, "scratch": 0.1}))
    assert (by_start.verdict, by_start.mixed_by) == (MIXED, "start")


def test_the_squared_shift_of_a_case_is_the_mean_over_pairs_of_different_seeds():
    """Compute it from the points whose products the table has, one pair of seeds at a time."""
    whole = study(noise=0.05, seeds=(0, 1, 2, 3))
    case = judge("F4", whole).cases[0]
    place = {"model": case.place.models[0], "start": "scratch", "layer": case.place.layers[0]}
    rows = whole.products.at(**place, epoch=EPOCHS)
    products = {}
    for row in rows.itertuples():
        a, b = (row.normalization_a, row.seed_a), (row.normalization_b, row.seed_b)
        products[a, b] = products[b, a] = row.product

    def between(s, t):
        """Compute the product of the differences of two seeds."""
        return sum(
            sign * other * products[(arm, s), (another, t)]
            for arm, sign in (("unit", 1), ("imagenet", -1))
            for another, other in (("unit", 1), ("imagenet", -1))
        )

    def mean(seeds):
        return np.mean([between(s, t) for s in seeds for t in seeds if s != t])

    seeds = [0, 1, 2, 3]
    expected = [4 * mean(seeds) - 3 * mean([t for t in seeds if t != s]) for s in seeds]
    assert case.values == pytest.approx(expected)
    assert case.effect.mean == pytest.approx(mean(seeds))


def test_the_interval_of_a_case_is_the_t_interval_of_its_seeds():
    case = judge("H4", study(noise=0.02)).cases[0]
    expected = stats.ttest_1samp(case.values, 0).confidence_interval(0.95)
    assert (case.effect.low, case.effect.high) == pytest.approx((expected.low, expected.high))


def test_the_p_values_of_a_case_are_those_of_scipys_t_test_against_the_margin():
    case = judge("H4", study(noise=0.02)).cases[0]
    greater = stats.ttest_1samp(case.values, np.log(1.05), alternative="greater")
    less = stats.ttest_1samp(case.values, np.log(1.05), alternative="less")
    assert case.p.support == pytest.approx(greater.pvalue, rel=1e-9)
    assert case.p.refute == pytest.approx(less.pvalue, rel=1e-9)
    assert case.sign_flip is None


def test_a_claim_is_as_significant_as_its_weakest_case():
    whole = study(noise=0.01)
    judgement = judge("F1", whole)
    tests = [case.p for case in judgement.cases]
    assert judgement.p.support == max(p.support for p in tests)
    assert judgement.p.refute == max(p.refute for p in tests)
    place = {"model": "vgg16", "start": "pretrained", "normalization": "unit", "seed": 1}
    silent = judge("F1", with_failed_run(whole, gate="learned", **place))
    assert (silent.p.support, silent.p.refute) == (1, 1)


def test_one_layer_refutes_that_every_layer_is_gaussian_only_after_correction():
    """Push one of 8 cases beyond its bound, by little or by much."""
    for departure, expected in ((1.02, INCONCLUSIVE), (2.0, REFUTED)):
        whole = study(noise=0.01)
        table = whole.measures.rows
        one = (table["model"] == "vgg16") & (table["layer"] == "features.0")
        one &= table["start"] == "pretrained"
        bound = 0.5 + gaussian_null(2000).excess_kurtosis
        table.loc[one, "excess_kurtosis"] = (
            departure * bound * (1 + 0.01 * (table.loc[one, "seed"] - 1))
        )
        judgement = judge("F8", whole)
        refuted = [case for case in judgement.cases if case.verdict is REFUTED]
        assert len(judgement.cases) == 8
        assert len(refuted) == 1
        assert judgement.verdict is expected
        assert judgement.p.mixed == 1


def test_a_whole_network_counts_its_layers_by_their_size():
    """Let the small layer move ten times as far as the large one."""
    sizes = {"features.0": 100, "features.10": 10_000}
    whole = study(layers={"vgg16": LAYERS["vgg16"]}, sizes=sizes, noise=1e-3)
    table = whole.layers.rows
    start = table["start"] == "pretrained"
    last = start & (table["epoch"] == EPOCHS)
    table.loc[last, "displacement"] = np.where(table.loc[last, "layer"] == "features.0", 0.1, 0.01)
    case = judge("F2", whole).cases[0]
    variances = {
        layer: n - 1 for layer, n in sizes.items()
    }  # std 1 and mean 0 before the first step
    moved = 0.1**2 * variances["features.0"] + 0.01**2 * variances["features.10"]
    expected = 0.5 * np.log(moved / sum(variances.values()))
    assert case.effect.mean == pytest.approx(expected, abs=1e-6)
    assert {part.label: part.weights for part in case.layers} == sizes
    mean = next(part for part in case.averages if part.label == "mean")
    assert mean.effect.mean == pytest.approx(0.5 * np.log(0.1 * 0.01))


def test_layers_beyond_the_margin_in_opposite_directions_make_a_network_mixed():
    whole = study(layers={"vgg16": LAYERS["vgg16"]}, seeds=tuple(range(6)))
    table = whole.layers.rows
    last = (table["start"] == "pretrained") & (table["epoch"] == EPOCHS)
    jitter = 1 + 0.01 * table.loc[last, "seed"]
    table.loc[last, "displacement"] = jitter * np.where(
        table.loc[last, "layer"] == "features.0", 0.2, 0.01
    )
    judgement = judge("F2", whole)
    assert judgement.verdict is MIXED
    assert judgement.mixed_by == "layer"
    assert judgement.cases[0].verdict is MIXED


@pytest.mark.parametrize(
    "condition",
    [
        {"start": "scratch", "normalization": "unit", "seed": 1},
        {"start": "pretrained", "model": "vgg16"},
        {"model": "vgg16"},
    ],
    ids=str,
)
@pytest.mark.parametrize("claim", [c for c in BY_ID if c not in WITHOUT_RUNS | ABOUT_OPTIMIZERS])
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
    if "start" not in condition and claim not in ABOUT_LAWS | {"P2"}:
        assert judgement.verdict is not SUPPORTED


def test_from_six_seeds_on_every_case_has_exact_sign_flip_p_values():
    for case in judge("F3", study(seeds=tuple(range(6)), loss=FLAT)).cases:
        assert (case.sign_flip.support, case.sign_flip.refute) == (2**-6, 1.0)


def test_the_claims_of_a_family_that_are_judged_by_intervals_are_corrected():
    uncorrected = {claim.id for claim in CLAIMS if claim.family is None}
    assert uncorrected == WITHOUT_RUNS
    for one in judge_all(CLAIMS, study()):
        evaluable = one.judgement.verdict is not NOT_EVALUABLE
        assert (one.judgement.p_holm is not None) == (one.claim.family is not None and evaluable)


def test_families_are_corrected_apart_from_each_other():
    """Move one claim to a family of its own: nothing else is corrected with it."""
    whole = study(seeds=tuple(range(6)), noise=0.01)
    claims = [replace(claim, family="alone") if claim.id == "F1" else claim for claim in CLAIMS]
    together, apart = (judgements_of(some, whole) for some in (CLAIMS, claims))
    p = together["F1"].p
    assert apart["F1"].p_holm == pytest.approx(p.smallest)
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
    family = {claim.id for claim in CLAIMS if claim.family == BY_ID["H1"].family}
    others = sum(judged[claim].p_holm is not None for claim in family)
    assert alone.verdict is SUPPORTED
    assert 0.05 / others < 2 * alone.p.support < 0.05
    assert corrected.verdict is INCONCLUSIVE
    assert corrected.p_holm > 0.05
    assert f"supported when judged alone (p = {2 * alone.p.support:.2g})" in corrected.flags[0]
    assert f"after correction for the {others} claims" in corrected.flags[0]
    assert corrected.alone is SUPPORTED
    assert [case.verdict for case in corrected.cases] == [case.verdict for case in alone.cases]
    # Overwhelming evidence stays what it is.
    assert judged["F4"].verdict is judge("F4", whole).verdict is SUPPORTED


def test_predictions_are_a_family_of_their_own():
    judged = judgements_of(CLAIMS, study(seeds=tuple(range(6)), noise=0.01))
    families = {claim.id: claim.family for claim in CLAIMS if claim.family}
    predictions = {id for id, family in families.items() if family == "predictions"}
    assert predictions == {f"P{number}" for number in range(2, 8)}
    without = judgements_of(
        [claim for claim in CLAIMS if claim.family == "predictions"],
        study(seeds=tuple(range(6)), noise=0.01),
    )
    assert without["P6"].p_holm == judged["P6"].p_holm


def test_the_loss_before_the_first_step_is_none_of_the_last_ones():
    whole = study(loss={"pretrained": 0.1, "scratch": 0.1})
    before = judge("F3", whole).cases
    whole.histories.rows.loc[whole.histories.rows["epoch"] == 0, "train_loss"] = 1000.0
    assert judge("F3", replace(whole)).cases == before
    assert before[0].effect.mean == pytest.approx(
        np.log((0.1**0.5 + 0.1) / 2 * 2.3 / np.log(10)), rel=1e-3
    )


def test_a_loss_of_zero_is_low_and_not_undefined():
    whole = study()
    late = (whole.histories.rows["epoch"] > 0) & (whole.histories.rows["start"] == "pretrained")
    whole.histories.rows.loc[late, "train_loss"] = 0.0
    judgement = judge("F3", whole)
    assert judgement.verdict is REFUTED
    assert judgement.least_favourable.effect.mean == pytest.approx(np.log(1e-6))


def test_fluctuation_is_relative_to_the_loss():
    """Scale the losses of pretrained runs: their fluctuation stays the same."""
    whole = study(loss=FLAT, jumps={"pretrained": 0.4, "scratch": 0.05})
    before = judge("F3b", whole).cases
    pretrained = whole.histories.rows["start"] == "pretrained"
    whole.histories.rows.loc[pretrained, "train_loss"] *= 0.01
    for case, scaled in zip(before, judge("F3b", replace(whole)).cases, strict=True):
        assert scaled.values == pytest.approx(case.values)


def test_closeness_by_a_shared_start_is_flagged():
    close = study(apart={"pretrained": 0.005, "scratch": 0.005})
    assert judge("F1", close).flags[0].startswith("BY CONSTRUCTION")
    assert judge("F1", study()).flags == ()


def test_a_shift_that_the_seed_explains_is_flagged():
    flags = judge("F6", study(apart={"scratch": 0.01})).flags
    assert flags == (
        "EXPLAINED BY THE SEED in 4 of 4 layers: another seed shifts the distribution at least "
        "twice as far",
    )
    assert judge("F6", study()).flags == ()


def test_gaussian_weights_at_the_start_are_flagged_as_constructed():
    assert judge("F8", study()).flags[0].startswith("BY CONSTRUCTION")
    heavy = study()
    heavy.measures.rows["excess_kurtosis"] += 3.0
    assert judge("F8", heavy).flags == ()


def test_an_arm_that_shifts_the_weights_is_found_and_a_placebo_is_not():
    """Judge the placebo as if it were the second arm of the contrast."""
    whole = study(arms=(*ARMS, "placebo"), seeds=tuple(range(6)), noise=0.002)
    assert judge("F4", whole).verdict is SUPPORTED
    names = {"imagenet": "placebo", "placebo": "imagenet"}
    swapped = replace_tables(
        whole,
        products=lambda table: table.assign(
            normalization_a=table["normalization_a"].replace(names),
            normalization_b=table["normalization_b"].replace(names),
        ),
    )
    assert judge("F4", swapped).verdict is REFUTED


def test_networks_with_other_seeds_and_without_an_arm_are_judged_by_what_they_have():
    whole = study(seeds=tuple(range(6)))
    planned = tuple(
        arm.model_copy(update={"seeds": arm.seeds[:3]}) if arm.model == "vgg16" else arm
        for arm in whole.settings.planned
        if (arm.model, arm.normalization) != ("mobilenet_v2", "raw")
    )
    holes = replace(whole, settings=whole.settings.model_copy(update={"planned": planned}))
    for claim in ("F1", "F2", "F3", "F4", "F5", "F6", "F8", "H4", "P6"):
        judgement = judge(claim, holes)
        assert judgement.verdict is judge(claim, whole).verdict, claim
        seeds = {case.place.models[0]: case.effect.seeds for case in judgement.cases}
        assert seeds == {"vgg16": 3, "mobilenet_v2": 6}
        assert {case.place.models[0] for case in judgement.beyond} <= {"vgg16", "mobilenet_v2"}
    assert {case.place.models for case in judge("H1", holes).cases} == {("vgg16",)}
    assert {case.effect.seeds for case in judge("F11", holes).cases} == {3}
    assert judge("P2", holes).verdict is NOT_EVALUABLE


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
    assert judgement.least_favourable.effect.mean > np.log(0.3)
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
        names = ("layers", "measures", "products", "histories")
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
    whole.products.rows["product"] = np.nan
    about_loss = {"F3", "F3b", "H6"}
    for claim, judgement in judgements_of(CLAIMS, whole).items():
        if claim not in WITHOUT_RUNS | about_loss | ABOUT_OPTIMIZERS:
            assert judgement.verdict is NOT_EVALUABLE, claim
            assert judgement.reason == "the statistic is not defined here"
            assert not any(case.values for case in judgement.cases)


@pytest.mark.parametrize(
    "condition",
    [
        {"model": "vgg16", "start": "scratch", "layer": "features.0", "normalization": "unit"},
        {"model": "mobilenet_v2", "epoch": 0},
        {"model": "vgg16", "start": "scratch_laplace"},
        {"model": "mobilenet_v2"},
    ],
    ids=str,
)
def test_rows_of_a_place_are_those_with_its_values_in_their_order(condition):
    whole = study()
    shuffled = replace_tables(whole, measures=lambda table: table.sample(frac=1, random_state=0))
    found = shuffled.measures.at(**condition)
    expected = select_rows(shuffled.measures.rows, **condition)
    # Names are categories of the whole table.
    pd.testing.assert_frame_equal(found.astype(expected.dtypes), expected)


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
    judgement = judge("H3", replace(study(), images=images))
    effects = {
        case.place.contrast.label: case.effect.mean
        for case in (*judgement.cases, *judgement.beyond)
    }
    assert effects == {"unit": 0, "minmax": expected}


def test_verdicts_on_pretrained_weights_carry_a_flag_unless_pretraining_helped():
    helped, harmed = study(), study(accuracy={"pretrained": 0.5, "scratch": 0.7})
    about_pretrained = {
        claim.id
        for claim in CLAIMS
        for case in judge(claim.id, helped).cases
        if case.place and "pretrained" in case.place.starts
    }
    for claim in BY_ID:
        flags = [flag for flag in judge(claim, harmed).flags if "pretraining harmed" in flag]
        assert bool(flags) == (claim in about_pretrained - {"F3", "F3b"}), claim
        assert not any("pretraining" in flag for flag in judge(claim, helped).flags)
    assert {"F1", "F2", "P6", "F3"} <= about_pretrained
