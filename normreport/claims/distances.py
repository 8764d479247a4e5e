"""F1, F4: how far the arms' weight distributions lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

from normreport.claims.base import Case, Claim, Place, Study, case_from_seeds, missing, select
from normreport.evidence import MarginTest, Verdict

SAME = MarginTest(0.02, level=0.90, below=True)
APART = MarginTest(0.04, level=0.95)
GROWN = MarginTest(math.log(1.25), level=0.90)


def pairs(study: Study) -> list[tuple[str, str]]:
    """Every two arms."""
    return list(combinations(study.settings.normalizations, 2))


def matched(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float]:
    """W1 over sigma at init between two arms at the last epoch, per seed, same seed in both."""
    rows = select(study.last(study.distances), model=model, start=start, layer=layer)
    rows = rows[rows["seed_a"] == rows["seed_b"]]
    rows = select(rows, normalization_a=[a, b], normalization_b=[a, b])
    return list(rows.sort_values("seed_a")["w1_over_sigma0"])


Values = Callable[[Study, str, str, str, str, str], Sequence[float | None]]


def _cases(study: Study, start: str, values: Values, test: MarginTest) -> Iterator[Case]:
    """One case per kept layer and pair of arms."""
    lacking = study.lacks(starts=(start,))
    if lacking or len(study.settings.normalizations) < 2:
        yield missing(lacking or "the experiment has one arm; two are needed")
        return
    for model, _, layer in study.kept_layers((start,)):
        for a, b in pairs(study):
            failed = study.failed(model=model, start=start, normalization=[a, b])
            yield case_from_seeds(
                Place(model, start, layer, f"{a} - {b}"),
                [] if failed else values(study, model, start, layer, a, b),
                test=test,
                failed=failed,
            )


def _shared_start(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    """Say so if runs from scratch that share their seed are as close as the pretrained ones."""
    if any(case.verdict is not Verdict.SUPPORTED for case in cases):
        return
    scratch = [case for case in _cases(study, "scratch", matched, SAME) if case.effect]
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"


def _against_init(study: Study) -> Iterator[Case]:
    if len(study.settings.seeds) < 3:
        yield missing("the experiment has fewer than three seeds, too few to compare across them")
        return
    yield from _cases(study, "scratch", _growth, GROWN)


def _growth(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float | None]:
    """Ln of W1 at the end over W1 at init, two arms with different seeds, averaged per seed."""
    rows = select(study.distances, model=model, start=start, layer=layer)
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
    test=SAME,
    judge=lambda study: _cases(study, "pretrained", matched, SAME),
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
    test=APART,
    judge=lambda study: _cases(study, "scratch", matched, APART),
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
    test=GROWN,
    judge=_against_init,
    flags=_explained_by_init,
)
