"""Many studies with a known truth, judged by the report's own code.

Two kinds. In a *family*, every claim that intervals judge has some cases, and each case one number
per seed, a Gaussian around the true effect; from there on everything is as in the report:
`case_from_seeds`, `Claim.judged`, `corrected`. In a study of *initial weights* the arms do nothing
at all: whole tables of distances between networks that differ by seed alone are judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pandas as pd

from normreport.claims import PRIMARY
from normreport.claims.base import Case, Place, case_from_seeds, corrected
from normreport.claims.distances import NORMALIZATION_MATTERS
from normreport.claims.spread import ORDER_OF_STD
from normreport.statistics.comparison import distances
from normreport.statistics.inference import Verdict, clopper_pearson
from tests.claims.studies import EPOCHS, study

SEEDS = (3, 6, 10)
CASES = 4
# Scatter of a run around the true effect, over the margin.
SCATTER = 0.5
# The true effect of every case of every claim, over the margin.
EFFECTS = {"none": 0.0, "half the margin": 0.5, "at the margin": 1.0, "twice the margin": 2.0}
# A share of seeds has a law of its own.
FAMILY = tuple(claim for claim in PRIMARY if claim is not ORDER_OF_STD)


@dataclass(frozen=True)
class Rate:
    """How often something happened."""

    count: int
    trials: int

    @property
    def interval(self):
        """The exact 95% interval (Clopper and Pearson)."""
        found = clopper_pearson(self.count, self.trials, 0.95)
        return found.low, found.high


@dataclass(frozen=True)
class Cases:
    """Single cases whose tests have one level: wrong verdicts, how many there may be, right ones.

    At the margin each of the two verdicts is wrong, and may come with the error of its test.
    """

    level: float
    nominal: float
    wrong: Rate
    right: Rate


@dataclass(frozen=True)
class Families:
    """Studies with a wrong verdict on any claim, before and after Holm; claims with the right one.

    `right` counts after all corrections.
    """

    alone: Rate
    wrong: Rate
    right: Rate
    cases: tuple[Cases, ...]


def truth(claim, effect):
    """Give the verdict that a true effect, over the margin, deserves; none at the margin."""
    sign = -1 if claim.test.below else 1
    refuted_from = claim.margin if claim.test.refuted_from is None else claim.test.refuted_from
    mean = _mean(claim, effect)
    if sign * mean > sign * claim.margin:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if sign * mean < sign * refuted_from else None


def families(effect, *, seeds, studies):
    """Judge many studies in which every case of every claim has one true effect."""
    generator = np.random.default_rng([seeds, round(100 * effect)])
    expected = [truth(claim, effect) for claim in FAMILY]
    alone = wrong = right = 0
    found = []
    for _ in range(studies):
        simulated = [_simulated(claim, effect, seeds, generator) for claim in FAMILY]
        blank = SimpleNamespace(cases={})  # a study without tables: these claims ask for none
        single = [(claim, claim.judged(blank)) for claim in simulated]
        judged = corrected(single, simulated)
        alone += any(map(_is_wrong, (judgement.verdict for _, judgement in single), expected))
        wrong += any(map(_is_wrong, (judgement.verdict for _, judgement in judged), expected))
        right += sum(
            judgement.verdict is verdict
            for (_, judgement), verdict in zip(judged, expected, strict=True)
        )
        found += [
            (claim.test.level, case.verdict, verdict)
            for (claim, judgement), verdict in zip(judged, expected, strict=True)
            for case in judgement.cases
        ]
    decidable = studies * sum(verdict is not None for verdict in expected)
    levels = sorted({level for level, _, _ in found})
    return Families(
        Rate(alone, studies),
        Rate(wrong, studies),
        Rate(right, decidable),
        tuple(_of_level(level, effect, found) for level in levels),
    )


def _of_level(level, effect, found):
    verdicts = [(verdict, expected) for other, verdict, expected in found if other == level]
    return Cases(
        level,
        (1 - level) / (1 if effect == 1 else 2),
        Rate(sum(_is_wrong(*pair) for pair in verdicts), len(verdicts)),
        Rate(
            sum(verdict is expected for verdict, expected in verdicts),
            sum(expected is not None for _, expected in verdicts),
        ),
    )


def _is_wrong(verdict, expected):
    return verdict not in (Verdict.INCONCLUSIVE, expected)


def _mean(claim, effect):
    # A margin of zero has no size; any unit serves.
    return claim.margin + (effect - 1) * (claim.margin or 1.0)


def _simulated(claim, effect, seeds, generator):
    """Make the same claim, of cases that are drawn instead of measured."""
    scatter = SCATTER * (claim.margin or 1.0)
    values = generator.normal(_mean(claim, effect), scatter, (CASES, seeds))

    def judge(study) -> Iterator[Case]:
        for number, row in enumerate(values):
            place = Place("", "", "", str(number))
            yield case_from_seeds(place, row.tolist(), test=claim.test, failed=())

    return replace(claim, judge=judge, flags=lambda study, cases: ())


def initial_weights(*, seeds, studies, growth=1.0, weights=300, redrawn=0.5):
    """Judge F6 on networks that differ by their seed: give the rates of both verdicts.

    From random weights, each run redraws a part of its variance, which changes every distance but
    none on average; `growth` moves F6's margin to the truth, so that either verdict is wrong.
    """
    generator = np.random.default_rng([seeds, round(100 * growth)])
    whole = study(seeds=tuple(range(seeds)), arms=("raw", "unit"), starts=("scratch",),
                  layers={"vgg16": ("features.0",)})  # fmt: skip
    place = {"model": "vgg16", "start": "scratch", "layer": "features.0"}
    verdicts = []
    for _ in range(studies):
        first = generator.standard_normal((seeds, weights))
        runs = []
        for arm in ("raw", "unit"):
            fresh = generator.standard_normal((seeds, weights))
            last = growth * (math.sqrt(1 - redrawn**2) * first + redrawn * fresh)
            for seed in range(seeds):
                epochs = np.stack([first[seed]] * EPOCHS + [last[seed]]).astype(np.float32)
                runs.append(({"normalization": arm, "seed": seed}, epochs))
        table = pd.DataFrame([place | row for row in distances(runs, EPOCHS)])
        judgement = NORMALIZATION_MATTERS.judged(replace(whole, distances=table))
        verdicts.append(judgement.verdict)
    return tuple(
        Rate(verdicts.count(verdict), studies) for verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
    )
