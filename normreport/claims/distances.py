"""F1, F4: how far the arms' weight distributions lie apart."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from normreport.claims.base import Case, Claim, Place, Study, case_from_seeds, missing, select
from normreport.statistics.inference import FAMILY_ERROR, MarginTest, Verdict
from normreport.statistics.permanova import permanova
from normreport.text.language import N_, gettext

SAME = MarginTest(0.02, level=0.90, below=True)
APART = MarginTest(0.04, level=0.95)
GROWN = MarginTest(math.log(1.25), level=0.90)


# The same values as `unit` but for their last bit: a control, not an arm that a claim speaks of.
PLACEBO, PLACEBO_OF = "placebo", "unit"
PERMUTATIONS = 9999


def compared_arms(study: Study) -> list[str]:
    """Every arm but the placebo."""
    return [arm for arm in study.settings.normalizations if arm != PLACEBO]


def has_placebo(study: Study) -> bool:
    """Whether the noise floor was measured: what the last bit of the input does."""
    return study.missing_conditions(normalizations=(PLACEBO, PLACEBO_OF)) is None


def floor_arms(study: Study) -> tuple[str, ...]:
    """Name the arms that `excess` rests on besides its own."""
    return (PLACEBO, PLACEBO_OF) if has_placebo(study) else ()


def matched(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float]:
    """W1 over sigma at init between two arms at the last epoch, per seed, same seed in both."""
    rows = study.last(study.rows("distances", model=model, start=start, layer=layer))
    rows = rows[rows["seed_a"] == rows["seed_b"]]
    rows = select(rows, normalization_a=[a, b], normalization_b=[a, b])
    return list(rows.sort_values("seed_a")["w1_over_sigma0"])


def excess(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float]:
    """Give `matched` minus the same between an arm and its placebo, where there is one."""
    distances = matched(study, model, start, layer, a, b)
    if not has_placebo(study):
        return distances
    floor = matched(study, model, start, layer, PLACEBO_OF, PLACEBO)
    return [distance - noise for distance, noise in zip(distances, floor, strict=True)]


def arms_apart(
    study: Study, model: str, start: str, layer: str
) -> tuple[float | None, float | None]:
    """PERMANOVA of the arms at the last epoch, on W1, labels permuted within a seed.

    Returns
    -------
    pseudo_f, p_value : float or None
        As of `permanova`; None where a run failed, a distance is not defined, or there are fewer
        than two arms or seeds.
    """
    arms, seeds = compared_arms(study), study.settings.seeds
    if (
        len(arms) < 2
        or len(seeds) < 2
        or study.failed(model=model, start=start, normalization=arms)
    ):
        return None, None
    rows = study.last(study.rows("distances", model=model, start=start, layer=layer))
    rows = select(rows, normalization_a=arms, normalization_b=arms)
    runs = [(arm, seed) for arm in arms for seed in seeds]
    index = {run: number for number, run in enumerate(runs)}
    matrix = np.zeros((len(runs), len(runs)))
    for row in rows.itertuples():
        a, b = index[row.normalization_a, row.seed_a], index[row.normalization_b, row.seed_b]
        matrix[a, b] = matrix[b, a] = row.w1
    if not np.isfinite(matrix).all():
        return None, None
    labels, strata = zip(*runs, strict=True)
    return permanova(matrix, labels, strata, PERMUTATIONS, seed=0)


Values = Callable[[Study, str, str, str, str, str], Sequence[float | None]]


def cases_of_pairs(
    study: Study,
    layers: Iterable[tuple[str, str, str]],
    pairs: Sequence[tuple[str, str]],
    values: Values,
    test: MarginTest,
    controls: Sequence[str] = (),
) -> Iterator[Case]:
    """One case per kept layer and pair of arms; a failed control fails each of them."""
    for model, start, layer in layers:
        for a, b in pairs:
            arms = list(dict.fromkeys((a, b, *controls)))
            failed = study.failed(model=model, start=start, normalization=arms)
            yield case_from_seeds(
                Place(model, start, layer, f"{a} - {b}"),
                [] if failed else values(study, model, start, layer, a, b),
                test=test,
                failed=failed,
            )


def _cases(
    study: Study, start: str, values: Values, test: MarginTest, controls: Sequence[str] = ()
) -> Iterator[Case]:
    """Compare every two arms."""
    lacking = study.missing_conditions(starts=(start,))
    if lacking or len(compared_arms(study)) < 2:
        yield missing(lacking or gettext("the experiment has one arm; two are needed"))
        return
    pairs = list(combinations(compared_arms(study), 2))
    yield from cases_of_pairs(study, study.kept_layers((start,)), pairs, values, test, controls)


def _shared_start(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    """Say so if runs from scratch that share their seed are as close as the pretrained ones."""
    if any(case.verdict is not Verdict.SUPPORTED for case in cases):
        return
    scratch = [case for case in _cases(study, "scratch", matched, SAME) if case.effect]
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield gettext(
            "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"
        )


def _above_the_floor(study: Study) -> Iterator[Case]:
    return _cases(study, "scratch", excess, APART, floor_arms(study))


def unmeasured_floor(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    """Say so if it is not known how far rounding alone drives runs apart."""
    if lacking := study.missing_conditions(normalizations=(PLACEBO_OF, PLACEBO)):
        yield gettext(
            "the noise floor was not measured: %(lacking)s, so that part of a distance may come "
            "from rounding alone",
            lacking=lacking,
        )


def _floor_and_permanova(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    yield from unmeasured_floor(study, cases)
    found = [arms_apart(study, *place)[1] for place in study.kept_layers(("scratch",))]
    tested = [p for p in found if p is not None]
    if tested:
        yield gettext(
            "PERMANOVA, with labels permuted within a seed, tells the arms apart in %(apart)s of "
            "%(layers)s layers (p < %(alpha)s, each by itself; the smallest p is %(smallest)s)",
            apart=sum(p < FAMILY_ERROR for p in tested),
            layers=len(tested),
            alpha=FAMILY_ERROR,
            smallest=f"{min(tested):.2g}",
        )


def _against_init(study: Study) -> Iterator[Case]:
    if len(study.settings.seeds) < 3:
        yield missing(
            gettext("the experiment has fewer than three seeds, too few to compare across them")
        )
        return
    yield from _cases(study, "scratch", _growth, GROWN)


def _growth(study: Study, model: str, start: str, layer: str, a: str, b: str) -> list[float]:
    """Ln of W1 at the end over W1 at init, two arms with different seeds: one number per seed.

    A pair of runs has two seeds, so that averages per seed would share their pairs, and an
    interval of them would be too narrow. The numbers are the jackknife's pseudo-values instead
    (Tukey 1958): n times the logarithm over all pairs minus n - 1 times that without the seed.
    """
    rows = study.rows("distances", model=model, start=start, layer=layer)
    rows = rows[rows["seed_a"] != rows["seed_b"]]
    rows = rows[
        ((rows["normalization_a"] == a) & (rows["normalization_b"] == b))
        | ((rows["normalization_a"] == b) & (rows["normalization_b"] == a))
    ]

    def logarithm(pairs: pd.DataFrame) -> float:
        before = pairs[pairs["epoch"] == 0]["w1"].mean()
        after = study.last(pairs)["w1"].mean()
        return math.log(after / before) if before > 0 < after else math.nan

    seeds, whole = study.settings.seeds, logarithm(rows)
    others = [rows[(rows["seed_a"] != seed) & (rows["seed_b"] != seed)] for seed in seeds]
    return [len(seeds) * whole - (len(seeds) - 1) * logarithm(pairs) for pairs in others]


def _explained_by_init(study: Study, cases: Sequence[Case]) -> Iterable[str]:
    explained = [case for case in cases if case.verdict is Verdict.REFUTED]
    if explained:
        yield gettext(
            "EXPLAINED BY INIT in %(explained)s of %(cases)s comparisons: networks with different "
            "seeds lie as far apart before the first step",
            explained=len(explained),
            cases=len(cases),
        )


PRETRAINED_ARE_CLOSE = Claim(
    id="F1",
    kind="finding",
    topic=N_("Pretrained: the arms end alike"),
    statement=N_(
        "Started from pretrained weights, a layer's weights end in nearly the same distribution "
        "whatever the normalization."
    ),
    statistic=N_("Wasserstein distance W1 between two arms at the last epoch, same seed"),
    unit=N_("sigma at initialization"),
    test=SAME,
    judge=lambda study: _cases(study, "pretrained", matched, SAME),
    flags=_shared_start,
)

SCRATCH_SEPARATES = Claim(
    id="F4",
    kind="finding",
    topic=N_("Scratch: the arms separate"),
    statement=N_(
        "Started from random weights, a layer's weights end in distributions that differ by "
        "normalization."
    ),
    statistic=N_(
        "Wasserstein distance W1 between two arms at the last epoch, same seed (0 at epoch 0), "
        "minus that between division by 255 and its placebo where the experiment has it"
    ),
    unit=N_("sigma at initialization"),
    test=APART,
    judge=_above_the_floor,
    flags=_floor_and_permanova,
)

NORMALIZATION_MATTERS = Claim(
    id="F6",
    kind="finding",
    topic=N_("Scratch: the normalization matters"),
    statement=N_("The separation of runs from scratch is an effect of their normalization."),
    statistic=N_(
        "ln of W1 between two arms with different seeds at the last epoch over the same before "
        "the first step, jackknifed over seeds"
    ),
    unit=N_("natural logarithm of a ratio"),
    own_rule=N_(
        "supported if the 90%% interval lies above the margin; refuted, as explained by the "
        "random initialization, if wholly below it"
    ),
    test=GROWN,
    judge=_against_init,
    flags=_explained_by_init,
)
