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
from normreport.text.language import N_, gettext

# Families of the claims whose cases are judged by intervals over seeds: what the article says, what
# this report predicts, and what the configuration declares.
PRIMARY_FAMILY, PREDICTIONS, OWN_FAMILY = "primary", "predictions", "own"
# The role of a claim in the article, in the order of the scorecard.
Kind = Literal["premise", "hypothesis", "finding", "prediction", "own"]
# What a claim is about: the parts of the scorecard, in their order.
Group = Literal["own", "premises", "pretrained", "scratch", "side by side", "shape", "predictions"]

# How effects and margins of a claim are printed. The data keep the statistic itself.
#   number         as it is
#   percent        a share
#   points         a difference of shares, in percentage points
#   ratio          ln of a ratio, as the change in percent
#   size           ln of a share or a ratio of sizes, as a percentage
#   multiple       ln of a multiple of a bound, as the multiple
#   shift          a squared shift in sigma_0^2, as its root in percent of sigma_0
#   shift_change   a difference of squared shifts, as its root with its sign
Shown = Literal["number", "percent", "points", "ratio", "size", "multiple", "shift", "shift_change"]


@dataclass(frozen=True)
class ModelJudgement:
    """The verdict on the cases of one model, not corrected for the number of claims."""

    verdict: Verdict
    p: PValues | None
    counts: Mapping[Verdict, int]
    least_favourable: Case | None


@dataclass(frozen=True)
class Judgement:
    """The outcome of judging one claim.

    Attributes
    ----------
    verdict
        The verdict on the whole claim, after correction for the other claims of its family.
    alone
        The same before that correction.
    cases
        The cases that decide.
    beyond
        Cases that do not decide, because the published design cannot have them.
    by_model
        The verdict on the cases of each model.
    mixed_by
        What a mixed verdict depends on: ``network``, ``start``, ``layer`` or ``arm``.
    p
        The p-values of all cases together; None for an exact or an absent effect.
    p_holm
        The smallest p-value on the scale of 5%, corrected for the other claims of the family.
    least_favourable, most_favourable
        The measured cases with the least and the most favourable effect. For a refuted or mixed
        claim, `least_favourable` is one of the refuted cases.
    flags
        Sentences that qualify the verdict.
    reason
        Why the claim is not evaluable.
    """

    verdict: Verdict
    alone: Verdict
    cases: tuple[Case, ...]
    beyond: tuple[Case, ...] = ()
    by_model: Mapping[str, ModelJudgement] = field(default_factory=dict)
    mixed_by: str | None = None
    p: PValues | None = None
    p_holm: float | None = None
    least_favourable: Case | None = None
    most_favourable: Case | None = None
    flags: tuple[str, ...] = ()
    reason: str | None = None


Judge = Callable[[Study, MarginTest], Iterable[Case]]
Qualify = Callable[[Study, Sequence[Case]], Iterable[str]]


def _add_no_flags(study: Study, cases: Sequence[Case]) -> tuple[str, ...]:
    return ()


def _add_no_cases(study: Study, test: MarginTest) -> tuple[Case, ...]:
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
    group
        The part of the scorecard.
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
    beyond
        Makes further cases, such as comparisons with raw inputs, that are printed beside the
        others and do not decide.
    universal
        Whether one case refutes the claim, after Bonferroni correction.
    every_arm
        Whether one case refutes the claim for its network and start, after Bonferroni correction.
        This is for a claim that one arm exceeds every other one.
    needs
        What the experiment must have. If something is missing, `judge` is not called.
    epochs
        The epochs whose measurements it reads, besides the first and the last.
    flags
        Makes sentences that qualify the verdict, from the study and the cases.
    figures
        The kinds of figure that show the evidence.
    family
        The claims with the same family are corrected together by Holm's method. None means no
        correction, for a claim that is exact or never judged by an interval.
    needs_helpful_pretraining
        Whether a verdict on pretrained weights carries a flag unless pretraining helped.
    shown
        How effects and the margin are printed.
    axis_margin
        The effect that counts as one margin on the axis of the scorecard, if the margin is 0.
    rule
        When the test supports or refutes; None for the words of `describe_rule`.
    scope
        Which runs count, if not all do.
    values
        Fills in the placeholders of the messages.
    """

    id: str
    kind: Kind
    group: Group
    topic: str
    statement: str
    statistic: str
    unit: str
    test: MarginTest
    judge: Judge = field(repr=False)
    beyond: Judge = field(default=_add_no_cases, repr=False)
    universal: bool = False
    every_arm: bool = False
    needs: Needs = field(default_factory=Needs)
    epochs: tuple[int, ...] = ()
    flags: Qualify = field(default=_add_no_flags, repr=False)
    figures: tuple[str, ...] = ()
    family: str | None = None
    needs_helpful_pretraining: bool = True
    shown: Shown = "number"
    axis_margin: float | None = None
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
    words = {
        "above": N_(
            "supported if the %(level)s interval of every case lies above the margin, refuted if "
            "every one lies below it, mixed if cases decide opposite ways"
        ),
        "below": N_(
            "supported if the %(level)s interval of every case lies below the margin, refuted if "
            "every one lies above it, mixed if cases decide opposite ways"
        ),
        "within": N_(
            "supported if the %(level)s interval of every case lies within the margin on either "
            "side of zero, refuted if every one lies beyond it, mixed if cases decide opposite ways"
        ),
    }
    return gettext(words[test.side], level=f"{test.level:.0%}")
