from __future__ import annotations

import pandas as pd
import pytest
from safetensors.numpy import load_file
from scipy import stats

from tests.stages.conftest import LAYER, read


def test_the_distance_of_two_runs_is_scipys(runs, comparisons):
    table = pd.read_parquet(comparisons["scratch"].distances)
    a, b = (load_file(run.snapshots)[LAYER] for run in runs[2:])
    for row in table.itertuples():
        expected = stats.wasserstein_distance(a[row.epoch].ravel(), b[row.epoch].ravel())
        assert row.w1 == pytest.approx(expected, rel=1e-6, abs=1e-12)
    assert list(table["epoch"]) == [0, 2]
    assert table["w1"].iloc[0] == 0


def test_histograms_count_every_weight_at_every_epoch(runs, comparisons):
    table = pd.read_parquet(comparisons["scratch"].histograms)
    assert (
        len({tuple(group["left"]) for _, group in table.groupby(["normalization", "epoch"])}) == 1
    )
    for run in runs[2:]:
        own = table[table["normalization"] == read(run.digests)["run"]["normalization"]]
        for epoch, weights in enumerate(load_file(run.snapshots)[LAYER]):
            bins = own[own["epoch"] == epoch]
            assert bins["count"].sum() == weights.size
            below = [(weights.ravel() < edge).sum() for edge in bins["left"]]
            assert list(bins["count"].cumsum().shift(fill_value=0)) == below


def test_densities_of_all_runs_and_epochs_lie_on_one_grid(comparisons):
    table = pd.read_parquet(comparisons["pretrained"].densities)
    groups = table.groupby(["normalization", "epoch"])
    assert len(groups) == 2 * 3
    assert len({tuple(group["weight"]) for _, group in groups}) == 1
    assert table["bandwidth"].nunique() == 1
