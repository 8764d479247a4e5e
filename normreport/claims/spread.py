"""F4b: the order of the standard deviations of the arms."""

from __future__ import annotations

from collections.abc import Iterator

from normreport.claims.cases import Case, Contrast, Place, failed_runs_at, not_evaluable
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.statistics.inference import MarginTest, clopper_pearson_interval, share_p_values
from normreport.text.language import N_

# The order of the article, from the widest to the narrowest. Its arm "none" divides by 255 as
# well, so raw values take its place in the middle.
ORDER = ("imagenet", "raw", "unit")


def _judge_order(study: Study, test: MarginTest) -> Iterator[Case]:
    for model, start, layer in study.kept_layers(("scratch",)):
        place = Place.of(
            model=model, start=start, layer=layer, contrast=Contrast.of_arms(*ORDER, sign=">")
        )
        failed = failed_runs_at(study, place)
        if failed:
            yield not_evaluable("; ".join(failed), place)
            continue
        rows = study.select_last_epoch(study.measures.at(model=model, start=start, layer=layer))
        table = rows.pivot_table(index="seed", columns="normalization", values="std")
        hits = (table["imagenet"] > table["raw"]) & (table["raw"] > table["unit"])
        successes, trials = int(hits.sum()), len(hits)
        p = share_p_values(successes, trials, test.margin)
        interval = clopper_pearson_interval(successes, trials, test.level)
        yield Case(place, test.verdict(p), interval, tuple(hits.astype(float)), p)


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
    rule=N_(
        "supported if the exact 95%% interval lies above the chance of one in six, refuted if below"
    ),
    test=MarginTest(1 / 6, level=0.95),
    needs=Needs(starts=("scratch",), normalizations=ORDER),
    judge=_judge_order,
    figures=("spread",),
    family=PRIMARY_FAMILY,
    is_story=True,
)
