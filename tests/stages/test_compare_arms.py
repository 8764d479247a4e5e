from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from tests.stages.conftest import LAYER, read


def test_the_products_of_two_runs_are_those_of_their_sorted_weights(runs, comparisons):
    table = pd.read_parquet(comparisons["scratch"].products)
    assert list(table["epoch"]) == [0] * 3 + [1] * 3 + [2] * 3
    weights = [load_file(run.snapshots)[LAYER].astype(float) for run in runs[2:]]
    variance = np.mean([each[0].var(ddof=1) for each in weights])
    for epoch, rows in table.groupby("epoch"):
        a, b = (np.sort(each[epoch], axis=None) for each in weights)
        own_a, cross, own_b = rows["product"]
        expected = np.mean((a - b) ** 2) / variance
        assert own_a + own_b - 2 * cross == pytest.approx(expected, rel=1e-9, abs=1e-18)


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
    axes = read(comparisons["pretrained"].axes)
    assert max(axes["densities"]) == table["density"].max()
    assert axes["weights"] == table["weight"].unique().tolist()
    assert axes["last_epoch"] == 2
