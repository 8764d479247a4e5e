"""What a claim is, what it rests on, and what comes out of judging it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import pandas as pd

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
    """

    settings: JudgeSettings
    runs: pd.DataFrame
    layers: pd.DataFrame
    measures: pd.DataFrame
    distances: pd.DataFrame

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


@dataclass(frozen=True)
class Judgement:
    """What came out of judging one claim."""

    verdict: Verdict
    cases: tuple[Case, ...]
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
        ``hypothesis``, ``finding`` or ``prediction``.
    topic
        A few words.
    statement
        The claim in one sentence.
    statistic, unit, rule
        What is computed per seed, in what unit, and when that supports or refutes.
    margin
        The size of effect that matters.
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
    judge: Callable[[Study], Iterable[Case]] = field(repr=False)
    flags: Callable[[Study, Sequence[Case]], Iterable[str]] = field(
        default=lambda study, cases: (), repr=False
    )

    def judged(self, study: Study) -> Judgement:
        """Judge the claim on a study."""
        cases = tuple(self.judge(study))
        verdict = overall([case.verdict for case in cases])
        if verdict is not Verdict.NOT_EVALUABLE:
            return Judgement(verdict, cases, tuple(self.flags(study, cases)))
        reasons = Counter(case.reason for case in cases if case.reason)
        reason = reasons.most_common(1)[0][0] if reasons else "nothing to judge it by"
        return Judgement(verdict, cases, reason=reason)


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
    return Case(place, judge(interval, margin), interval, numbers)


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


def to_json(claim: Claim, judgement: Judgement, seeds: int) -> dict[str, Any]:
    """Everything of a judged claim that the report may print."""
    described = {
        key: getattr(claim, key)
        for key in ("id", "kind", "topic", "statement", "statistic", "unit", "rule", "margin")
    }
    cases = [_case_json(case) for case in judgement.cases]
    measured = sorted(
        (case for case in cases if case["effect"]), key=lambda case: case["effect"]["mean"]
    )
    counts = Counter(case.verdict.value for case in judgement.cases)
    return {
        **described,
        "verdict": judgement.verdict.value,
        "flags": list(judgement.flags),
        "reason": judgement.reason,
        "pilot": seeds < PILOT_BELOW,
        "seeds": seeds,
        "counts": {verdict.value: counts[verdict.value] for verdict in Verdict},
        "smallest": measured[0] if measured else None,
        "largest": measured[-1] if measured else None,
        "cases": cases,
    }


def _case_json(case: Case) -> dict[str, Any]:
    found = asdict(case)
    return found | {"verdict": case.verdict.value, "values": list(case.values)}
