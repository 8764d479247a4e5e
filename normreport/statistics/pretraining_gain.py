"""What the pretrained start gains: the difference of paired held-out accuracies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from normreport.statistics.inference import Interval, accuracy_interval

LEVEL = 0.95
Outcome = Literal["helped", "not shown", "harmed"]


@dataclass(frozen=True)
class Gain:
    """The accuracy of pretrained runs minus that of runs from scratch.

    Attributes
    ----------
    values
        One difference per seed, averaged over arms.
    interval
        Their mean with its 95% interval, which needs three seeds or more.
    """

    values: tuple[float, ...]
    interval: Interval

    @property
    def outcome(self) -> Outcome | None:
        """``helped`` or ``harmed`` if the interval excludes 0; None without an interval."""
        if self.interval.low is None or self.interval.high is None:
            return None
        if self.interval.low > 0:
            return "helped"
        return "harmed" if self.interval.high < 0 else "not shown"


def measure_gain(pretrained: ArrayLike, scratch: ArrayLike) -> Gain | None:
    """Compare the accuracies of two starts.

    Parameters
    ----------
    pretrained, scratch : array_like of float, shape (seeds, arms)
        Shares of the held-out images. NaN if a run diverged or failed.

    Returns
    -------
    Gain or None
        None if there is no run or a run has no accuracy: a mean of the others would hide that.
    """
    differences = np.asarray(pretrained, dtype=np.float64) - np.asarray(scratch, dtype=np.float64)
    if not differences.size or not np.isfinite(differences).all():
        return None
    values = tuple(map(float, differences.mean(axis=1)))
    return Gain(values, accuracy_interval(values, LEVEL))
