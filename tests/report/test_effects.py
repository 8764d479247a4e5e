"""The headline's effects, from studies with a known truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normreport.report.effects import accuracy_differences, contrast_effects
from normreport.report.summary import headline
from tests.claims.studies import EPOCHS, study, with_failed_run, without_runs

SIX = (0, 1, 2, 3, 4, 5)
ONE_LAYER = {"vgg16": ("features.0",)}


def test_the_effects_of_every_layer_and_epoch_are_the_planted_ones() -> None:
    whole = study(seeds=SIX, apart={"pretrained": 0.02, "scratch": 0.1}, between_seeds=0.05)
    rows = contrast_effects(whole, range(EPOCHS + 1))
    assert len(rows) == 2 * 2 * 2 * (EPOCHS + 1)
    for row in rows:
        apart = (0.1 if row.start == "scratch" else 0.02) * row.epoch / EPOCHS
        assert row.seeds == 6
        assert row.delta == pytest.approx(apart, abs=2e-4)
        assert row.between_seeds == pytest.approx(0.05, abs=2e-4)
        assert row.components is not None
        # Each of two arms lies half of their shift from their mean; W2 is sqrt(2) components.
        assert row.components.arm == pytest.approx(apart / 2, abs=2e-4)
        assert row.components.seed == pytest.approx(0.05 / np.sqrt(2), abs=2e-4)
        assert row.components.rest < 1e-3
        if row.epoch:
            assert row.components.p_value == 1 / 2**5


def test_the_headline_has_the_last_epoch_and_the_contrast() -> None:
    whole = study(layers=ONE_LAYER)
    tables = headline(whole)
    assert tables.contrast == ("unit", "imagenet")
    assert tables.effects == contrast_effects(whole, [EPOCHS])


def test_a_placebo_in_place_of_the_contrast_has_no_effect() -> None:
    whole = study(seeds=SIX, arms=("unit", "placebo"), layers=ONE_LAYER, noise=0.01)
    renamed = {
        name: whole.products.rows[name].replace("placebo", "imagenet")
        for name in ("normalization_a", "normalization_b")
    }
    products = type(whole.products)(whole.products.rows.assign(**renamed))
    planned = tuple(
        arm.model_copy(update={"normalization": "imagenet"})
        if arm.normalization == "placebo"
        else arm
        for arm in whole.settings.planned
    )
    settings = whole.settings.model_copy(
        update={"planned": planned, "normalizations": ("unit", "imagenet")}
    )
    for row in contrast_effects(replace(whole, products=products, settings=settings), [EPOCHS]):
        assert row.delta is not None
        assert row.delta < 0.01
        assert row.components is not None
        assert row.components.p_value is not None
        assert row.components.p_value > 0.05


def test_a_run_that_diverged_or_failed_leaves_nothing_of_the_remaining_ones() -> None:
    condition = {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": 1}
    diverged = with_failed_run(study(), gate="finite", **condition)
    for row in contrast_effects(diverged, range(EPOCHS + 1)):
        is_cut = (row.model, row.start) == ("vgg16", "scratch") and row.epoch > 0
        assert (row.delta is None) == is_cut
        assert (row.between_seeds is None) == is_cut
        assert (row.components is None) == is_cut
    for row in contrast_effects(without_runs(study(), **condition), [0]):
        assert (row.delta is None) == ((row.model, row.start) == ("vgg16", "scratch"))


def test_one_seed_and_constant_layers_have_no_effects() -> None:
    constant = study(layers=ONE_LAYER)
    table = constant.products.rows.assign(product=np.nan)
    constant = replace(constant, products=type(constant.products)(table))
    for whole in (study(seeds=(0,), layers=ONE_LAYER), constant):
        rows = contrast_effects(whole, range(EPOCHS + 1))
        assert len(rows) == 2 * (EPOCHS + 1)
        for row in rows:
            assert (row.delta, row.between_seeds, row.components) == (None, None, None)


def test_without_the_contrast_there_is_no_row() -> None:
    whole = study(arms=("raw", "unit"))
    assert contrast_effects(whole, [0]) == []
    assert accuracy_differences(whole) == []
    assert headline(whole).contrast == ("unit", "imagenet")


def test_published_pipelines_stand_for_the_contrast() -> None:
    whole = study(arms=("published_none", "published_minmax", "published_meanstd"))
    assert headline(whole).contrast == ("published_minmax", "published_meanstd")
    assert all(row.delta is not None for row in headline(whole).effects)


def with_accuracies(values: Mapping[str, Sequence[float | None]]) -> list[object]:
    whole = study(layers=ONE_LAYER, seeds=SIX[: len(values["unit"])])
    runs = whole.runs.rows.copy()
    for arm, numbers in values.items():
        for seed, value in enumerate(numbers):
            runs.loc[
                (runs["normalization"] == arm) & (runs["seed"] == seed), "heldout_accuracy"
            ] = value
    return [
        row.difference for row in accuracy_differences(replace(whole, runs=type(whole.runs)(runs)))
    ]


def test_accuracies_are_compared_within_seeds() -> None:
    one, other = [0.5, 0.6, 0.7, 0.55], [0.6, 0.65, 0.85, 0.6]
    expected = stats.ttest_rel(other, one).confidence_interval(0.95)
    found = with_accuracies({"unit": one, "imagenet": other})
    assert len(found) == 2
    for difference in found:
        values = vars(difference)
        assert values["mean"] == pytest.approx(0.0875)
        assert (values["low"], values["high"]) == pytest.approx(tuple(expected))
        assert values["seeds"] == 4


def test_an_accuracy_that_is_missing_leaves_no_difference() -> None:
    assert with_accuracies({"unit": [0.5, None], "imagenet": [0.6, 0.6]}) == [None, None]


def test_one_seed_has_a_difference_without_an_interval() -> None:
    for difference in with_accuracies({"unit": [0.5], "imagenet": [0.75]}):
        values = vars(difference)
        assert (values["mean"], values["low"], values["high"]) == (0.25, None, None)
        assert not pd.isna(values["mean"])
