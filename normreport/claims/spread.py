"""F4's second half: the order of the standard deviation among the arms."""

from __future__ import annotations

from collections.abc import Iterator

from normreport.claims.base import Case, Claim, Place, Study, missing, select
from normreport.evidence import Verdict, clopper_pearson

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
            assert interval.low is not None
            assert interval.high is not None
            verdict = Verdict.INCONCLUSIVE
            if interval.low > CHANCE:
                verdict = Verdict.SUPPORTED
            elif interval.high < CHANCE:
                verdict = Verdict.REFUTED
            yield Case(place, verdict, interval, tuple(hits.astype(float)))


ORDER_OF_STD = Claim(
    id="F4b",
    kind="finding",
    topic="Scratch: the order of the spread",
    statement=(
        "Started from random weights, the standard deviation is largest with mean and standard "
        "deviation removed and smallest with division by 255."
    ),
    statistic="share of seeds in which the last epoch's std is in this order",
    unit="share of seeds",
    rule=(
        "supported if the exact 95% interval lies above the chance of one in six, refuted if below"
    ),
    margin=CHANCE,
    judge=_cases,
)
