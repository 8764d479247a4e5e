"""H6, and which models count: tuned ones for H6 only, other optimizers for P3, P4 and P5 only."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from scipy import stats

from normreport.claims.judging import judge_claim
from normreport.claims.registry import CLAIMS
from normreport.report.summary import headline
from normreport.statistics.verdict import Verdict
from tests.claims.studies import LAYERS, study, with_failed_run, with_holes

BY_ID = {claim.id: claim for claim in CLAIMS}
RATES = (0.001, 0.01, 0.1)
TUNED = dict.fromkeys(LAYERS, RATES)
# Three models: two with a fixed learning rate, and one whose learning rates are tuned.
BOTH = LAYERS | {"vgg16_tuned": LAYERS["vgg16"]}
ONE_TUNED: dict[str, Any] = {"layers": BOTH, "built_as": {"vgg16_tuned": "vgg16"},
             "architectures": {name: name for name in LAYERS},
             "candidates": {"vgg16_tuned": RATES}}  # fmt: skip


def judge(whole, claim="H6"):
    return judge_claim(BY_ID[claim], whole)


@pytest.mark.parametrize(
    ("better", "expected"),
    [
        ({"imagenet": 0.05}, Verdict.SUPPORTED),
        ({"imagenet": 0.0}, Verdict.REFUTED),
        ({"imagenet": -0.05}, Verdict.REFUTED),
        # Every other arm must be beaten: one that is not is enough.
        ({"imagenet": 0.05, "raw": 0.05}, Verdict.REFUTED),
        ({"imagenet": 0.05, "unit": 0.05}, Verdict.REFUTED),
        ({"imagenet": 0.05, "raw": 0.02, "unit": 0.03}, Verdict.SUPPORTED),
    ],
)
def test_the_sweet_spot_is_a_point_above_every_other_arm(better, expected):
    judgement = judge(study(candidates=TUNED, better=better))
    assert judgement.verdict is expected
    assert {(case.place.models, case.place.starts) for case in judgement.cases} == {
        ((model,), (start,)) for model in LAYERS for start in ("pretrained", "scratch")
    }
    for case in judgement.cases:
        other = case.place.contrast.arms[1]
        assert case.place.contrast.label == f"imagenet - {other}"
        gain = better["imagenet"] - better.get(other, 0.0)
        assert case.effect.mean == pytest.approx(gain, abs=1e-3)
    assert {case.place.contrast.arms[1] for case in judgement.cases} == {"raw", "unit"}


def test_a_case_is_student_s_t_of_accuracies_paired_by_seed():
    whole = study(candidates=TUNED, seeds=(0, 1, 2, 3), noise=0.01)
    rows = whole.runs.rows.set_index(["model", "start", "normalization", "seed"])
    case = next(
        case
        for case in judge(whole).cases
        if case.place.models == ("vgg16",)
        and case.place.starts == ("scratch",)
        and case.place.contrast.arms == ("imagenet", "unit")
    )
    accuracy = rows["heldout_accuracy"]["vgg16"]["scratch"]
    gains = [accuracy["imagenet"][seed] - accuracy["unit"][seed] for seed in range(4)]
    assert case.values == pytest.approx(gains)
    assert case.p.support == pytest.approx(stats.ttest_1samp(gains, 0.01, alternative="greater")[1])
    assert case.p.refute == pytest.approx(stats.ttest_1samp(gains, 0.01, alternative="less")[1])


def test_networks_that_decide_opposite_ways_make_the_verdict_mixed_by_network():
    whole = study(candidates=TUNED, better={"imagenet": 0.05})
    rows = whole.runs.rows
    equal = (rows["model"] == "vgg16") & (rows["normalization"] == "raw")
    rows.loc[equal, "heldout_accuracy"] += 0.05
    judgement = judge(whole)
    assert judgement.verdict is Verdict.MIXED
    # Within VGG16 one arm is beaten and another is not, which decides for the whole network.
    assert judgement.mixed_by == "network"
    assert judgement.by_model["vgg16"].verdict is Verdict.REFUTED
    assert judgement.by_model["mobilenet_v2"].verdict is Verdict.SUPPORTED


def test_a_network_is_refuted_after_correction_for_the_number_of_other_arms():
    """Two other arms: twice the smaller p-value, in the only network and start."""
    whole = study(candidates=TUNED, layers={"vgg16": ("features.0",)}, starts=("scratch",),
                  better={"imagenet": 0.01}, noise=0.004)  # fmt: skip
    judgement = judge(whole)
    assert len(judgement.cases) == 2
    refuting = [case.p.refute for case in judgement.cases]
    assert judgement.p.refute == pytest.approx(min(1, 2 * min(refuting)))
    assert judgement.p.support == max(case.p.support for case in judgement.cases)


def test_without_raw_inputs_the_article_s_other_arm_decides():
    judgement = judge(study(candidates=TUNED, arms=("unit", "imagenet"), better={"imagenet": 0.05}))
    assert judgement.verdict is Verdict.SUPPORTED
    assert {case.place.contrast.label for case in judgement.cases} == {"imagenet - unit"}


def test_published_pipelines_stand_for_the_article_s_arms():
    arms = ("published_none", "published_minmax", "published_meanstd")
    judgement = judge(study(candidates=TUNED, arms=arms, better={"published_meanstd": 0.05}))
    assert judgement.verdict is Verdict.SUPPORTED
    labels = {case.place.contrast.label for case in judgement.cases}
    assert labels == {"published_meanstd - published_minmax"}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, "the learning rate was not tuned per arm, so no arm had its best chance"),
        ({"candidates": TUNED, "arms": ("raw", "unit")}, "no run with the arm imagenet"),
        ({"candidates": TUNED, "starts": ("scratch_uniform",)}, "the start pretrained or"),
        ({"candidates": TUNED, "seeds": (0, 1)}, "it needs three seeds or more"),
    ],
)
def test_what_the_experiment_lacks_is_named(changes, reason):
    judgement = judge(study(**changes))
    assert judgement.verdict is Verdict.NOT_EVALUABLE
    assert reason in judgement.reason


def test_a_failed_run_leaves_its_comparisons_open_and_supports_nothing():
    whole = with_failed_run(
        study(candidates=TUNED, better={"imagenet": 0.05}),
        gate="finite", model="vgg16", start="scratch", normalization="raw", seed=1,
    )  # fmt: skip
    judgement = judge(whole)
    silent = [case for case in judgement.cases if case.verdict is Verdict.NOT_EVALUABLE]
    assert [case.place.contrast.label for case in silent] == ["imagenet - raw"]
    assert "vgg16/scratch/raw/seed1 (diverged)" in silent[0].reason
    assert judgement.verdict is Verdict.INCONCLUSIVE


def test_only_seeds_of_both_arms_are_paired():
    whole = with_holes(
        study(candidates=TUNED, seeds=(0, 1, 2, 3)),
        lambda model, start, arm, seed: arm != "raw" or seed < 3,
    )
    seeds = {case.place.contrast.arms[1]: case.effect.seeds for case in judge(whole).cases}
    assert seeds == {"raw": 3, "unit": 4}


@pytest.mark.parametrize(("rate", "is_end"), [(0.001, True), (0.01, False), (0.1, True)])
def test_a_chosen_rate_at_an_end_of_the_candidates_qualifies_the_verdict(rate, is_end):
    whole = study(candidates=TUNED)
    rows = whole.runs.rows
    arm = (rows["model"] == "vgg16") & (rows["start"] == "scratch")
    rows.loc[arm & (rows["normalization"] == "raw"), "learning_rate"] = rate
    flags = [flag for flag in judge(whole).flags if "candidate" in flag]
    expected = (
        "the lowest or the highest candidate was chosen for vgg16/scratch/raw: a learning rate "
        "beyond it may be better"
    )
    assert flags == ([expected] if is_end else [])


# In the place of the tuned model, one with another optimizer.
ONE_VARIANT = {**ONE_TUNED, "candidates": {}, "variants": ("vgg16_tuned",),
               "optimizers": {"vgg16_tuned": {"name": "sgd"}}}  # fmt: skip
ABOUT_OPTIMIZERS = {"P3", "P4", "P5"}


@pytest.mark.parametrize(
    ("claim", "more"),
    [(claim, ONE_TUNED) for claim in sorted(set(BY_ID) - {"H6"})]
    + [(claim, ONE_VARIANT) for claim in sorted(set(BY_ID) - {"H6"} - ABOUT_OPTIMIZERS)],
    ids=lambda value: value if isinstance(value, str) else str("variants" in value),
)
def test_no_other_claim_uses_a_tuned_model_or_another_optimizer(claim, more):
    """Its cases are those of an experiment without that model, whatever that measured."""
    starts = ("pretrained", "scratch", "scratch_uniform")
    changes = {"starts": starts, "kurtosis": (-1.2, -0.3)}
    with_tuned = study(**more, **changes)
    for name in ("layers", "measures", "products", "runs", "histories"):
        table = getattr(with_tuned, name).rows
        numbers = table.select_dtypes("float").columns.difference(["epoch", "seed", "n"])
        table.loc[table["model"] == "vgg16_tuned", numbers] *= 3.0
    without = replace(
        with_tuned,
        settings=with_tuned.settings.model_copy(
            update={
                "models": tuple(LAYERS),
                "candidates": {},
                "optimizer_variants": (),
                "planned": tuple(
                    arm for arm in with_tuned.settings.planned if arm.model != "vgg16_tuned"
                ),
            }
        ),
    )
    assert judge(with_tuned, claim) == judge(without, claim)


def test_only_tuned_models_decide_the_sweet_spot():
    judgement = judge(study(**ONE_TUNED, better={"imagenet": 0.05}))
    assert judgement.verdict is Verdict.SUPPORTED
    assert {case.place.models for case in judgement.cases} == {("vgg16_tuned",)}


def test_a_condition_that_only_a_tuned_model_has_is_missing_for_other_claims():
    whole = with_holes(
        study(**ONE_TUNED),
        lambda model, start, arm, seed: model == "vgg16_tuned" or start == "scratch",
    )
    judgement = judge(whole, "F1")
    assert judgement.verdict is Verdict.NOT_EVALUABLE
    assert "no run with the start pretrained" in judgement.reason
    assert judge(whole, "F4").verdict is not Verdict.NOT_EVALUABLE


@pytest.mark.parametrize("claim", sorted(set(BY_ID) - {"H6", "C0", "H3"}))
def test_if_all_models_are_tuned_other_claims_say_so(claim):
    judgement = judge(study(candidates=TUNED), claim)
    assert judgement.verdict is Verdict.NOT_EVALUABLE
    assert judgement.reason == (
        "every network has learning rates that were tuned per arm, so its arms differ in more than "
        "the normalization"
    )


@pytest.mark.parametrize("more", [ONE_TUNED, ONE_VARIANT], ids=["tuned", "variant"])
def test_the_headline_leaves_such_models_out_and_the_tables_of_runs_do_not(more):
    found = headline(study(**more))
    for rows in (found.effects, found.accuracy_differences, found.pretraining_checks):
        assert {row.model for row in rows} == set(LAYERS)
    assert {row.model for row in found.arms} == {row.model for row in found.layers} == set(BOTH)
    assert found.runs.total == len(BOTH) * 2 * 3 * 3
    assert all(row.heldout_accuracy for row in found.arms)
