"""What a claim is, what it rests on, and what comes out of judging it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from math import isfinite
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.config.judging import JudgeSettings
from normreport.config.runs import Run
from normreport.statistics.inference import (
    FAMILY_ERROR,
    Interval,
    MarginTest,
    PValues,
    Verdict,
    holm,
    overall,
    t_interval,
)
from normreport.text.formatting import either
from normreport.text.labels import verdict_label
from normreport.text.language import N_, gettext

# Where the article looked. Of the other starts, some freeze the convolutions and some are not drawn
# from a Gaussian: what was done to their weights is known without looking.
ARTICLE_STARTS = ("pretrained", "scratch")


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
        Per run, epoch and measured layer: moments, displacement, cosine.
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

    def kept_layers(self, starts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Model, start and layer of everything kept, for those of `starts` that there are."""
        for model in self.settings.models:
            for start in starts:
                if start in self.settings.starts:
                    for layer in self.settings.layers[model]:
                        yield model, start, layer

    def missing_conditions(
        self,
        *,
        architectures: Sequence[str] = (),
        starts: Sequence[str] = (),
        any_start: Sequence[str] = (),
        normalizations: Sequence[str] = (),
    ) -> str | None:
        """Say which of the architectures, starts and arms that a claim needs no run has, if any.

        Of `any_start` one is enough.
        """
        if set(any_start) & set(self.settings.starts):
            any_start = ()
        needed = (
            (N_("the architecture %(name)s"), architectures, self.settings.architectures),
            (N_("the start %(name)s"), (*starts, *any_start), self.settings.starts),
            (N_("the arm %(name)s"), normalizations, self.settings.normalizations),
        )
        absent = [
            gettext(words, name=name)
            for words, names, known in needed
            for name in names
            if name not in known
        ]
        if not absent:
            return None
        return gettext("the experiment has no run with %(what)s", what=either(absent))

    def rows(self, table: str, **place: str | int) -> pd.DataFrame:
        """Rows of a table, by its name, in which every named column has the given value.

        An index finds them: tables have millions of rows, of which every case needs a few.
        """
        columns = tuple(place)
        if (table, columns) not in self._indices:
            index = getattr(self, table).groupby(list(columns)).indices
            self._indices[table, columns] = index
        none = np.empty(0, dtype=np.intp)
        found = self._indices[table, columns].get(tuple(place.values()), none)
        return getattr(self, table).take(found)

    @cached_property
    def _indices(self) -> dict[tuple[str, tuple[str, ...]], dict[Any, NDArray[np.intp]]]:
        """Positions of rows by their values, for each table and columns that were asked for."""
        return {}

    @cached_property
    def cases(self) -> dict[str, tuple[Case, ...]]:
        """Cases of the claims that were judged already, by the claim's id."""
        return {}

    def compared_models(self) -> list[str]:
        """One model of each architecture, in the experiment's order."""
        chosen = set(self.settings.architectures.values())
        return [model for model in self.settings.models if model in chosen]

    def measured_layers(self, model: str) -> list[str]:
        """Names of all measured layers of a model, in the network's order.

        The kept ones where every run failed, so that there is none to tell.
        """
        found = list(self.rows("layers", model=model, epoch=0)["layer"].unique())
        return found or list(self.settings.layers[model])

    def failed(
        self,
        *,
        model: str | Sequence[str],
        start: str | Sequence[str],
        normalization: str | Sequence[str],
    ) -> list[str]:
        """Ids of the runs at one of some places that failed a gate, each with the gate's name."""
        values = (
            (value,) if isinstance(value, str) else value for value in (model, start, normalization)
        )
        found = [failure for place in product(*values) for failure in self._failures.get(place, ())]
        return [text for _, text in sorted(found, key=itemgetter(0))]

    @cached_property  # every case of every claim asks
    def _failures(self) -> dict[tuple[str, ...], list[tuple[int, str]]]:
        """Runs that failed a gate by model, start and arm: their number among all, and why."""
        found: defaultdict[tuple[str, ...], list[tuple[int, str]]] = defaultdict(list)
        for number, run in enumerate(self.runs.itertuples()):
            end = gettext("diverged")
            if run.state == "FAILED":
                end = gettext("failed: %(what)s", what=run.what)
            gates = {
                end: run.finite,
                gettext("has not learned"): run.learned or not run.finite,
                gettext("did not move"): run.moved or not run.finite,
            }
            for gate, passed in gates.items():
                if not passed:
                    place = run.model, run.start, run.normalization
                    name = Run(*place, run.seed).id
                    found[place].append((number, f"{name} ({gate})"))
        return found

    def ended_early(self, **condition: Any) -> bool:
        """Whether one of the runs that meet a condition diverged or failed."""
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

    def rows(self, study: Study, table: str) -> pd.DataFrame:
        """Rows of a table of runs at this place, where the contrast is one arm."""
        return study.rows(
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
    """What came out at one place.

    Attributes
    ----------
    place
        None where the whole claim cannot be evaluated.
    verdict
        Of this case by itself.
    effect, values
        The mean over seeds with its interval; one number per seed.
    p
        Student's, against the margin; None of what is exact or cannot be evaluated.
    sign_flip
        Exact ones beside them, from six seeds on.
    null
        Where chance alone gives an effect: its 95% point, which must be exceeded as well.
    reason
        Why it cannot be evaluated.
    """

    place: Place | None
    verdict: Verdict
    effect: Interval | None = None
    values: tuple[float, ...] = ()
    p: PValues | None = None
    sign_flip: PValues | None = None
    null: float | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Judgement:
    """What came out of judging one claim.

    Attributes
    ----------
    verdict
        Of the claim as a whole.
    cases
        All of them.
    p
        Of all cases together; None of what is exact or cannot be evaluated.
    p_holm
        The smaller one, corrected for the claims that are judged together, on the scale of 5%.
    least_favourable, most_favourable
        The measured cases that speak least and most for the claim; where it is refuted,
        `least_favourable` is one of those that refute it.
    flags, reason
        What qualifies the verdict; why there is none.
    """

    verdict: Verdict
    cases: tuple[Case, ...]
    p: PValues | None = None
    p_holm: float | None = None
    least_favourable: Case | None = None
    most_favourable: Case | None = None
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
        A few words; this and all that follows in words is a message of `normreport.text.language`.
    statement
        The claim in one sentence.
    statistic, unit
        What is computed per seed, and in what unit.
    test
        When that supports or refutes.
    judge
        From the study to cases.
    flags
        From the study and its cases to flags that qualify the verdict.
    own_rule
        The rule in words, where it is more than that of its test.
    scope
        Which runs count, where not all do.
    values
        What stands in these messages.
    """

    id: str
    kind: str
    topic: str
    statement: str
    statistic: str
    unit: str
    test: MarginTest
    judge: Callable[[Study], Iterable[Case]] = field(repr=False)
    flags: Callable[[Study, Sequence[Case]], Iterable[str]] = field(
        default=lambda study, cases: (), repr=False
    )
    own_rule: str | None = None
    scope: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def localized(self) -> dict[str, str]:
        """Give topic, statement, statistic, unit and rule in the report's language."""
        names = ("topic", "statement", "statistic", "unit")
        words = {name: gettext(getattr(self, name), **self.values) for name in names}
        if self.scope:
            words["statistic"] += f"; {gettext(self.scope)}"
        rule = gettext(self.own_rule, **self.values) if self.own_rule else self.test.rule
        return words | {"rule": rule}

    @property
    def margin(self) -> float:
        """The size of effect that matters."""
        return self.test.margin

    def judged(self, study: Study) -> Judgement:
        """Judge the claim on a study, by itself."""
        cases = self.cases(study)
        verdict, p = combine_cases(cases, self.test)
        if verdict is Verdict.NOT_EVALUABLE:
            reasons = Counter(case.reason for case in cases if case.reason)
            reason = reasons.most_common(1)[0][0] if reasons else gettext("nothing to judge it by")
            return Judgement(verdict, cases, reason=reason)
        measured = [case for case in cases if case.effect and case.reason is None]
        refuting = [case for case in measured if case.verdict is Verdict.REFUTED]
        decides = refuting if verdict is Verdict.REFUTED else measured
        return Judgement(
            verdict,
            cases,
            p,
            least_favourable=max(decides, key=self._against),
            most_favourable=min(measured, key=self._against),
            flags=tuple(self.flags(study, cases)),
        )

    def cases(self, study: Study) -> tuple[Case, ...]:
        """Judge every case, once for a study."""
        if self.id not in study.cases:
            study.cases[self.id] = tuple(self.judge(study))
        return study.cases[self.id]

    def _against(self, case: Case) -> float:
        """How much a case speaks against the claim."""
        assert case.effect is not None
        return case.effect.mean if self.test.below else -case.effect.mean


def combine_cases(cases: Sequence[Case], test: MarginTest) -> tuple[Verdict, PValues | None]:
    """Judge a claim that is made of every case.

    All cases support it together, which needs no correction: its p-value is the largest of theirs
    (Berger 1982), and 1 if one of them cannot be evaluated. Any case refutes it, which must hold
    beyond the correction for their number: the smallest p-value times that (Bonferroni).
    """
    judged = [case for case in cases if case.verdict is not Verdict.NOT_EVALUABLE]
    found = [case.p for case in judged if case.p is not None]
    if not found:
        return overall([case.verdict for case in cases]), None
    p = PValues(
        support=max(p.support for p in found) if len(found) == len(cases) else 1.0,
        refute=min(1.0, len(found) * min(p.refute for p in found)),
    )
    return test.verdict(p), p


def corrected(
    judgements: Sequence[tuple[Claim, Judgement]], family: Sequence[Claim]
) -> list[tuple[Claim, Judgement]]:
    """Correct the verdicts on the claims of a family for their number, by Holm's method.

    Each claim enters with the smaller of its two p-values, on the scale of 5%: that of a 95%
    interval counts twice, as it may be crossed on either side. A verdict that is not below 5%
    after the correction becomes INCONCLUSIVE. A claim that cannot be evaluated does not count.
    """
    members = [
        (index, min(1.0, min(judgement.p.support, judgement.p.refute) * FAMILY_ERROR
                    / claim.test.alpha))
        for index, (claim, judgement) in enumerate(judgements)
        if claim in family and judgement.p is not None
    ]  # fmt: skip
    found = list(judgements)
    adjusted = holm([p for _, p in members])
    for (index, p), p_holm in zip(members, adjusted, strict=True):
        claim, judgement = judgements[index]
        decided = judgement.verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
        judgement = replace(judgement, p_holm=p_holm)
        if decided and p_holm >= FAMILY_ERROR:
            flag = gettext(
                "%(verdict)s when judged alone (p = %(p)s), but no longer when corrected for the "
                "%(claims)s claims that are judged together (Holm: p = %(p_holm)s)",
                verdict=verdict_label(judgement.verdict.value),
                p=f"{p:.2g}",
                claims=len(members),
                p_holm=f"{p_holm:.2g}",
            )
            judgement = replace(
                judgement, verdict=Verdict.INCONCLUSIVE, flags=(flag, *judgement.flags)
            )
        found[index] = claim, judgement
    return found


def case_from_seeds(
    place: Place,
    values: Sequence[float | None],
    *,
    test: MarginTest,
    failed: Sequence[str],
    null: float | None = None,
) -> Case:
    """Make a case from one number per seed.

    A case that a failed run touches is not evaluated: an average over the survivors would answer
    another question. What is to be supported must exceed the margin and, if there is one, the
    null; to be below the margin refutes.
    """
    if failed:
        return Case(place, Verdict.NOT_EVALUABLE, reason="; ".join(failed))
    numbers = tuple(float(value) for value in values if value is not None and isfinite(value))
    if len(numbers) < len(values) or not numbers:
        return Case(
            place, Verdict.NOT_EVALUABLE, reason=gettext("the statistic is not defined here")
        )
    interval = t_interval(numbers, test.level)
    if len(numbers) == 1:
        reason = gettext("one seed gives no interval")
        return Case(place, Verdict.NOT_EVALUABLE, interval, numbers, reason=reason)
    if null is not None and null > test.margin:
        test = replace(test, margin=null, refuted_from=test.margin)
    p = test.p_values(numbers)
    return Case(place, test.verdict(p), interval, numbers, p, test.sign_flip(numbers), null)


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
