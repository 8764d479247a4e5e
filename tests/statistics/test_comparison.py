"""Products and densities of runs against numpy and scipy, histograms against counting."""

from __future__ import annotations

import weakref
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.statistics.comparison import densities, density_axes, histograms, products

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


def product_table(runs):
    """Give the products of all runs, and the weights by run, sorted, as float64."""
    table = pd.DataFrame(products(runs))
    ordered = {
        (condition["normalization"], condition["seed"]): np.sort(
            np.asarray(weights, dtype=np.float64).reshape(len(weights), -1), axis=1
        )
        for condition, weights in runs
    }
    return table, ordered


def test_every_two_runs_have_a_product_at_every_epoch_in_squares_of_sigma(runs):
    table, ordered = product_table(runs)
    assert len(table) == (EPOCHS + 1) * (4 + 6)
    sigma = np.sqrt(np.mean([each[0].var(ddof=1) for each in ordered.values()]))
    for epoch, rows in table.groupby("epoch"):
        value = {
            ((row.normalization_a, row.seed_a), (row.normalization_b, row.seed_b)): row.product
            for row in rows.itertuples()
        }
        for a, b in combinations(ordered, 2):
            w2 = np.sqrt(np.mean((ordered[a][epoch] - ordered[b][epoch]) ** 2))
            square = value[a, a] + value[b, b] - 2 * value.get((a, b), value.get((b, a)))
            assert square == pytest.approx((w2 / sigma) ** 2, rel=1e-9, abs=1e-15)


def test_a_run_that_ended_early_has_no_product_after_its_end_and_changes_no_distance(runs):
    """Its last weights are finite and far too large."""
    exploded = np.stack([runs[0][1][0], np.float32(1e15) * runs[0][1][0]])
    early = [(runs[0][0], exploded), *runs[1:]]
    table, _ = product_table(early)
    first = runs[0][0]
    own = [
        (table[f"normalization_{side}"] == first["normalization"])
        & (table[f"seed_{side}"] == first["seed"])
        for side in "ab"
    ]
    assert set(table[own[0] | own[1]]["epoch"]) == {0, 1}
    plain, _ = product_table(runs[1:])
    others = table[~(own[0] | own[1])].reset_index(drop=True)
    # Only sigma differs, whose mean is over all runs.
    for epoch in (1, 2):
        mine, theirs = (frame[frame["epoch"] == epoch]["product"] for frame in (others, plain))
        ratio = mine.to_numpy() / theirs.to_numpy()
        assert ratio == pytest.approx(np.full(len(ratio), ratio[0]), rel=1e-12)


def test_arms_that_share_their_seed_begin_with_equal_products(runs):
    table, _ = product_table(runs)
    first = table[table["epoch"] == 0].set_index(
        ["normalization_a", "seed_a", "normalization_b", "seed_b"]
    )["product"]
    for seed in (0, 1):
        unit, raw = ("unit", seed), ("raw", seed)
        assert first[*unit, *unit] == first[*unit, *raw] == first[*raw, *raw]


def test_densities_are_scipys_with_the_bandwidth_that_is_printed(runs):
    table = pd.DataFrame(densities(runs))
    bandwidth = float(table["bandwidth"].iloc[0])
    assert table["bandwidth"].nunique() == 1
    condition, weights = runs[2]
    same = (table["normalization"] == condition["normalization"]) & (
        table["seed"] == condition["seed"]
    )
    curve = table[same & (table["epoch"] == EPOCHS)]
    values = weights[EPOCHS].ravel().astype(float)
    reference = stats.gaussian_kde(values, bw_method=bandwidth / values.std(ddof=1))
    expected = reference(curve["weight"].to_numpy())
    assert curve["density"].to_numpy() == pytest.approx(expected, abs=1e-4 * expected.max())


def test_densities_share_one_grid_and_hold_nearly_all_the_mass(runs):
    table = pd.DataFrame(densities(runs))
    groups = table.groupby(["normalization", "seed", "epoch"])
    assert len(groups) == len(runs) * (EPOCHS + 1)
    grids = {tuple(group["weight"]) for _, group in groups}
    assert len(grids) == 1
    for _, group in groups:
        mass = np.trapezoid(group["density"], group["weight"])
        assert mass == pytest.approx(1, abs=0.01)


def test_the_axes_of_densities_are_those_of_all_curves(runs):
    columns = densities(runs)
    axes = density_axes(columns)
    table = pd.DataFrame(columns)
    by_weight = table.groupby("weight")["density"]
    assert axes["last_epoch"] == EPOCHS
    assert axes["weights"] == list(by_weight.groups)
    assert axes["densities"] == by_weight.max().tolist()
    peaks = table.groupby(["normalization", "seed", "epoch"])["density"].transform("max")
    shares = (table["density"] / peaks).groupby(table["weight"]).max()
    assert axes["shares"] == pytest.approx(shares.tolist(), rel=1e-12)
    wide = table.pivot(index=["normalization", "seed", "weight"], columns="epoch", values="density")
    changes = wide.sub(wide[0], axis=0)
    assert axes["changes"] == [changes.min().min(), changes.max().max()]


def test_a_run_whose_weights_lie_beyond_the_grid_is_visible_everywhere_and_none_has_no_axes():
    columns = {
        "epoch": np.array([0, 0, 0]),
        "weight": np.array([1.0, 2.0, 3.0]),
        "density": np.zeros(3),
    }
    assert density_axes(columns, points=3)["shares"] == [1, 1, 1]
    empty = {name: column[:0] for name, column in columns.items()}
    assert density_axes(empty)["weights"] == []


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


def test_constant_weights_have_no_density_no_histogram_and_no_product():
    weights = np.full((2, 4), 0.5, np.float32)
    runs = [({"normalization": "unit", "seed": seed}, weights) for seed in (0, 1)]
    for table in (densities(runs), histograms(runs)):
        assert {len(column) for column in table.values()} == {0}
        assert {"normalization", "seed", "epoch"} < set(table)
    assert np.isnan(products(runs)["product"]).tolist() == [True] * 6


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
    for compare in (products, densities, histograms):
        pd.testing.assert_frame_equal(pd.DataFrame(compare(read)), pd.DataFrame(compare(runs)))
    assert 1 <= OneAtATime.most <= 2
