"""Turn one number per seed into a verdict.

The unit of replication is the run: epochs and weights are never replicates. A `MarginTest` compares
a mean over seeds with a margin by two one-sided Student's t tests. It supports a claim if the
confidence interval lies entirely on the claimed side of the margin, and refutes it if the interval
lies entirely on the other side. Equivalently, one of the p-values is below ``(1 - level) / 2``.

A claim of a difference uses a 95% interval, a claim of sameness a 90% interval (two one-sided tests
at 5%, Schuirmann 1987). `combine_tests` joins the tests of one claim. Claims that are judged
together are corrected by Holm's method (1979).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, stdtr, stdtrit

from normreport.statistics.verdict import Verdict

# Below this number of seeds an exact sign-flip test cannot reach 5%: the study is a pilot.
PILOT_BELOW = 6
# Fewer seeds give no interval of an accuracy.
FEWEST_FOR_ACCURACY = 3
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
    """P-values for three outcomes.

    Attributes
    ----------
    support, refute
        One-sided: for the claim, and against it.
    mixed
        For both at once, in different places; 1 for a single test.
    """

    support: float
    refute: float
    mixed: float = 1.0

    @property
    def smallest(self) -> float:
        """The p-value of the most credible outcome."""
        return min(self.support, self.refute, self.mixed)


Tail = Callable[[NDArray[np.float64], float], float]
# Where the claimed effects lie: above the margin, below it, or between the margin and its negative.
Side = Literal["above", "below", "within"]


@dataclass(frozen=True)
class MarginTest:
    """Test on which side of a margin a mean over seeds lies.

    Attributes
    ----------
    margin
        The smallest effect that matters.
    level
        Confidence level of the printed interval; 1 for an exact value. Each one-sided test has the
        error rate `alpha`.
    side
        Where the claim says that the mean lies. ``within`` is for an effect with a sign whose size
        is claimed to be small; an effect that is always positive, or its logarithm, needs
        ``below``.
    refuted_from
        The bound of the refuting test, if it is not the margin.
    """

    margin: float
    level: float
    side: Side = "above"
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
        """Turn p-values of this test into a verdict; MIXED comes before the two others."""
        if p.mixed < self.alpha:
            return Verdict.MIXED
        if p.support < self.alpha:
            return Verdict.SUPPORTED
        return Verdict.REFUTED if p.refute < self.alpha else Verdict.INCONCLUSIVE

    def favour(self, effect: float) -> float:
        """Return how far an effect speaks for the claim; more is better."""
        return {"above": effect, "below": -effect, "within": -abs(effect)}[self.side]

    def _p_values(self, values: Sequence[float], tail: Tail) -> PValues:
        numbers = np.asarray(values, dtype=np.float64)
        refuting_bound = self.margin if self.refuted_from is None else self.refuted_from
        above, below = tail(numbers, refuting_bound), tail(-numbers, -self.margin)
        match self.side:
            case "above":
                return PValues(tail(numbers, self.margin), tail(-numbers, -refuting_bound))
            case "below":
                return PValues(below, above)
            case "within":
                # Two one-sided tests must both succeed to support, one refutes.
                return PValues(
                    support=max(below, tail(numbers, -self.margin)),
                    refute=min(above, tail(-numbers, refuting_bound)),
                )


def combine_tests(tests: Sequence[PValues], *, universal: bool = False) -> PValues:
    """Combine the tests of the cases of one claim.

    The cases together support or refute a claim only if each of them does. These are
    intersection-union tests, whose p-value is the largest of the cases' (Berger 1982). The claim is
    mixed if one case supports and another one refutes it: each minimum is corrected for the number
    of cases (Bonferroni), and the larger of the two counts. A case that is mixed within itself
    makes the claim mixed, too.

    Parameters
    ----------
    tests
        One or more.
    universal
        Whether one case refutes the claim, after Bonferroni correction. Such a claim is never
        mixed.
    """
    count = len(tests)
    smallest_refuting = min(1.0, count * min(p.refute for p in tests))
    if universal:
        return PValues(max(p.support for p in tests), smallest_refuting)
    smallest_supporting = min(1.0, count * min(p.support for p in tests))
    between = max(smallest_supporting, smallest_refuting)
    within = min(1.0, count * min(p.mixed for p in tests))
    # Two ways to be mixed count twice, if both exist.
    mixed = between if within == 1 else min(1.0, 2 * min(between, within))
    return PValues(max(p.support for p in tests), max(p.refute for p in tests), mixed)


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


def accuracy_interval(differences: Sequence[float], level: float) -> Interval:
    """Compute Student's t interval of a mean difference of accuracies, for three seeds or more.

    Accuracies come in steps of one image: the differences of two seeds are often equal, and their
    interval would have no width. Fewer than three seeds have no bounds.
    """
    interval = t_interval(differences, level)
    if interval.seeds < FEWEST_FOR_ACCURACY:
        return Interval(interval.mean, None, None, level, interval.seeds)
    return interval


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
    """Combine exact verdicts on the cases of a claim.

    The claim is supported or refuted if every case is evaluable and agrees, mixed if cases
    contradict each other, and not evaluable if no case is.
    """
    judged = {verdict for verdict in verdicts if verdict is not Verdict.NOT_EVALUABLE}
    if not judged:
        return Verdict.NOT_EVALUABLE
    if {Verdict.SUPPORTED, Verdict.REFUTED} <= judged:
        return Verdict.MIXED
    return verdicts[0] if len(set(verdicts)) == 1 else Verdict.INCONCLUSIVE
