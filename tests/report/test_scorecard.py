"""The scorecard on studies of every outcome: groups, dots, words."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree

import pytest

from normreport.claims.claim import Group
from normreport.claims.judging import judge_all
from normreport.claims.registry import CLAIMS
from normreport.config.results import ClaimResult
from normreport.report.claim_results import claim_result
from normreport.report.scorecard import AXIS, TITLES, deciding_cases, make_scorecard
from normreport.report.strips import WIDTH
from normreport.statistics.verdict import Verdict
from tests.articles import OUTCOMES
from tests.claims.studies import LAYERS, study

MODELS = ("vgg16", "mobilenet_v2")
SHAPES = {"vgg16": "●", "mobilenet_v2": "■"}


def judged(**outcome) -> list[ClaimResult]:
    return [claim_result(one) for one in judge_all(CLAIMS, study(**outcome))]


@pytest.fixture(scope="module")
def claims() -> dict[str, list[ClaimResult]]:
    return {name: judged(**outcome) for name, outcome in OUTCOMES.items()}


def rows_of(claims, models=MODELS, medium="screen"):
    card = make_scorecard(claims, models, medium)
    return {row.id: row for _, rows in card.parts for row in rows}


def test_every_claim_is_in_one_part_and_the_parts_are_in_their_order(claims):
    card = make_scorecard(claims["as the article found"], MODELS, "screen")
    found = {title: " ".join(row.id for row in rows) for title, rows in card.parts}
    assert found == {
        "Premise and hypotheses": "C0 H1 H2 H3 H4 H5 H6",
        "From pretrained weights": "F1 F2 F3 F3b",
        "From random weights": "F4 F4b F5 F6",
        "Side by side": "F11",
        "The shape of the distribution": "F7 F8 F9 F10",
        "Predictions of this report": "P2 P3 P4 P5 P6 P7",
    }
    assert set(TITLES) == set(Group.__args__)  # type: ignore[attr-defined]


def path_of(element):
    return element.get("d")


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_row_has_a_picture_or_says_why_not(claims, outcome):
    for claim in claims[outcome]:
        row = rows_of(claims[outcome])[claim.id]
        assert row.words
        assert not re.search(r"\b(nan|inf|None)\b", row.words)
        if claim.verdict is Verdict.NOT_EVALUABLE:
            assert (row.strip, row.words) == (None, claim.reason)
        elif claim.axis_margin is None:
            assert row.strip is None
            assert row.words.startswith("computed exactly: ")
        else:
            root = ElementTree.fromstring(str(row.strip))
            assert len(root.findall("g")) == len(deciding_cases(claim, SHAPES)) > 0


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_decided_dot_lies_where_the_claim_expects_it_or_outside(claims, outcome):
    """Read the place of each dot from the picture, and compare it with the line at the foot."""
    seen = set()
    for claim in claims[outcome]:
        row = rows_of(claims[outcome])[claim.id]
        if row.strip is None:
            continue
        root = ElementTree.fromstring(str(row.strip))
        left, _, right = map(float, re.findall(r"[\d.]+", path_of(root.find("path"))))
        for (_, _, case), group in zip(
            deciding_cases(claim, SHAPES), root.findall("g"), strict=True
        ):
            marker = group[-1] if group[-1].tag != "text" else group[-2]
            x = float(marker.get("cx") or re.findall(r"[\d.]+", path_of(marker))[0])
            if group[-1].tag == "text":
                x = WIDTH if x > WIDTH / 2 else 0
            if case.verdict is Verdict.SUPPORTED:
                assert left - 0.1 <= x <= right + 0.1, claim.id
            if case.verdict is Verdict.REFUTED:
                assert x <= left + 0.1 or x >= right - 0.1, claim.id
            seen.add(case.verdict)
    if outcome in ("as the article found", "the opposite", "mixed"):
        assert {Verdict.SUPPORTED, Verdict.REFUTED} <= seen


def test_each_network_has_its_least_favourable_case(claims):
    for claim in claims["mixed"]:
        for model, result in claim.by_model.items():
            own = [case for case in claim.cases if case.place and case.place.models == [model]]
            against = [case for case in own if case.verdict is Verdict.REFUTED]
            if result.verdict in (Verdict.REFUTED, Verdict.MIXED):
                own = against or own
            favour = {"above": 1, "below": -1}.get(claim.side)
            means = [
                favour * case.effect.mean if favour else -abs(case.effect.mean)
                for case in own
                if case.effect and not case.reason
            ]
            least = result.least_favourable
            if not means:
                assert least is None
                continue
            assert least in own
            found = favour * least.effect.mean if favour else -abs(least.effect.mean)
            assert found == min(means), claim.id


def test_the_words_give_effect_margins_and_verdict_of_every_network():
    row = rows_of(judged(displacement={"pretrained": 0.1, "scratch": 0.2}))["F2"]
    networks = re.findall(r"(\w+): [\d.]+% \[.*?\], ([\d.]+) margins, (\w+)\.", row.words)
    assert [network for network, *_ in networks] == ["VGG16", "MobileNetV2"]
    assert {verdict for *_, verdict in networks} == {"refuted"}
    for _, margins, _ in networks:
        assert float(margins) == pytest.approx(0.1 / 0.05, rel=0.02)


def test_a_shift_below_zero_is_told_as_none():
    words = rows_of(judged(apart={"pretrained": 0.0, "scratch": 0.0}, noise=0.01))["F1"].words
    assert "−" not in words


def test_a_claim_that_compares_with_zero_has_no_band_and_tells_no_margins(claims):
    rows = rows_of(claims["as the article found"])
    assert not rows["F6"].has_band
    assert "margins" not in rows["F6"].words
    assert rows["F1"].has_band
    assert rows["F8"].has_band


def test_expectations_name_the_margin_in_the_unit_of_the_effect(claims):
    rows = rows_of(claims["as the article found"])
    found = {claim: rows[claim].expected for claim in ("H1", "F1", "F2", "F5", "F6", "H6", "P7")}
    assert found == {
        "H1": "above 5.0%",
        "F1": "below 2.0%",
        "F2": "below 5.0%",
        "F5": "within ±2.0%",
        "F6": "above 0%",
        "H6": "above 1.0 points",
        "P7": "within ±10%",
    }


def test_exact_claims_say_what_was_computed(claims):
    rows = rows_of(claims["as the article found"])
    assert rows["C0"].words == rows["H3"].words == "computed exactly: no difference"


def test_a_difference_between_networks_has_a_marker_of_its_own(claims):
    card = make_scorecard(claims["as the article found"], MODELS, "screen")
    assert card.has_differences
    assert rows_of(claims["as the article found"])["F7"].words.startswith("VGG16 − MobileNetV2: ")
    alone = make_scorecard(claims["one model"], ("vgg16",), "screen")
    assert not alone.has_differences
    assert alone.shapes == {"vgg16": "●"}


def test_in_print_each_picture_says_what_it_shows(claims):
    for row in rows_of(claims["mixed"], medium="print").values():
        if row.strip is not None:
            assert ElementTree.fromstring(str(row.strip)).find("title").text == row.words
    for row in rows_of(claims["mixed"]).values():
        if row.strip is not None:
            assert ElementTree.fromstring(str(row.strip)).get("aria-hidden") == "true"


def test_the_axis_counts_margins_around_the_band():
    assert [place for place, _ in AXIS.ticks] == [-3, -2, -1, 0, 1, 2, 3]
    assert AXIS.band == (-1, 1)


def test_many_networks_have_a_line_each_and_the_pictures_stay_small():
    layers = {f"vgg{n}": LAYERS["vgg16"] for n in (11, 13, 16, 19)}
    layers |= {"mobilenet_v2": LAYERS["mobilenet_v2"], "vgg16_bn": LAYERS["vgg16"]}
    claims = judged(layers=layers, noise=0.01)
    rows = rows_of(claims, models=tuple(layers))
    groups = ElementTree.fromstring(str(rows["F1"].strip)).findall("g")
    assert len(groups) == len(layers)
    two = sum(len(str(row.strip or "")) for row in rows_of(judged(noise=0.01)).values())
    assert two < 12_000


def test_a_place_is_finite_whatever_the_interval():
    claims = judged(seeds=(0, 1), noise=2.0)
    for row in rows_of(claims).values():
        numbers = re.findall(r"[\d.]+", re.sub(r"<title>.*?</title>", "", str(row.strip or "0")))
        assert all(math.isfinite(float(number.strip(".") or 0)) for number in numbers)
        assert "nan" not in str(row.strip)
