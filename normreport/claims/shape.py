"""F7, F8, F9, F10: the shape of the distribution of a layer's weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import product
from typing import Any

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PREDICTIONS, PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import (
    Arms,
    arrange,
    article_arms,
    final_values,
    planned_arms,
    raw_arm,
)
from normreport.statistics.inference import MarginTest
from normreport.statistics.moments import L_KURTOSIS_OF_NORMAL
from normreport.statistics.nulls import gaussian_null
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

OTHER_LAWS = ("scratch_uniform", "scratch_laplace")
SCOPE = N_("only pretrained runs and those from scratch, of which all layers are trained, count")
# Departures from a Gaussian that matter, beyond those of equally many Gaussian numbers.
KURTOSIS, SKEWNESS, L_KURTOSIS, W1 = 0.5, 0.25, 0.02, 0.03
WITHIN_BOUNDS = MarginTest(0.0, level=0.90, side="below")
VGG_AND_MOBILENET = ("vgg16", "mobilenet_v2")
WITHOUT_AND_WITH_BATCH_NORMALIZATION = ("vgg16", "vgg16_bn")


def _judge_architectures(
    study: Study,
    test: MarginTest,
    *,
    architectures: tuple[str, str],
    column: str,
    layers: slice = slice(None),
) -> Iterator[Case]:
    """Judge the difference of a statistic between two architectures, averaged over arms.

    Parameters
    ----------
    study, test
        The measurements, and the test of the claim.
    architectures
        The architecture whose statistic counts positive, and the other one.
    column
        The statistic, a column of the table `Study.measures`.
    layers
        Which kept layers to compare; the first of one network with the first of the other.
    """
    models = tuple(study.settings.architectures[name] for name in architectures)
    kept = (study.settings.layers[model][layers] for model in models)
    for start, pair in product(ARTICLE_STARTS, list(zip(*kept, strict=False))):
        planned = [
            planned_arms(study, article_arms, model=model, starts=(start,)) for model in models
        ]
        arms = [arm for arm in planned[0] if arm in planned[1]]
        if not arms:
            continue
        one, two = (
            final_values(
                study, study.measures, column, model=model, start=start, layer=layer, arms=arms
            ).mean(axis="columns", skipna=False)
            for model, layer in zip(models, pair, strict=True)
        )
        seeds = [seed for seed in one.index if seed in two.index]
        if not seeds:
            continue
        place = Place(models, (start,), pair, Contrast.of_arms(*arms, sign="+"))
        yield case_from_seeds(
            place,
            list(one.reindex(seeds) - two.reindex(seeds)),
            test=test,
            failed=failed_runs_at(study, place),
        )


def measure_departure(row: Any) -> float | None:
    """Compute the largest of four departures from a Gaussian, relative to their bounds.

    A bound is the departure that matters plus the 95% point for equally many Gaussian numbers, so
    a small layer does not fail for its size. A departure of 1 is at the bound.

    Parameters
    ----------
    row
        A row of `Study.measures`, as ``itertuples`` yields it.
    """
    values = row.excess_kurtosis, row.skewness, row.l_kurtosis, row.w1_normal
    if any(value is None or value != value for value in values):
        return None
    null = gaussian_null(int(row.n))
    departures = (
        abs(row.excess_kurtosis) / (KURTOSIS + null.excess_kurtosis),
        abs(row.skewness) / (SKEWNESS + null.skewness),
        abs(row.l_kurtosis - L_KURTOSIS_OF_NORMAL) / (L_KURTOSIS + null.l_kurtosis),
        row.w1_normal / (W1 + null.w1_normal),
    )
    return float(max(departures))


def _judge_departure(
    study: Study,
    test: MarginTest,
    *,
    arms: Arms,
    starts: Sequence[str] = ARTICLE_STARTS,
    epoch: int | None = None,
) -> Iterator[Case]:
    for model, start, layer in study.kept_layers(starts):
        chosen = planned_arms(study, arms, model=model, starts=(start,))
        if not chosen:
            continue
        seeds = list(study.seeds(model=model, starts=(start,), arms=chosen))
        last = study.settings.epochs if epoch is None else epoch
        rows = study.measures.at(model=model, start=start, layer=layer, epoch=last)
        departures = [measure_departure(row) for row in rows.itertuples()]
        logarithms = [math.log(value) if value else math.nan for value in departures]
        values = arrange(
            rows.assign(departure=logarithms), "departure", seed=seeds, normalization=chosen
        ).mean(axis="columns", skipna=False)
        place = Place.of(
            model=model, start=start, layer=layer, contrast=Contrast.of_arms(*chosen, sign="+")
        )
        yield case_from_seeds(place, list(values), test=test, failed=failed_runs_at(study, place))


def _flag_gaussian_start(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say that weights from scratch are Gaussian before the first step."""
    initial = list(
        _judge_departure(study, WITHIN_BOUNDS, arms=article_arms, starts=("scratch",), epoch=0)
    )
    if initial and not any(case.verdict is Verdict.REFUTED for case in initial):
        yield gettext(
            "BY CONSTRUCTION from scratch: torchvision draws the initial weights from a Gaussian"
        )


