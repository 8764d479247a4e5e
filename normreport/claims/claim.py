"""What a claim declares: its words, its test, its needs and its evidence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from normreport.claims.cases import Case
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.statistics.inference import MarginTest, PValues
from normreport.statistics.verdict import Verdict
from normreport.text.language import gettext

# The family of the claims whose cases are judged by intervals over seeds.
PRIMARY_FAMILY = "primary"
# The role of a claim in the article, in the order of the scorecard.
Kind = Literal["premise", "hypothesis", "finding", "prediction"]


@dataclass(frozen=True)
class Judgement:
    """The outcome of judging one claim.

    Attributes
    ----------
    verdict
        The verdict on the whole claim.
    cases
        All of its cases.
    p
        The p-values of all cases together; None for an exact or an absent effect.
    p_holm
        The smaller p-value on the scale of 5%, corrected for the other claims of the family.
    least_favourable, most_favourable
        The measured cases with the least and the most favourable effect. For a refuted claim,
        `least_favourable` is one of the refuted cases.
    flags
        Sentences that qualify the verdict.
    reason
        Why the claim is not evaluable.
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
class FromStories:
    """Judge a claim by the judgements of other claims instead of by measurements.

    Attributes
    ----------
    judge
        Makes the cases from the study and the judged claims that declare ``is_story=True``.
    """

    judge: Callable[[Study, Sequence[JudgedClaim]], Iterable[Case]]


Judge = Callable[[Study, MarginTest], Iterable[Case]]
Qualify = Callable[[Study, Sequence[Case]], Iterable[str]]


def _add_no_flags(study: Study, cases: Sequence[Case]) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One premise, hypothesis, finding or prediction, and how it is judged.

    Texts are messages of `normreport.text.language`.

    Attributes
    ----------
    id
        A letter, a number and perhaps a lower-case letter, such as ``F3b``.
    kind
        The role of the claim in the article.
    topic
        The claim in a few words.
    statement
        The claim in one sentence.
    statistic, unit
        What is computed per seed, and its unit.
    test
        The test that supports or refutes each case.
    judge
        Makes the cases from the study and the test.
    needs
        What the experiment must have. If something is missing, `judge` is not called.
    flags
        Makes sentences that qualify the verdict, from the study and the cases.
    figures
        The kinds of figure that show the evidence.
    family
        The claims with the same family are corrected together by Holm's method. None means no
        correction, for a claim that is exact or never judged by an interval.
    is_story
        Whether F11 asks if the verdict is the same for every architecture.
    rule
        When the test supports or refutes; None for the words of `describe_rule`.
    scope
        Which runs count, if not all do.
    values
        Fills in the placeholders of the messages.
    """

    id: str
    kind: Kind
    topic: str
    statement: str
    statistic: str
    unit: str
    test: MarginTest
    judge: Judge | FromStories = field(repr=False)
    needs: Needs = field(default_factory=Needs)
    flags: Qualify = field(default=_add_no_flags, repr=False)
    figures: tuple[str, ...] = ()
    family: str | None = None
    is_story: bool = False
    rule: str | None = None
    scope: str | None = None
    values: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not re.fullmatch("[A-Z][0-9]+[a-z]?", self.id):
            raise ValueError(f"{self.id!r}: expected an id such as 'F3' or 'F3b'")

    @property
    def sort_key(self) -> tuple[int, int, str]:
        """The position in the scorecard: by kind, then by number."""
        number = re.findall("[0-9]+", self.id)[0]
        return get_args(Kind).index(self.kind), int(number), self.id

    def localized(self) -> ClaimWords:
        """Write the claim in the language of the report."""
        statistic = gettext(self.statistic, **self.values)
        if self.scope:
            statistic += f"; {gettext(self.scope)}"
        return ClaimWords(
            topic=gettext(self.topic, **self.values),
            statement=gettext(self.statement, **self.values),
            statistic=statistic,
            unit=gettext(self.unit, **self.values),
            rule=gettext(self.rule, **self.values) if self.rule else describe_rule(self.test),
        )


@dataclass(frozen=True)
class ClaimWords:
    """A claim in the language of the report."""

    topic: str
    statement: str
    statistic: str
    unit: str
    rule: str


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its judgement."""

    claim: Claim
    judgement: Judgement


def describe_rule(test: MarginTest) -> str:
    """Say when a test supports or refutes."""
    level = f"{test.level:.0%}"
    if test.below:
        return gettext(
            "supported if the %(level)s interval lies within the margin, refuted if wholly beyond "
            "it",
            level=level,
        )
    return gettext(
        "supported if the %(level)s interval lies above the margin, refuted if wholly below it",
        level=level,
    )
