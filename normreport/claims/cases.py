"""The cases of a claim: the places where it is judged, and the outcome at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite

import pandas as pd

from normreport.claims.study import Study
from normreport.statistics.inference import (
    Interval,
    MarginTest,
    PValues,
    combine_tests,
    t_interval,
)
from normreport.statistics.verdict import Verdict
from normreport.text.language import gettext


@dataclass(frozen=True)
class Contrast:
    """What a case compares.

    Attributes
    ----------
    arms
        One arm, or several that are compared; empty if the case is not about arms.
    label
        The comparison as printed: ``raw - unit``.
    """

    arms: tuple[str, ...] = ()
    label: str = ""

    @classmethod
    def of_arms(cls, *arms: str, sign: str = "-") -> Contrast:
        """Compare arms, or name a single one."""
        return cls(arms, f" {sign} ".join(arms))


@dataclass(frozen=True)
class Place:
    """Where a claim is judged; a field is empty if the claim does not distinguish by it.

    Attributes
    ----------
    models, starts, layers
        One of them, or two that are compared.
    contrast
        The arm, or the arms that are compared.
    """

    models: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    layers: tuple[str, ...] = ()
    contrast: Contrast = Contrast()

    @classmethod
    def of(
        cls, *, model: str, start: str, layer: str | None = None, contrast: Contrast | str
    ) -> Place:
        """Make a place with one model, one start and at most one layer.

        A contrast that is given as a string is a single arm.
        """
        return cls(
            (model,),
            (start,),
            () if layer is None else (layer,),
            Contrast.of_arms(contrast) if isinstance(contrast, str) else contrast,
        )


@dataclass(frozen=True)
class Part:
    """One layer of a case about whole networks, or another average over its layers.

    Attributes
    ----------
    label
        The layer, or ``mean`` or ``median``.
    effect
        The mean over seeds with its interval.
    p
        Student's p-values against the margin.
    verdict
        The verdict on this part alone.
    weights
        The number of weights of the layer.
    """

    label: str
    effect: Interval
    p: PValues
    verdict: Verdict
    weights: int | None = None


@dataclass(frozen=True)
class Case:
    """The outcome at one place.

    Attributes
    ----------
    place
        None if the whole claim is not evaluable.
    verdict
        The verdict on this case alone.
    effect, values
        The mean over seeds with its interval; the statistic of each seed.
    p
        P-values against the margin; None for an exact or an absent effect.
    sign_flip
        Exact p-values, for six seeds or more.
    null
        The 95% point of the effect under chance alone, if the effect must exceed it as well.
    layers
        The layers of a case about whole networks.
    averages
        The unweighted mean and median over those layers.
    reason
        Why the case is not evaluable.
    """

    place: Place | None
    verdict: Verdict
    effect: Interval | None = None
    values: tuple[float, ...] = ()
    p: PValues | None = None
    sign_flip: PValues | None = None
    null: float | None = None
    layers: tuple[Part, ...] = ()
    averages: tuple[Part, ...] = ()
    reason: str | None = None


def case_from_seeds(
    place: Place,
    values: Sequence[float | None],
    *,
    test: MarginTest,
    failed: Sequence[str],
    null: float | None = None,
) -> Case:
    """Judge a place by one number per seed.

    A case with a failed run is not evaluable: a mean over the remaining runs would answer another
    question.

    Parameters
    ----------
    place
        Where the numbers come from.
    values : shape (seeds,)
        The statistic of each seed; None or NaN if it is not defined.
    test
        The test of the claim.
    failed
        The failed runs that the case needs.
    null
        The size of an effect by chance. If it is larger than that of the margin, the effect must
        exceed it to support the claim. An effect short of the margin still refutes the claim.
    """
    if failed:
        return not_evaluable("; ".join(failed), place)
    numbers = tuple(float(value) for value in values if value is not None and isfinite(value))
    if len(numbers) < len(values) or not numbers:
        return not_evaluable(gettext("the statistic is not defined here"), place)
    interval = t_interval(numbers, test.level)
    if len(numbers) == 1:
        reason = gettext("one seed gives no interval")
        return Case(place, Verdict.NOT_EVALUABLE, interval, numbers, reason=reason)
    if null is not None:
        null = -null if test.side == "below" else null
        if abs(null) > abs(test.margin):
            test = replace(test, margin=null, refuted_from=test.margin)
    p = test.p_values(numbers)
    return Case(
        place, test.verdict(p), interval, numbers, p, test.sign_flip_p_values(numbers), null
    )


def case_from_layers(
    place: Place,
    whole: Sequence[float | None],
    layers: pd.DataFrame,
    *,
    test: MarginTest,
    failed: Sequence[str],
    weights: Mapping[str, int],
) -> Case:
    """Judge a whole network by one number per seed, and compare it with its layers.

    The case is mixed if layers lie beyond the margin in opposite directions, or if the unweighted
    mean or median of the layers would decide the opposite of the whole network.

    Parameters
    ----------
    place, test, failed
        As in `case_from_seeds`.
    whole : shape (seeds,)
        The statistic of the whole network.
    layers : shape (seeds, layers)
        The statistic of each layer. A layer whose statistic is not defined in every seed is left
        out.
    weights
        The number of weights of each layer.
    """
    case = case_from_seeds(place, whole, test=test, failed=failed)
    if case.p is None:
        return case
    defined = layers.dropna(axis="columns")
    parts = [
        _part(str(name), list(values), test, weights.get(str(name)))
        for name, values in defined.items()
    ]
    if not parts:
        return case
    averages = [
        _part("mean", list(defined.mean(axis="columns")), test),
        _part("median", list(defined.median(axis="columns")), test),
    ]
    # Each of the two comparisons can make the case mixed: Bonferroni counts both.
    mixed = 2 * min(
        combine_tests([part.p for part in parts]).mixed,
        combine_tests([case.p, *(part.p for part in averages)]).mixed,
    )
    p = replace(case.p, mixed=min(1.0, mixed))
    return replace(
        case, p=p, verdict=test.verdict(p), layers=tuple(parts), averages=tuple(averages)
    )


def _part(
    label: str, values: Sequence[float], test: MarginTest, weights: int | None = None
) -> Part:
    p = test.p_values(values)
    return Part(label, t_interval(values, test.level), p, test.verdict(p), weights)


def exact_case(place: Place, verdict: Verdict, value: float, *, seeds: int = 0) -> Case:
    """Make a case from a number that is computed instead of estimated."""
    return Case(place, verdict, Interval(value, value, value, 1.0, seeds))


def not_evaluable(reason: str, place: Place | None = None) -> Case:
    """Make a case without a verdict; without a place, the whole claim has none."""
    return Case(place, Verdict.NOT_EVALUABLE, reason=reason)


def failed_runs_at(study: Study, place: Place, controls: Sequence[str] = ()) -> list[str]:
    """List the failed runs of a place and of the same models and starts in control arms."""
    return study.failed_runs(
        models=place.models, starts=place.starts, arms=(*place.contrast.arms, *controls)
    )
