"""H1, H2, H4, H5: the spread and the roughness of one arm against another."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from normreport.claims.base import (
    ARTICLE_STARTS,
    Case,
    Claim,
    Place,
    Study,
    case_from_seeds,
    missing,
    select,
)
from normreport.statistics.inference import MarginTest
from normreport.statistics.nulls import roughness_ratio_null
from normreport.text.language import N_, gettext

WIDER = MarginTest(math.log(1.05), level=0.95)
ROUGHER = MarginTest(math.log(1.25), level=0.95)


def log_ratios(
    study: Study,
    column: str,
    over: str,
    under: str,
    test: MarginTest,
    null: Callable[[int], float] | None = None,
) -> Iterator[Case]:
    """Ln of a statistic in one arm over that in another, per seed, layer and start.

    `null` gives, for a number of weights, the 95% point of what chance alone gives.
    """
    lacking = study.missing_conditions(any_start=ARTICLE_STARTS, normalizations=(over, under))
    if lacking:
        yield missing(lacking)
        return
    for model, start, layer in study.kept_layers(ARTICLE_STARTS):
        rows = study.last(study.rows("measures", model=model, start=start, layer=layer))
        both = select(rows, normalization=over).merge(
            select(rows, normalization=under), on="seed", suffixes=("_over", "_under")
        )
        pairs = zip(both[f"{column}_over"], both[f"{column}_under"], strict=True)
        yield case_from_seeds(
            Place(model, start, layer, f"{over} / {under}"),
            [math.log(a / b) if a > 0 < b else None for a, b in pairs],
            test=test,
            null=null(int(both["n_over"].iloc[0])) if null and len(both) else None,
            failed=study.failed(model=model, start=start, normalization=[over, under]),
        )


def rougher(study: Study, over: str, under: str) -> Iterator[Case]:
    """Ln of the roughness in one arm over that in another, against what chance gives, too."""
    return log_ratios(study, "roughness", over, under, ROUGHER, roughness_ratio_null)


def _contradicts_f4(study: Study, cases: object) -> Iterator[str]:
    yield gettext("the article's own finding F4 says the opposite")


ROUGHER_RULE = N_(
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
    test=WIDER,
    judge=lambda study: log_ratios(study, "std", "raw", "unit", WIDER),
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
    own_rule=ROUGHER_RULE,
    test=ROUGHER,
    judge=lambda study: rougher(study, "raw", "unit"),
)

STANDARDIZED_IS_NARROWER = Claim(
    id="H4",
    kind="hypothesis",
    topic=N_("Mean and std removed: narrower weights"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives narrower weights."),
    statistic=N_("ln of the last epoch's std with division by 255 over that with mean/std"),
    unit=N_("natural logarithm of a ratio"),
    test=WIDER,
    judge=lambda study: log_ratios(study, "std", "unit", "imagenet", WIDER),
    flags=_contradicts_f4,
)

STANDARDIZED_IS_SMOOTHER = Claim(
    id="H5",
    kind="hypothesis",
    topic=N_("Mean and std removed: a smoother distribution"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives smoother weights."),
    statistic=N_("ln of the roughness J with division by 255 over that with mean/std"),
    unit=N_("natural logarithm of a ratio"),
    own_rule=ROUGHER_RULE,
    test=ROUGHER,
    judge=lambda study: rougher(study, "unit", "imagenet"),
)
