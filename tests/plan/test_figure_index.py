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
        "answer",
        "examples",
        "inputs",
        "pretraining_gain",
        "curves-vgg16",
        "curves-mobilenet_v2",
        *of_a_layer,
        "displacement-vgg16",
        "displacement-mobilenet_v2",
        "switch_or_seed",
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


def test_many_layers_of_a_model_have_figures_of_their_own(changed: Changed) -> None:
    layers = [f"features.{number}" for number in (0, 2, 5, 7, 10)]
    kinds = ("separation", "histogram", "quantiles")
    for kept, is_split in ((layers[:4], False), (layers, True)):
        figures = [*figure_index(load_config(changed({"models.vgg16.layers": kept})))]
        ids = {figure.id for figure in figures if figure.model == "vgg16"}
        assert ids.isdisjoint(f"{kind}-vgg16" for kind in kinds) is is_split
        own = {f"{kind}-vgg16-{layer}" for kind in kinds for layer in layers}
        assert own.issubset(ids) if is_split else own.isdisjoint(ids)
    places = [(figure.kind, figure.layer) for figure in figures if figure.model == "vgg16"]
    at = places.index(("histogram", layers[0]))
    alternating = [(kind, layer) for layer in layers for kind in ("histogram", "quantiles")]
    assert places[at : at + len(alternating)] == alternating


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
            "answer": ("unit", "imagenet"),
            "switch_or_seed": ("unit", "imagenet"),
            "levels": ("published_none", "published_minmax", "placebo"),
            "resize": ("imagenet", "published_meanstd"),
        }
        assert settings.normalizations == arms.get(figure.kind, ())


def test_of_more_than_six_arms_figures_highlight_the_contrast(changed: Changed) -> None:
    arms = ["raw", "unit", "imagenet", "placebo", "double", "minmax"]

    def highlighting(normalizations: list[str]) -> set[str]:
        config = load_config(changed({"experiment.normalizations": normalizations}))
        settings = [figure_settings(config, figure) for figure in figure_index(config)]
        contrasts = {each.kind: each.contrast for each in settings if each.contrast}
        assert set(contrasts.values()) == {("unit", "imagenet")}
        return set(contrasts)

    assert highlighting(arms) == {"pretraining_gain"}
    assert highlighting([*arms, "dataset"]) == {
        "pretraining_gain", "curves", "displacement", "inits", "histogram", "quantiles", "centre",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "missing"),
    [
        ({"experiment.starts": ["pretrained"]}, {"pretraining_gain", "seeds", "inits"}),
        ({"experiment.starts": ["scratch"]}, {"pretraining_gain"}),
        ({"experiment.normalizations": ["raw", "unit"]}, {"answer", "seeds", "switch_or_seed"}),
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


def test_a_start_that_one_model_lacks_has_only_figures_of_the_others(changed: Changed) -> None:
    change = {
        "experiment.exclude": [{"model": "vgg16", "start": "pretrained"}],
        "experiment.include": [{"model": "vgg16", "start": "scratch_head", "seed": 5}],
    }
    figures = {figure.id: figure for figure in figure_index(load_config(changed(change)))}
    shown = {(figure.model, figure.start) for figure in figures.values() if figure.start}
    assert shown == {
        ("vgg16", "scratch"),
        ("vgg16", "scratch_head"),
        ("mobilenet_v2", "pretrained"),
        ("mobilenet_v2", "scratch"),
    }
    assert {"curves-vgg16", "curves-mobilenet_v2", "inits", "centre"} <= set(figures)


def test_a_figure_that_compares_arms_needs_both_of_them_in_its_model_and_start(
    changed: Changed,
) -> None:
    without = {"model": "vgg16", "start": "scratch", "normalization": "imagenet"}
    config = load_config(changed({"experiment.exclude": [without]}))
    assert [figure.id for figure in figure_index(config) if figure.kind == "seeds"] == [
        "seeds-mobilenet_v2-scratch-features.0.0"
    ]


def test_a_start_that_no_model_has_from_scratch_has_no_figure_of_inits(changed: Changed) -> None:
    config = load_config(changed({"experiment.exclude": [{"start": "scratch"}]}))
    kinds = {figure.kind for figure in figure_index(config)}
    assert kinds.isdisjoint({"inits", "seeds"})


def test_a_comparison_of_starts_needs_a_network_that_has_both(changed: Changed) -> None:
    def kinds(*excluded: dict[str, str]) -> set[str]:
        config = load_config(changed({"experiment.exclude": list(excluded)}))
        return {figure.kind for figure in figure_index(config)}

    one = {"model": "vgg16", "start": "scratch"}
    other = {"model": "mobilenet_v2", "start": "pretrained"}
    assert "pretraining_gain" in kinds(one)
    assert "pretraining_gain" not in kinds(one, other)


def test_an_arm_that_is_only_included_is_shown_with_the_others(changed: Changed) -> None:
    config = load_config(changed({"experiment.include": [{"normalization": "placebo", "seed": 0}]}))
    settings = [figure_settings(config, figure) for figure in figure_index(config)]
    (examples,) = (one for one in settings if one.kind == "examples")
    assert examples.normalizations == ("raw", "unit", "imagenet", "placebo")


@pytest.mark.parametrize(
    ("change", "redrawn"),
    [
        ({"report.title": "Another"}, set()),
        ({"training.epochs": 36}, set()),
        ({"models.vgg16.learning_rate": 0.5}, set()),
        ({"report.density_epoch": 3}, {"density"}),
        ({"experiment.exclude": [{"normalization": "raw", "seed": 1}]}, set()),
        ({"experiment.include": [{"model": "vgg16", "seed": 9}]}, set()),
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


def test_the_headline_compares_the_published_pipelines_if_there_are_no_others(
    changed: Changed,
) -> None:
    published = ["published_none", "published_minmax", "published_meanstd"]
    config = load_config(changed({"experiment.normalizations": published}))
    figure = next(each for each in figure_index(config) if each.kind == "switch_or_seed")
    arms = figure_settings(config, figure).normalizations
    assert arms == ("published_minmax", "published_meanstd")
