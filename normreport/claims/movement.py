"""F2, F5, P6: how far weights move, and whether their spread changes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar, cast

import numpy as np
import pandas as pd

from normreport.claims.cases import Case, Contrast, Place, case_from_layers, failed_runs_at
from normreport.claims.claim import PREDICTIONS, PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.claims.values import Arms, arrange, article_arms, planned_arms, raw_arm
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

TINY_UPDATES = MarginTest(math.log(0.05), level=0.95, side="below")

Sums = TypeVar("Sums", pd.Series, pd.DataFrame)


@dataclass(frozen=True)
class Movement:
    """How one network moved, for one start and arm.

    All frames have one row per seed and one column per measured layer.

    Attributes
    ----------
    first, last
        Sums of squared deviations from the mean, before the first step and after the last epoch.
    start_norm, distance
        Squared norm of the initial weights and of the change.
    """

    first: pd.DataFrame
    last: pd.DataFrame
    start_norm: pd.DataFrame
    distance: pd.DataFrame


def measure_movement(study: Study, model: str, start: str, arm: str) -> Movement:
    """Collect the squared norms of every measured layer of the runs of one arm."""
    layers = study.measured_layers(model)
    seeds = study.seeds(model=model, starts=(start,), arms=(arm,))
    before, after = (
        study.layers.at(model=model, start=start, normalization=arm, epoch=epoch)
        for epoch in (0, study.settings.epochs)
    )

    def collect(rows: pd.DataFrame, column: str) -> pd.DataFrame:
        return arrange(rows, column, seed=seeds, layer=layers)

    count, mean = collect(before, "n"), collect(before, "mean")
    first = collect(before, "std") ** 2 * (count - 1)
    start_norm = first + count * mean**2
    return Movement(
        first=first,
        last=collect(after, "std") ** 2 * (count - 1),
        start_norm=start_norm,
        distance=collect(after, "displacement") ** 2 * start_norm,
    )


def log_ratio(over: pd.DataFrame, under: pd.DataFrame) -> tuple[pd.Series, pd.DataFrame]:
    """Return half the ln of the ratio of two sums of squares: of all layers, and of each."""
    whole, whole_under = (sums.sum(axis="columns", skipna=False) for sums in (over, under))
    return _half_log(whole) - _half_log(whole_under), _half_log(over) - _half_log(under)


def _half_log(sums: Sums) -> Sums:
    """Return half the ln of sums of squares; NaN where a sum is 0."""
    # numpy's types say that a ufunc returns an array. For pandas objects, it returns their kind.
    return cast(Sums, np.log(sums.where(sums > 0))) / 2


def average_arms(parts: Sequence[tuple[pd.Series, pd.DataFrame]]) -> tuple[pd.Series, pd.DataFrame]:
    """Average a statistic over arms, seed by seed."""
    whole = pd.concat([part[0] for part in parts], axis="columns").mean(
        axis="columns", skipna=False
    )
    each = sum(part[1] for part in parts) / len(parts)
    assert isinstance(each, pd.DataFrame)
    return whole, each


def _judge_network(
    study: Study,
    test: MarginTest,
    *,
    starts: tuple[str, ...],
    arms: Arms,
    measure: Callable[[Study, str, str], tuple[pd.Series, pd.DataFrame]],
    label: str = "",
) -> Iterator[Case]:
    """Judge a statistic of whole networks, averaged over arms.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    starts
        The start, or the starts that are compared.
    arms
        Returns the arms to average over.
    measure
        Maps a study, a model and an arm to the statistic of the whole network, shape (seeds,), and
        of each layer, shape (seeds, layers).
    label
        What the case compares, as a message; the names of the arms if empty.
    """
    for model in study.settings.models:
        chosen = planned_arms(study, arms, model=model, starts=starts)
        if not chosen:
            continue
        seeds = study.seeds(model=model, starts=starts, arms=chosen)
        contrast = Contrast.of_arms(*chosen, sign="+")
        if label:
            contrast = replace(contrast, label=gettext(label))
        place = Place((model,), starts, (), contrast)
        failed = failed_runs_at(study, place)
        whole, each = average_arms([measure(study, model, arm) for arm in chosen])
        whole, each = whole.reindex(list(seeds)), each.reindex(list(seeds))
        counts = study.layers.at(model=model, epoch=0).groupby("layer")["n"].first()
        yield case_from_layers(
            place,
            list(whole),
            each,
            test=test,
            failed=failed,
            weights={str(layer): int(count) for layer, count in counts.items()},
        )


def _measure_displacement(study: Study, model: str, arm: str) -> tuple[pd.Series, pd.DataFrame]:
    moved = measure_movement(study, model, "pretrained", arm)
    return log_ratio(moved.distance, moved.start_norm)


def _measure_drift(study: Study, model: str, arm: str) -> tuple[pd.Series, pd.DataFrame]:
    moved = measure_movement(study, model, "scratch", arm)
    return log_ratio(moved.last, moved.first)


def _compare_starts(
    study: Study, model: str, arm: str, *, relative: bool = False
) -> tuple[pd.Series, pd.DataFrame]:
    """Return ln of the displacement from scratch over that from pretrained weights."""
    scratch, pretrained = (
        measure_movement(study, model, start, arm) for start in ("scratch", "pretrained")
    )
    if not relative:
        return log_ratio(scratch.distance, pretrained.distance)
    (a, each_a), (b, each_b) = (
        log_ratio(moved.distance, moved.start_norm) for moved in (scratch, pretrained)
    )
    return a - b, each_a - each_b


def _flag_insensitive_std(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say how far the weights moved although their standard deviation did not."""
    measured = [
        math.exp(float(whole.max()))
        for model in study.settings.models
        for arm in planned_arms(study, article_arms, model=model, starts=("scratch",))
        for whole, _ in [_measure_from_scratch(study, model, arm)]
        if whole.notna().any()
    ]
    if measured and max(measured) > math.exp(TINY_UPDATES.margin):
        yield gettext(
            "the standard deviation hardly responds to learning: the same weights moved by up to "
            "%(share)s of their norm",
            share=f"{max(measured):.0%}",
        )


