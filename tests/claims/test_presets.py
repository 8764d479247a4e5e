"""The preset evening.yaml has the runs that every claim needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from normreport.claims.claim import JudgedClaim
from normreport.claims.judging import judge_claim
from normreport.claims.registry import CLAIMS
from normreport.commands.check import read_config
from normreport.config.training import TrainedWeights
from normreport.report.claim_results import claim_result
from normreport.statistics.verdict import Verdict
from tests.claims.studies import study, with_holes

ROOT = Path(__file__).parents[2]
CONFIG = read_config([ROOT / "config.yaml", ROOT / "workflow/presets/evening.yaml"])


@pytest.fixture(scope="module")
def evening():
    """Give a study with the runs of the preset, and numbers without a meaning."""
    settings = CONFIG.judge_settings()
    whole = study(
        seeds=settings.seeds,
        arms=settings.normalizations,
        starts=settings.starts,
        layers=dict(settings.layers),
        architectures=settings.architectures,
        built_as=dict(settings.built_as),
        candidates=dict(settings.candidates),
        variants=settings.optimizer_variants,
        optimizers={
            name: model.optimizer.model_dump()
            for name, model in CONFIG.models.items()
            if model.optimizer
        },
        kurtosis=(-1.2, -0.6),
        noise=1e-3,
    )
    planned = {(run.model, run.start, run.normalization, run.seed) for run in CONFIG.runs()}
    return with_holes(whole, lambda *run: run in planned)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda claim: claim.id)
def test_every_claim_can_be_judged_with_six_seeds_in_every_case(evening, claim):
    judgement = judge_claim(claim, evening)
    assert judgement.verdict is not Verdict.NOT_EVALUABLE, judgement.reason
    assert not [case for case in judgement.cases if case.verdict is Verdict.NOT_EVALUABLE]
    result = claim_result(JudgedClaim(claim, judgement))
    assert not result.pilot
    assert result.seeds == (0 if claim.id in {"C0", "H3"} else 6)


def test_models_of_one_architecture_differ_only_in_optimizer_and_learning_rate():
    """P4, P5, F10 and H6 compare them, so nothing else may differ."""
    for name in CONFIG.design.models:
        architecture, _ = CONFIG.architecture(name)
        # F10 compares VGG16 with and without batch normalization.
        base = CONFIG.models[architecture.removesuffix("_bn")]
        model = CONFIG.models[name]
        assert (model.train_images, model.batch_size) == (base.train_images, base.batch_size), name
        if CONFIG.pretrains_here(name):
            own, shared = (CONFIG.pretrain_settings(model) for model in (name, architecture))
            assert isinstance(own, TrainedWeights)
            assert own == shared.model_copy(update={"model": name}), name


def test_the_default_experiment_is_a_part_of_the_evening():
    """Results of a default report are not made again."""
    default = read_config([ROOT / "config.yaml"])
    assert {*default.runs()} <= {*CONFIG.runs()}
    for run in default.runs():
        assert CONFIG.run_settings(run) == default.run_settings(run)
    assert CONFIG.data_sets() == default.data_sets()
    assert CONFIG.pretrain_settings("vgg16") == default.pretrain_settings("vgg16")
