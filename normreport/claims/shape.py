"""F7, F8: the shape of the distribution of a layer's weights."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from normreport.claims.base import Case, Claim, Study, case_from_seeds, missing, select
from normreport.evidence import Verdict, judge_above, judge_within
from normreport.statistics import wasserstein_to_normal_null

WIDER = 0.05
# Bounds of what counts as Gaussian; the last one is above what Gaussian numbers give.
KURTOSIS, SKEWNESS, L_KURTOSIS, L_KURTOSIS_OF_NORMAL, W1 = 0.5, 0.25, 0.02, 0.1226, 0.03


def _wider(study: Study) -> Iterator[Case]:
    if not {"vgg16", "mobilenet_v2"} <= set(study.models()):
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
                    list(both["iqr_ratio"] - both["iqr_ratio_mobile"]),
                    judge=judge_above,
                    margin=WIDER,
                    level=0.95,
                    failed=study.failed(
                        model=["vgg16", "mobilenet_v2"], start=start, normalization=arm
                    ),
                    model="vgg16 - mobilenet_v2",
                    start=start,
                    layer=f"{vgg_layer} - {mobile_layer}",
                    contrast=arm,
                )


def departure(row: object) -> float | None:
    """Largest of four departures from a Gaussian, each relative to its bound; 1 is at the bound."""
    values = (
        (row.excess_kurtosis, KURTOSIS),  # type: ignore[attr-defined]
        (row.skewness, SKEWNESS),  # type: ignore[attr-defined]
        (row.l_kurtosis - L_KURTOSIS_OF_NORMAL, L_KURTOSIS),  # type: ignore[attr-defined]
        (row.w1_normal, W1 + wasserstein_to_normal_null(int(row.n))[0]),  # type: ignore[attr-defined]
    )
    if any(value is None or value != value for value, _ in values):
        return None
    return max(abs(float(value)) / bound for value, bound in values)


def _gaussian(study: Study, epoch: int | None = None) -> Iterator[Case]:
    table = study.measures
    table = table[table["epoch"] == (study.settings.epochs if epoch is None else epoch)]
    groups = table.groupby(["model", "start", "layer", "normalization"], sort=False)
    for (model, start, layer, arm), rows in groups:
        yield case_from_seeds(
            [departure(row) for row in rows.itertuples()],
            judge=judge_within,
            margin=1.0,
            level=0.90,
            failed=study.failed(model=model, start=start, normalization=arm),
            model=model,
            start=start,
            layer=layer,
            contrast=arm,
        )


def _drawn_gaussian(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    initial = [case for case in _gaussian(study, 0) if case.start == "scratch"]
    if initial and not any(case.verdict is Verdict.REFUTED for case in initial):
        yield "BY CONSTRUCTION from scratch: torchvision draws the initial weights from a Gaussian"


WIDER_IN_THE_CENTRE = Claim(
    id="F7",
    kind="finding",
    topic="VGG16 is wider in the centre",
    statement="The density of VGG16's weights is wider in the centre than that of MobileNetV2's.",
    statistic="difference in c = IQR / (1.349 std), which is 1 for a Gaussian",
    unit="c",
    rule="supported if the 95% interval lies above the margin, refuted if wholly below it",
    margin=WIDER,
    judge=_wider,
)

EVERY_LAYER_IS_GAUSSIAN = Claim(
    id="F8",
    kind="finding",
    topic="Every layer is Gaussian",
    statement="The weights of every layer follow a Gaussian distribution.",
    statistic=(
        "largest departure in excess kurtosis, skewness, L-kurtosis and W1 to the normal, each "
        "relative to its bound"
    ),
    unit="share of the bound",
    rule="supported if the 90% interval lies within the bound everywhere, refuted by one layer "
    "wholly beyond it",
    margin=1.0,
    judge=_gaussian,
    flags=_drawn_gaussian,
)
