"""F1, F4, F6: how far apart the weight distributions of the arms end."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations

import pandas as pd

from normreport.claims.cases import Case
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.pairs import (
    PairValues,
    compare_arms_by_permanova,
    distances_beyond_placebo,
    flag_unmeasured_floor,
    judge_pairs,
    matched_distances,
    placebo_controls,
)
from normreport.claims.study import Study
from normreport.statistics.inference import FAMILY_ERROR, MarginTest
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

# The margin of sameness, in standard deviations of the initial weights.
SAMENESS = MarginTest(0.02, level=0.90, below=True)


def _judge_all_pairs(
    study: Study,
    test: MarginTest,
    start: str,
    values: PairValues,
    controls: Sequence[str] = (),
) -> Iterator[Case]:
    return judge_pairs(
        study,
        test,
        layers=study.kept_layers((start,)),
        pairs=list(combinations(study.compared_arms(), 2)),
        values=values,
        controls=controls,
    )


def _judge_pretrained(study: Study, test: MarginTest) -> Iterator[Case]:
    return _judge_all_pairs(study, test, "pretrained", matched_distances)


def _flag_shared_start(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say if runs from scratch with a shared seed are as close as the pretrained ones."""
    if any(case.verdict is not Verdict.SUPPORTED for case in cases):
        return
    judged = _judge_all_pairs(study, SAMENESS, "scratch", matched_distances)
    scratch = [case for case in judged if case.effect]
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield gettext(
            "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"
        )


def _judge_scratch(study: Study, test: MarginTest) -> Iterator[Case]:
    controls = placebo_controls(study)
    return _judge_all_pairs(study, test, "scratch", distances_beyond_placebo, controls)


def _flag_floor_and_permanova(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    yield from flag_unmeasured_floor(study, cases)
    tests = [compare_arms_by_permanova(study, *layer) for layer in study.kept_layers(("scratch",))]
    p_values = [p for _, p in tests if p is not None]
    if p_values:
        yield gettext(
            "PERMANOVA, with labels permuted within a seed, tells the arms apart in %(apart)s of "
            "%(layers)s layers (p < %(alpha)s, each by itself; the smallest p is %(smallest)s)",
            apart=sum(p < FAMILY_ERROR for p in p_values),
            layers=len(p_values),
            alpha=FAMILY_ERROR,
            smallest=f"{min(p_values):.2g}",
        )


def _judge_growth(study: Study, test: MarginTest) -> Iterator[Case]:
    return _judge_all_pairs(study, test, "scratch", _jackknife_growth)


def _jackknife_growth(
    study: Study, model: str, start: str, layer: str, a: str, b: str
) -> list[float]:
    """Jackknife ln of W1 at the end over W1 at initialization, between runs of different seeds.

    A pair of runs has two seeds. Averages per seed would share pairs, and their interval would be
    too narrow. The numbers are the jackknife's pseudo-values (Tukey 1958), one per seed: n times
    the logarithm over all pairs, minus n - 1 times the logarithm without the seed.
    """
    rows = study.distances.at(model=model, start=start, layer=layer)
    rows = rows[rows["seed_a"] != rows["seed_b"]]
    rows = rows[
        ((rows["normalization_a"] == a) & (rows["normalization_b"] == b))
        | ((rows["normalization_a"] == b) & (rows["normalization_b"] == a))
    ]

    def log_growth(pairs: pd.DataFrame) -> float:
        before = pairs[pairs["epoch"] == 0]["w1"].mean()
        after = study.select_last_epoch(pairs)["w1"].mean()
        return math.log(after / before) if before > 0 < after else math.nan

    seeds, overall = study.settings.seeds, log_growth(rows)
    others = [rows[(rows["seed_a"] != seed) & (rows["seed_b"] != seed)] for seed in seeds]
    return [len(seeds) * overall - (len(seeds) - 1) * log_growth(pairs) for pairs in others]


def _flag_explained_by_init(study: Study, cases: Sequence[Case]) -> Iterator[str]:
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
    test=SAMENESS,
    needs=Needs(starts=("pretrained",), two_arms=True),
    judge=_judge_pretrained,
    flags=_flag_shared_start,
    figures=("density", "separation"),
    family=PRIMARY_FAMILY,
    is_story=True,
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
    test=MarginTest(0.04, level=0.95),
    needs=Needs(starts=("scratch",), two_arms=True),
    judge=_judge_scratch,
    flags=_flag_floor_and_permanova,
    figures=("density", "separation"),
    family=PRIMARY_FAMILY,
    is_story=True,
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
    rule=N_(
        "supported if the 90%% interval lies above the margin; refuted, as explained by the "
        "random initialization, if wholly below it"
    ),
    test=MarginTest(math.log(1.25), level=0.90),
    needs=Needs(starts=("scratch",), two_arms=True, three_seeds=True),
    judge=_judge_growth,
    flags=_flag_explained_by_init,
    figures=("separation",),
    family=PRIMARY_FAMILY,
    is_story=True,
)
