"""F11: whether both architectures tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normreport.claims.base import Case, Claim, Place, Study, combine_cases, missing
from normreport.statistics.inference import Interval, MarginTest, Verdict
from normreport.text.language import N_, gettext


def agreement(stories: Sequence[Claim]) -> Claim:
    """Make the claim that the verdicts of `stories` are the same for every architecture."""

    def judge(study: Study) -> Iterator[Case]:
        models = study.compared_models()
        if len(models) < 2:
            yield missing(gettext("the experiment has one architecture; two are needed"))
            return
        for claim in stories:
            found = [(case.place.model, case) for case in claim.cases(study) if case.place]
            verdicts = [
                combine_cases([case for name, case in found if name == model], claim.test)[0]
                for model in models
            ]
            place = Place(" - ".join(models), "", "", claim.id)
            if Verdict.NOT_EVALUABLE in verdicts:
                reason = gettext("%(claim)s is not evaluable", claim=claim.id)
                yield Case(place, Verdict.NOT_EVALUABLE, reason=reason)
                continue
            agree = float(len(set(verdicts)) == 1)
            decided = {Verdict.SUPPORTED, Verdict.REFUTED} <= set(verdicts)
            verdict = Verdict.SUPPORTED if agree else Verdict.INCONCLUSIVE
            exact = Interval(agree, agree, agree, 1.0, len(study.settings.seeds))
            yield Case(place, Verdict.REFUTED if decided else verdict, exact)

    return Claim(
        id="F11",
        kind="finding",
        topic=N_("Both architectures tell the same story"),
        statement=N_("What is found holds for both architectures alike."),
        statistic=N_("whether the verdict of each finding is the same for every architecture"),
        unit=N_("1 if it is, 0 if not"),
        own_rule=N_(
            "supported if all agree, refuted if one is supported for one and refuted for another"
        ),
        test=MarginTest(1.0, level=1.0),
        judge=judge,
    )
