"""What pretraining gains, compared with scipy's paired t test."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.pretraining_gain import measure_gain


def test_the_gain_is_averaged_over_arms_and_its_interval_is_that_of_a_paired_t_test():
    generator = np.random.default_rng(0)
    pretrained, scratch = generator.uniform(0.5, 1, (4, 2)), generator.uniform(0, 0.5, (4, 2))
    gain = measure_gain(pretrained, scratch)
    expected = stats.ttest_rel(pretrained.mean(axis=1), scratch.mean(axis=1))
    interval = expected.confidence_interval(0.95)
    assert gain.values == pytest.approx(pretrained.mean(axis=1) - scratch.mean(axis=1))
    assert (gain.interval.low, gain.interval.high) == pytest.approx((interval.low, interval.high))
    assert gain.outcome == "helped"


@pytest.mark.parametrize(
    ("differences", "outcome"),
    [
        ([0.1, 0.2, 0.15], "helped"),
        ([-0.1, -0.2, -0.15], "harmed"),
        ([-0.1, 0.2, 0.15], "not shown"),
        ([0.1, 0.2], None),
        ([0.1], None),
    ],
)
def test_the_outcome_needs_an_interval_that_excludes_zero(differences, outcome):
    gain = measure_gain([[0.5 + difference] for difference in differences],
                        [[0.5]] * len(differences))  # fmt: skip
    assert gain.outcome == outcome


@pytest.mark.parametrize("scratch", [[[0.5, math.nan], [0.5, 0.5]], [[None, 0.5], [0.5, 0.5]]])
def test_a_run_without_an_accuracy_leaves_no_gain(scratch):
    assert measure_gain([[0.7, 0.7], [0.7, 0.7]], scratch) is None


def test_nothing_to_compare_has_no_gain():
    assert measure_gain(np.empty((0, 2)), np.empty((0, 2))) is None
    assert measure_gain(np.empty((3, 0)), np.empty((3, 0))) is None
