"""Simulate many studies with a known truth and judge them with the report's own code.

There are two kinds of simulation:

- A *family* of claims that intervals judge. Each claim has one case per network and layer, and each
  case has one number per seed from a Gaussian around the true effect. The numbers of the two layers
  of a network are correlated, as in real builds. `case_from_seeds`, `judge_claim` and
  `correct_families` then work as in the report.
- *Shifts*. Runs are points in a space of quantile functions, and the claims about shifts are judged
  from the products of these points.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd

from normreport.claims.cases import Case, Place, case_from_seeds
from normreport.claims.claim import PRIMARY_FAMILY, JudgedClaim
from normreport.claims.declared import declared_claim
from normreport.claims.judging import correct_families, judge_claim
from normreport.claims.needs import Needs
from normreport.claims.registry import CLAIMS
from normreport.config.claims import ClaimSettings
from normreport.statistics.inference import clopper_pearson_interval
from normreport.statistics.verdict import Verdict
from tests.claims.studies import EPOCHS, replace_tables, study

SEEDS = (3, 6, 10)
MODELS, LAYERS = ("vgg16", "mobilenet_v2"), ("first", "deep")
CASES = len(MODELS) * len(LAYERS)
# Standard deviation of a run around the true effect, relative to the margin.
SCATTER = 0.5
# Correlation between the layers of a network within a seed: the median of two real builds.
CORRELATION = 0.12
# True effect of every case of every claim, relative to the margin: in both networks, or in each.
EFFECTS: dict[str, tuple[float, float]] = {
    "none": (0.0, 0.0),
    "half the margin": (0.5, 0.5),
    "at the margin": (1.0, 1.0),
    "twice the margin": (2.0, 2.0),
    "none in one network, twice the margin in the other": (0.0, 2.0),
}
FAMILY = tuple(claim for claim in CLAIMS if claim.family == PRIMARY_FAMILY)
# Thirty claims as a configuration declares them: ratios, differences and shifts.
KINDS: tuple[dict[str, object], ...] = (
    {"statistic": "std", "contrast": "raw / unit", "expect": "above", "margin": "5%"},
    {"statistic": "skewness", "contrast": "raw - unit", "expect": "within", "margin": 0.1},
    {"statistic": "shift", "contrast": "raw - unit", "expect": "below", "margin": "2%"},
)
DECLARED = tuple(
    declared_claim(
        ClaimSettings.model_validate(
            {"id": f"S{number}", "statement": "It is so.", "starts": ["scratch"], **kind}
        )
    )
    for number, kind in enumerate(10 * KINDS)
)
ABOUT_SHIFTS = {claim.id: claim for claim in CLAIMS if claim.id in ("F1", "F4", "F6")}
# The simulated claims read no table, so any study serves.
ANY_STUDY = study(
    seeds=(0,), arms=("unit",), starts=("scratch",), layers=dict.fromkeys(MODELS, LAYERS)
)


@dataclass(frozen=True)
class Rate:
    """How often something happened."""

    count: int
    trials: int

    @property
    def interval(self):
        """The exact 95% interval (Clopper and Pearson)."""
        return self.interval_at(0.95)

    def interval_at(self, level):
        """The exact interval at another level."""
        exact = clopper_pearson_interval(self.count, self.trials, level)
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


def true_verdict(claim, effects):
    """Give the right verdict for true effects relative to the margin; None at the margin."""
    truths = {_true_case(claim, effect) for effect in effects}
    if len(truths) == 1:
        return truths.pop()
    if claim.universal:
        return Verdict.REFUTED if Verdict.REFUTED in truths else None
    return Verdict.MIXED if {Verdict.SUPPORTED, Verdict.REFUTED} <= truths else None


def _true_case(claim, effect):
    test, mean = claim.test, _mean(claim, effect)
    refuted_from = test.margin if test.refuted_from is None else test.refuted_from
    # An effect within the margin on either side of zero is simulated on the positive side.
    sign = 1 if test.side == "above" else -1
    if sign * mean > sign * test.margin:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if sign * mean < sign * refuted_from else None


def simulate_families(effects, *, seeds, studies, family=FAMILY):
    """Judge many studies in which every claim has the same true effects, one per network."""
    generator = np.random.default_rng([seeds, *(round(100 * effect) for effect in effects)])
    expected = [true_verdict(claim, effects) for claim in family]
    of_cases = np.repeat(effects, len(LAYERS))
    alone = wrong = right = 0
    case_verdicts = []
    for _ in range(studies):
        simulated = [_simulate_claim(claim, effects, seeds, generator) for claim in family]
        single = [JudgedClaim(claim, judge_claim(claim, ANY_STUDY)) for claim in simulated]
        corrected = correct_families(single)
        alone += any(map(_is_wrong, _verdicts(single), expected))
        wrong += any(map(_is_wrong, _verdicts(corrected), expected))
        right += sum(
            verdict is true
            for verdict, true in zip(_verdicts(corrected), expected, strict=True)
            if true is not None
        )
        case_verdicts += [
            (one.claim.test.level, case.verdict, _true_case(one.claim, effect))
            for one in corrected
            for case, effect in zip(one.judgement.cases, of_cases, strict=True)
        ]
    decidable = studies * sum(verdict is not None for verdict in expected)
    levels = sorted({level for level, _, _ in case_verdicts})
    return FamilyRates(
        Rate(alone, studies),
        Rate(wrong, studies),
        Rate(right, decidable),
        tuple(_rate_cases(level, 1.0 in effects, case_verdicts) for level in levels),
    )


def _verdicts(judged):
    return [one.judgement.verdict for one in judged]


def _rate_cases(level, at_margin, case_verdicts):
    pairs = [(verdict, true) for other, verdict, true in case_verdicts if other == level]
    return CaseRates(
        level,
        (1 - level) / (1 if at_margin else 2),
        Rate(sum(_is_wrong(*pair) for pair in pairs), len(pairs)),
        Rate(
            sum(verdict is true for verdict, true in pairs if true is not None),
            sum(true is not None for _, true in pairs),
        ),
    )


def _is_wrong(verdict, expected):
    return verdict not in (Verdict.INCONCLUSIVE, expected)


def _unit(claim):
    # A margin of zero has no size, so the unit is arbitrary.
    return abs(claim.test.margin) or 1.0


def _mean(claim, effect):
    return claim.test.margin + (effect - 1) * _unit(claim)


def _simulate_claim(claim, effects, seeds, generator):
    """Copy a claim with simulated values instead of measured ones."""
    shape = (len(MODELS), len(LAYERS), seeds)
    own = math.sqrt(1 - CORRELATION) * generator.standard_normal(shape)
    shared = math.sqrt(CORRELATION) * generator.standard_normal((len(MODELS), 1, seeds))
    values = SCATTER * _unit(claim) * (own + shared)
    for number, effect in enumerate(effects):
        values[number] += _mean(claim, effect)

    def judge(study, test) -> Iterator[Case]:
        for (i, model), (j, layer) in product(enumerate(MODELS), enumerate(LAYERS)):
            place = Place((model,), ("scratch",), (layer,))
            yield case_from_seeds(place, values[i, j].tolist(), test=test, failed=())

    return replace(
        claim,
        judge=judge,
        beyond=lambda study, test: (),
        needs=Needs(),
        flags=lambda study, cases: (),
        needs_helpful_pretraining=False,
    )


def simulate_shifts(claim, *, shift, seeds, studies, between_seeds=0.1, noise=0.01, dimensions=40):
    """Judge a claim about shifts on networks whose arms differ by a known shift.

    Every seed has a point of its own in a space of quantile functions, and every run departs from
    it by chance.

    Parameters
    ----------
    claim
        F1, F4 or F6.
    shift, between_seeds, noise
        Distance in sigma_0 between the arms, between seeds on average, and of a run from the place
        of its arm and seed.
    seeds, studies, dimensions
        Numbers of seeds, of simulated studies, and of dimensions in which seeds and runs differ.

    Returns
    -------
    dict
        The rate of each verdict.
    """
    generator = np.random.default_rng([seeds, round(1e6 * shift)])
    start = "pretrained" if claim.id == "F1" else "scratch"
    whole = study(
        seeds=tuple(range(seeds)), arms=("unit", "imagenet"), starts=(start,),
        layers={"vgg16": ("features.0",)},
    )  # fmt: skip
    place = {"model": "vgg16", "start": start, "layer": "features.0", "epoch": EPOCHS}
    runs = list(product(("unit", "imagenet"), range(seeds)))
    verdicts = []
    for _ in range(studies):
        of_seeds = generator.normal(
            0, between_seeds / math.sqrt(2 * dimensions), (seeds, dimensions)
        )
        points = generator.normal(0, noise / math.sqrt(dimensions), (len(runs), dimensions))
        for point, (arm, seed) in zip(points, runs, strict=True):
            point += of_seeds[seed]
            point[0] += shift if arm == "imagenet" else 0.0
        rows = [
            {
                **place,
                "normalization_a": runs[a][0], "seed_a": runs[a][1],
                "normalization_b": runs[b][0], "seed_b": runs[b][1],
                "product": float(points[a] @ points[b]), "correlation": None,
            }
            for a, b in combinations_with_replacement(range(len(runs)), 2)
        ]  # fmt: skip
        table = pd.DataFrame(rows)
        simulated = replace_tables(whole, products=lambda _, table=table: table)
        one = replace(
            claim,
            beyond=lambda study, test: (),
            flags=lambda study, cases: (),
            needs_helpful_pretraining=False,
        )
        verdicts.append(judge_claim(one, simulated).verdict)
    return {verdict: Rate(verdicts.count(verdict), studies) for verdict in Verdict}
