"""Compute the numbers and tables that the article prints besides the claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import PurePath

import numpy as np
import pandas as pd

from normreport.claims.pretraining_check import check_pretraining
from normreport.claims.study import Study
from normreport.config.failures import Failure
from normreport.config.manifests import (
    DivergedStatus,
    ImagesManifest,
    Preprocessing,
    PretrainingManifest,
    RunManifest,
    TrainedOrigin,
)
from normreport.config.results import (
    ArmResult,
    CaseResult,
    ClaimResult,
    ClassImages,
    FailureResult,
    FetchedPretraining,
    Headline,
    LayerResult,
    Pretraining,
    PretrainingCheckResult,
    RunCounts,
    RunResult,
    TrainedPretraining,
    TrainingSummary,
)
from normreport.config.runs import Run
from normreport.normalizations import (
    Images,
    Inputs,
    Normalization,
    normalize,
    published_meanstd,
    unit,
)
from normreport.report.effects import accuracy_differences, contrast_effects
from normreport.report.failures import explain_failure

# Arms are compared by the values that they make of this image. It is neither black nor white,
# because an arm that stretches the contrast would not change it, and of the size that no arm
# resizes.
PROBE = (
    np.random.default_rng(0)
    .integers(40, 200, (1, published_meanstd.SIZE_PX, published_meanstd.SIZE_PX, 3))
    .astype(np.uint8)
)

RUN_COLUMNS = tuple(RunResult.model_fields)
CASE_COLUMNS = (
    "claim", "model", "start", "layer", "contrast", "verdict",
    "mean", "low", "high", "level", "p_support", "p_refute", "sign_flip_support",
    "sign_flip_refute", "null", "values", "reason",
)  # fmt: skip
Cell = str | float | None
# Settings that the runs of a model do not share.
OWN_SETTINGS = {"start", "normalization", "inputs", "seed", "learning_rate"}


def run_result(manifest: RunManifest) -> RunResult:
    """Summarize a run: condition, status, checks, final losses, first batch and digests."""
    run, status, final, batch = manifest.run, manifest.status, manifest.final, manifest.first_batch
    first, last = manifest.heldout.initial, manifest.heldout.final
    diverged = status if isinstance(status, DivergedStatus) else None
    return RunResult(
        id=run.id,
        **asdict(run),
        state=status.state,
        step=diverged.step if diverged else None,
        what=diverged.what if diverged else None,
        **manifest.checks.model_dump(),
        epochs=manifest.epochs,
        learning_rate=manifest.settings.learning_rate,
        train_loss=final.train_loss if final else None,
        train_accuracy=final.train_accuracy if final else None,
        heldout_loss=last.loss if last else None,
        heldout_accuracy=last.accuracy if last else None,
        initial_heldout_accuracy=first.accuracy if first else None,
        probe_accuracy=manifest.heldout.probe_accuracy,
        input_min=batch.min,
        input_max=batch.max,
        input_mean=batch.mean,
        input_std=batch.std,
        initial_weights=manifest.digests.initial_weights,
        final_weights=manifest.digests.final_weights,
    )


def class_images(prepared: ImagesManifest) -> list[ClassImages]:
    """List the classes with the numbers of their images."""
    counts = prepared.images_per_class
    rows = zip(prepared.classes, counts.train, counts.heldout, strict=True)
    return [ClassImages(name=name, train=train, heldout=heldout) for name, train, heldout in rows]


def failure_result(failure: Failure) -> FailureResult:
    """Describe a failed run in the report's language."""
    run = Run(failure.model, failure.start, failure.normalization, failure.seed)
    return FailureResult(
        id=run.id, **asdict(run), what=explain_failure(failure), log=failure.log or ""
    )


def failed_run_result(failure: FailureResult) -> RunResult:
    """Summarize a failed run like the others: it passes no check and has no numbers."""
    return RunResult(**{
        **dict.fromkeys(RUN_COLUMNS),
        **failure.model_dump(exclude={"log"}),
        "state": "FAILED",
        "finite": False,
        "learned": False,
        "moved": False,
        "epochs": 0,
    })  # fmt: skip


def case_rows(claims: Sequence[ClaimResult]) -> list[dict[str, Cell]]:
    """Make one row per case of each claim, with the values of its seeds separated by spaces."""
    return [_case_row(claim.id, case) for claim in claims for case in claim.cases]


def _case_row(claim: str, case: CaseResult) -> dict[str, Cell]:
    place = case.place.columns() if case.place else {}
    effect = case.effect.model_dump(exclude={"seeds"}) if case.effect else {}
    p_values: dict[str, Cell] = {}
    for name, p in (("p", case.p), ("sign_flip", case.sign_flip)):
        if p:
            p_values |= {f"{name}_support": p.support, f"{name}_refute": p.refute}
    return {
        "claim": claim,
        **place,
        "verdict": case.verdict.value,
        **effect,
        **p_values,
        "null": case.null,
        "values": " ".join(map(repr, case.values)),
        "reason": case.reason,
    }


