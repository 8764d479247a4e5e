"""The figures of an article: their order, their names and their settings."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.config.figure_kinds import figure_kinds
from normreport.plan.figure_index import figure_index, figure_settings

Changed = Callable[[dict[str, Any]], dict[str, Any]]


def test_the_default_article_has_its_figures_in_the_order_of_its_sections(
    default_values: dict[str, Any],
) -> None:
    ids = [figure.id for figure in figure_index(load_config(default_values))]
    of_a_layer = [
        f"{kind}-{model}-{start}-{layer}"
        for start in ("pretrained", "scratch")
        for model, layers in (
            ("vgg16", ("features.0", "features.10")),
            ("mobilenet_v2", ("features.0.0", "features.17.conv.0.0")),
        )
        for layer in layers
        for kind in ("density", "ribbon", "violin", "spread")
    ]
    assert ids == [
        "examples",
        "inputs",
        "curves-vgg16",
        "curves-mobilenet_v2",
        *of_a_layer,
        "displacement-vgg16",
        "displacement-mobilenet_v2",
        "separation-vgg16",
        "separation-mobilenet_v2",
        "levels",
        "resize",
        "seeds-vgg16-scratch-features.0",
        "seeds-mobilenet_v2-scratch-features.0.0",
        "inits",
        "histogram-vgg16",
        "quantiles-vgg16",
        "histogram-mobilenet_v2",
        "quantiles-mobilenet_v2",
        "centre",
        "kurtosis-vgg16",
        "kurtosis-mobilenet_v2",
    ]


def test_every_figure_has_a_name_of_its_own_that_can_be_a_file(
    default_values: dict[str, Any],
) -> None:
    ids = [figure.id for figure in figure_index(load_config(default_values))]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", name) for name in ids)


def test_the_default_article_has_a_figure_of_every_kind(default_values: dict[str, Any]) -> None:
    kinds = {figure.kind for figure in figure_index(load_config(default_values))}
    assert kinds == set(figure_kinds())


def test_a_figure_knows_only_what_it_shows(changed: Changed) -> None:
    config = load_config(changed({"report.density_epoch": 7}))
    for figure in figure_index(config):
        settings = figure_settings(config, figure)
        assert (settings.kind, settings.model) == (figure.kind, figure.model)
        assert (settings.start, settings.layer) == (figure.start, figure.layer)
        assert settings.only_start == ("scratch" if figure.kind == "inits" else None)
        assert settings.density_epoch == (7 if figure.kind == "density" else None)
        arms = {
            "examples": ("raw", "unit", "imagenet"),
            "inputs": ("raw", "unit", "imagenet"),
            "seeds": ("unit", "imagenet"),
            "levels": ("published_none", "published_minmax", "placebo"),
            "resize": ("imagenet", "published_meanstd"),
        }
        assert settings.normalizations == arms.get(figure.kind, ())


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"experiment.starts": ["pretrained"]}, {"seeds", "inits"}),
        ({"experiment.normalizations": ["raw", "unit"]}, {"seeds"}),
    ],
    ids=lambda value: str(next(iter(value), "")) if isinstance(value, dict) else None,
)
def test_a_figure_is_left_out_if_the_experiment_lacks_its_runs(
    changed: Changed, change: dict[str, Any], missing: set[str]
) -> None:
    whole, less = (
        {figure.kind for figure in figure_index(load_config(changed(values)))}
        for values in ({}, change)
    )
    assert whole - less == missing


@pytest.mark.parametrize(
    ("change", "redrawn"),
    [
        ({"report.title": "Another"}, set()),
        ({"training.epochs": 36}, set()),
        ({"models.vgg16.learning_rate": 0.5}, set()),
        ({"report.density_epoch": 3}, {"density"}),
        ({"experiment.normalizations": ["unit", "raw"]}, {"examples", "inputs"}),
    ],
    ids=lambda value: str(next(iter(value), "")) if isinstance(value, dict) else None,
)
def test_a_change_reaches_only_the_figures_that_show_it(
    changed: Changed, change: dict[str, Any], redrawn: set[str]
) -> None:
    before, after = load_config(changed({})), load_config(changed(change))
    found = {
        figure.kind
        for figure in figure_index(before)
        if figure_settings(before, figure) != figure_settings(after, figure)
    }
    assert found == redrawn