def _judge_kurtosis(
    study: Study, test: MarginTest, *, arms: Arms, minus: float = 0.0
) -> Iterator[Case]:
    for model, start, layer in study.kept_layers(OTHER_LAWS):
        chosen = planned_arms(study, arms, model=model, starts=(start,))
        if not chosen:
            continue
        place = Place.of(
            model=model, start=start, layer=layer, contrast=Contrast.of_arms(*chosen, sign="+")
        )
        first, last = (
            final_values(
                study, study.measures, "excess_kurtosis",
                model=model, start=start, layer=layer, arms=chosen, epoch=epoch,
            )
            for epoch in (0, None)
        )  # fmt: skip
        share = (last / first).replace([math.inf, -math.inf], math.nan)
        yield case_from_seeds(
            place,
            list(share.mean(axis="columns", skipna=False) - minus),
            test=test,
            failed=failed_runs_at(study, place),
        )


def _flag_absolute_width(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say that the absolute widths of the first layers follow from their fan-out."""
    if any(case.place and case.place.starts == ("scratch",) for case in cases):
        yield gettext(
            "in absolute terms the first layer of VGG16 is narrower from scratch BY CONSTRUCTION: "
            "its initial standard deviation is sqrt(288 / 576) = 0.707 times that of MobileNetV2"
        )


WIDER_IN_THE_CENTRE = Claim(
    id="F7",
    kind="finding",
    group="shape",
    topic=N_("VGG16 is wider in the centre"),
    statement=N_(
        "The density of VGG16's weights is wider in the centre than that of MobileNetV2's."
    ),
    statistic=N_(
        "c = IQR / (1.349 std), which is 1 for a Gaussian, of VGG16 minus that of MobileNetV2, "
        "first layers, averaged over the article's arms"
    ),
    scope=SCOPE,
    unit=N_("the difference in c"),
    test=MarginTest(0.05, level=0.95),
    needs=Needs(architectures=VGG_AND_MOBILENET, any_start=ARTICLE_STARTS, any_contrast=True),
    judge=partial(
        _judge_architectures,
        architectures=VGG_AND_MOBILENET,
        column="iqr_ratio",
        layers=slice(1),
    ),
    beyond=partial(
        _judge_architectures,
        architectures=VGG_AND_MOBILENET,
        column="iqr_ratio",
        layers=slice(1, None),
    ),
    flags=_flag_absolute_width,
    figures=("centre",),
    family=PRIMARY_FAMILY,
)

EVERY_LAYER_IS_GAUSSIAN = Claim(
    id="F8",
    kind="finding",
    group="shape",
    topic=N_("Every layer is Gaussian"),
    statement=N_("The weights of every compared layer follow a Gaussian distribution."),
    statistic=N_(
        "ln of the largest departure in excess kurtosis, skewness, L-kurtosis and W1 to the "
        "normal, each relative to its bound: %(kurtosis)s, %(skewness)s, %(l_kurtosis)s and "
        "%(w1)s, plus the 95%% point of the same departure of as many Gaussian numbers; averaged "
        "over the article's arms"
    ),
    values={"kurtosis": KURTOSIS, "skewness": SKEWNESS, "l_kurtosis": L_KURTOSIS, "w1": W1},
    scope=SCOPE,
    unit=N_("the departure, in bounds"),
    shown="multiple",
    rule=N_(
        "supported if the 90%% interval of every layer lies within the bound; refuted if one layer "
        "lies wholly beyond it, after Bonferroni correction for the number of layers"
    ),
    test=WITHIN_BOUNDS,
    universal=True,
    needs=Needs(any_start=ARTICLE_STARTS, any_contrast=True),
    judge=partial(_judge_departure, arms=article_arms),
    beyond=partial(_judge_departure, arms=raw_arm),
    flags=_flag_gaussian_start,
    figures=("histogram", "quantiles"),
    family=PRIMARY_FAMILY,
)

LIMIT_THEOREM = Claim(
    id="F9",
    kind="finding",
    group="shape",
    topic=N_("Gaussian by the central limit theorem"),
    statement=N_("The weights become Gaussian in training, by the central limit theorem."),
    statistic=N_(
        "excess kurtosis at the last epoch over that before the first step, where the initial "
        "law is uniform or Laplace, averaged over the article's arms"
    ),
    unit=N_("the remaining excess kurtosis"),
    shown="percent",
    rule=N_(
        "supported if the 95%% interval of every case lies below the margin, refuted if the "
        "kurtosis stays within a tenth or grows in every case, mixed if cases decide opposite ways"
    ),
    test=MarginTest(0.5, level=0.95, side="below", refuted_from=0.9),
    needs=Needs(any_start=OTHER_LAWS, any_contrast=True),
    judge=partial(_judge_kurtosis, arms=article_arms),
    beyond=partial(_judge_kurtosis, arms=raw_arm),
    figures=("kurtosis",),
    family=PRIMARY_FAMILY,
)

BATCH_NORMALIZATION = Claim(
    id="F10",
    kind="finding",
    group="shape",
    topic=N_("Batch normalization keeps weights Gaussian"),
    statement=N_("Batch normalization keeps the weights Gaussian."),
    statistic=N_(
        "W1 to the normal of VGG16 minus that of VGG16 with batch normalization, same layer, "
        "averaged over the article's arms"
    ),
    scope=SCOPE,
    unit=N_("the difference, in standard deviations"),
    test=MarginTest(0.02, level=0.95),
    needs=Needs(
        architectures=WITHOUT_AND_WITH_BATCH_NORMALIZATION,
        any_start=ARTICLE_STARTS,
        any_contrast=True,
    ),
    judge=partial(
        _judge_architectures,
        architectures=WITHOUT_AND_WITH_BATCH_NORMALIZATION,
        column="w1_normal",
    ),
    figures=("quantiles",),
    family=PRIMARY_FAMILY,
)

KURTOSIS_STAYS = Claim(
    id="P7",
    kind="prediction",
    group="predictions",
    topic=N_("Uniform and Laplace weights keep their kurtosis"),
    statement=N_(
        "Weights drawn from a uniform or a Laplace law keep its kurtosis: no central limit theorem "
        "is at work."
    ),
    statistic=N_(
        "excess kurtosis at the last epoch over that before the first step, minus 1, averaged over "
        "the article's arms"
    ),
    unit=N_("the change of the excess kurtosis"),
    shown="percent",
    test=MarginTest(0.1, level=0.90, side="within"),
    needs=Needs(any_start=OTHER_LAWS, any_contrast=True),
    judge=partial(_judge_kurtosis, arms=article_arms, minus=1.0),
    figures=("kurtosis",),
    family=PREDICTIONS,
)
