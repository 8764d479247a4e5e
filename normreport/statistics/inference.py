"""Turn one number per seed into a verdict.

The unit of replication is the run: epochs and weights are never replicates. A `MarginTest` compares
a mean over seeds with a margin by two one-sided Student's t tests. It supports a claim if the
confidence interval lies entirely on the claimed side of the margin, and refutes it if the interval
lies entirely on the other side. Equivalently, one of the p-values is below ``(1 - level) / 2``.

A claim of a difference uses a 95% interval, a claim of sameness a 90% interval (two one-sided tests
at 5%, Schuirmann 1987). Claims that are judged together are corrected by Holm's method (1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, betaincinv, stdtr, stdtrit

from normreport.statistics.verdict import Verdict

# Below this number of seeds an exact sign-flip test cannot reach 5%: the study is a pilot.
PILOT_BELOW = 6
# Above this number of seeds there are too many sign flips to enumerate.
MOST_FLIPPED = 20
# Family-wise error rate of the claims that are judged together.
FAMILY_ERROR = 0.05


@dataclass(frozen=True)
class Interval:
    """A mean over seeds with its confidence interval; a single seed has no bounds."""

    mean: float
    low: float | None
    high: float | None
    level: float
    seeds: int


@dataclass(frozen=True)
class PValues:
    """One-sided p-values: one for the claim, one against it."""

    support: float
    refute: float


Tail = Callable[[NDArray[np.float64], float], float]


@dataclass(frozen=True)
class MarginTest:
    """Test whether a mean over seeds lies above a margin, or below it.

    A claim of sameness states that a *size* (a distance, an absolute change) is below its margin.
    A size is never negative, so the test against ``+margin`` has the larger p-value of the two
    one-sided tests and decides alone. Only a mean above the margin can refute.

    Attributes
    ----------
    margin
        The smallest effect that matters.
    level
        Confidence level of the printed interval; 1 for an exact value. Each one-sided test has the
        error rate `alpha`.
    below
        Whether the claim is that the mean lies below the margin (sameness) instead of above it.
    refuted_from
        The bound of the refuting test, if it is not the margin.
    """

    margin: float
    level: float
    below: bool = False
    refuted_from: float | None = None

    @property
    def alpha(self) -> float:
        """The bound that a p-value must be below."""
        return (1 - self.level) / 2

    def p_values(self, values: Sequence[float]) -> PValues:
        """Compute Student's p-values from one number per seed, for two or more seeds."""
        return self._p_values(values, t_tail)

    def sign_flip_p_values(self, values: Sequence[float]) -> PValues | None:
        """Compute exact p-values by flipping signs; None for too few or too many seeds."""
        if not PILOT_BELOW <= len(values) <= MOST_FLIPPED:
            return None
        return self._p_values(values, sign_flip_tail)

    def verdict(self, p: PValues) -> Verdict:
        """Turn p-values of this test into a verdict; at most one of them is below `alpha`."""
        if p.support < self.alpha:
            return Verdict.SUPPORTED
        return Verdict.REFUTED if p.refute < self.alpha else Verdict.INCONCLUSIVE

    def _p_values(self, values: Sequence[float], tail: Tail) -> PValues:
        numbers = np.asarray(values, dtype=np.float64)
        refuting_bound = self.margin if self.refuted_from is None else self.refuted_from
        sign = -1 if self.below else 1
        return PValues(
            support=tail(sign * numbers, sign * self.margin),
            refute=tail(-sign * numbers, -sign * refuting_bound),
        )


def t_tail(values: NDArray[np.float64], bound: float) -> float:
    """Compute Student's one-sided p-value for a mean above `bound`.

    Parameters
    ----------
    values : array of float64, shape (seeds,)
        Two or more numbers. If all are equal, the p-value is 0 above the bound and 1 otherwise.
    bound
        The mean under the null hypothesis.
    """
    n = values.size
    distance = float(values.mean()) - bound
    error = float(values.std(ddof=1)) / math.sqrt(n)
    if error == 0:
        return 0.0 if distance > 0 else 1.0
    return float(stdtr(n - 1, -distance / error))


def sign_flip_tail(values: NDArray[np.float64], bound: float) -> float:
    """Compute the exact one-sided p-value for a centre of symmetry above `bound`.

    This is Fisher's (1935) one-sample permutation test over all 2^n sign flips. Under the null
    hypothesis, each deviation from the bound has either sign with equal probability.

    Parameters
    ----------
    values : array of float64, shape (seeds,)
    bound
        The centre of symmetry under the null hypothesis.
    """
    deviations = values - bound
    sums = np.zeros(1)
    for deviation in deviations:
        sums = np.concatenate([sums + deviation, sums - deviation])
    # Equal sums differ by rounding because their terms are added in different orders.
    rounding = 1e-12 * float(np.abs(deviations).sum())
    return float(np.mean(sums >= deviations.sum() - rounding))


def share_p_values(successes: int, trials: int, chance: float) -> PValues:
    """Compute exact binomial p-values for a share above (support) and below (refute) chance."""
    above = betainc(successes, trials - successes + 1, chance) if successes else 1.0
    below = betainc(trials - successes, successes + 1, 1 - chance) if successes < trials else 1.0
    return PValues(support=float(above), refute=float(below))


def adjust_by_holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of tests that are made together (Holm 1979); keep their order.

    Rejecting each hypothesis whose adjusted p-value is below a level keeps the family-wise error
    rate below that level.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def t_interval(values: Sequence[float], level: float) -> Interval:
    """Compute Student's t interval of the mean of one number per seed.

    Parameters
    ----------
    values : shape (seeds,)
        One or more finite numbers.
    level
        The confidence level, such as 0.95.
    """
    numbers = np.asarray(values, dtype=np.float64)
    n = numbers.size
    mean = float(numbers.mean())
    if n < 2:
        return Interval(mean, None, None, level, n)
    reach = float(stdtrit(n - 1, (1 + level) / 2)) * float(numbers.std(ddof=1)) / math.sqrt(n)
    return Interval(mean, mean - reach, mean + reach, level, n)


def clopper_pearson_interval(successes: int, trials: int, level: float) -> Interval:
    """Compute the exact interval of a proportion (Clopper and Pearson 1934)."""
    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = (
        float(betaincinv(successes + 1, trials - successes, 1 - tail))
        if successes < trials
        else 1.0
    )
    return Interval(successes / trials, low, high, level, trials)


def combine_exact_verdicts(verdicts: Sequence[Verdict]) -> Verdict:
    """Combine exact verdicts on the cases of a universal claim.

    One refuted case refutes the claim. The claim is supported only if every case is evaluable and
    supported. It is not evaluable if no case is.
    """
    judged = [verdict for verdict in verdicts if verdict is not Verdict.NOT_EVALUABLE]
    if not judged:
        return Verdict.NOT_EVALUABLE
    if Verdict.REFUTED in judged:
        return Verdict.REFUTED
    if all(verdict is Verdict.SUPPORTED for verdict in verdicts):
        return Verdict.SUPPORTED
    return Verdict.INCONCLUSIVE
