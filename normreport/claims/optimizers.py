"""P3, P4, P5: what the optimizer does with the scale of the input and with weight decay."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from normreport.claims.cases import (
    Case,
    Contrast,
    Place,
    case_from_layers,
    case_from_seeds,
    failed_runs_at,
    not_evaluable,
)
from normreport.claims.claim import PREDICTIONS, Claim
from normreport.claims.movement import average_arms, log_ratio, measure_movement
from normreport.claims.needs import Needs
from normreport.claims.shifts import SAMENESS, case_from_shifts, forgets_scale
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import article_arms, final_values, planned_arms
from normreport.statistics.effects import repeated_shift
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

FIRST_EPOCH = 1
FARTHER = MarginTest(math.log(1.1), level=0.95)
AS_PREDICTED = MarginTest(math.log(1.02), level=0.90, side="within")
# In these optimizers weight decay shrinks the weights by itself. In Adam it passes through the
# adaptive step.
DECOUPLED = ("sgd", "adamw")


def _judge_early_movement(study: Study, test: MarginTest) -> Iterator[Case]:
    """Compare the first layer's movement in the first epoch between larger and smaller inputs."""
    models = [
        model
        for model in study.settings.models
        if model in study.fits
        and study.fits[model].optimizer.name == "sgd"
        and not forgets_scale(study.settings.built_as[model])
    ]
    if not models:
        yield not_evaluable(
            gettext("the experiment has no network without batch normalization trained by SGD")
        )
    for model in models:
        layer = study.settings.layers[model][0]
        for start in ARTICLE_STARTS:
            if not study.seeds(model=model, starts=(start,), arms=study.contrast):
                continue
            small, large = sorted(
                study.contrast, key=lambda arm: _input_size(study, model, start, arm)
            )
            place = Place.of(
                model=model,
                start=start,
                layer=layer,
                contrast=Contrast.of_arms(large, small, sign="/"),
            )
            moved = final_values(
                study, study.layers, "displacement",
                model=model, start=start, layer=layer, arms=(large, small), epoch=FIRST_EPOCH,
            )  # fmt: skip
            positive = moved.where(moved > 0)
            yield case_from_seeds(
                place,
                list(np.log(positive[large]) - np.log(positive[small])),
                test=test,
                failed=failed_runs_at(study, place),
            )


def _input_size(study: Study, model: str, start: str, arm: str) -> float:
    """Return the root mean square of the first batch's inputs, averaged over seeds."""
    runs = study.runs.at(model=model, start=start, normalization=arm)
    squares = runs["input_mean"].astype(float) ** 2 + runs["input_std"].astype(float) ** 2
    return float(np.sqrt(squares).mean())


def _flag_diverged_raw(study: Study, cases: object) -> Iterator[str]:
    runs = study.runs.rows
    raw = runs[(runs["normalization"] == "raw") & runs["model"].isin(_models_with(study, "sgd"))]
    diverged = int((raw["state"] == "DIVERGED").sum())
    if diverged:
        yield gettext(
            "with raw inputs %(diverged)s of %(runs)s runs trained by SGD diverged",
            diverged=diverged,
            runs=len(raw),
        )


def _models_with(study: Study, *optimizers: str) -> list[str]:
    return [
        model
        for model in study.settings.models
        if model in study.fits and study.fits[model].optimizer.name in optimizers
    ]


def _pair_models(study: Study, first: list[str], second: list[str]) -> list[tuple[str, str]]:
    """Pair models of one architecture."""
    built_as = study.settings.built_as
    return [(a, b) for a in first for b in second if a != b and built_as[a] == built_as[b]]


def _have_equal_decay(study: Study, models: tuple[str, str]) -> bool:
    one, other = (study.fits[model].optimizer for model in models)
    return one.weight_decay == other.weight_decay


def _judge_optimizers(study: Study, test: MarginTest) -> Iterator[Case]:
    """Compare the squared shift between the arms with SGD and with Adam, per layer."""
    pairs = [
        pair
        for pair in _pair_models(
            study, _models_with(study, "sgd"), _models_with(study, "adam", "adamw")
        )
        if _have_equal_decay(study, pair)
    ]
    if not pairs:
        yield not_evaluable(gettext("the experiment has no network trained by both SGD and Adam"))
    for models in pairs:
        shared = [layer for layer in study.settings.layers[models[0]]
                  if layer in study.settings.layers[models[1]]]  # fmt: skip
        for start in ARTICLE_STARTS:
            planned = [
                study.seeds(model=model, starts=(start,), arms=study.contrast) for model in models
            ]
            seeds = [seed for seed in planned[0] if seed in planned[1]]
            for layer in shared if seeds else ():
                place = Place(models, (start,), (layer,), Contrast.of_arms(*study.contrast))
                yield case_from_shifts(
                    study,
                    place,
                    test,
                    seeds=seeds,
                    arms=study.contrast,
                    effect=repeated_shift,
                )


