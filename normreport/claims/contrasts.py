"""H1, H2, H4, H5: compare the spread and the roughness of two arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study, select_rows
from normreport.statistics.inference import MarginTest
from normreport.statistics.nulls import roughness_ratio_null
from normreport.text.language import N_, gettext

SPREAD = MarginTest(math.log(1.05), level=0.95)
ROUGHNESS = MarginTest(math.log(1.25), level=0.95)
RAW_AND_UNIT = Needs(any_start=ARTICLE_STARTS, normalizations=("raw", "unit"))
UNIT_AND_IMAGENET = Needs(any_start=ARTICLE_STARTS, normalizations=("unit", "imagenet"))


def judge_log_ratio(
    study: Study,
    test: MarginTest,
    column: str,
    over: str,
    under: str,
    null: Callable[[int], float] | None = None,
) -> Iterator[Case]:
    """Judge ln of a statistic in one arm over that in another, per start and kept layer.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    column
        A positive statistic of the table `Study.measures`.
    over, under
        The arms in the numerator and in the denominator.
    null
        Maps the number of weights to the 95% point of the effect under chance alone.
    """
    for model, start, layer in study.kept_layers(ARTICLE_STARTS):
        place = Place.of(
            model=model, start=start, layer=layer, contrast=Contrast.of_arms(over, under, sign="/")
        )
        rows = study.select_last_epoch(study.measures.at(model=model, start=start, layer=layer))
        pairs = select_rows(rows, normalization=over).merge(
            select_rows(rows, normalization=under), on="seed", suffixes=("_over", "_under")
        )
        values = zip(pairs[f"{column}_over"], pairs[f"{column}_under"], strict=True)
        yield case_from_seeds(
            place,
            [math.log(a / b) if a > 0 < b else None for a, b in values],
            test=test,
            null=null(int(pairs["n_over"].iloc[0])) if null and len(pairs) else None,
            failed=failed_runs_at(study, place),
        )


def judge_roughness(study: Study, test: MarginTest, over: str, under: str) -> Iterator[Case]:
    """Judge ln of the roughness ratio against the margin and against chance."""
    return judge_log_ratio(study, test, "roughness", over, under, roughness_ratio_null)


def _flag_opposite_of_f4(study: Study, cases: object) -> Iterator[str]:
    yield gettext("the article's own finding F4 says the opposite")


ROUGHNESS_RULE = N_(
    "supported if the 95%% interval lies above the margin, and above the 95%% point of the ratio "
    "for two Gaussian samples of as many numbers; refuted if wholly below the margin"
)

RAW_IS_WIDER = Claim(
    id="H1",
    kind="hypothesis",
    topic=N_("Without normalization: high variance"),
    statement=N_("Without normalization the weights have a higher variance."),
    statistic=N_("ln of the last epoch's std with raw values over that with division by 255"),
    unit=N_("natural logarithm of a ratio"),
    test=SPREAD,
    needs=RAW_AND_UNIT,
    judge=lambda study, test: judge_log_ratio(study, test, "std", "raw", "unit"),
    figures=("spread",),
    family=PRIMARY_FAMILY,
)

RAW_IS_ROUGHER = Claim(
    id="H2",
    kind="hypothesis",
    topic=N_("Without normalization: a jagged distribution"),
    statement=N_("Without normalization the weights have a more jagged distribution."),
    statistic=N_(
        "ln of the roughness J = sigma^5 times the integral of the density's squared second "
        "derivative, with raw values over that with division by 255"
    ),
    unit=N_("natural logarithm of a ratio"),
    rule=ROUGHNESS_RULE,
    test=ROUGHNESS,
    needs=RAW_AND_UNIT,
    judge=lambda study, test: judge_roughness(study, test, "raw", "unit"),
    figures=("density",),
    family=PRIMARY_FAMILY,
)

STANDARDIZED_IS_NARROWER = Claim(
    id="H4",
    kind="hypothesis",
    topic=N_("Mean and std removed: narrower weights"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives narrower weights."),
    statistic=N_("ln of the last epoch's std with division by 255 over that with mean/std"),
    unit=N_("natural logarithm of a ratio"),
    test=SPREAD,
    needs=UNIT_AND_IMAGENET,
    judge=lambda study, test: judge_log_ratio(study, test, "std", "unit", "imagenet"),
    flags=_flag_opposite_of_f4,
    figures=("spread",),
    family=PRIMARY_FAMILY,
)

STANDARDIZED_IS_SMOOTHER = Claim(
    id="H5",
    kind="hypothesis",
    topic=N_("Mean and std removed: a smoother distribution"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives smoother weights."),
    statistic=N_("ln of the roughness J with division by 255 over that with mean/std"),
    unit=N_("natural logarithm of a ratio"),
    rule=ROUGHNESS_RULE,
    test=ROUGHNESS,
    needs=UNIT_AND_IMAGENET,
    judge=lambda study, test: judge_roughness(study, test, "unit", "imagenet"),
    figures=("density",),
    family=PRIMARY_FAMILY,
)
