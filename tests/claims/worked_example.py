"""F12: whether raw inputs keep the distribution of weights symmetric."""

from collections.abc import Iterator

from normreport.claims.cases import Case, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_


def judge_skewness(study: Study, test: MarginTest) -> Iterator[Case]:
    """Yield one case per kept layer, with one number per seed."""
    for model, start, layer in study.kept_layers(("scratch",)):
        rows = study.measures.at(model=model, start=start, layer=layer, normalization="raw")
        values = list(study.select_last_epoch(rows)["skewness"].abs())
        place = Place.of(model=model, start=start, layer=layer, contrast="raw")
        yield case_from_seeds(place, values, test=test, failed=failed_runs_at(study, place))


SYMMETRIC = Claim(
    id="F12",
    kind="finding",
    group="shape",
    topic=N_("Raw inputs keep weights symmetric"),
    statement=N_("From scratch, raw inputs give a symmetric distribution of weights."),
    statistic=N_("absolute skewness at the last epoch"),
    unit=N_("skewness"),
    test=MarginTest(0.25, level=0.90, side="below"),
    needs=Needs(starts=("scratch",), normalizations=("raw",)),
    judge=judge_skewness,
    figures=("histogram", "quantiles"),
    family=PRIMARY_FAMILY,
)
