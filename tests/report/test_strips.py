"""Dots with intervals as SVG, read back as numbers."""

from __future__ import annotations

import itertools
import re
from xml.etree import ElementTree

import pytest

from normreport.report.axes import Axis
from normreport.report.strips import (
    CROSS,
    LINE,
    SHAPES,
    WIDTH,
    Dot,
    draw_axis,
    draw_strip,
    shape_of,
)
from normreport.statistics.verdict import Verdict

AXIS = Axis(-3.0, 3.0, ((-3.0, "−3"), (0.0, "0"), (3.0, "3")), band=(-1.0, 1.0))


def x_of(value: float) -> float:
    return WIDTH * (value + 3) / 6


def dot(value=0.0, low=None, high=None, shape="●", verdict=Verdict.SUPPORTED):
    return Dot(value, low, high, shape, verdict)


def parsed(svg):
    return ElementTree.fromstring(str(svg))


def test_a_dot_stands_at_its_value_and_its_interval_reaches_to_its_ends():
    root = parsed(draw_strip(AXIS, [dot(1.5, 1.0, 2.25)]))
    (group,) = root.findall("g")
    line, circle = group
    assert float(circle.get("cx")) == x_of(1.5)
    left, y, right = map(float, re.findall(r"[\d.]+", line.get("d")))
    assert (left, right) == (x_of(1.0), x_of(2.25))
    assert float(circle.get("cy")) == y


def test_every_dot_has_a_line_of_its_own_within_the_picture():
    root = parsed(draw_strip(AXIS, [dot(), dot(), dot()]))
    height = float(root.get("viewBox").split()[3])
    heights = [float(circle.get("cy")) for circle in root.iter("circle")]
    assert heights == sorted(heights)
    assert {b - a for a, b in itertools.pairwise(heights)} == {LINE}
    assert 0 < heights[0] < heights[-1] < height


@pytest.mark.parametrize("shape", [*SHAPES, CROSS])
def test_shapes_tell_networks_apart_without_colour(shape):
    others = {str(draw_strip(AXIS, [dot(shape=other)])) for other in SHAPES if other != shape}
    assert str(draw_strip(AXIS, [dot(shape=shape)])) not in others
    assert [shape_of(number) for number in range(len(SHAPES) + 1)] == [*SHAPES, "●"]


@pytest.mark.parametrize("verdict", Verdict)
def test_a_dot_has_the_class_and_the_colour_of_its_verdict_and_is_hollow_if_undecided(verdict):
    (group,) = parsed(draw_strip(AXIS, [dot(verdict=verdict)])).findall("g")
    assert group.get("class") == verdict.lower().replace(" ", "-")
    assert re.fullmatch("#[0-9a-f]{6}", group.get("fill"))
    assert group.get("fill") == group.get("stroke")
    is_decided = verdict in (Verdict.SUPPORTED, Verdict.REFUTED, Verdict.MIXED)
    assert (group[0].get("fill") is None) == is_decided


@pytest.mark.parametrize(("value", "edge"), [(12.345, WIDTH), (-3.5, 0)])
def test_a_value_beyond_the_axis_is_an_arrow_at_its_end_with_its_number(value, edge):
    (group,) = parsed(draw_strip(AXIS, [dot(value, value - 20, value + 20)])).findall("g")
    line, arrow, text = group
    assert str(edge) in re.findall(r"\d+", arrow.get("d"))
    assert text.text == {12.345: "12", -3.5: "−3.5"}[value]
    # The interval leaves room for the number, and has no arrow of its own there.
    ends = [float(end) for end in re.match(r"M([\d.]+) [\d.]+H([\d.]+)", line.get("d")).groups()]
    assert min(abs(end - edge) for end in ends) > 20
    assert line.get("d").count("l") == 1


def test_an_interval_beyond_the_axis_has_an_arrow_on_that_side():
    (line, _) = parsed(draw_strip(AXIS, [dot(0, -9, 1)])).find("g")
    assert line.get("d").startswith(f"M0 11H{x_of(1):g}M4 ")
    (line, _) = parsed(draw_strip(AXIS, [dot(0, -9, 9)])).find("g")
    assert line.get("d").count("l") == 2


def test_an_estimate_without_an_interval_has_no_line():
    (group,) = parsed(draw_strip(AXIS, [dot()])).findall("g")
    assert [part.tag for part in group] == ["circle"]


def test_a_line_at_the_foot_marks_the_claimed_region():
    root = parsed(draw_strip(AXIS, [dot()], claimed=(1.0, float("inf"))))
    left, y, right = map(float, re.findall(r"[\d.]+", root.find("path").get("d")))
    assert (left, right) == (x_of(1), WIDTH)
    assert y == float(root.get("viewBox").split()[3]) - 1


def test_a_picture_with_words_says_them_and_one_without_is_hidden():
    words = parsed(draw_strip(AXIS, [dot()], 'A <b> & "c".'))
    assert words.get("role") == "img"
    assert words.find("title").text == 'A <b> & "c".'
    silent = parsed(draw_strip(AXIS, [dot()]))
    assert silent.get("aria-hidden") == "true"
    assert silent.find("title") is None


def test_the_labels_of_an_axis_stand_at_their_values_and_within_the_picture():
    texts = list(parsed(draw_axis(AXIS)).iter("text"))
    assert [text.text for text in texts] == ["−3", "0", "3"]
    assert [float(text.get("x")) for text in texts] == [0, WIDTH / 2, WIDTH]
    assert [text.get("text-anchor") for text in texts] == ["start", "middle", "end"]


def test_labels_that_would_overlap_are_left_out():
    ticks = tuple((value / 4, f"{value / 4:+.3f}%") for value in range(10))
    texts = list(parsed(draw_axis(Axis(-3, 3, ticks))).iter("text"))
    places = [float(text.get("x")) for text in texts]
    assert 1 < len(places) < len(ticks)
    assert min(b - a for a, b in itertools.pairwise(places)) > 7 * 6
