"""Claims that the configuration declares, made into claims like those of the article."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from normreport.claims.cases import (
    Case,
    Contrast,
    Place,
    case_from_seeds,
    failed_runs_at,
    not_evaluable,
)
from normreport.claims.claim import OWN_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.shifts import Effect, case_from_shifts
from normreport.claims.study import RowKey, Study
from normreport.claims.values import arrange, correlation_of_arms
from normreport.config.claims import ArmAtEpoch, ClaimedContrast, ClaimSettings
from normreport.statistics.effects import repeated_shift
from normreport.statistics.inference import FEWEST_FOR_ACCURACY, MarginTest
from normreport.statistics.nulls import roughness_ratio_null
from normreport.statistics.variance_ratio import variance_ratio
from normreport.text.language import N_, gettext

RenamedArms = Callable[[Study], Mapping[str, str]]


def declared_claim(settings: ClaimSettings) -> Claim:
    """Make a claim of the configuration into one that can be judged."""
    compared = settings.compared
    return Claim(
        id=settings.id,
        kind="own",
        group="own",
        topic=_verbatim(settings.topic or settings.statement),
        statement=_verbatim(settings.statement),
        statistic=_statistic(settings),
        unit=_verbatim(_unit(settings)),
        test=_test(settings),
        judge=partial(judge_declared, settings=settings),
        needs=Needs(
            any_start=settings.starts, normalizations=compared.arms, models=settings.models or ()
        ),
        epochs=tuple(side.epoch for side in compared.sides if side.epoch is not None),
        figures=settings.kind.figures,
        family=OWN_FAMILY,
        needs_helpful_pretraining=False,
        shown=settings.shown,
        axis_margin=abs(settings.margin_value) or _SMALLEST_AXIS.get(settings.shown),
        rule=ROUGHNESS_RULE if _needs_roughness_null(settings) else None,
    )


# What is computed from the products of pairs of runs.
PAIR_STATISTICS: Mapping[str, Effect] = {"shift": repeated_shift, "variance_ratio": variance_ratio}
ROUGHNESS_RULE = N_(
    "as for a difference, and to support the claim the 95%% interval must also lie farther from no "
    "effect than the 95%% point of the ratio for two Gaussian samples of the same size and "
    "correlation"
)

# The effect that counts as one margin on the axis of the scorecard, for a claim whose margin is 0.
_SMALLEST_AXIS = {"number": 1.0, "percent": 0.01, "points": 0.01, "ratio": 0.05, "shift": 0.02**2}


def _verbatim(text: str) -> str:
    """Return a text of the user as a message, in which a percent sign is doubled."""
    return text.replace("%", "%%")


def _test(settings: ClaimSettings) -> MarginTest:
    """Return the test: at 90% for a claim of sameness, as in the article's claims, else at 95%."""
    is_sameness = settings.expect == "within" or (
        settings.shown == "shift" and settings.expect == "below"
    )
    return MarginTest(
        settings.margin_value, level=0.90 if is_sameness else 0.95, side=settings.expect
    )


def _unit(settings: ClaimSettings) -> str:
    """Name the effect as it is printed."""
    one, *others = map(_side, settings.compared.sides)
    other = others[0] if others else ""
    what = gettext(settings.kind.words, one=one, other=other)
    words = {
        "/": N_("the change of %(what)s from %(other)s to %(one)s"),
        "-": N_("the difference of %(what)s (%(one)s minus %(other)s)"),
        "": N_("%(what)s with %(one)s"),
    }[settings.compared.operator]
    if settings.shown == "shift":
        words = N_("%(what)s from %(other)s to %(one)s")
    return what if settings.shown == "size" else gettext(words, what=what, one=one, other=other)


def _statistic(settings: ClaimSettings) -> str:
    """Say what is computed per seed."""
    one, *others = settings.compared.arms
    other = others[0] if others else ""
    what = gettext(settings.kind.words, one=one, other=other)
    words = {
        "ratio": N_("ln of %(what)s: %(contrast)s, last epoch unless it says another"),
        "shift": N_("%(what)s, squared: %(contrast)s, last epoch"),
        "size": N_("ln of %(what)s, last epoch"),
    }.get(settings.shown, N_("%(what)s: %(contrast)s, last epoch unless it says another"))
    return _verbatim(gettext(words, what=what, contrast=settings.contrast))


def _side(side: ArmAtEpoch) -> str:
    if side.epoch is None:
        return side.arm
    return gettext("%(arm)s at epoch %(epoch)s", arm=side.arm, epoch=side.epoch)


