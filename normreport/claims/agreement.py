"""F11: whether both architectures tell the same story."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from normreport.claims.cases import Case, Contrast, Place, exact_case, not_evaluable
from normreport.claims.claim import Claim, FromStories, JudgedClaim
from normreport.claims.judging import combine_cases
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.statistics.inference import MarginTest
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext


def _compare_architectures(study: Study, stories: Sequence[JudgedClaim]) -> Iterator[Case]:
    """Compare the verdicts of the architectures on each story."""
    models = study.compared_models()
    for story in stories:
        place = Place(models=tuple(models), contrast=Contrast(label=story.claim.id))
        verdicts = {_judge_model(story, model) for model in models}
        if Verdict.NOT_EVALUABLE in verdicts:
            yield not_evaluable(gettext("%(claim)s is not evaluable", claim=story.claim.id), place)
            continue
        agree = len(verdicts) == 1
        if agree:
            verdict = Verdict.SUPPORTED
        elif {Verdict.SUPPORTED, Verdict.REFUTED} <= verdicts:
            verdict = Verdict.REFUTED
        else:
            verdict = Verdict.INCONCLUSIVE
        yield exact_case(place, verdict, float(agree), seeds=len(study.settings.seeds))


def _judge_model(story: JudgedClaim, model: str) -> Verdict:
    """Judge a story by the cases of one model."""
    cases = [case for case in story.judgement.cases if case.place and model in case.place.models]
    verdict, _ = combine_cases(cases, story.claim.test)
    return verdict


SAME_STORY = Claim(
    id="F11",
    kind="finding",
    topic=N_("Both architectures tell the same story"),
    statement=N_("What is found holds for both architectures alike."),
    statistic=N_("whether the verdict of each finding is the same for every architecture"),
    unit=N_("1 if it is, 0 if not"),
    rule=N_("supported if all agree, refuted if one is supported for one and refuted for another"),
    test=MarginTest(1.0, level=1.0),
    needs=Needs(two_architectures=True),
    judge=FromStories(_compare_architectures),
)
