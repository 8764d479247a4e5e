"""F4's second half: the order of the standard deviation among the arms."""

from __future__ import annotations

from collections.abc import Iterator

from normreport.claims.base import Case, Claim, Place, Study, missing
from normreport.statistics.inference import MarginTest, Verdict, clopper_pearson, share_p_values
from normreport.text.language import N_

# The article's order, from the widest to the narrowest. Its "none" divides by 255 as well, so
# that raw values take the place in the middle.
ORDER = ("imagenet", "raw", "unit")
ABOVE_CHANCE = MarginTest(1 / 6, level=0.95)


def _cases(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("scratch",), normalizations=ORDER)
    if lacking:
        yield missing(lacking)
        return
    for model, start, layer in study.kept_layers(("scratch",)):
        place = Place(model, start, layer, " > ".join(ORDER))
        failed = study.failed(model=model, start=start, normalization=ORDER)
        if failed:
            yield Case(place, Verdict.NOT_EVALUABLE, reason="; ".join(failed))
            continue
        rows = study.last(study.rows("measures", model=model, start=start, layer=layer))
        table = rows.pivot_table(index="seed", columns="normalization", values="std")
        hits = (table["imagenet"] > table["raw"]) & (table["raw"] > table["unit"])
        successes, trials = int(hits.sum()), len(hits)
        p = share_p_values(successes, trials, ABOVE_CHANCE.margin)
        yield Case(
            place,
            ABOVE_CHANCE.verdict(p),
            clopper_pearson(successes, trials, ABOVE_CHANCE.level),
            tuple(hits.astype(float)),
            p,
        )


ORDER_OF_STD = Claim(
    id="F4b",
    kind="finding",
    topic=N_("Scratch: the order of the spread"),
    statement=N_(
        "Started from random weights, the standard deviation is largest with mean and standard "
        "deviation removed, smallest with division by 255, and raw values lie between them."
    ),
    statistic=N_(
        "share of seeds in which the last epoch's std is in this order (the article's arm "
        "without normalization divided by 255 as well; raw values stand in its place)"
    ),
    unit=N_("share of seeds"),
    own_rule=N_(
        "supported if the exact 95%% interval lies above the chance of one in six, refuted if below"
    ),
    test=ABOVE_CHANCE,
    judge=_cases,
)
