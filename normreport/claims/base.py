"""What a claim is, what it rests on, and what comes out of judging it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.evidence import PILOT_BELOW, Interval, Verdict, overall, t_interval
from normreport.settings.judging import JudgeSettings

Judge = Callable[[Interval, float], Verdict]


@dataclass(frozen=True)
class Study:
    """Everything that was measured, as tables with one row per observation.

    Attributes
    ----------
    settings
        Which runs the experiment has.
    runs
        model, start, normalization, seed, state, finite, learned, moved, ... : one row per run.
    layers
        Per run, epoch and conv layer: moments, displacement, cosine.
    measures
        Per run, epoch and kept layer: all statistics.
    distances
        Per model, start, kept layer, epoch and pair of runs: Wasserstein distances.
    histories
        Per run and epoch: losses and accuracies.
    images : array of uint8, shape (N, H, W, 3)
        The training images.
    classes
        Number of classes.
    """

    settings: JudgeSettings
    runs: pd.DataFrame
    layers: pd.DataFrame
    measures: pd.DataFrame
    distances: pd.DataFrame
    histories: pd.DataFrame
    images: NDArray[np.uint8]
    classes: int

    def conv_layers(self, model: str) -> list[str]:
        """Names of all conv layers of a model, in the network's order."""
        return list(select(self.layers, model=model, epoch=0)["layer"].unique())

    def failed(self, **condition: Any) -> list[str]:
        """Ids of the runs that meet a condition and failed a gate, each with the gate's name."""
        found = select(self.runs, **condition)
        return [
            f"{row.model}/{row.start}/{row.normalization}/seed{row.seed} ({gate})"
            for row in found.itertuples()
            for gate, passed in (
                (row.state.lower(), row.finite),
                ("has not learned", row.learned or not row.finite),
                ("did not move", row.moved or not row.finite),
            )
            if not passed
        ]

    def diverged(self, **condition: Any) -> bool:
        """Whether one of the runs that meet a condition diverged."""
        return not bool(select(self.runs, **condition)["finite"].all())

    def last(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of the last epoch."""
        return table[table["epoch"] == self.settings.epochs]


@dataclass(frozen=True)
class Place:
    """Where a claim can hold or not."""

    model: str
    start: str
    layer: str
    contrast: str  # an arm, or two of them

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of a table of runs at this place, where the contrast is one arm."""
        return select(
            table,
            model=self.model,
            start=self.start,
            layer=self.layer,
            normalization=self.contrast,
        )

    def failed(self, study: Study) -> list[str]:
        """List the runs at this place that failed a gate, where the contrast is one arm."""
        return study.failed(model=self.model, start=self.start, normalization=self.contrast)


@dataclass(frozen=True)
class Case:
    """What came out at one place."""

    place: Place | None  # none where the whole claim cannot be evaluated
    verdict: Verdict
    effect: Interval | None = None
    values: tuple[float, ...] = ()  # one per seed
    reason: str | None = None  # why it cannot be evaluated
    # The verdict at another level of confidence; an exact one has no other.
    at_level: Callable[[float], Verdict] | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Judgement:
    """What came out of judging one claim.

    Attributes
    ----------
    verdict
        Of the claim as a whole.
    cases
        All of them.
    worst, best
        The measured cases that speak least and most for the claim; where it is refuted, `worst`
        is one of those that refute it.
    flags, reason
        What qualifies the verdict; why there is none.
    """

    verdict: Verdict
    cases: tuple[Case, ...]
    worst: Case | None = None
    best: Case | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True)
class Claim:
    """One hypothesis or finding, with the rule that judges it.

    Attributes
    ----------
    id
        As in the article's scorecard.
    kind
        ``premise``, ``hypothesis``, ``finding`` or ``prediction``.
    topic
        A few words.
    statement
        The claim in one sentence.
    statistic, unit, rule
        What is computed per seed, in what unit, and when that supports or refutes.
    margin
        The size of effect that matters.
    is_sameness
        Whether a large effect speaks against the claim, as it does where arms are said to be
        alike; else a small one does.
    judge
        From the study to cases.
    flags
        From the study and its cases to flags that qualify the verdict.
    """

    id: str
    kind: str
    topic: str
    statement: str
    statistic: str
    unit: str
    rule: str
    margin: float
    is_sameness: bool
    judge: Callable[[Study], Iterable[Case]] = field(repr=False)
    flags: Callable[[Study, Sequence[Case]], Iterable[str]] = field(
        default=lambda study, cases: (), repr=False
    )

    def judged(self, study: Study) -> Judgement:
        """Judge the claim on a study.

        A claim that is made of every case is supported by all of them together, which needs no
        correction; that one of them refutes it must hold at a level that is corrected for their
        number (Holm's first step).
        """
        cases = tuple(self.judge(study))
        refuting = refuting_cases(cases)
        verdict = overall([case.verdict for case in cases], refuted=bool(refuting))
        if verdict is Verdict.NOT_EVALUABLE:
            reasons = Counter(case.reason for case in cases if case.reason)
            reason = reasons.most_common(1)[0][0] if reasons else "nothing to judge it by"
            return Judgement(verdict, cases, reason=reason)
        measured = [case for case in cases if case.effect and case.reason is None]
        return Judgement(
            verdict,
            cases,
            worst=max(refuting or measured, key=self._against),
            best=min(measured, key=self._against),
            flags=tuple(self.flags(study, cases)),
        )

    def _against(self, case: Case) -> float:
        """How much a case speaks against the claim."""
        assert case.effect is not None
        return abs(case.effect.mean) if self.is_sameness else -case.effect.mean


