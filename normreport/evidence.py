"""From one number per seed to a verdict.

The unit of replication is the run: epochs and weights are never replicates. A claim of a
difference is supported when its 95% interval lies beyond the margin in the claimed direction; a
claim of sameness when its 90% interval lies inside the margin (two one-sided tests at 5%).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import betaincinv, stdtrit

# Under this number of seeds the report says "pilot": an exact sign-flip test cannot reach 5%.
PILOT_BELOW = 6


class Verdict(StrEnum):
    """What the data say of a claim."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_EVALUABLE = "NOT EVALUABLE"


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its confidence interval; no interval from a single seed."""

    mean: float
    low: float | None
    high: float | None
    level: float
    seeds: int


def t_interval(values: Sequence[float], level: float) -> Interval:
    """Student's t interval of the mean of one number per seed.

    Parameters
    ----------
    values : shape (seeds,)
        Finite numbers, at least one.
    level
        Such as 0.95.
    """
    numbers = np.asarray(values, dtype=np.float64)
    n = numbers.size
    mean = float(numbers.mean())
    if n < 2:
        return Interval(mean, None, None, level, n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * float(numbers.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach, level, n)


def clopper_pearson(successes: int, trials: int, level: float) -> Interval:
    """Give the exact interval of a proportion (Clopper and Pearson, 1934)."""
    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = (
        float(betaincinv(successes + 1, trials - successes, 1 - tail))
        if successes < trials
        else 1.0
    )
    return Interval(successes / trials, low, high, level, trials)


def judge_above(interval: Interval, margin: float) -> Verdict:
    """Judge the claim that the effect exceeds `margin`."""
    if interval.low is None or interval.high is None:
        return Verdict.NOT_EVALUABLE
    if interval.low > margin:
        return Verdict.SUPPORTED
    return Verdict.REFUTED if interval.high < margin else Verdict.INCONCLUSIVE


def judge_within(interval: Interval, margin: float) -> Verdict:
    """Judge the claim that the effect's size is at most `margin`, in either direction."""
    if interval.low is None or interval.high is None:
        return Verdict.NOT_EVALUABLE
    if -margin <= interval.low and interval.high <= margin:
        return Verdict.SUPPORTED
    outside = interval.low > margin or interval.high < -margin
    return Verdict.REFUTED if outside else Verdict.INCONCLUSIVE


def overall(verdicts: Sequence[Verdict], *, refuted: bool | None = None) -> Verdict:
    """Judge a claim that is meant for every case.

    One refuted case refutes it; it is supported only if every case could be judged and supports
    it; if none could be judged, neither can the claim.

    Parameters
    ----------
    verdicts
        Of the cases.
    refuted
        Whether a case refutes the claim when all are looked at together; if not given, whether
        one is refuted by itself.
    """
    judged = [verdict for verdict in verdicts if verdict is not Verdict.NOT_EVALUABLE]
    if not judged:
        return Verdict.NOT_EVALUABLE
    if Verdict.REFUTED in judged if refuted is None else refuted:
        return Verdict.REFUTED
    if all(verdict is Verdict.SUPPORTED for verdict in verdicts):
        return Verdict.SUPPORTED
    return Verdict.INCONCLUSIVE
