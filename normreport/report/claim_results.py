"""Write judged claims as results."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from normreport.claims.cases import Case, Place
from normreport.claims.claim import JudgedClaim
from normreport.claims.study import Study
from normreport.config.results import (
    CaseResult,
    ClaimResult,
    ContrastResult,
    EffectResult,
    PlaceResult,
    PValuesResult,
)
from normreport.statistics.inference import PILOT_BELOW, PValues
from normreport.statistics.verdict import Verdict


def claim_result(judged: JudgedClaim, study: Study) -> ClaimResult:
    """Collect everything that the report may print about a judged claim."""
    claim, judgement = judged.claim, judged.judgement
    seeds = len(study.settings.seeds)
    cases_by_model = {
        model: [case for case in judgement.cases if case.place and case.place.models == (model,)]
        for model in study.settings.models
    }
    return ClaimResult(
        id=claim.id,
        kind=claim.kind,
        **asdict(claim.localized()),
        figures=list(claim.figures),
        margin=claim.test.margin,
        verdict=judgement.verdict,
        p=_p_values(judgement.p),
        alpha=claim.test.alpha,
        p_holm=judgement.p_holm,
        flags=list(judgement.flags),
        reason=judgement.reason,
        pilot=seeds < PILOT_BELOW
        and any(case.effect.seeds > 0 for case in judgement.cases if case.effect),
        seeds=seeds,
        counts=_count_verdicts(judgement.cases),
        by_model={
            model: _count_verdicts(cases) for model, cases in cases_by_model.items() if cases
        },
        least_favourable=_case_or_none(judgement.least_favourable),
        most_favourable=_case_or_none(judgement.most_favourable),
        cases=[_case_result(case) for case in judgement.cases],
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


def _p_values(p: PValues | None) -> PValuesResult | None:
    return PValuesResult(support=p.support, refute=p.refute) if p else None
