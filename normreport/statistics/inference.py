"""From one number per seed to a verdict.

The unit of replication is the run: epochs and weights are never replicates. What a claim says of a
mean over seeds is a `MarginTest`: two one-sided tests against a margin, with Student's t. It
supports where the interval of its level lies wholly on the claimed side of the margin, and refutes
where it lies wholly on the other; that is where one p-value is below ``(1 - level) / 2``. A claim
of a difference has a level of 95%, a claim of sameness one of 90% (Schuirmann 1987: two one-sided
tests at 5%). Claims that are judged together are corrected by Holm's method (1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, stdtr, stdtrit

from normreport.text.language import gettext

# Under this number of seeds the report says "pilot": an exact sign-flip test cannot reach 5%.
PILOT_BELOW = 6
# Beyond this number of seeds there are too many sign flips to count each of them.
MOST_FLIPPED = 20
# Of a wrong verdict on any of the claims that are judged together.
FAMILY_ERROR = 0.05


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


@dataclass(frozen=True)
class PValues:
    """One-sided p-values of the two things that can be found: for a claim, and against it."""

    support: float
    refute: float


Tail = Callable[[NDArray[np.float64], float], float]


@dataclass(frozen=True)
class MarginTest:
    """What a claim says of a mean over seeds: that it lies above a margin, or below it.

    A claim of sameness says that a *size* (a distance, an absolute change) is below its margin. A
    size is never negative, so that of the two one-sided tests the one against ``+margin`` has the
    larger p-value and decides, and only a mean above the margin can refute.

    Attributes
    ----------
    margin
        The size of effect that matters.
    level
        Of the interval that is printed; each of the two tests has the error ``alpha``. An exact
        value has level 1.
    below
        Whether the claim says that the mean lies below the margin (sameness), not above it.
    refuted_from
        Where the other side begins, if not at the margin.
    """

    margin: float
    level: float
    below: bool = False
    refuted_from: float | None = None

    @property
    def rule(self) -> str:
        """The rule in words."""
        level = f"{self.level:.0%}"
        if self.below:
            return gettext(
                "supported if the %(level)s interval lies within the margin, refuted if wholly "
                "beyond it",
                level=level,
            )
        return gettext(
            "supported if the %(level)s interval lies above the margin, refuted if wholly below it",
            level=level,
        )

    @property
    def alpha(self) -> float:
        """What a p-value must be below."""
        return (1 - self.level) / 2

    def p_values(self, values: Sequence[float]) -> PValues:
        """Student's t, for two or more numbers, one per seed."""
        return self._tails(values, t_tail)

    def sign_flip(self, values: Sequence[float]) -> PValues | None:
        """Exact p-values beside those of Student's t; None where the seeds are too few or many."""
        if not PILOT_BELOW <= len(values) <= MOST_FLIPPED:
            return None
        return self._tails(values, sign_flip_tail)

    def verdict(self, p: PValues) -> Verdict:
        """Tell what p-values of this test say; only one of them can be small."""
        if p.support < self.alpha:
            return Verdict.SUPPORTED
        return Verdict.REFUTED if p.refute < self.alpha else Verdict.INCONCLUSIVE

    def _tails(self, values: Sequence[float], tail: Tail) -> PValues:
        numbers = np.asarray(values, dtype=np.float64)
        other = self.margin if self.refuted_from is None else self.refuted_from
        sign = -1 if self.below else 1
        return PValues(
            support=tail(sign * numbers, sign * self.margin),
            refute=tail(-sign * numbers, -sign * other),
        )


def t_tail(values: NDArray[np.float64], bound: float) -> float:
    """Student's one-sided p-value for a mean above `bound`, from two numbers or more.

    Numbers without any scatter prove the side on which they lie: 0, or 1 at or below the bound.
    """
    n = values.size
    distance = float(values.mean()) - bound
    error = float(values.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(n - 1, -distance / error))


def sign_flip_tail(values: NDArray[np.float64], bound: float) -> float:
    """Exact one-sided p-value for a centre of symmetry above `bound`: all 2^n sign flips count.

    Fisher's (1935) permutation test of one sample: without an effect each deviation from the
    bound might as well have the other sign.
    """
    deviations = values - bound
    sums = np.zeros(1)
    for deviation in deviations:
        sums = np.concatenate([sums + deviation, sums - deviation])
    # Equal sums differ by rounding, as their terms were added in another order.
    rounding = 1e-12 * float(np.abs(deviations).sum())
    return float(np.mean(sums >= deviations.sum() - rounding))


def share_p_values(successes: int, trials: int, chance: float) -> PValues:
    """Exact binomial p-values for a share above (support) and below (refute) chance."""
    above = betainc(successes, trials - successes + 1, chance) if successes else 1.0
    below = betainc(trials - successes, successes + 1, 1 - chance) if successes < trials else 1.0
    return PValues(support=float(above), refute=float(below))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of tests that are made together, in their order (Holm 1979).

    To reject where the adjusted value is below some level keeps the chance of any wrong rejection
    below it.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


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


def overall(verdicts: Sequence[Verdict]) -> Verdict:
    """Judge a claim that is meant for every case from exact verdicts.

    One refuted case refutes it; it is supported only if every case could be judged and supports
    it; if none could be judged, neither can the claim.
    """
    judged = [verdict for verdict in verdicts if verdict is not Verdict.NOT_EVALUABLE]
    if not judged:
        return Verdict.NOT_EVALUABLE
    if Verdict.REFUTED in judged:
        return Verdict.REFUTED
    if all(verdict is Verdict.SUPPORTED for verdict in verdicts):
        return Verdict.SUPPORTED
    return Verdict.INCONCLUSIVE