def _judge_decay(study: Study, test: MarginTest) -> Iterator[Case]:
    """Compare the narrowing by weight decay with ``exp(-lr * wd * steps)``."""
    decoupled = _models_with(study, *DECOUPLED)
    decayed = [model for model in decoupled if study.fits[model].optimizer.weight_decay]
    plain = [model for model in decoupled if not study.fits[model].optimizer.weight_decay]
    pairs = [
        (a, b)
        for a, b in _pair_models(study, decayed, plain)
        if study.fits[a].optimizer.name == study.fits[b].optimizer.name
    ]
    if not pairs:
        yield not_evaluable(
            gettext(
                "the experiment has no network trained by SGD or AdamW both with and without "
                "weight decay"
            )
        )
    for models in pairs:
        for start in ARTICLE_STARTS:
            planned = [
                planned_arms(study, article_arms, model=model, starts=(start,)) for model in models
            ]
            arms = [arm for arm in planned[0] if arm in planned[1]]
            common = [study.seeds(model=model, starts=(start,), arms=arms) for model in models]
            seeds = [seed for seed in common[0] if seed in common[1]]
            if not arms or not seeds:
                continue
            parts = []
            for arm in arms:
                with_decay, without = (
                    measure_movement(study, model, start, arm) for model in models
                )
                whole, each = log_ratio(with_decay.last, without.last)
                expected = _expected_narrowing(study, models[0], start, arm).reindex(seeds)
                parts.append((
                    whole.reindex(seeds) - expected, each.reindex(seeds).sub(expected, axis="index")
                ))  # fmt: skip
            whole, each = average_arms(parts)
            place = Place(models, (start,), (), Contrast.of_arms(*arms, sign="+"))
            counts = study.layers.at(model=models[0], epoch=0).groupby("layer")["n"].first()
            yield case_from_layers(
                place,
                list(whole),
                each,
                test=test,
                failed=failed_runs_at(study, place),
                weights={str(layer): int(count) for layer, count in counts.items()},
            )


def _expected_narrowing(study: Study, model: str, start: str, arm: str) -> pd.Series:
    """Return ``-lr * wd * steps`` per seed, summed over epochs."""
    fit = study.fits[model]
    images = fit.train_images
    # A last batch of one image is left out.
    steps = images // fit.batch_size + (images % fit.batch_size > 1)
    rows = study.histories.at(model=model, start=start, normalization=arm)
    rates = rows[rows["epoch"] > 0].groupby("seed")["learning_rate"].sum()
    return -rates * fit.optimizer.weight_decay * steps


LARGER_INPUTS_MOVE_FARTHER = Claim(
    id="P3",
    kind="prediction",
    group="predictions",
    topic=N_("SGD moves farther with larger inputs"),
    statement=N_(
        "Without batch normalization, SGD moves the first layer the farther the larger the inputs "
        "are."
    ),
    statistic=N_(
        "ln of the first layer's displacement after the first epoch with the arm of the larger "
        "inputs over that with the other arm, same seed"
    ),
    unit=N_("the extra displacement with larger inputs"),
    shown="ratio",
    test=FARTHER,
    needs=Needs(any_start=ARTICLE_STARTS, contrast=True, optimizers=True),
    epochs=(FIRST_EPOCH,),
    judge=_judge_early_movement,
    flags=_flag_diverged_raw,
    needs_helpful_pretraining=False,
    figures=("displacement",),
    family=PREDICTIONS,
)

ADAM_BRINGS_ARMS_TOGETHER = Claim(
    id="P4",
    kind="prediction",
    group="predictions",
    topic=N_("Arms differ less with Adam"),
    statement=N_("The arms differ less with Adam than with SGD."),
    statistic=N_(
        "squared shift between the two arms that repeats from seed to seed with SGD, minus that "
        "with Adam, last epoch"
    ),
    unit=N_("the extra shift with SGD, relative to the initial standard deviation"),
    shown="shift_change",
    test=MarginTest(SAMENESS.margin, level=0.95),
    needs=Needs(any_start=ARTICLE_STARTS, contrast=True, optimizers=True),
    judge=_judge_optimizers,
    needs_helpful_pretraining=False,
    figures=("switch_or_seed", "separation"),
    family=PREDICTIONS,
)

DECAY_NARROWS_ALL_ARMS = Claim(
    id="P5",
    kind="prediction",
    group="predictions",
    topic=N_("Weight decay narrows every arm alike"),
    statement=N_(
        "Weight decay by itself narrows the weights of every arm by the learning rate times the "
        "decay times the number of steps."
    ),
    statistic=N_(
        "ln of the standard deviation with weight decay over that without, plus the sum over steps "
        "of learning rate times weight decay, of all measured layers together, averaged over the "
        "article's arms"
    ),
    unit=N_("the departure from the predicted standard deviation"),
    shown="ratio",
    test=AS_PREDICTED,
    needs=Needs(any_start=ARTICLE_STARTS, any_contrast=True, optimizers=True),
    judge=_judge_decay,
    needs_helpful_pretraining=False,
    figures=("spread",),
    family=PREDICTIONS,
)