def judge_declared(
    study: Study,
    test: MarginTest,
    *,
    settings: ClaimSettings,
    renamed_arms: RenamedArms | None = None,
) -> Iterator[Case]:
    """Judge a declared claim at every model, start and layer that it names.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    settings
        The claim.
    renamed_arms
        Returns, for arms that the claim names, the arms that take their place.
    """
    compared = settings.compared.renamed(renamed_arms(study) if renamed_arms else {})
    for model in study.settings.models:
        for start in settings.starts:
            if not set(compared.arms) <= {*study.arms(model=model, starts=(start,))}:
                continue
            if not study.seeds(model=model, starts=(start,), arms=compared.arms):
                continue
            kept, measured = study.settings.layers[model], study.measured_layers(model)
            chosen: Sequence[str | None] = settings.choose_layers(kept, measured)
            for layer in chosen if settings.kind.is_of_layers else (None,):
                yield _judge_place(study, test, settings, compared, model, start, layer)


def _judge_place(
    study: Study,
    test: MarginTest,
    settings: ClaimSettings,
    compared: ClaimedContrast,
    model: str,
    start: str,
    layer: str | None,
) -> Case:
    place = Place.of(
        model=model, start=start, layer=layer, contrast=Contrast(compared.arms, compared.label)
    )
    seeds = study.seeds(model=model, starts=(start,), arms=compared.arms)
    if settings.kind.is_of_pairs:
        one, other = compared.arms
        return case_from_shifts(
            study,
            place,
            test,
            seeds=seeds,
            arms=(one, other),
            effect=PAIR_STATISTICS[settings.statistic],
        )
    failed = failed_runs_at(study, place)
    is_accuracy = settings.statistic.endswith("accuracy")
    if is_accuracy and 1 < len(seeds) < FEWEST_FOR_ACCURACY and not failed:
        return not_evaluable(gettext("it needs three seeds or more"), place)
    values = [_values(study, settings, model, start, layer, side, seeds) for side in compared.sides]
    if compared.operator == "/":
        values = [np.log(one.where(one > 0)) for one in values]
    first, *second = values
    effect = first - second[0] if second else first
    null = None
    # The simulation takes seconds, and decides nothing if the effect is smaller than the margin.
    farther = float(effect.mean(skipna=False)) - test.margin
    farther = -farther if test.side == "below" else farther
    if _needs_roughness_null(settings) and layer and farther > 0:
        null = _roughness_null(study, model, start, layer, compared)
    return case_from_seeds(place, list(effect), test=test, failed=failed, null=null)


def _needs_roughness_null(settings: ClaimSettings) -> bool:
    """Return whether the claim is that one arm is rougher than another, beyond chance."""
    is_ratio_of_arms = settings.compared.operator == "/" and len(settings.compared.arms) == 2
    sign = {"above": 1, "below": -1, "within": 0}[settings.expect]
    is_of_a_difference = sign != 0 and sign * settings.margin_value >= 0
    return settings.statistic == "roughness" and is_ratio_of_arms and is_of_a_difference


def _roughness_null(
    study: Study, model: str, start: str, layer: str, compared: ClaimedContrast
) -> float:
    """Return the 95% point of ln of the ratio of two roughnesses under chance alone."""
    counts = study.measures.at(model=model, start=start, layer=layer)["n"]
    # Correlations are known only at the last epoch; 0 gives the widest null.
    correlation = 0.0
    if all(side.epoch is None for side in compared.sides):
        correlation = correlation_of_arms(study, model, start, layer, *compared.arms)
    return roughness_ratio_null(int(counts.iloc[0]), correlation)


def _values(
    study: Study,
    settings: ClaimSettings,
    model: str,
    start: str,
    layer: str | None,
    side: ArmAtEpoch,
    seeds: Sequence[int],
) -> pd.Series:
    """Return the statistic of one side of the contrast, one number per seed."""
    column = settings.kind.column
    if layer is None:
        rows = study.runs.at(model=model, start=start)
    else:
        epoch = study.settings.epochs if side.epoch is None else side.epoch
        key: RowKey = {"model": model, "start": start, "layer": layer, "epoch": epoch}
        is_kept = layer in study.settings.layers[model]
        rows = (study.measures if is_kept else study.layers).at(**key)
    return arrange(rows, column, seed=seeds, normalization=[side.arm])[side.arm]
