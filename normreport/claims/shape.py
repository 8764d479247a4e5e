"""F7, F8, F9, F10: the shape of the distribution of a layer's weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.statistics.inference import MarginTest
from normreport.statistics.moments import L_KURTOSIS_OF_NORMAL
from normreport.statistics.nulls import gaussian_null
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

OTHER_LAWS = ("scratch_uniform", "scratch_laplace")
SCOPE = N_("only pretrained runs and those from scratch, of which all layers are trained, count")
# Departures from a Gaussian that matter, beyond those of equally many Gaussian numbers.
KURTOSIS, SKEWNESS, L_KURTOSIS, W1 = 0.5, 0.25, 0.02, 0.03
WITHIN_BOUNDS = MarginTest(1.0, level=0.90, below=True)
VGG_AND_MOBILENET = ("vgg16", "mobilenet_v2")
WITHOUT_AND_WITH_BATCH_NORMALIZATION = ("vgg16", "vgg16_bn")


def _judge_architectures(
    study: Study, test: MarginTest, architectures: tuple[str, str], column: str
) -> Iterator[Case]:
    """Judge the difference of a statistic between two architectures, layer by layer."""
    models = tuple(study.settings.architectures[name] for name in architectures)
    layers = zip(*(study.settings.layers[model] for model in models), strict=False)
    starts = [start for start in ARTICLE_STARTS if start in study.settings.starts]
    for pair, start, arm in product(layers, starts, study.settings.normalizations):
        place = Place(models, (start,), pair, Contrast.of_arms(arm))
        one, two = (
            study.select_last_epoch(
                study.measures.at(model=model, start=start, layer=layer, normalization=arm)
            )
            for model, layer in zip(models, pair, strict=True)
        )
        both = one.merge(two, on="seed", suffixes=("", "_other"))
        yield case_from_seeds(
            place,
            list(both[column] - both[f"{column}_other"]),
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
    study: Study, test: MarginTest, *, epoch: int, starts: Sequence[str] = ARTICLE_STARTS
) -> Iterator[Case]:
    for model, start, layer in study.kept_layers(starts):
        for arm in study.settings.normalizations:
            place = Place.of(model=model, start=start, layer=layer, contrast=arm)
            rows = study.measures.at(
                model=model, start=start, layer=layer, normalization=arm, epoch=epoch
            )
            yield case_from_seeds(
                place,
                [measure_departure(row) for row in rows.itertuples()],
                test=test,
                failed=failed_runs_at(study, place),
            )


def _flag_gaussian_start(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say that weights from scratch are Gaussian before the first step."""
    initial = list(_judge_departure(study, WITHIN_BOUNDS, epoch=0, starts=("scratch",)))
    if initial and not any(case.verdict is Verdict.REFUTED for case in initial):
        yield gettext(
            "BY CONSTRUCTION from scratch: torchvision draws the initial weights from a Gaussian"
        )


def _judge_kurtosis(study: Study, test: MarginTest) -> Iterator[Case]:
    for model, start, layer in study.kept_layers(OTHER_LAWS):
        for arm in study.settings.normalizations:
            place = Place.of(model=model, start=start, layer=layer, contrast=arm)
            rows = study.measures.at(model=model, start=start, layer=layer, normalization=arm)
            rows = rows.set_index("seed")
            first = rows[rows["epoch"] == 0]["excess_kurtosis"]
            last = study.select_last_epoch(rows)["excess_kurtosis"]
            yield case_from_seeds(
                place, list(last / first), test=test, failed=failed_runs_at(study, place)
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
    test=MarginTest(0.05, level=0.95),
    needs=Needs(architectures=VGG_AND_MOBILENET, any_start=ARTICLE_STARTS),
    judge=lambda study, test: _judge_architectures(study, test, VGG_AND_MOBILENET, "iqr_ratio"),
    figures=("centre",),
    family=PRIMARY_FAMILY,
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
    rule=N_(
        "supported if the 90%% interval lies within the bound everywhere, refuted by one layer "
        "wholly beyond it"
    ),
    test=WITHIN_BOUNDS,
    needs=Needs(any_start=ARTICLE_STARTS),
    judge=lambda study, test: _judge_departure(study, test, epoch=study.settings.epochs),
    flags=_flag_gaussian_start,
    figures=("histogram", "quantiles"),
    family=PRIMARY_FAMILY,
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
    rule=N_(
        "supported if the 95%% interval lies below the margin, refuted if the kurtosis stays "
        "within a tenth or grows"
    ),
    test=MarginTest(0.5, level=0.95, below=True, refuted_from=0.9),
    needs=Needs(any_start=OTHER_LAWS),
    judge=_judge_kurtosis,
    figures=("kurtosis",),
    family=PRIMARY_FAMILY,
)

BATCH_NORMALIZATION = Claim(
    id="F10",
    kind="finding",
    topic=N_("Batch normalization keeps weights Gaussian"),
    statement=N_("Batch normalization keeps the weights Gaussian."),
    statistic=N_("W1 to the normal of VGG16 minus that of VGG16 with batch normalization"),
    scope=SCOPE,
    unit=N_("standard deviations"),
    test=MarginTest(0.02, level=0.95),
    needs=Needs(architectures=WITHOUT_AND_WITH_BATCH_NORMALIZATION, any_start=ARTICLE_STARTS),
    judge=lambda study, test: _judge_architectures(
        study, test, WITHOUT_AND_WITH_BATCH_NORMALIZATION, "w1_normal"
    ),
    figures=("quantiles",),
    family=PRIMARY_FAMILY,
)
