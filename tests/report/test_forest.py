"""The forest plot of a claim: rows, pictures, and what large studies leave out."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.config.results import EffectResult, PartResult, PValuesResult
from normreport.report.claim_results import claim_result
from normreport.report.forest import MOST_PICTURES, choose_layers, make_forest
from normreport.report.strips import WIDTH
from normreport.statistics.verdict import Verdict
from normreport.text.effects import format_interval
from tests.articles import OUTCOMES
from tests.claims.studies import study


def judged(**outcome):
    return {one.claim.id: claim_result(one) for one in judge_all(CLAIMS, study(**outcome))}


@pytest.fixture(scope="module")
def claims():
    return judged()


def rows_of(claim, medium="screen"):
    return [row for _, rows in make_forest(claim, medium).groups for row in rows]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_every_case_with_a_place_has_a_row_with_its_numbers_or_its_reason(outcome):
    for claim in judged(**OUTCOMES[outcome]).values():
        forest = make_forest(claim, "screen")
        cases = [case for case in (*claim.cases, *claim.beyond) if case.place]
        if claim.axis_margin is None or not cases:
            assert forest is None
            continue
        rows = [row for _, rows in forest.groups for row in rows if not row.is_part]
        assert len(rows) == len(cases)
        told = sorted((row.estimate, row.verdict, row.reason or "") for row in rows)
        assert told == sorted(
            (
                format_interval(case.effect.mean, case.effect.low, case.effect.high, claim.shown)
                if case.effect
                else "",
                case.verdict,
                case.reason or "",
            )
            for case in cases
        )
        assert all(bool(row.strip) == bool(row.estimate) for row in rows)


def test_rows_are_grouped_by_network_and_start_with_the_cases_beyond_the_design_last(claims):
    groups = dict(make_forest(claims["F1"], "screen").groups)
    assert list(groups) == ["VGG16, pretrained", "MobileNetV2, pretrained"]
    assert [(row.label, row.note) for row in groups["VGG16, pretrained"]] == [
        ("features.0", ""),
        ("features.10", ""),
        ("features.0, raw - unit", "beyond the published design"),
        ("features.10, raw - unit", "beyond the published design"),
    ]
    of_both = dict(make_forest(claims["F7"], "screen").groups)
    assert list(of_both) == [
        "VGG16 − MobileNetV2, pretrained", "VGG16 − MobileNetV2, from scratch"
    ]  # fmt: skip
    assert next(row.label for row in of_both["VGG16 − MobileNetV2, pretrained"]) == (
        "features.0 − features.0.0"
    )
    assert [row.label for row in rows_of(claims["F3"])][:2] == ["unit", "imagenet"]
    assert next(iter(dict(make_forest(claims["P6"], "screen").groups))) == (
        "VGG16, from scratch − pretrained"
    )


def test_a_whole_network_has_its_layers_and_their_averages_below_it(claims):
    rows = dict(make_forest(claims["F2"], "screen").groups)["VGG16, pretrained"]
    assert [(row.label, row.is_part) for row in rows] == [
        ("whole network", False),
        ("features.0", True),
        ("features.10", True),
        ("mean of the layers", True),
        ("median layer", True),
        ("raw", False),
    ]
    assert all(row.strip and row.estimate for row in rows)


@pytest.mark.parametrize("claim", ["H1", "F1", "F2", "F3", "F5", "F6", "F7", "F8", "F11", "P6"])
def test_the_dots_stand_in_the_order_of_their_effects(claims, claim):
    """Read the places from the pictures: they have the order of the estimates."""
    result = claims[claim]
    cases = [case for case in (*result.cases, *result.beyond) if case.place]
    rows = [row for row in rows_of(result) if not row.is_part]
    placed = {}
    for row in rows:
        (group,) = ElementTree.fromstring(str(row.strip)).findall("g")
        placed[row.estimate] = float(re.findall(r"[\d.]+", str(group[-1].get("d")))[0])
    effects = {
        format_interval(case.effect.mean, case.effect.low, case.effect.high, result.shown):
            case.effect.mean
        for case in cases
    }  # fmt: skip
    assert set(effects) == set(placed)
    by_effect = sorted(placed, key=effects.__getitem__)
    places = [placed[estimate] for estimate in by_effect]
    assert places == sorted(places)
    assert all(0 < place < WIDTH for place in places)


def test_in_print_each_picture_says_its_estimate(claims):
    for row in rows_of(claims["F2"], medium="print"):
        assert ElementTree.fromstring(str(row.strip)).find("title").text == row.estimate


def part(label, mean, weights=100):
    return PartResult(
        label=label,
        weights=weights,
        effect=EffectResult(mean=mean, low=mean, high=mean, level=0.95, seeds=3),
        p=PValuesResult(support=0.5, refute=0.5, mixed=1),
        verdict=Verdict.INCONCLUSIVE,
    )


def test_the_largest_layer_and_the_most_extreme_ones_are_chosen_in_their_order():
    layers = [part(f"layer{i}", mean) for i, mean in enumerate([0.1, 9.0, 0.2, -8.0, 0.3, 0.2])]
    layers[2] = part("layer2", 0.2, weights=9999)
    assert [one.label for one in choose_layers(layers, 3)] == ["layer1", "layer2", "layer3"]
    assert choose_layers(layers, 6) == layers
    assert [one.label for one in choose_layers(layers, 1)] == ["layer2"]


def test_a_large_study_has_a_bounded_number_of_pictures_and_sums_up_the_rest():
    deep = {
        "vgg16": tuple(f"features.{i}" for i in range(0, 40)),
        "mobilenet_v2": tuple(f"features.{i}.conv" for i in range(0, 60)),
    }
    found = judged(layers=deep, noise=0.003)
    for claim in found.values():
        if make_forest(claim, "screen") is None:
            continue
        rows = rows_of(claim)
        averages = sum(len(case.averages) for case in claim.cases)
        assert sum(row.strip is not None for row in rows) <= MOST_PICTURES + averages
    rows = dict(make_forest(found["F2"], "screen").groups)["MobileNetV2, pretrained"]
    (rest,) = [row for row in rows if "other layers" in row.label]
    layers = found["F2"].cases[1].layers
    drawn = [row.label for row in rows if row.is_part and row.label.startswith("features")]
    assert rest.label == f"{len(layers) - len(drawn)} other layers"
    others = [np.exp(one.effect.mean) for one in layers if one.label not in drawn]
    low, high = (100 * end(others) for end in (min, max))
    ends = [float(end) for end in re.findall(r"([\d.]+)%", rest.estimate)]
    assert ends == pytest.approx([low, high], rel=0.06)
    extremes = sorted(layers, key=lambda one: one.effect.mean)
    assert {extremes[0].label, extremes[-1].label} <= set(drawn)


def test_a_claim_with_many_cases_draws_the_first_and_lists_all():
    layers = {f"vgg{n}": tuple(f"features.{i}" for i in range(20)) for n in (16, 19)}
    claim = judged(layers=layers, noise=0.01)["F1"]
    rows = rows_of(claim)
    assert len(rows) == 2 * 2 * 20
    assert sum(row.strip is not None for row in rows) == MOST_PICTURES
    assert all(row.estimate for row in rows)


def test_one_seed_has_a_hollow_dot_and_the_reason():
    claim = judged(seeds=(0,))["F2"]
    for row in rows_of(claim):
        assert row.reason == "one seed gives no interval"
        (group,) = ElementTree.fromstring(str(row.strip)).findall("g")
        assert group.get("class") == "not-evaluable"
        assert [child.get("fill") for child in group] == ["#ffffff"]
