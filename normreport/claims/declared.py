"""Claims that the configuration declares, made into claims like those of the article."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
from normreport.claims.shifts import case_from_shifts
from normreport.claims.study import RowKey, Study
from normreport.claims.values import arrange
from normreport.config.claims import ArmAtEpoch, ClaimSettings
from normreport.statistics.effects import repeated_shift
from normreport.statistics.inference import FEWEST_FOR_ACCURACY, MarginTest
from normreport.text.language import N_, gettext


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
        judge=partial(_judge, settings=settings),
        needs=Needs(
            any_start=settings.starts, normalizations=compared.arms, models=settings.models or ()
        ),
        figures=settings.kind.figures,
        family=OWN_FAMILY,
        needs_helpful_pretraining=False,
        shown=settings.shown,
        axis_margin=abs(settings.margin_value) or _SMALLEST_AXIS[settings.shown],
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
    what = gettext(settings.kind.words)
    one, *others = map(_side, settings.compared.sides)
    other = others[0] if others else ""
    if settings.kind.is_of_pairs:
        return gettext("%(what)s from %(other)s to %(one)s", what=what, one=one, other=other)
    words = {
        "/": N_("the change of %(what)s from %(other)s to %(one)s"),
        "-": N_("the difference of %(what)s (%(one)s minus %(other)s)"),
        "": N_("%(what)s with %(one)s"),
    }[settings.compared.operator]
    return gettext(words, what=what, one=one, other=other)


def _statistic(settings: ClaimSettings) -> str:
    """Say what is computed per seed."""
    what, contrast = gettext(settings.kind.words), settings.contrast
    words = {
        "ratio": N_("ln of %(what)s: %(contrast)s, last epoch unless it says another"),
        "shift": N_("%(what)s, squared: %(contrast)s, last epoch"),
    }.get(settings.shown, N_("%(what)s: %(contrast)s, last epoch unless it says another"))
    return _verbatim(gettext(words, what=what, contrast=contrast))


def _side(side: ArmAtEpoch) -> str:
    if side.epoch is None:
        return side.arm
    return gettext("%(arm)s at epoch %(epoch)s", arm=side.arm, epoch=side.epoch)


def _judge(study: Study, test: MarginTest, *, settings: ClaimSettings) -> Iterator[Case]:
    """Judge the claim at every model, start and layer that it names."""
    for model in study.settings.models:
        for start in settings.starts:
            arms = settings.compared.arms
            if not set(arms) <= {*study.arms(model=model, starts=(start,))}:
                continue
            if not study.seeds(model=model, starts=(start,), arms=arms):
                continue
            kept, measured = study.settings.layers[model], study.measured_layers(model)
            chosen: Sequence[str | None] = settings.choose_layers(kept, measured)
            for layer in chosen if settings.kind.is_of_layers else (None,):
                yield _judge_place(study, test, settings, model, start, layer)


def _judge_place(
    study: Study,
    test: MarginTest,
    settings: ClaimSettings,
    model: str,
    start: str,
    layer: str | None,
) -> Case:
    compared = settings.compared
    place = Place.of(
        model=model, start=start, layer=layer, contrast=Contrast(compared.arms, compared.label)
    )
    seeds = study.seeds(model=model, starts=(start,), arms=compared.arms)
    if settings.kind.is_of_pairs:
        one, other = compared.arms
        return case_from_shifts(
            study, place, test, seeds=seeds, arms=(other, one), effect=repeated_shift
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
    return case_from_seeds(place, list(effect), test=test, failed=failed)


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
