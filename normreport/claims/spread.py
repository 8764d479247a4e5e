"""F4's second half: the order of the standard deviation among the arms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from normreport.claims.base import Case, Claim, Place, Study, missing, select
from normreport.evidence import Verdict, clopper_pearson, judge_above

# The article's order, from the widest to the narrowest. Its "none" divides by 255 as well, so
# that raw values take the place in the middle.
ORDER = ("imagenet", "raw", "unit")
CHANCE = 1 / 6


def _cases(study: Study) -> Iterator[Case]:
    absent = [arm for arm in ORDER if arm not in study.settings.normalizations]
    if absent or "scratch" not in study.settings.starts:
        yield missing(f"needs runs from scratch with the arms {', '.join(ORDER)}")
        return
    for model in study.settings.models:
        failed = study.failed(model=model, start="scratch", normalization=ORDER)
        for layer in study.settings.layers[model]:
            place = Place(model, "scratch", layer, " > ".join(ORDER))
            if failed:
                yield Case(place, Verdict.NOT_EVALUABLE, reason="; ".join(failed))
                continue
            rows = select(study.last(study.measures), model=model, start="scratch", layer=layer)
            table = rows.pivot_table(index="seed", columns="normalization", values="std")
            hits = (table["imagenet"] > table["raw"]) & (table["raw"] > table["unit"])
            interval = clopper_pearson(int(hits.sum()), len(hits), 0.95)
            yield Case(
                place,
                judge_above(interval, CHANCE),
                interval,
                tuple(hits.astype(float)),
                at_level=partial(_at_level, int(hits.sum()), len(hits)),
            )


def _at_level(successes: int, trials: int, level: float) -> Verdict:
    return judge_above(clopper_pearson(successes, trials, level), CHANCE)


ORDER_OF_STD = Claim(
    id="F4b",
    kind="finding",
    topic="Scratch: the order of the spread",
    statement=(
        "Started from random weights, the standard deviation is largest with mean and standard "
        "deviation removed, smallest with division by 255, and raw values lie between them."
    ),
    statistic="share of seeds in which the last epoch's std is in this order (the article's arm "
    "without normalization divided by 255 as well; raw values stand in its place)",
    unit="share of seeds",
    rule=(
        "supported if the exact 95% interval lies above the chance of one in six, refuted if below"
    ),
    margin=CHANCE,
    is_sameness=False,
    judge=_cases,
)
