"""Distances and densities of runs against scipy, histograms against counting."""

from __future__ import annotations

import weakref

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.statistics.comparison import densities, distances, histograms

EPOCHS = 2


@pytest.fixture(scope="module")
def runs():
    generator = np.random.default_rng(0)
    found = []
    for seed in (0, 1):
        initial = generator.normal(0, 0.05, 500)
        for arm, shift in (("unit", 0.0), ("raw", 0.01)):
            epochs = [initial + shift * epoch for epoch in range(EPOCHS + 1)]
            weights = np.array(epochs, dtype=np.float32).reshape(EPOCHS + 1, 20, 25)
            condition = {"model": "m", "start": "scratch", "normalization": arm, "seed": seed}
            found.append((condition, weights))
    return found


def test_every_two_runs_are_compared_at_the_first_and_the_last_epoch(runs):
    table = pd.DataFrame(distances(runs, EPOCHS))
    assert len(table) == 2 * 6
    assert set(table["epoch"]) == {0, EPOCHS}
    for row in table.itertuples():
        a, b = (
            next(
                weights
                for condition, weights in runs
                if (condition["normalization"], condition["seed"]) == key
            )
            for key in ((row.normalization_a, row.seed_a), (row.normalization_b, row.seed_b))
        )
        expected = stats.wasserstein_distance(a[row.epoch].ravel(), b[row.epoch].ravel())
        scale = (a[0].std(ddof=1, dtype=float) + b[0].std(ddof=1, dtype=float)) / 2
        assert row.w1 == pytest.approx(expected, rel=1e-6, abs=1e-12)
        assert row.w1_over_sigma0 == pytest.approx(expected / scale, rel=1e-6, abs=1e-9)


def test_arms_that_share_their_seed_begin_exactly_alike(runs):
    table = pd.DataFrame(distances(runs, EPOCHS))
    shared = table[(table["epoch"] == 0) & (table["seed_a"] == table["seed_b"])]
    assert (shared["w1"] == 0).all()
    assert len(shared) == 2


def test_a_run_that_ended_early_is_not_compared_at_the_end(runs):
    early = [(condition, weights[:2] if i == 0 else weights) for i, (condition, weights) in
             enumerate(runs)]  # fmt: skip
    table = pd.DataFrame(distances(early, EPOCHS))
    last = table[table["epoch"] == EPOCHS]
    first = runs[0][0]
    gone = (last["normalization_a"] == first["normalization"]) & (last["seed_a"] == first["seed"])
    assert len(last) == 3
    assert not gone.any()


def test_densities_are_scipys_with_the_bandwidth_that_is_printed(runs):
    table = pd.DataFrame(densities(runs)).astype(dict.fromkeys(("weight", "density"), float))
    bandwidth = float(table["bandwidth"].iloc[0])
    assert table["bandwidth"].nunique() == 1
    condition, weights = runs[2]
    same = np.logical_and.reduce([table[key] == value for key, value in condition.items()])
    curve = table[same & (table["epoch"] == EPOCHS)]
    values = weights[EPOCHS].ravel().astype(float)
    reference = stats.gaussian_kde(values, bw_method=bandwidth / values.std(ddof=1))
    expected = reference(curve["weight"].to_numpy())
    assert curve["density"].to_numpy() == pytest.approx(expected, abs=1e-4 * expected.max())


def test_densities_share_one_grid_and_hold_nearly_all_the_mass(runs):
    table = pd.DataFrame(densities(runs)).astype(dict.fromkeys(("weight", "density"), float))
    groups = table.groupby(["normalization", "seed", "epoch"])
    assert len(groups) == len(runs) * (EPOCHS + 1)
    grids = {tuple(group["weight"]) for _, group in groups}
    assert len(grids) == 1
    for _, group in groups:
        mass = np.trapezoid(group["density"], group["weight"])
        assert mass == pytest.approx(1, abs=0.01)


def test_histograms_have_every_weight_in_one_of_their_bins(runs):
    far = [
        *runs,
        (
            {"normalization": "far", "seed": 0},
            np.array([[-1, 0, 0.25, 7], [7] * 4, [0] * 4], np.float32),
        ),
    ]
    table = pd.DataFrame(histograms(far))
    groups = table.groupby(["normalization", "seed", "epoch"])
    assert len({tuple(bins["left"]) for _, bins in groups}) == 1
    own = table[table["normalization"] == "far"]
    assert (own["left"].min(), own["right"].max()) == (-1, 7)
    for epoch, weights in ((0, [-1, 0, 0.25, 7]), (1, [7] * 4), (2, [0] * 4)):
        filled = own[(own["epoch"] == epoch) & (own["count"] > 0)]
        inside = [[left <= w < right or w == right == 7 for w in weights]
                  for left, right in zip(filled["left"], filled["right"], strict=True)]  # fmt: skip
        assert [sum(row) for row in inside] == list(filled["count"])
    assert set(groups["count"].sum()) == {4, 500}


def test_a_run_that_exploded_does_not_leave_the_others_one_bin(runs):
    """It ended early, with finite weights."""
    exploded = np.stack([runs[0][1][0], np.float32(1e8) * runs[0][1][0]])
    table = pd.DataFrame(histograms([*runs, ({"normalization": "raw", "seed": 9}, exploded)]))
    plain = pd.DataFrame(histograms(runs))
    assert tuple(table["left"].unique()) == tuple(plain["left"].unique())
    last = table[(table["seed"] == 9) & (table["epoch"] == 1)]
    assert last["count"].iloc[[0, -1]].sum() == last["count"].sum() == 500


def test_constant_weights_have_no_density_no_histogram_and_no_relative_distance():
    condition = {"model": "m", "start": "scratch", "normalization": "unit"}
    runs = [({**condition, "seed": seed}, np.full((2, 4), 0.5, np.float32)) for seed in (0, 1)]
    assert list(densities(runs)) == []
    assert list(histograms(runs)) == []
    assert [row["w1_over_sigma0"] for row in distances(runs, 1)] == [None, None]


class OneAtATime:
    """Weights of which no more than a few epochs, of all runs together, are in memory at once."""

    alive = most = 0

    def __init__(self, weights):
        self.weights = weights

    def __len__(self):
        return len(self.weights)

    def __iter__(self):
        return (self[epoch] for epoch in range(len(self)))

    def __getitem__(self, epoch):
        given = self.weights[epoch].copy()
        OneAtATime.alive += 1
        OneAtATime.most = max(OneAtATime.most, OneAtATime.alive)
        weakref.finalize(given, self.forget)
        return given

    @staticmethod
    def forget():
        OneAtATime.alive -= 1


def test_memory_does_not_grow_with_runs_and_epochs(runs):
    read = [(condition, OneAtATime(weights)) for condition, weights in runs]
    assert list(distances(read, EPOCHS)) == list(distances(runs, EPOCHS))
    assert list(densities(read)) == list(densities(runs))
    assert list(histograms(read)) == list(histograms(runs))
    assert 1 <= OneAtATime.most <= 2
