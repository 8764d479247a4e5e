"""F1, F4: how far the arms' weight distributions lie apart."""

from __future__ import annotations

import math
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
GROWN = math.log(1.25)


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
    if any(case.verdict is not Verdict.SUPPORTED for case in cases):
        return
    scratch = [case for case in _cases(study, "scratch", judge_within, SAME, 0.90) if case.effect]
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"


def _against_init(study: Study) -> Iterator[Case]:
    if "scratch" not in study.settings.starts:
        yield missing("no run of the experiment starts scratch")
        return
    if len(study.settings.normalizations) < 2 or len(study.settings.seeds) < 3:
        yield missing("needs two arms and three seeds, to compare arms across seeds")
        return
    for model in study.settings.models:
        for layer in study.settings.layers[model]:
            for a, b in pairs(study):
                failed = study.failed(model=model, start="scratch", normalization=[a, b])
                yield case_from_seeds(
                    Place(model, "scratch", layer, f"{a} - {b}"),
                    [] if failed else _growth(study, model, layer, a, b),
                    judge=judge_above,
                    margin=GROWN,
                    level=0.90,
                    failed=failed,
                )


def _growth(study: Study, model: str, layer: str, a: str, b: str) -> list[float | None]:
    """Ln of W1 at the end over W1 at init, two arms with different seeds, averaged per seed."""
    rows = select(study.distances, model=model, start="scratch", layer=layer)
    rows = rows[rows["seed_a"] != rows["seed_b"]]
    rows = rows[
        ((rows["normalization_a"] == a) & (rows["normalization_b"] == b))
        | ((rows["normalization_a"] == b) & (rows["normalization_b"] == a))
    ]
    found = []
    for seed in study.settings.seeds:
        own = rows[(rows["seed_a"] == seed) | (rows["seed_b"] == seed)]
        before = own[own["epoch"] == 0]["w1"].mean()
        after = study.last(own)["w1"].mean()
        found.append(math.log(after / before) if before > 0 < after else None)
    return found


def _explained_by_init(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    explained = [case for case in cases if case.verdict is Verdict.REFUTED]
    if explained:
        yield (
            f"EXPLAINED BY INIT in {len(explained)} of {len(cases)} comparisons: networks with "
            "different seeds lie as far apart before the first step"
        )


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
    is_sameness=True,
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
    is_sameness=False,
    judge=lambda study: _cases(study, "scratch", judge_above, APART, 0.95),
)

NORMALIZATION_MATTERS = Claim(
    id="F6",
    kind="finding",
    topic="Scratch: the normalization matters",
    statement="The separation of runs from scratch is an effect of their normalization.",
    statistic=(
        "ln of W1 between two arms with different seeds at the last epoch over the same before "
        "the first step"
    ),
    unit="natural logarithm of a ratio",
    rule=(
        "supported if the 90% interval lies above the margin; refuted, as explained by the "
        "random initialization, if wholly below it"
    ),
    margin=GROWN,
    is_sameness=False,
    judge=_against_init,
    flags=_explained_by_init,
)