def training_summaries(
    manifests: Sequence[RunManifest], tuned_models: Collection[str], treatments: Collection[str]
) -> dict[str, TrainingSummary]:
    """Take from each model's first run the settings that all its runs share.

    The runs of a tuned model do not share their learning rate. Arms that are treatments replace
    some of the settings, so another arm's run comes first.
    """
    first: dict[str, RunManifest] = {}
    for manifest in sorted(manifests, key=lambda one: one.run.normalization in treatments):
        first.setdefault(manifest.run.model, manifest)
    return {
        model: TrainingSummary(
            **manifest.settings.model_dump(exclude=OWN_SETTINGS),
            learning_rate=None if model in tuned_models else manifest.settings.learning_rate,
            parameters=manifest.parameters,
            folded=bool(manifest.folded),
            images=manifest.images,
        )
        for model, manifest in first.items()
    }


def pretraining_result(
    manifest: PretrainingManifest, arms: Mapping[str, Normalization], train_images: Images
) -> Pretraining:
    """Say where a model's pretrained weights come from and how good they were.

    Parameters
    ----------
    manifest
        The manifest of the weights.
    arms
        The arms of the experiment, each with its normalization.
    train_images : array of uint8, shape (N, H, W, 3)
        The training images of the target data.
    """

    def differing_arms(seen: Inputs) -> list[str]:
        return [
            arm
            for arm, applied in arms.items()
            if not np.allclose(normalize(PROBE, applied, train_images), seen, rtol=0, atol=1e-4)
        ]

    origin = manifest.origin
    if isinstance(origin, TrainedOrigin):
        return TrainedPretraining(
            model=manifest.model,
            train_images=origin.settings.train_images,
            epochs=origin.settings.epochs,
            normalization=origin.settings.normalization,
            other_arms=differing_arms(normalize(PROBE, origin.settings.applied)),
            heldout_images=origin.evaluation.images,
            heldout_loss=origin.evaluation.loss,
            heldout_accuracy=origin.evaluation.accuracy,
        )
    preprocessing = origin.preprocessing
    return FetchedPretraining(
        model=manifest.model,
        weights=PurePath(origin.settings.weights).name,
        file=origin.file,
        preprocessing=preprocessing,
        unwrapping=origin.unwrapping,
        other_arms=differing_arms(preprocess_probe(preprocessing)) if preprocessing else None,
    )


def preprocess_probe(preprocessing: Preprocessing) -> Inputs:
    """Normalize the probe as published weights expect their inputs."""
    mean = np.asarray(preprocessing.mean, dtype=np.float32)
    std = np.asarray(preprocessing.std, dtype=np.float32)
    return (unit.apply(PROBE) - mean) / std


def headline(study: Study) -> Headline:
    """Make the tables by model, start and layer, and by model, start and arm."""
    standard = study.standard
    return Headline(
        contrast=standard.contrast,
        effects=contrast_effects(standard, [study.settings.epochs]),
        accuracy_differences=accuracy_differences(standard),
        layers=_layer_results(study),
        arms=_arm_results(study),
        pretraining_checks=[
            PretrainingCheckResult.model_validate(asdict(check))
            for check in check_pretraining(standard)
        ],
        runs=RunCounts(
            total=len(study.runs.rows),
            diverged=_count_state(study.runs.rows, "DIVERGED"),
            failed=_count_state(study.runs.rows, "FAILED"),
            learned=int(study.runs.rows["learned"].sum()),
        ),
    )


def _count_state(runs: pd.DataFrame, state: str) -> int:
    return int((runs["state"] == state).sum())


def _layer_results(study: Study) -> list[LayerResult]:
    """Summarize each kept layer: its size, spread and movement."""
    results = []
    for model, start, layer in study.kept_layers(study.settings.starts):
        place = {"model": model, "start": start, "layer": layer}
        runs = study.runs.at(model=model, start=start)
        mean = _mean_unless(ended_early=not runs["finite"].all())
        measures = study.measures.at(model=model, start=start, layer=layer)
        first = measures[measures["epoch"] == 0]
        last = study.select_last_epoch(measures)
        results.append(
            LayerResult(
                **place,
                weights=int(measures["n"].iloc[0]) if len(measures) else None,
                std_first=mean(first["std"]),
                std_last=mean(last["std"]),
                displacement=mean(last["displacement"]),
            )
        )
    return results


def _arm_results(study: Study) -> list[ArmResult]:
    """Summarize the runs of each model, start and arm that are planned."""
    results = []
    for planned in study.settings.planned:
        place = {
            "model": planned.model,
            "start": planned.start,
            "normalization": planned.normalization,
        }
        runs = study.runs.at(
            model=planned.model, start=planned.start, normalization=planned.normalization
        )
        mean = _mean_unless(ended_early=not runs["finite"].all())
        results.append(
            ArmResult(
                **place,
                runs=len(runs),
                diverged=_count_state(runs, "DIVERGED"),
                failed=_count_state(runs, "FAILED"),
                learned=int(runs["learned"].sum()),
                train_loss=mean(runs["train_loss"]),
                heldout_loss=mean(runs["heldout_loss"]),
                heldout_accuracy=mean(runs["heldout_accuracy"]),
            )
        )
    return results


def _mean_unless(*, ended_early: bool) -> Callable[[pd.Series], float | None]:
    """Make a mean over runs that is None if one of the runs ended early.

    A mean over the survivors would answer another question.
    """

    def mean(values: pd.Series) -> float | None:
        numbers = np.asarray(values, dtype=np.float64)
        if ended_early or not len(numbers) or not np.isfinite(numbers).all():
            return None
        return math.fsum(numbers) / len(numbers)

    return mean
