"""F1, F4: how far the arms' weight distributions lie apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations

from normreport.claims.base import (
    Case,
    Claim,
    Judge,
    Place,
    Study,
    case_from_seeds,
    missing,
    select,
)
from normreport.evidence import Verdict, judge_above, judge_within

SAME = 0.02
APART = 0.04


def pairs(study: Study) -> list[tuple[str, str]]:
    """Every two arms."""
    return list(combinations(study.settings.normalizations, 2))


def matched(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float]:
    """W1 over sigma at init between two arms at the last epoch, per seed, same seed in both."""
    rows = select(study.last(study.distances), model=model, start=start, layer=layer)
    rows = rows[rows["seed_a"] == rows["seed_b"]]
    rows = select(rows, normalization_a=[a, b], normalization_b=[a, b])
    return list(rows.sort_values("seed_a")["w1_over_sigma0"])


def _cases(study: Study, start: str, judge: Judge, margin: float, level: float) -> Iterator[Case]:
    if start not in study.settings.starts:
        yield missing(f"no run of the experiment starts {start}")
        return
    if len(study.settings.normalizations) < 2:
        yield missing("the experiment has one arm; two are needed")
        return
    for model in study.settings.models:
        for layer in study.settings.layers[model]:
            for a, b in pairs(study):
                failed = study.failed(model=model, start=start, normalization=[a, b])
                yield case_from_seeds(
                    Place(model, start, layer, f"{a} - {b}"),
                    [] if failed else matched(study, model, start, layer, a, b),
                    judge=judge,
                    margin=margin,
                    level=level,
                    failed=failed,
                )


def _shared_start(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    """Say so if runs from scratch that share their seed are as close as the pretrained ones."""
    scratch = [case for case in _cases(study, "scratch", judge_within, SAME, 0.90) if case.effect]
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"


PRETRAINED_ARE_CLOSE = Claim(
    id="F1",
    kind="finding",
    topic="Pretrained: the arms end alike",
    statement=(
        "Started from pretrained weights, a layer's weights end in nearly the same distribution "
        "whatever the normalization."
    ),
    statistic="Wasserstein distance W1 between two arms at the last epoch, same seed",
    unit="sigma at initialization",
    rule="supported if the 90% interval lies within the margin, refuted if wholly beyond it",
    margin=SAME,
    judge=lambda study: _cases(study, "pretrained", judge_within, SAME, 0.90),
    flags=_shared_start,
)

SCRATCH_SEPARATES = Claim(
    id="F4",
    kind="finding",
    topic="Scratch: the arms separate",
    statement=(
        "Started from random weights, a layer's weights end in distributions that differ by "
        "normalization."
    ),
    statistic=(
        "Wasserstein distance W1 between two arms at the last epoch, same seed (0 at epoch 0)"
    ),
    unit="sigma at initialization",
    rule="supported if the 95% interval lies above the margin, refuted if wholly below it",
    margin=APART,
    judge=lambda study: _cases(study, "scratch", judge_above, APART, 0.95),
)
