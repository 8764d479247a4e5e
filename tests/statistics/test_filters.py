"""Statistics of output filters."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.filters import filter_summary
from tests.statistics.samples import sample


def test_between_filter_share_is_eta_squared_of_the_analysis_of_variance() -> None:
    filters = sample("gaussian", 640).reshape(64, 10) + np.linspace(0, 0.03, 64)[:, None]
    f = stats.f_oneway(*filters.astype(np.float64)).statistic

    share, dead = filter_summary(filters)

    assert share == pytest.approx(63 * f / (63 * f + (640 - 64)), rel=1e-12)
    assert dead == 0


def test_independent_weights_share_little_between_filters() -> None:
    share, _ = filter_summary(sample("gaussian", 64 * 270).reshape(64, 270))

    assert share == pytest.approx(63 / (64 * 270 - 1), rel=0.5)


@pytest.mark.parametrize("dead", [0, 3, 50])
def test_dead_filters_are_counted_even_where_they_are_the_majority(dead: int) -> None:
    filters = sample("gaussian", 64 * 27).reshape(64, 27)
    filters[:dead] = 0.5

    assert filter_summary(filters)[1] == dead


def test_a_filter_is_dead_below_one_percent_of_the_median_std() -> None:
    filters = np.tile(sample("gaussian", 9), (5, 1)).astype(np.float64)
    filters[0] *= 0.011
    filters[1] *= 0.009

    assert filter_summary(filters)[1] == 1


def test_a_dead_filter_is_found_beside_a_huge_one() -> None:
    filters = sample("gaussian", 64 * 27).reshape(64, 27)
    filters[0] *= np.float32(1e30)
    filters[1] = 0.1

    assert filter_summary(filters)[1] == 1


def test_filters_of_a_single_weight_are_judged_by_its_size() -> None:
    assert filter_summary(np.array([[1.0], [-1.0], [0.001], [2.0]])) == (1.0, 1)


def test_equal_weights_have_no_between_filter_share() -> None:
    assert filter_summary(np.full((4, 9), 0.1)) == (None, 4)