def _measure_from_scratch(study: Study, model: str, arm: str) -> tuple[pd.Series, pd.DataFrame]:
    moved = measure_movement(study, model, "scratch", arm)
    return log_ratio(moved.distance, moved.start_norm)


judge_updates = partial(_judge_network, starts=("pretrained",), measure=_measure_displacement)
judge_drift = partial(_judge_network, starts=("scratch",), measure=_measure_drift)
judge_starts = partial(_judge_network, starts=("scratch", "pretrained"))

UPDATES_ARE_TINY = Claim(
    id="F2",
    kind="finding",
    group="pretrained",
    topic=N_("Pretrained: updates are tiny"),
    statement=N_("Started from pretrained weights, the weights hardly move."),
    statistic=N_(
        "ln of the displacement |w_T - w_0| / |w_0| of all measured layers together, averaged over "
        "the article's arms"
    ),
    unit=N_("the displacement, relative to the initial norm"),
    shown="size",
    test=TINY_UPDATES,
    needs=Needs(starts=("pretrained",), any_contrast=True),
    judge=partial(judge_updates, arms=article_arms),
    beyond=partial(judge_updates, arms=raw_arm),
    figures=("displacement",),
    family=PRIMARY_FAMILY,
)

STD_IS_CONSTANT = Claim(
    id="F5",
    kind="finding",
    group="scratch",
    topic=N_("Scratch: the spread is constant"),
    statement=N_(
        "Started from random weights, the standard deviation of the weights stays constant."
    ),
    statistic=N_(
        "ln of the standard deviation at the last epoch over that before the first step, of all "
        "measured layers together, averaged over the article's arms"
    ),
    unit=N_("the change of the standard deviation"),
    shown="ratio",
    test=MarginTest(math.log(1.02), level=0.90, side="within"),
    needs=Needs(starts=("scratch",), any_contrast=True),
    judge=partial(judge_drift, arms=article_arms),
    beyond=partial(judge_drift, arms=raw_arm),
    flags=_flag_insensitive_std,
    figures=("spread", "displacement"),
    family=PRIMARY_FAMILY,
)

PRETRAINED_MOVES_LESS = Claim(
    id="P6",
    kind="prediction",
    group="predictions",
    topic=N_("Pretrained moves less than scratch"),
    statement=N_("Pretrained weights move less than random ones."),
    statistic=N_(
        "ln of the distance |w_T - w_0| from scratch over that from pretrained weights, of all "
        "measured layers together, same seed, averaged over the article's arms"
    ),
    unit=N_("the extra distance from scratch"),
    shown="ratio",
    test=MarginTest(math.log(1.1), level=0.95),
    needs=Needs(starts=("scratch", "pretrained"), any_contrast=True),
    judge=partial(judge_starts, arms=article_arms, measure=_compare_starts),
    beyond=partial(
        judge_starts,
        arms=article_arms,
        measure=partial(_compare_starts, relative=True),
        label=N_("relative to the initial norm"),
    ),
    figures=("displacement",),
    family=PREDICTIONS,
)
