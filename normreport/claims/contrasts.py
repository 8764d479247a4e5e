"""H1, H2, H4, H5, F4b: compare the spread and the roughness of two arms."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import (
    Pair,
    article_arms,
    correlation_of_arms,
    final_values,
    raw_and_unit,
)
from normreport.statistics.inference import MarginTest
from normreport.statistics.nulls import roughness_ratio_null
from normreport.text.language import N_, gettext

SPREAD = MarginTest(math.log(1.05), level=0.95)
ROUGHNESS = MarginTest(math.log(1.25), level=0.95)
RAW_AND_UNIT = Needs(any_start=ARTICLE_STARTS, normalizations=("raw", "unit"))
THE_CONTRAST = Needs(any_start=ARTICLE_STARTS, contrast=True)


def standardized_over_scaled(study: Study) -> tuple[str, str]:
    """Return the arms of the article's contrast in the opposite order."""
    scaled, standardized = study.contrast
    return standardized, scaled


def judge_log_ratio(
    study: Study,
    test: MarginTest,
    *,
    pair: Pair,
    column: str,
    starts: Iterable[str] = ARTICLE_STARTS,
    null: Callable[[int, float], float] | None = None,
) -> Iterator[Case]:
    """Judge ln of a statistic in one arm over that in another, per kept layer.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    pair
        Returns the arm in the numerator and the one in the denominator.
    column
        A positive statistic of the table `Study.measures`.
    starts
        The starts to look at.
    null
        Maps the number of weights and the correlation of the two arms' weights to the 95% point of
        the effect under chance alone. It is asked only if the mean exceeds the margin.
    """
    over, under = pair(study)
    for model, start, layer in study.kept_layers(starts, arms=(over, under)):
        place = Place.of(
            model=model, start=start, layer=layer, contrast=Contrast.of_arms(over, under, sign="/")
        )
        values = final_values(
            study, study.measures, column, model=model, start=start, layer=layer, arms=(over, under)
        )
        positive = values.where(values > 0)
        ratios = np.log(positive[over]) - np.log(positive[under])
        bound = None
        # The simulation takes seconds, and decides nothing below the margin.
        if null is not None and float(ratios.mean(skipna=False)) > test.margin:
            counts = study.measures.at(model=model, start=start, layer=layer)["n"]
            correlation = correlation_of_arms(study, model, start, layer, over, under)
            bound = null(int(counts.iloc[0]), correlation)
        yield case_from_seeds(
            place,
            list(ratios),
            test=test,
            null=bound,
            failed=failed_runs_at(study, place),
        )


judge_spread = partial(judge_log_ratio, column="std")
judge_roughness = partial(judge_log_ratio, column="roughness", null=roughness_ratio_null)


def _flag_same_as_published(study: Study, cases: object) -> Iterator[str]:
    yield gettext(
        "BY IDENTITY as published: the pipeline called “none” divides by 255, so its runs equal "
        "those of min/max scaling; raw values take its place here"
    )


def _flag_opposite_of_f4b(study: Study, cases: object) -> Iterator[str]:
    yield gettext("the article's own finding F4b says the opposite")


ROUGHNESS_RULE = N_(
    "as for a difference, and to support the claim the 95%% interval must also lie above the 95%% "
    "point of the ratio for two Gaussian samples of the same size and correlation"
)

RAW_IS_WIDER = Claim(
    id="H1",
    kind="hypothesis",
    group="premises",
    topic=N_("Without normalization: high variance"),
    statement=N_("Without normalization, the weights have a higher variance."),
    statistic=N_(
        "ln of the standard deviation with raw inputs over that with inputs / 255, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
    shown="ratio",
    test=SPREAD,
    needs=RAW_AND_UNIT,
    judge=partial(judge_spread, pair=raw_and_unit),
    flags=_flag_same_as_published,
    figures=("spread",),
    family=PRIMARY_FAMILY,
)

RAW_IS_ROUGHER = Claim(
    id="H2",
    kind="hypothesis",
    group="premises",
    topic=N_("Without normalization: a jagged distribution"),
    statement=N_("Without normalization, the weights have a more jagged distribution."),
    statistic=N_(
        "ln of the roughness J (sigma^5 times the integral of the density's squared second "
        "derivative) with raw inputs over that with inputs / 255, last epoch"
    ),
    unit=N_("the change of roughness"),
    shown="ratio",
    rule=ROUGHNESS_RULE,
    test=ROUGHNESS,
    needs=RAW_AND_UNIT,
    judge=partial(judge_roughness, pair=raw_and_unit),
    flags=_flag_same_as_published,
    figures=("density",),
    family=PRIMARY_FAMILY,
)

STANDARDIZED_IS_NARROWER = Claim(
    id="H4",
    kind="hypothesis",
    group="premises",
    topic=N_("Mean and std removed: narrower weights"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives narrower weights."),
    statistic=N_(
        "ln of the standard deviation with inputs / 255 over that with mean and standard deviation "
        "removed, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
    shown="ratio",
    test=SPREAD,
    needs=THE_CONTRAST,
    judge=partial(judge_spread, pair=article_arms),
    flags=_flag_opposite_of_f4b,
    figures=("spread",),
    family=PRIMARY_FAMILY,
)

STANDARDIZED_IS_SMOOTHER = Claim(
    id="H5",
    kind="hypothesis",
    group="premises",
    topic=N_("Mean and std removed: a smoother distribution"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives smoother weights."),
    statistic=N_(
        "ln of the roughness J with inputs / 255 over that with mean and standard deviation "
        "removed, last epoch"
    ),
    unit=N_("the change of roughness"),
    shown="ratio",
    rule=ROUGHNESS_RULE,
    test=ROUGHNESS,
    needs=THE_CONTRAST,
    judge=partial(judge_roughness, pair=article_arms),
    figures=("density",),
    family=PRIMARY_FAMILY,
)

STANDARDIZED_IS_WIDER = Claim(
    id="F4b",
    kind="finding",
    group="scratch",
    topic=N_("Scratch: the spread is largest with mean and std removed"),
    statement=N_(
        "Started from random weights, the standard deviation is larger with mean and standard "
        "deviation removed than with division by 255."
    ),
    statistic=N_(
        "ln of the standard deviation with mean and standard deviation removed over that with "
        "inputs / 255, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
    shown="ratio",
    test=SPREAD,
    needs=Needs(starts=("scratch",), contrast=True),
    judge=partial(judge_spread, pair=standardized_over_scaled, starts=("scratch",)),
    figures=("spread",),
    family=PRIMARY_FAMILY,
)
