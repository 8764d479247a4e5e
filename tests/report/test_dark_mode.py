"""The figures' colours on a dark page."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from normreport.figures import style
from normreport.report.dark_mode import color_rules, darken

SHEET = Path(__file__).parents[2] / "templates" / "article.css"


def luminance(color):
    """Relative luminance as WCAG defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    """Contrast ratio as WCAG defines it."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_white_paper_becomes_the_dark_pages():
    assert f"--paper: light-dark({style.PAPER}, {darken(style.PAPER)});" in SHEET.read_text()


@pytest.mark.parametrize(("color", "least"), [(style.INK, 7), (style.MUTED, 4.5)])
def test_words_can_be_read(color, least):
    assert contrast(darken(color), darken("#ffffff")) >= least


@pytest.mark.parametrize("arm", style._ARMS)
def test_every_arm_reaches_three_to_one(arm):
    assert contrast(darken(style.arm_styles([arm])[arm].color), darken("#ffffff")) >= 3


def test_the_default_arms_differ_in_lightness_in_the_dark_as_well():
    looks = style.arm_styles(["raw", "unit", "imagenet"]).values()
    for a, b in combinations(looks, 2):
        assert contrast(darken(a.color), darken(b.color)) > 1.25


@pytest.mark.parametrize("color", ["#ff0000", "#00ff00", "#0000ff", "#ffff00", "#000000"])
def test_a_hue_stays_where_a_screen_can_show_it(color):
    light = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    turned = [int(darken(color)[i : i + 2], 16) for i in (1, 3, 5)]
    strongest = [value == max(light) for value in light]
    assert all(turned[i] >= max(turned) - 40 for i in range(3) if strongest[i])


def test_each_colour_is_one_variable_and_has_one_rule_per_attribute():
    pictures = [
        '<path fill="#1f1f1f"/><path stroke="#1f1f1f"/>',
        '<text fill="#1f1f1f">fill</text>',
    ]
    assert color_rules(pictures).splitlines() == [
        ":root {",
        f"--c-1f1f1f: light-dark(#1f1f1f, {darken('#1f1f1f')});",
        "}",
        'figure svg [fill="#1f1f1f"] { fill: var(--c-1f1f1f); }',
        'figure svg [stroke="#1f1f1f"] { stroke: var(--c-1f1f1f); }',
    ]
