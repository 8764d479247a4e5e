"""PERMANOVA against the Gower matrix and full enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from normreport.statistics.permanova import permanova
from tests.statistics.samples import Array, sample


def _distances(n: int) -> Array:
    points = np.random.default_rng(n).random((n, 3)) + (np.arange(n) % 3)[:, None] / 4
    distances: Array = np.linalg.norm(points[:, None] - points[None, :], axis=2)
    return distances**0.7


def _gower_pseudo_f(distances: Array, labels: Array) -> float:
    """Pseudo-F from traces of the centred Gower matrix, McArdle and Anderson (2001)."""
    n, groups = len(labels), len(np.unique(labels))
    centring = np.eye(n) - 1 / n
    gower = centring @ (-0.5 * distances**2) @ centring
    design = (labels[:, None] == np.unique(labels)[None, :]).astype(float)
    hat = design @ np.linalg.inv(design.T @ design) @ design.T
    between = np.trace(hat @ gower @ hat) / (groups - 1)
    rest = np.eye(n) - hat
    return float(between / (np.trace(rest @ gower @ rest) / (n - groups)))


@pytest.mark.parametrize("n", [8, 15, 31])
def test_pseudo_f_is_that_of_the_gower_matrix(n: int) -> None:
    labels = np.arange(n) % 3

    pseudo_f, _ = permanova(_distances(n), labels, np.zeros(n), 9, seed=0)

    assert pseudo_f == pytest.approx(_gower_pseudo_f(_distances(n), labels), rel=1e-10)


def test_pseudo_f_of_distances_on_a_line_is_fishers_f() -> None:
    x = sample("laplace", 12).astype(np.float64)
    labels = ["raw"] * 3 + ["unit"] * 5 + ["imagenet"] * 4

    pseudo_f, _ = permanova(np.abs(x[:, None] - x[None, :]), labels, np.zeros(12), 9, seed=0)

    expected = stats.f_oneway(x[:3], x[3:8], x[8:]).statistic
    assert pseudo_f == pytest.approx(expected, rel=1e-10)


def test_few_relabellings_are_enumerated_exactly() -> None:
    labels, strata = np.array([0, 1, 2] * 3), np.repeat([5, 7, 9], 3)
    distances = _distances(9)
    observed = _gower_pseudo_f(distances, labels)
    orders = itertools.product(itertools.permutations(range(3)), repeat=3)
    values = [_gower_pseudo_f(distances, np.concatenate(order)) for order in orders]

    _, p_value = permanova(distances, labels, strata, 216, seed=0)

    assert len(values) == 216
    assert p_value == np.count_nonzero(np.array(values) >= observed * (1 - 1e-9)) / 216


def test_repeated_labels_within_a_stratum_are_enumerated_once() -> None:
    labels = np.array([0, 0, 1, 1, 1, 0, 1])
    strata = np.array([0] * 5 + [1] * 2)
    distances = _distances(7)
    observed = _gower_pseudo_f(distances, labels)
    orders = {
        (*first, *second)
        for first in itertools.permutations(labels[:5].tolist())
        for second in itertools.permutations(labels[5:].tolist())
    }
    values = [_gower_pseudo_f(distances, np.array(order)) for order in sorted(orders)]

    _, p_value = permanova(distances, labels, strata, 20, seed=0)

    assert len(values) == 20
    assert p_value == np.count_nonzero(np.array(values) >= observed * (1 - 1e-9)) / 20


def test_random_relabellings_approach_the_exact_p_value_and_repeat_with_their_seed() -> None:
    labels, strata = np.array([0, 1, 2] * 5), np.repeat(np.arange(5), 3)
    distances = _distances(15)

    def p_value(permutations: int, seed: int) -> float:
        return permanova(distances, labels, strata, permutations, seed)[1]

    exact, sampled = p_value(6**5, 0), p_value(5000, 0)

    assert sampled == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 5000))
    assert sampled == p_value(5000, 0)
    assert sampled != p_value(5000, 1)
    assert sampled * 5001 == pytest.approx(round(sampled * 5001), abs=1e-9)


def test_labels_that_cannot_be_permuted_within_strata_have_p_one() -> None:
    labels = np.array([0, 0, 1, 1])

    assert permanova(_distances(4), labels, labels, 99, seed=0)[1] == 1


def test_identical_objects_have_no_pseudo_f() -> None:
    labels = np.array([0, 0, 1, 1])
    apart = (labels[:, None] != labels[None, :]).astype(float)

    assert permanova(0 * apart, labels, np.zeros(4), 99, seed=0) == (None, 1)
    assert permanova(apart, labels, np.zeros(4), 99, seed=0) == (None, 2 / 6)


@pytest.mark.parametrize(
    ("distances", "labels", "permutations", "message"),
    [
        (np.zeros((3, 3)), [0, 1], 9, r"2 labels do not match 2 strata .* of shape \(3, 3\)"),
        (np.array([[0.0, 1], [2, 0]]), [0, 1], 9, "must be symmetric with zeros on the diagonal"),
        (np.ones((2, 2)), [0, 1], 9, "must be symmetric with zeros on the diagonal"),
        (np.zeros((2, 2)), [0, 0], 9, "got 1 labels, 2 objects and 9 permutations"),
        (np.zeros((2, 2)), [0, 1], 9, "got 2 labels, 2 objects and 9 permutations"),
        (np.zeros((3, 3)), [0, 1, 1], 0, "got 2 labels, 3 objects and 0 permutations"),
    ],
)
def test_a_design_without_a_pseudo_f_is_named(
    distances: Array, labels: list[int], permutations: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        permanova(distances, labels, labels, permutations, seed=0)
