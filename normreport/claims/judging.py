"""Judge claims on a study, alone and together."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from normreport.claims.cases import Case, Place, not_evaluable
from normreport.claims.claim import Claim, JudgedClaim, Judgement, ModelJudgement
from normreport.claims.pretraining_check import flag_unhelpful_pretraining
from normreport.claims.study import Study
from normreport.statistics.inference import (
    FAMILY_ERROR,
    PValues,
    adjust_by_holm,
    combine_exact_verdicts,
    combine_tests,
)
from normreport.statistics.verdict import Verdict
from normreport.text.labels import verdict_label
from normreport.text.language import gettext

DECIDED = (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED)
# What a mixed verdict can depend on, and how a case tells it.
DIMENSIONS: dict[str, Callable[[Case], object]] = {
    "network": lambda case: case.place and case.place.models,
    "start": lambda case: case.place and case.place.starts,
    "layer": lambda case: case.place and (case.place.models, case.place.layers),
    "arm": lambda case: case.place and case.place.contrast,
}


def judge_all(claims: Sequence[Claim], study: Study) -> list[JudgedClaim]:
    """Judge claims on a study, correct them within their families, and keep their order."""
    return correct_families([JudgedClaim(claim, judge_claim(claim, study)) for claim in claims])


def judge_claim(claim: Claim, study: Study) -> Judgement:
    """Judge one claim on a study, without a correction for other claims."""
    study = claim.needs.select_models(study)
    missing = claim.needs.describe_missing(study)
    cases = (not_evaluable(missing),) if missing else tuple(claim.judge(study, claim.test))
    verdict, p = combine_cases(cases, claim)
    if verdict is Verdict.NOT_EVALUABLE:
        reasons = Counter(case.reason for case in cases if case.reason)
        reason = reasons.most_common(1)[0][0] if reasons else gettext("nothing to judge it by")
        return Judgement(verdict, verdict, cases, reason=reason)
    is_mixed = verdict is Verdict.MIXED
    mixed_by = find_mixed_dimension(merge_arms(cases, claim)) if is_mixed else None
    return Judgement(
        verdict,
        verdict,
        cases,
        beyond=tuple(claim.beyond(study, claim.test)),
        by_model=_judge_models(claim, study, cases),
        mixed_by=mixed_by,
        p=p,
        least_favourable=_least_favourable(claim, cases, verdict),
        most_favourable=max(_measured(cases), key=partial(_favour, claim)),
        flags=(*claim.flags(study, cases), *_flag_pretraining(claim, study, cases)),
    )


def _measured(cases: Sequence[Case]) -> list[Case]:
    return [case for case in cases if case.effect and case.reason is None]


def _favour(claim: Claim, case: Case) -> float:
    assert case.effect is not None
    return claim.test.favour(case.effect.mean)


def _least_favourable(claim: Claim, cases: Sequence[Case], verdict: Verdict) -> Case | None:
    """Return the case that decides against a claim; None if nothing was measured."""
    measured = _measured(cases)
    # Of a refuted or mixed claim, it is a case that refutes.
    against = [case for case in measured if case.verdict is Verdict.REFUTED]
    use_against = verdict in (Verdict.REFUTED, Verdict.MIXED) and against
    return min(against if use_against else measured, key=partial(_favour, claim), default=None)


def _flag_pretraining(claim: Claim, study: Study, cases: Sequence[Case]) -> Iterable[str]:
    return flag_unhelpful_pretraining(study, cases) if claim.needs_helpful_pretraining else ()


def _judge_models(claim: Claim, study: Study, cases: Sequence[Case]) -> dict[str, ModelJudgement]:
    """Judge the claim by the cases of each model; leave out models without cases."""
    judged = {}
    for model in study.settings.models:
        own = [case for case in cases if case.place and case.place.models == (model,)]
        if own:
            verdict, p = combine_cases(own, claim)
            judged[model] = ModelJudgement(
                verdict,
                p,
                Counter(case.verdict for case in own),
                _least_favourable(claim, own, verdict),
            )
    return judged


def combine_cases(cases: Sequence[Case], claim: Claim) -> tuple[Verdict, PValues | None]:
    """Combine the cases of a claim into its verdict and p-values.

    If a case is not evaluable, the claim is neither supported nor refuted as a whole.
    """
    merged = merge_arms(cases, claim)
    p = _combine(merged, universal=claim.universal)
    if p is None:
        return combine_exact_verdicts([case.verdict for case in merged]), None
    return claim.test.verdict(p), p


def merge_arms(cases: Sequence[Case], claim: Claim) -> list[Case]:
    """Merge the cases of each network and start if the claim is about every other arm.

    Returns
    -------
    list of Case
        One case per network and start, without an effect; other claims keep their cases.
    """
    if not claim.every_arm:
        return list(cases)
    groups: defaultdict[Place, list[Case]] = defaultdict(list)
    for case in cases:
        groups[Place(case.place.models, case.place.starts) if case.place else Place()].append(case)
    merged = []
    for place, group in groups.items():
        p = _combine(group, universal=True)
        verdict = Verdict.NOT_EVALUABLE if p is None else claim.test.verdict(p)
        merged.append(Case(place, verdict, p=p))
    return merged


def _combine(cases: Sequence[Case], *, universal: bool) -> PValues | None:
    """Combine the p-values of cases; None if no case has any.

    If a case is not evaluable, they support nothing, and refute only what one case refutes.
    """
    tests = [
        case.p for case in cases if case.verdict is not Verdict.NOT_EVALUABLE and case.p is not None
    ]
    if not tests:
        return None
    p = combine_tests(tests, universal=universal)
    if len(tests) < len(cases):
        p = replace(p, support=1.0, refute=p.refute if universal else 1.0)
    return p


def find_mixed_dimension(cases: Sequence[Case]) -> str | None:
    """Name the first dimension that separates the supporting cases from the refuting ones.

    Returns
    -------
    str or None
        ``network``, ``start``, ``layer`` or ``arm``; ``layer`` also if a whole network is mixed;
        None if no single dimension separates them.
    """
    if any(case.verdict is Verdict.MIXED for case in cases):
        return "layer"
    decided = [case for case in cases if case.verdict in DECIDED]
    for name, tell in DIMENSIONS.items():
        verdicts: defaultdict[object, set[Verdict]] = defaultdict(set)
        for case in decided:
            verdicts[tell(case)].add(case.verdict)
        if all(len(seen) == 1 for seen in verdicts.values()):
            return name
    return None


def correct_families(judged: Sequence[JudgedClaim]) -> list[JudgedClaim]:
    """Correct the verdicts on the claims of each family for their number; keep their order."""
    families = dict.fromkeys(one.claim.family for one in judged if one.claim.family is not None)
    corrected = list(judged)
    for family in families:
        members = [
            (position, _scale_to_family(one.judgement.p, one.claim))
            for position, one in enumerate(judged)
            if one.claim.family == family and one.judgement.p is not None
        ]
        adjusted = adjust_by_holm([p for _, p in members])
        for (position, p), p_holm in zip(members, adjusted, strict=True):
            corrected[position] = _correct(judged[position], p, p_holm, len(members))
    return corrected


def _scale_to_family(p: PValues, claim: Claim) -> float:
    """Give the smallest p-value on the scale of 5%.

    The p-value of a 95% interval counts twice, because the interval has two sides.
    """
    return min(1.0, p.smallest * FAMILY_ERROR / claim.test.alpha)


def _correct(one: JudgedClaim, p: float, p_holm: float, members: int) -> JudgedClaim:
    """Add the corrected p-value; a verdict that is no longer below 5% becomes INCONCLUSIVE."""
    judgement = replace(one.judgement, p_holm=p_holm)
    if judgement.verdict in DECIDED and p_holm >= FAMILY_ERROR:
        flag = gettext(
            "%(verdict)s when judged alone (p = %(p)s), but not after correction for the "
            "%(claims)s claims that are judged together (Holm: p = %(p_holm)s)",
            verdict=verdict_label(judgement.verdict.value),
            p=f"{p:.2g}",
            claims=members,
            p_holm=f"{p_holm:.2g}",
        )
        judgement = replace(
            judgement,
            verdict=Verdict.INCONCLUSIVE,
            mixed_by=None,
            flags=(flag, *judgement.flags),
        )
    return JudgedClaim(one.claim, judgement)


def select_family(claims: Iterable[Claim], family: str) -> tuple[Claim, ...]:
    """Return the claims of one family."""
    return tuple(claim for claim in claims if claim.family == family)
