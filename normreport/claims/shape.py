"""F7, F8: the shape of the distribution of a layer's weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any

from normreport.claims.base import Case, Claim, Place, Study, case_from_seeds, missing, select
from normreport.evidence import Interval, Verdict, judge_above, judge_within
from normreport.statistics import wasserstein_to_normal_null

WIDER = 0.05
CLOSER = 0.02
HALF, STAYS = 0.5, 0.9
OTHER_LAWS = ("scratch_uniform", "scratch_laplace")
# Bounds of what counts as Gaussian; the last one is above what Gaussian numbers give.
KURTOSIS, SKEWNESS, L_KURTOSIS, L_KURTOSIS_OF_NORMAL, W1 = 0.5, 0.25, 0.02, 0.1226, 0.03


def _wider(study: Study) -> Iterator[Case]:
    if not {"vgg16", "mobilenet_v2"} <= set(study.settings.models):
        yield missing("needs vgg16 and mobilenet_v2")
        return
    layers = zip(
        study.settings.layers["vgg16"], study.settings.layers["mobilenet_v2"], strict=False
    )
    for vgg_layer, mobile_layer in layers:
        for start in study.settings.starts:
            for arm in study.settings.normalizations:
                rows = select(study.last(study.measures), start=start, normalization=arm)
                vgg = select(rows, model="vgg16", layer=vgg_layer)
                mobile = select(rows, model="mobilenet_v2", layer=mobile_layer)
                both = vgg.merge(mobile, on="seed", suffixes=("", "_mobile"))
                yield case_from_seeds(
                    Place("vgg16 - mobilenet_v2", start, f"{vgg_layer} - {mobile_layer}", arm),
                    list(both["iqr_ratio"] - both["iqr_ratio_mobile"]),
                    judge=judge_above,
                    margin=WIDER,
                    level=0.95,
                    failed=study.failed(
                        model=["vgg16", "mobilenet_v2"], start=start, normalization=arm
                    ),
                )


def departure(row: Any) -> float | None:
    """Largest of four departures from a Gaussian, each relative to its bound; 1 is at the bound."""
    values = (
        (row.excess_kurtosis, KURTOSIS),
        (row.skewness, SKEWNESS),
        (row.l_kurtosis - L_KURTOSIS_OF_NORMAL, L_KURTOSIS),
        (row.w1_normal, W1 + wasserstein_to_normal_null(int(row.n))[0]),
    )
    if any(value is None or value != value for value, _ in values):
        return None
    return max(abs(float(value)) / bound for value, bound in values)


def _gaussian(study: Study, epoch: int) -> Iterator[Case]:
    table = study.measures[study.measures["epoch"] == epoch]
    for model in study.settings.models:
        for start, layer, arm in product(
            study.settings.starts, study.settings.layers[model], study.settings.normalizations
        ):
            place = Place(model, start, layer, arm)
            yield case_from_seeds(
                place,
                [departure(row) for row in place.rows(table).itertuples()],
                judge=judge_within,
                margin=1.0,
                level=0.90,
                failed=place.failed(study),
            )


def _drawn_gaussian(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    initial = [case for case in _gaussian(study, 0) if case.place and case.place.start == "scratch"]
    if initial and not any(case.verdict is Verdict.REFUTED for case in initial):
        yield "BY CONSTRUCTION from scratch: torchvision draws the initial weights from a Gaussian"


def _limit_theorem(study: Study) -> Iterator[Case]:
    laws = [start for start in OTHER_LAWS if start in study.settings.starts]
    if not laws:
        yield missing("no run of the experiment starts scratch_uniform or scratch_laplace")
        return
    for model, start in product(study.settings.models, laws):
        for layer, arm in product(study.settings.layers[model], study.settings.normalizations):
            place = Place(model, start, layer, arm)
            table = place.rows(study.measures).pivot_table(
                index="seed", columns="epoch", values="excess_kurtosis"
            )
            first, last = table[0], table.get(study.settings.epochs, table[0])
            yield case_from_seeds(
                place,
                list(last / first),
                judge=_judge_limit_theorem,
                margin=HALF,
                level=0.95,
                failed=place.failed(study),
            )


def _judge_limit_theorem(interval: Interval, margin: float) -> Verdict:
    """Supported where excess kurtosis halves; refuted where it stays within a tenth, or grows."""
    if interval.low is None or interval.high is None:
        return Verdict.NOT_EVALUABLE
    if interval.high <= margin:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if interval.low >= STAYS else Verdict.INCONCLUSIVE


def _batch_normalization(study: Study) -> Iterator[Case]:
    if not {"vgg16", "vgg16_bn"} <= set(study.settings.models):
        yield missing("needs vgg16 and vgg16_bn")
        return
    layers = zip(study.settings.layers["vgg16"], study.settings.layers["vgg16_bn"], strict=False)
    places = product(layers, study.settings.starts, study.settings.normalizations)
    for (plain, normalized), start, arm in places:
        last = study.last(study.measures)
        both = (
            Place("vgg16", start, plain, arm)
            .rows(last)
            .merge(
                Place("vgg16_bn", start, normalized, arm).rows(last),
                on="seed",
                suffixes=("", "_bn"),
            )
        )
        yield case_from_seeds(
            Place("vgg16 - vgg16_bn", start, f"{plain} - {normalized}", arm),
            list(both["w1_normal"] - both["w1_normal_bn"]),
            judge=judge_above,
            margin=CLOSER,
            level=0.95,
            failed=study.failed(model=["vgg16", "vgg16_bn"], start=start, normalization=arm),
        )


WIDER_IN_THE_CENTRE = Claim(
    id="F7",
    kind="finding",
    topic="VGG16 is wider in the centre",
    statement="The density of VGG16's weights is wider in the centre than that of MobileNetV2's.",
    statistic=(
        "difference in c = IQR / (1.349 std), which is 1 for a Gaussian; layers are paired in the "
        "order in which the configuration lists them"
    ),
    unit="c",
    rule="supported if the 95% interval lies above the margin, refuted if wholly below it",
    margin=WIDER,
    is_sameness=False,
    judge=_wider,
)

EVERY_LAYER_IS_GAUSSIAN = Claim(
    id="F8",
    kind="finding",
    topic="Every layer is Gaussian",
    statement="The weights of every kept layer follow a Gaussian distribution.",
    statistic=(
        "largest departure in excess kurtosis, skewness, L-kurtosis and W1 to the normal, each "
        "relative to its bound"
    ),
    unit="share of the bound",
    rule="supported if the 90% interval lies within the bound everywhere, refuted by one layer "
    "wholly beyond it",
    margin=1.0,
    is_sameness=True,
    judge=lambda study: _gaussian(study, study.settings.epochs),
    flags=_drawn_gaussian,
)

LIMIT_THEOREM = Claim(
    id="F9",
    kind="finding",
    topic="Gaussian by the central limit theorem",
    statement="The weights become Gaussian in training, by the central limit theorem.",
    statistic=(
        "excess kurtosis at the last epoch over that before the first step, where the initial "
        "law is uniform or Laplace"
    ),
    unit="share of the initial excess kurtosis",
    rule="supported if the 95% interval lies below the margin, refuted if the kurtosis stays "
    "within a tenth or grows",
    margin=HALF,
    is_sameness=True,
    judge=_limit_theorem,
)

BATCH_NORMALIZATION = Claim(
    id="F10",
    kind="finding",
    topic="Batch normalization keeps weights Gaussian",
    statement="Batch normalization keeps the weights Gaussian.",
    statistic="W1 to the normal of VGG16 minus that of VGG16 with batch normalization",
    unit="standard deviations",
    rule="supported if the 95% interval lies above the margin, refuted if wholly below it",
    margin=CLOSER,
    is_sameness=False,
    judge=_batch_normalization,
)
