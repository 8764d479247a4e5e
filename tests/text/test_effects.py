"""Effects of claims in units that a reader understands."""

from __future__ import annotations

import math
from typing import get_args

import pytest

from normreport.claims.claim import Shown
from normreport.claims.registry import CLAIMS
from normreport.config.results import ClaimResult
from normreport.text.effects import format_effect, format_interval, format_margin


@pytest.mark.parametrize(
    ("shown", "value", "expected"),
    [
        ("number", 0.25, "0.250"),
        ("percent", 0.125, "12%"),
        ("points", 0.032, "3.2 points"),
        ("points", -0.032, "−3.2 points"),
        ("ratio", math.log(1.31), "+31%"),
        ("ratio", math.log(0.8), "−20%"),
        ("size", math.log(0.046), "4.6%"),
        ("multiple", math.log(12.0), "12"),
        ("shift", 0.014**2, "1.4%"),
        ("shift", -0.001, "0%"),
        ("shift_change", 0.014**2, "+1.4%"),
        ("shift_change", -(0.052**2), "−5.2%"),
    ],
)
def test_an_effect_is_converted_to_its_unit(shown: Shown, value: float, expected: str) -> None:
    assert format_effect(value, shown) == expected


def test_every_way_of_showing_has_a_conversion_of_its_own() -> None:
    texts = {shown: format_effect(0.5, shown) for shown in get_args(Shown)}
    assert len(set(texts.values())) == len(texts)


def test_an_interval_has_the_unit_of_its_effect() -> None:
    low, high = math.log(1.25), math.log(1.37)
    assert format_interval(math.log(1.31), low, high, "ratio") == "+31% [+25%, +37%]"
    assert format_interval(0.032, 0.015, 0.049, "points") == "3.2 points [1.5, 4.9]"
    assert format_interval(0.25, None, None, "number") == "0.250"


def test_the_margin_of_a_change_has_no_sign() -> None:
    assert format_margin(math.log(1.05), "ratio") == "5.0%"
    assert format_margin(0.02**2, "shift") == "2.0%"
    assert format_margin(0.02**2, "shift_change") == "2.0%"


def test_results_know_every_way_of_showing() -> None:
    annotation = ClaimResult.model_fields["shown"].annotation
    assert get_args(annotation) == get_args(Shown)
    assert {claim.shown for claim in CLAIMS} <= set(get_args(Shown))
