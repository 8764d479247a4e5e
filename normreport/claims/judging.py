"""Judge claims on a study, alone and together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from normreport.claims.cases import Case, not_evaluable
from normreport.claims.claim import Claim, FromStories, JudgedClaim, Judgement
from normreport.claims.study import Study
from normreport.statistics.inference import (
    FAMILY_ERROR,
    MarginTest,
    PValues,
    adjust_by_holm,
    combine_exact_verdicts,
)
from normreport.statistics.verdict import Verdict
from normreport.text.labels import verdict_label
from normreport.text.language import gettext


def judge_all(claims: Sequence[Claim], study: Study) -> list[JudgedClaim]:
    """Judge claims on a study, correct them within their families, and keep their order."""
    measured = [claim for claim in claims if not isinstance(claim.judge, FromStories)]
    judgements = {claim.id: judge_claim(claim, study) for claim in measured}
    stories = [JudgedClaim(claim, judgements[claim.id]) for claim in measured if claim.is_story]
    for claim in claims:
        if claim.id not in judgements:
            judgements[claim.id] = judge_claim(claim, study, stories)
    return correct_families([JudgedClaim(claim, judgements[claim.id]) for claim in claims])


def judge_claim(claim: Claim, study: Study, stories: Sequence[JudgedClaim] = ()) -> Judgement:
    """Judge one claim on a study, without a correction for other claims.

    Parameters
    ----------
    claim
        The claim to judge.
    study
        The measurements.
    stories
        The judged stories, for a claim that is judged from them.
    """
    cases = _make_cases(claim, study, stories)
    verdict, p = combine_cases(cases, claim.test)
    if verdict is Verdict.NOT_EVALUABLE:
        reasons = Counter(case.reason for case in cases if case.reason)
        reason = reasons.most_common(1)[0][0] if reasons else gettext("nothing to judge it by")
        return Judgement(verdict, cases, reason=reason)
    measured = [case for case in cases if case.effect and case.reason is None]
    refuted = [case for case in measured if case.verdict is Verdict.REFUTED]

    def favour(case: Case) -> float:
        assert case.effect is not None
        return -case.effect.mean if claim.test.below else case.effect.mean

    return Judgement(
        verdict,
        cases,
        p,
        least_favourable=min(refuted if verdict is Verdict.REFUTED else measured, key=favour),
        most_favourable=max(measured, key=favour),
        flags=tuple(claim.flags(study, cases)),
    )


def _make_cases(claim: Claim, study: Study, stories: Sequence[JudgedClaim]) -> tuple[Case, ...]:
    if missing := claim.needs.describe_missing(study):
        return (not_evaluable(missing),)
    if isinstance(claim.judge, FromStories):
        return tuple(claim.judge.judge(study, stories))
    return tuple(claim.judge(study, claim.test))


def combine_cases(cases: Sequence[Case], test: MarginTest) -> tuple[Verdict, PValues | None]:
    """Combine the cases of a universal claim into its verdict and p-values.

    The claim is supported if all cases support it. This needs no correction: the p-value is the
    largest of the cases' (Berger 1982), and 1 if a case is not evaluable. Any case can refute the
    claim, after Bonferroni correction: the p-value is the smallest times the number of cases.
    """
    judged = [case for case in cases if case.verdict is not Verdict.NOT_EVALUABLE]
    tested = [case.p for case in judged if case.p is not None]
    if not tested:
        return combine_exact_verdicts([case.verdict for case in cases]), None
    p = PValues(
        support=max(p.support for p in tested) if len(tested) == len(cases) else 1.0,
        refute=min(1.0, len(tested) * min(p.refute for p in tested)),
    )
    return test.verdict(p), p


def correct_families(judged: Sequence[JudgedClaim]) -> list[JudgedClaim]:
    """Correct the verdicts on the claims of each family for their number; keep their order."""
    families = dict.fromkeys(one.claim.family for one in judged if one.claim.family is not None)
    corrected = list(judged)
    for family in families:
        members = [
            (position, one.judgement.p)
            for position, one in enumerate(judged)
            if one.claim.family == family and one.judgement.p is not None
        ]
        p_values = [_scale_to_family(p, judged[position].claim.test) for position, p in members]
        adjusted = adjust_by_holm(p_values)
        for (position, _), p, p_holm in zip(members, p_values, adjusted, strict=True):
            corrected[position] = _correct(judged[position], p, p_holm, len(members))
    return corrected


def _scale_to_family(p: PValues, test: MarginTest) -> float:
    """Give the smaller p-value on the scale of 5%.

    The p-value of a 95% interval counts twice, because the interval has two sides.
    """
    return min(1.0, min(p.support, p.refute) * FAMILY_ERROR / test.alpha)


def _correct(one: JudgedClaim, p: float, p_holm: float, members: int) -> JudgedClaim:
    """Add the corrected p-value; a verdict that is no longer below 5% becomes INCONCLUSIVE."""
    judgement = replace(one.judgement, p_holm=p_holm)
    is_decided = judgement.verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
    if is_decided and p_holm >= FAMILY_ERROR:
        flag = gettext(
            "%(verdict)s when judged alone (p = %(p)s), but no longer when corrected for the "
            "%(claims)s claims that are judged together (Holm: p = %(p_holm)s)",
            verdict=verdict_label(judgement.verdict.value),
            p=f"{p:.2g}",
            claims=members,
            p_holm=f"{p_holm:.2g}",
        )
        judgement = replace(judgement, verdict=Verdict.INCONCLUSIVE, flags=(flag, *judgement.flags))
    return JudgedClaim(one.claim, judgement)


def select_family(claims: Iterable[Claim], family: str) -> tuple[Claim, ...]:
    """Return the claims of one family."""
    return tuple(claim for claim in claims if claim.family == family)
