"""Write judged claims as results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from normreport.claims.cases import Case, Part, Place
from normreport.claims.claim import JudgedClaim
from normreport.config.results import (
    CaseResult,
    ClaimResult,
    ContrastResult,
    EffectResult,
    ModelResult,
    PartResult,
    PlaceResult,
    PValuesResult,
)
from normreport.statistics.inference import PILOT_BELOW, PValues
from normreport.statistics.verdict import Verdict


def claim_result(judged: JudgedClaim) -> ClaimResult:
    """Collect everything that the report may print about a judged claim."""
    claim, judgement = judged.claim, judged.judgement
    seeds = [case.effect.seeds for case in judgement.cases if case.effect and case.effect.seeds]
    return ClaimResult(
        id=claim.id,
        kind=claim.kind,
        group=claim.group,
        **asdict(claim.localized()),
        shown=claim.shown,
        figures=list(claim.figures),
        family=claim.family,
        margin=claim.test.margin,
        side=claim.test.side,
        axis_margin=(claim.axis_margin or claim.test.margin) if claim.test.alpha else None,
        verdict=judgement.verdict,
        verdict_alone=judgement.alone,
        mixed_by=judgement.mixed_by,
        p=_p_values(judgement.p),
        alpha=claim.test.alpha,
        p_holm=judgement.p_holm,
        flags=list(judgement.flags),
        reason=judgement.reason,
        pilot=bool(seeds) and min(seeds) < PILOT_BELOW,
        seeds=min(seeds, default=0),
        counts=_count_verdicts(judgement.cases),
        by_model={
            model: ModelResult(
                verdict=one.verdict,
                p=_p_values(one.p),
                counts={verdict: one.counts.get(verdict, 0) for verdict in Verdict},
                least_favourable=_case_or_none(one.least_favourable),
            )
            for model, one in judgement.by_model.items()
        },
        least_favourable=_case_or_none(judgement.least_favourable),
        most_favourable=_case_or_none(judgement.most_favourable),
        cases=[_case_result(case) for case in judgement.cases],
        beyond=[_case_result(case) for case in judgement.beyond],
    )


def _count_verdicts(cases: Sequence[Case]) -> dict[Verdict, int]:
    counts = Counter(case.verdict for case in cases)
    return {verdict: counts[verdict] for verdict in Verdict}


def _case_or_none(case: Case | None) -> CaseResult | None:
    return _case_result(case) if case else None


def _case_result(case: Case) -> CaseResult:
    return CaseResult(
        place=_place_result(case.place) if case.place else None,
        verdict=case.verdict,
        effect=EffectResult(**asdict(case.effect)) if case.effect else None,
        values=list(case.values),
        p=_p_values(case.p),
        sign_flip=_p_values(case.sign_flip),
        null=case.null,
        layers=[_part_result(part) for part in case.layers],
        averages=[_part_result(part) for part in case.averages],
        reason=case.reason,
    )


def _place_result(place: Place) -> PlaceResult:
    contrast = ContrastResult(arms=list(place.contrast.arms), label=place.contrast.label)
    return PlaceResult(
        models=list(place.models),
        starts=list(place.starts),
        layers=list(place.layers),
        contrast=contrast,
    )


def _part_result(part: Part) -> PartResult:
    return PartResult(
        label=part.label,
        weights=part.weights,
        effect=EffectResult(**asdict(part.effect)),
        p=PValuesResult(**asdict(part.p)),
        verdict=part.verdict,
    )


def _p_values(p: PValues | None) -> PValuesResult | None:
    return PValuesResult(**asdict(p)) if p else None
