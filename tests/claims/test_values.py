"""Numbers per seed and arm, taken from the tables of a study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from normreport.claims.values import arrange, correlation_of_arms, final_values, planned_arms
from tests.claims.studies import EPOCHS, study, with_holes


def test_a_table_is_arranged_as_pandas_pivots_it() -> None:
    rows = pd.DataFrame({
        "seed": [1, 0, 1, 0, 2], "arm": ["b", "a", "a", "b", "a"],
        "std": [1.0, 2.0, 3.0, None, 5.0],
    })  # fmt: skip
    arranged = arrange(rows, "std", seed=(0, 1, 2), arm=("a", "b"))
    expected = rows.pivot(index="seed", columns="arm", values="std")
    pd.testing.assert_frame_equal(arranged, expected, check_names=False, check_index_type=False)


def test_values_that_are_not_asked_for_are_left_out_and_missing_ones_are_nan() -> None:
    rows = pd.DataFrame({"seed": [0, 1], "arm": ["a", "b"], "std": [1.0, 2.0]})
    arranged = arrange(rows, "std", seed=(0, 7), arm=("a",))
    assert arranged.loc[0, "a"] == 1.0
    assert np.isnan(arranged["a"].loc[7])
    assert list(arranged.columns) == ["a"]


def test_final_values_have_the_seeds_that_all_arms_have():
    whole = with_holes(study(), lambda model, start, arm, seed: arm != "raw" or seed < 2)
    place: Any = {"model": "vgg16", "start": "scratch", "layer": "features.0"}
    values = final_values(whole, whole.measures, "std", **place, arms=("raw", "unit"))
    assert list(values.index) == [0, 1]
    rows = whole.measures.at(**place, normalization="unit", epoch=EPOCHS).set_index("seed")
    assert list(values["unit"]) == [rows.loc[seed, "std"] for seed in (0, 1)]
    first = final_values(whole, whole.measures, "std", **place, arms=("unit",), epoch=0)
    assert list(first.index) == [0, 1, 2]
    assert first.loc[0, "unit"] != values.loc[0, "unit"]


def test_arms_without_a_common_seed_are_not_planned_together():
    whole = with_holes(study(), lambda model, start, arm, seed: (arm == "unit") == (seed < 2))
    place: Any = {"model": "vgg16", "starts": ("scratch",)}
    assert planned_arms(whole, lambda study: ("unit", "imagenet"), **place) == []
    assert planned_arms(whole, lambda study: ("unit",), **place) == ["unit"]


def test_the_smallest_correlation_over_seeds_counts_and_none_is_zero() -> None:
    whole = study()
    rows = whole.products.rows
    rows["correlation"] = np.where(rows["seed_a"] == 1, 0.9, 0.95)
    place = ("vgg16", "scratch", "features.0", "raw", "unit")
    assert correlation_of_arms(whole, *place) == 0.9
    rows["correlation"] = np.nan
    assert correlation_of_arms(study(), *place) == 0.0
