"""Simulate many studies with a known truth and judge them with the report's own code.

There are two kinds of simulation:

- A *family* of claims that intervals judge. Each claim has some cases, and each case has one number
  per seed from a Gaussian around the true effect. `case_from_seeds`, `judge_claim` and
  `correct_families` then work as in the report.
- *Initial weights*. The arms have no effect: the networks differ only by their seed, and the whole
  table of their distances is judged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds
from normreport.claims.claim import PRIMARY_FAMILY, JudgedClaim
from normreport.claims.distances import NORMALIZATION_MATTERS
from normreport.claims.judging import correct_families, judge_claim
from normreport.claims.needs import Needs
from normreport.claims.registry import CLAIMS
from normreport.claims.spread import ORDER_OF_STD
from normreport.statistics.comparison import distances
from normreport.statistics.inference import clopper_pearson_interval
from normreport.statistics.verdict import Verdict
from tests.claims.studies import EPOCHS, replace_tables, study

SEEDS = (3, 6, 10)
CASES = 4
# Standard deviation of a run around the true effect, relative to the margin.
SCATTER = 0.5
# True effect of every case of every claim, relative to the margin.
EFFECTS = {"none": 0.0, "half the margin": 0.5, "at the margin": 1.0, "twice the margin": 2.0}
# F4b is left out: its values are not Gaussian but shares of seeds.
FAMILY = tuple(
    claim for claim in CLAIMS if claim.family == PRIMARY_FAMILY and claim is not ORDER_OF_STD
)
# The simulated claims read no table, so any study serves.
ANY_STUDY = study(
    seeds=(0,), arms=("unit",), starts=("scratch",), layers={"vgg16": ("features.0",)}
)


@dataclass(frozen=True)
class Rate:
    """How often something happened."""

    count: int
    trials: int

    @property
    def interval(self):
        """The exact 95% interval (Clopper and Pearson)."""
        exact = clopper_pearson_interval(self.count, self.trials, 0.95)
        return exact.low, exact.high


@dataclass(frozen=True)
class CaseRates:
    """Rates of wrong and right verdicts on single cases whose tests have one level.

    `nominal` is the highest allowed rate of wrong verdicts. At the margin both verdicts are wrong,
    and each may have the error rate of its test.
    """

    level: float
    nominal: float
    wrong: Rate
    right: Rate


@dataclass(frozen=True)
class FamilyRates:
    """Rates of studies with any wrong verdict, before (`alone`) and after Holm's correction.

    `right` is the rate of claims with the right verdict after all corrections.
    """

    alone: Rate
    wrong: Rate
    right: Rate
    cases: tuple[CaseRates, ...]


def true_verdict(claim, effect):
    """Give the right verdict for a true effect relative to the margin; None at the margin."""
    test = claim.test
    sign = -1 if test.below else 1
    refuted_from = test.margin if test.refuted_from is None else test.refuted_from
    mean = _mean(claim, effect)
    if sign * mean > sign * test.margin:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if sign * mean < sign * refuted_from else None


def simulate_families(effect, *, seeds, studies):
    """Judge many studies in which every case of every claim has the same true effect."""
    generator = np.random.default_rng([seeds, round(100 * effect)])
    expected = [true_verdict(claim, effect) for claim in FAMILY]
    alone = wrong = right = 0
    case_verdicts = []
    for _ in range(studies):
        simulated = [_simulate_claim(claim, effect, seeds, generator) for claim in FAMILY]
        single = [JudgedClaim(claim, judge_claim(claim, ANY_STUDY)) for claim in simulated]
        corrected = correct_families(single)
        alone += any(map(_is_wrong, _verdicts(single), expected))
        wrong += any(map(_is_wrong, _verdicts(corrected), expected))
        right += sum(
            verdict is true for verdict, true in zip(_verdicts(corrected), expected, strict=True)
        )
        case_verdicts += [
            (one.claim.test.level, case.verdict, true)
            for one, true in zip(corrected, expected, strict=True)
            for case in one.judgement.cases
        ]
    decidable = studies * sum(verdict is not None for verdict in expected)
    levels = sorted({level for level, _, _ in case_verdicts})
    return FamilyRates(
        Rate(alone, studies),
        Rate(wrong, studies),
        Rate(right, decidable),
        tuple(_rate_cases(level, effect, case_verdicts) for level in levels),
    )


def _verdicts(judged):
    return [one.judgement.verdict for one in judged]


def _rate_cases(level, effect, case_verdicts):
    pairs = [(verdict, true) for other, verdict, true in case_verdicts if other == level]
    return CaseRates(
        level,
        (1 - level) / (1 if effect == 1 else 2),
        Rate(sum(_is_wrong(*pair) for pair in pairs), len(pairs)),
        Rate(
            sum(verdict is true for verdict, true in pairs),
            sum(true is not None for _, true in pairs),
        ),
    )


def _is_wrong(verdict, expected):
    return verdict not in (Verdict.INCONCLUSIVE, expected)


def _mean(claim, effect):
    # A margin of zero has no size, so the unit is arbitrary.
    return claim.test.margin + (effect - 1) * (claim.test.margin or 1.0)


def _simulate_claim(claim, effect, seeds, generator):
    """Copy a claim with simulated values instead of measured ones."""
    scatter = SCATTER * (claim.test.margin or 1.0)
    values = generator.normal(_mean(claim, effect), scatter, (CASES, seeds))

    def judge(study, test) -> Iterator[Case]:
        for number, row in enumerate(values):
            place = Place(contrast=Contrast(label=str(number)))
            yield case_from_seeds(place, row.tolist(), test=test, failed=())

    return replace(claim, judge=judge, needs=Needs(), flags=lambda study, cases: ())


def simulate_initial_weights(*, seeds, studies, growth=1.0, weights=300, redrawn=0.5):
    """Judge F6 on networks that differ only by their seed; return the rates of both verdicts.

    Each run redraws a part of the variance of its random weights. This changes every distance, but
    not their mean. `growth` moves the truth: at the margin of F6 either verdict is wrong.
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
        simulated = replace_tables(whole, distances=lambda rows, table=table: table)
        verdicts.append(judge_claim(NORMALIZATION_MATTERS, simulated).verdict)
    return tuple(
        Rate(verdicts.count(verdict), studies) for verdict in (Verdict.SUPPORTED, Verdict.REFUTED)
    )
