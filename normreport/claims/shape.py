"""F7, F8: the shape of the distribution of a layer's weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

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
from normreport.statistics.inference import MarginTest, Verdict
from normreport.statistics.moments import L_KURTOSIS_OF_NORMAL
from normreport.statistics.nulls import gaussian_null
from normreport.text.language import N_, gettext

WIDER = MarginTest(0.05, level=0.95)
CLOSER = MarginTest(0.02, level=0.95)
WITHIN_BOUNDS = MarginTest(1.0, level=0.90, below=True)
# Supported where excess kurtosis halves; refuted where it stays within a tenth, or grows.
HALVES = MarginTest(0.5, level=0.95, below=True, refuted_from=0.9)
OTHER_LAWS = ("scratch_uniform", "scratch_laplace")
SCOPE = N_("only pretrained runs and those from scratch, of which all layers are trained, count")
# What counts as Gaussian, above what as many Gaussian numbers give by chance.
KURTOSIS, SKEWNESS, L_KURTOSIS, W1 = 0.5, 0.25, 0.02, 0.03


def _between(
    study: Study, architectures: tuple[str, str], column: str, test: MarginTest
) -> Iterator[Case]:
    """Difference in a statistic between two architectures, their layers paired in their order."""
    lacking = study.missing_conditions(architectures=architectures, any_start=ARTICLE_STARTS)
    if lacking:
        yield missing(lacking)
        return
    model, other = (study.settings.architectures[name] for name in architectures)
    layers = zip(study.settings.layers[model], study.settings.layers[other], strict=False)
    starts = [start for start in ARTICLE_STARTS if start in study.settings.starts]
    conditions = product(layers, starts, study.settings.normalizations)
    for (layer, other_layer), start, arm in conditions:
        places = Place(model, start, layer, arm), Place(other, start, other_layer, arm)
        one, two = (study.last(place.rows(study, "measures")) for place in places)
        both = one.merge(two, on="seed", suffixes=("", "_other"))
        yield case_from_seeds(
            Place(f"{model} - {other}", start, f"{layer} - {other_layer}", arm),
            list(both[column] - both[f"{column}_other"]),
            test=test,
            failed=study.failed(model=[model, other], start=start, normalization=arm),
        )


def departure(row: Any) -> float | None:
    """Largest of four departures from a Gaussian, each relative to its bound; 1 is at the bound.

    A bound is the departure that matters plus the 95% point of that of as many Gaussian numbers,
    so that a small layer is not called non-Gaussian for its size.
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


def _gaussian(study: Study, epoch: int) -> Iterator[Case]:
    lacking = study.missing_conditions(any_start=ARTICLE_STARTS)
    if lacking:
        yield missing(lacking)
        return
    for model, start, layer in study.kept_layers(ARTICLE_STARTS):
        for arm in study.settings.normalizations:
            place = Place(model, start, layer, arm)
            rows = select(place.rows(study, "measures"), epoch=epoch)
            yield case_from_seeds(
                place,
                [departure(row) for row in rows.itertuples()],
                test=WITHIN_BOUNDS,
                failed=place.failed(study),
            )


def _drawn_gaussian(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    initial = [case for case in _gaussian(study, 0) if case.place and case.place.start == "scratch"]
    if initial and not any(case.verdict is Verdict.REFUTED for case in initial):
        yield gettext(
            "BY CONSTRUCTION from scratch: torchvision draws the initial weights from a Gaussian"
        )


def _limit_theorem(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(any_start=OTHER_LAWS)
    if lacking:
        yield missing(lacking)
        return
    for model, start, layer in study.kept_layers(OTHER_LAWS):
        for arm in study.settings.normalizations:
            place = Place(model, start, layer, arm)
            rows = place.rows(study, "measures").set_index("seed")
            first, last = (
                table["excess_kurtosis"] for table in (select(rows, epoch=0), study.last(rows))
            )
            yield case_from_seeds(
                place,
                list(last / first),
                test=HALVES,
                failed=place.failed(study),
            )


WIDER_IN_THE_CENTRE = Claim(
    id="F7",
    kind="finding",
    topic=N_("VGG16 is wider in the centre"),
    statement=N_(
        "The density of VGG16's weights is wider in the centre than that of MobileNetV2's."
    ),
    statistic=N_(
        "difference in c = IQR / (1.349 std), which is 1 for a Gaussian; layers are paired in the "
        "order in which the configuration lists them"
    ),
    scope=SCOPE,
    unit=N_("c"),
    test=WIDER,
    judge=lambda study: _between(study, ("vgg16", "mobilenet_v2"), "iqr_ratio", WIDER),
)

EVERY_LAYER_IS_GAUSSIAN = Claim(
    id="F8",
    kind="finding",
    topic=N_("Every layer is Gaussian"),
    statement=N_("The weights of every kept layer follow a Gaussian distribution."),
    statistic=N_(
        "largest departure in excess kurtosis, skewness, L-kurtosis and W1 to the normal, each "
        "relative to its bound: %(kurtosis)s, %(skewness)s, %(l_kurtosis)s and %(w1)s, plus the "
        "95%% point of the same departure of as many Gaussian numbers"
    ),
    values={"kurtosis": KURTOSIS, "skewness": SKEWNESS, "l_kurtosis": L_KURTOSIS, "w1": W1},
    scope=SCOPE,
    unit=N_("share of the bound"),
    own_rule=N_(
        "supported if the 90%% interval lies within the bound everywhere, refuted by one layer "
        "wholly beyond it"
    ),
    test=WITHIN_BOUNDS,
    judge=lambda study: _gaussian(study, study.settings.epochs),
    flags=_drawn_gaussian,
)

LIMIT_THEOREM = Claim(
    id="F9",
    kind="finding",
    topic=N_("Gaussian by the central limit theorem"),
    statement=N_("The weights become Gaussian in training, by the central limit theorem."),
    statistic=N_(
        "excess kurtosis at the last epoch over that before the first step, where the initial "
        "law is uniform or Laplace"
    ),
    unit=N_("share of the initial excess kurtosis"),
    own_rule=N_(
        "supported if the 95%% interval lies below the margin, refuted if the kurtosis stays "
        "within a tenth or grows"
    ),
    test=HALVES,
    judge=_limit_theorem,
)

BATCH_NORMALIZATION = Claim(
    id="F10",
    kind="finding",
    topic=N_("Batch normalization keeps weights Gaussian"),
    statement=N_("Batch normalization keeps the weights Gaussian."),
    statistic=N_("W1 to the normal of VGG16 minus that of VGG16 with batch normalization"),
    scope=SCOPE,
    unit=N_("standard deviations"),
    test=CLOSER,
    judge=lambda study: _between(study, ("vgg16", "vgg16_bn"), "w1_normal", CLOSER),
)