def refuting_cases(cases: Sequence[Case]) -> list[Case]:
    """Cases that refute a claim also when their number is taken into account."""
    judged = [case for case in cases if case.verdict is not Verdict.NOT_EVALUABLE]
    found = []
    for case in judged:
        if case.verdict is Verdict.REFUTED and case.effect is not None:
            level = 1 - (1 - case.effect.level) / len(judged)
            if case.at_level is None or case.at_level(level) is Verdict.REFUTED:
                found.append(case)
    return found


def case_from_seeds(
    place: Place,
    values: Sequence[float | None],
    *,
    judge: Judge,
    margin: float,
    level: float,
    failed: Sequence[str],
) -> Case:
    """Make a case from one number per seed.

    A case that a failed run touches is not evaluated: an average over the survivors would answer
    another question.
    """
    if failed:
        return Case(place, Verdict.NOT_EVALUABLE, reason="; ".join(failed))
    numbers = tuple(float(value) for value in values if value is not None and value == value)
    if len(numbers) < len(values) or not numbers:
        return Case(place, Verdict.NOT_EVALUABLE, reason="the statistic is not defined here")
    interval = t_interval(numbers, level)
    if len(numbers) == 1:
        reason = "one seed gives no interval"
        return Case(place, Verdict.NOT_EVALUABLE, interval, numbers, reason)
    return Case(
        place,
        judge(interval, margin),
        interval,
        numbers,
        at_level=lambda other: judge(t_interval(numbers, other), margin),
    )


def missing(reason: str) -> Case:
    """Make the only case of a claim that the experiment cannot speak to."""
    return Case(None, Verdict.NOT_EVALUABLE, reason=reason)


def select(table: pd.DataFrame, **condition: Any) -> pd.DataFrame:
    """Rows in which every named column has the given value, or one of a list of values."""
    keep = np.ones(len(table), dtype=bool)
    for column, value in condition.items():
        several = isinstance(value, list | tuple)
        keep &= (table[column].isin(value) if several else table[column] == value).to_numpy()
    return table[keep]


def to_json(claim: Claim, judgement: Judgement, study: Study) -> dict[str, Any]:
    """Everything of a judged claim that the report may print."""
    described = {
        key: getattr(claim, key)
        for key in ("id", "kind", "topic", "statement", "statistic", "unit", "rule", "margin")
    }
    seeds = len(study.settings.seeds)
    return {
        **described,
        "verdict": judgement.verdict.value,
        "flags": list(judgement.flags),
        "reason": judgement.reason,
        "pilot": seeds < PILOT_BELOW
        and any(case.effect.seeds > 0 for case in judgement.cases if case.effect),
        "seeds": seeds,
        "counts": _counts(judgement.cases),
        "by_model": {
            model: _counts(found)
            for model in study.settings.models
            if (found := [c for c in judgement.cases if c.place and c.place.model == model])
        },
        "worst": _case_json(judgement.worst) if judgement.worst else None,
        "best": _case_json(judgement.best) if judgement.best else None,
        "cases": [_case_json(case) for case in judgement.cases],
    }


def _counts(cases: Sequence[Case]) -> dict[str, int]:
    counts = Counter(case.verdict.value for case in cases)
    return {verdict.value: counts[verdict.value] for verdict in Verdict}


def _case_json(case: Case) -> dict[str, Any]:
    return {
        "place": asdict(case.place) if case.place else None,
        "verdict": case.verdict.value,
        "effect": asdict(case.effect) if case.effect else None,
        "values": list(case.values),
        "reason": case.reason,
    }
