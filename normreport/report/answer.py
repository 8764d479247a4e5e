"""The first screen: what to answer, what explains the differences, and which findings to print.

Templates turn the answers into sentences. Every choice between sentences is made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from normreport.config.results import ClaimResult, ContrastEffectResult, Results
from normreport.config.training import Start
from normreport.statistics.verdict import Verdict

# The claims about the article's two starts: F1 says that the normalization hardly matters, F4 that
# it does.
SAMENESS, DIFFERENCE = "F1", "F4"
CLAIM_OF_START: dict[Start, str] = {"pretrained": SAMENESS, "scratch": DIFFERENCE}

# The article's, the most important first. F1 and F4 are the answer itself, and a study's own claims
# come before these.
FINDINGS = (
    "F6", "C0", "P6", "F8", "F2", "F5", "F4b", "H4", "H1", "H6", "F3", "F11", "F9", "F10", "P2",
    "F7", "H2", "H5", "F3b", "P3", "P4", "P5", "P7", "H3",
)  # fmt: skip
MOST_FINDINGS = 5
# A study without the article has nothing else on its first screen.
MOST_CLAIMS = 8
DECIDED = (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED)

Word = Literal["yes", "hardly", "depends", "open", "unknown"]
Cause = Literal["seed", "arm", "rest"]


@dataclass(frozen=True)
class StartAnswer:
    """Whether the normalization changes the weights from one start.

    Attributes
    ----------
    start
        The start.
    word
        ``yes`` or ``hardly`` if the claim is decided, ``depends`` if it is mixed, ``open`` if it is
        inconclusive, ``unknown`` if it cannot be evaluated.
    alone
        The word before the correction for other claims, if that leaves the claim open; else None.
    claim
        The id of the claim that decides.
    largest
        The layer with the largest shift; None if no shift could be computed.
    effect
        Its squared shift with the interval by which the claim is judged; None without an interval.
    """

    start: Start
    word: Word
    alone: Word | None
    claim: str
    largest: ContrastEffectResult | None
    effect: Mapping[str, Any] | None


@dataclass(frozen=True)
class Explanation:
    """What explains most of the difference between the runs of one start.

    Attributes
    ----------
    start
        The start.
    layers
        The number of layers with an analysis of variance.
    largest
        In how many of them the seed, the arm or the rest is the largest component.
    main
        The component that is the largest in more than half of the layers; None if there is none.
    """

    start: Start
    layers: int
    largest: dict[Cause, int]
    main: Cause | None


@dataclass(frozen=True)
class Answer:
    """The contents of the first screen."""

    starts: list[StartAnswer]
    explanations: list[Explanation]
    findings: list[str]
    """Ids of the most important decided claims besides those of the starts."""
    decided: int
    """The number of claims that are supported, refuted or mixed."""
    seeds: tuple[int, int]
    """The smallest and the largest number of seeds of a model, start and arm."""
    is_pilot: bool
    """Whether an answer rests on fewer seeds than an exact test needs."""
    pilots: Sequence[str]
    """The ids of the claims that rest on so few seeds."""
    claims: Sequence[str]
    """The ids of the first claims, for a study without the article."""
    shifts: Sequence[ContrastEffectResult]
    """The layer with the largest shift of each start that has one."""


def answer(results: Results) -> Answer:
    """Choose what the first screen says of the results."""
    claims = {claim.id: claim for claim in results.claims}
    starts = [start for start in CLAIM_OF_START if start in results.experiment.starts]
    seeds = [len(planned.seeds) for planned in results.experiment.planned]
    return Answer(
        starts=[
            _answer(start, claims[CLAIM_OF_START[start]], results.headline.effects)
            for start in starts
            if CLAIM_OF_START[start] in claims
        ],
        explanations=[
            explanation
            for start in starts
            if (explanation := _explain(start, results.headline.effects))
        ],
        findings=_findings(claims),
        decided=sum(claim.verdict in DECIDED for claim in results.claims),
        seeds=(min(seeds, default=0), max(seeds, default=0)),
        is_pilot=any(
            claims[CLAIM_OF_START[start]].pilot
            for start in starts
            if CLAIM_OF_START[start] in claims
        ),
        pilots=[claim.id for claim in results.claims if claim.pilot],
        claims=list(claims)[:MOST_CLAIMS],
        shifts=[
            largest
            for start in results.experiment.starts
            if (largest := _largest_shift(start, results.headline.effects))
        ],
    )


def _largest_shift(
    start: str, effects: Sequence[ContrastEffectResult]
) -> ContrastEffectResult | None:
    """Return the layer with the largest shift of a start; None if no shift could be computed."""
    shifts = [(row.delta, row) for row in effects if row.start == start and row.delta is not None]
    return max(shifts, key=lambda shift: shift[0])[1] if shifts else None


def _answer(
    start: Start, claim: ClaimResult, effects: Sequence[ContrastEffectResult]
) -> StartAnswer:
    largest = _largest_shift(start, effects)
    found = [
        case.effect.model_dump()
        for case in claim.cases
        if largest and case.place and case.effect and case.effect.low is not None
        if (case.place.models, case.place.layers) == ([largest.model], [largest.layer])
    ]
    return StartAnswer(
        start=start,
        word=_word(claim.id, claim.verdict),
        alone=_word_alone(claim),
        claim=claim.id,
        largest=largest,
        effect=found[0] if found else None,
    )


def _word_alone(claim: ClaimResult) -> Word | None:
    is_open = claim.verdict is Verdict.INCONCLUSIVE
    if is_open and claim.verdict_alone in (Verdict.SUPPORTED, Verdict.REFUTED):
        return _word(claim.id, claim.verdict_alone)
    return None


def _word(id_: str, verdict: Verdict) -> Word:
    says_that_it_matters = id_ == DIFFERENCE
    match verdict:
        case Verdict.SUPPORTED:
            return "yes" if says_that_it_matters else "hardly"
        case Verdict.REFUTED:
            return "hardly" if says_that_it_matters else "yes"
        case Verdict.MIXED:
            return "depends"
        case Verdict.INCONCLUSIVE:
            return "open"
        case Verdict.NOT_EVALUABLE:
            return "unknown"


def _explain(start: Start, effects: Sequence[ContrastEffectResult]) -> Explanation | None:
    """Find the largest variance component of every layer; None without an analysis of variance."""
    largest: dict[Cause, int] = {"seed": 0, "arm": 0, "rest": 0}
    for row in effects:
        if row.start == start and row.components:
            parts: dict[Cause, float] = {
                "seed": row.components.seed,
                "arm": row.components.arm,
                "rest": row.components.rest,
            }
            largest[max(parts, key=parts.__getitem__)] += 1
    layers = sum(largest.values())
    if not layers:
        return None
    main = max(largest, key=largest.__getitem__)
    return Explanation(start, layers, largest, main if 2 * largest[main] > layers else None)


def _findings(claims: dict[str, ClaimResult]) -> list[str]:
    """Choose the most important decided claims besides those of the answer."""
    ranked = [id_ for id_ in claims if id_ not in {*FINDINGS, *CLAIM_OF_START.values()}]
    ranked += [id_ for id_ in FINDINGS if id_ in claims]
    return [id_ for id_ in ranked if claims[id_].verdict in DECIDED][:MOST_FINDINGS]
