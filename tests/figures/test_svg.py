"""The SVG that goes into the page."""

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from normreport.figures.drawing import Drawing
from normreport.figures.style import WIDTH, house_style, mark, text_width
from normreport.figures.svg import to_svg

SVG = "{http://www.w3.org/2000/svg}"


def drawing(alt: str = "A figure. It has 2 lines.", text: str = "label") -> Drawing:
    """A small figure with clipped lines, markers, an image and a hatch."""
    with house_style():
        figure = Figure(figsize=(7.2, 2))
        ax = figure.add_axes((0.1, 0.2, 0.8, 0.7))
        ax.plot([0, 1, 2], [0.111111, 3.333333, 2.222222], marker="o")
        ax.fill_between([0, 1], [0, 0], [1, 2], hatch="/")
        ax.imshow([[0.0, 1.0], [1.0, 0.0]], interpolation="none", extent=(0, 1, 0, 1))
        ax.set_xlabel(text)
    return Drawing(figure=figure, data=pd.DataFrame(), caption="caption", alt=alt)


def test_it_is_a_bare_well_formed_element() -> None:
    svg = to_svg(drawing(), "fig-1")
    root = ElementTree.fromstring(svg)
    assert root.tag == f"{SVG}svg"
    assert svg.startswith("<svg ")
    assert "<?xml" not in svg
    assert "<!DOCTYPE" not in svg


def test_it_has_a_natural_width_and_scales_by_its_view_box() -> None:
    root = ElementTree.fromstring(to_svg(drawing(), "fig-1"))
    assert root.get("width") == "720"
    assert root.get("height") is None
    assert root.get("viewBox") == "0 0 518.4 144"


def test_the_alternative_text_is_its_accessible_name() -> None:
    alt = "std < 1 & \"x\" > 'y' </title><script>alert(1)</script>"
    svg = to_svg(drawing(alt), "fig-1")
    root = ElementTree.fromstring(svg)
    title = root[0]
    assert root.get("role") == "img"
    assert title.tag == f"{SVG}title"
    assert title.get("id") == root.get("aria-labelledby") == "fig-1-title"
    assert title.text == alt
    assert "<script>" not in svg


def test_every_id_begins_with_the_figures_and_every_reference_has_its_target() -> None:
    svg = to_svg(drawing(), "fig.a_b-1")
    ids = re.findall(r'\bid="([^"]+)"', svg)
    references = re.findall(r'url\(#([^)]+)\)|href="#([^"]+)"', svg)
    assert len(ids) == len(set(ids))
    assert all(name.startswith("fig.a_b-1-") for name in ids)
    assert {a or b for a, b in references} == set(ids) - {"fig.a_b-1-title"}


def test_two_figures_share_no_id() -> None:
    one, two = (re.findall(r'\bid="([^"]+)"', to_svg(drawing(), name)) for name in ("a", "b"))
    assert one
    assert not set(one) & set(two)


def test_no_style_sheet_leaks_into_the_page() -> None:
    svg = to_svg(drawing(), "a")
    assert "<style" not in svg
    assert "style=" not in svg
    assert "class=" not in svg


def test_text_stays_text_in_the_readers_font() -> None:
    svg = to_svg(drawing(text="weight"), "a")
    root = ElementTree.fromstring(svg)
    assert "weight" in [text.text for text in root.iter(f"{SVG}text")]
    assert root.get("font-family") == (
        "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
    )
    assert svg.count("font-family") == 1


@pytest.mark.parametrize("text", ["$x^2$", "<script>\"&'", "a\x07b", "\u732b \uffff"])
def test_strange_text_is_shown_as_it_is(text: str) -> None:
    root = ElementTree.fromstring(to_svg(drawing(text=text), "a"))
    shown = re.sub("[\x07\uffff]", "\ufffd", text)
    assert shown in [element.text for element in root.iter(f"{SVG}text")]


def test_numbers_have_at_most_two_decimals_except_in_the_matrix_of_an_image() -> None:
    svg = to_svg(drawing(), "a")
    svg = re.sub(r'transform="matrix[^"]*"|href="data:[^"]*"', "", svg)
    assert not re.search(r"\.\d{3}", svg)


def test_paths_keep_their_points() -> None:
    points = [(0.1, 0.1), (33.337, 4.004), (33.337, 7.5), (0.004, 100.0), (250.55, 3.2)]
    figure = Figure(figsize=(7.2, 2), dpi=72)
    figure.add_artist(PathPatch(Path(points), facecolor="none", edgecolor="red", transform=None))
    svg = to_svg(Drawing(figure=figure, data=pd.DataFrame(), caption="", alt="alt"), "a")
    (path,) = re.findall(r'd="([^"]+)"[^>]*#ff0000', svg)
    start, steps = path.removeprefix("M").split("l")
    numbers = [float(n) for n in re.findall(r"-?\d*\.?\d+", start)]
    offsets = [float(n) for n in re.findall(r"-?\d*\.?\d+", steps)]
    for dx, dy in zip(offsets[::2], offsets[1::2], strict=True):
        numbers += [numbers[-2] + dx, numbers[-1] + dy]
    expected = [value for x, y in points for value in (x, 144 - y)]
    assert numbers == pytest.approx(expected, abs=0.00501)


def test_what_a_mark_is_of_stands_on_its_group() -> None:
    figure = Figure(figsize=(7.2, 2))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.plot([0, 1], [0, 1], color="#123456", **mark(arm='"<&', seed=3))
    root = ElementTree.fromstring(
        to_svg(Drawing(figure=figure, data=pd.DataFrame(), caption="", alt="alt"), "a")
    )
    (group,) = [group for group in root.iter(f"{SVG}g") if "data-arm" in group.attrib]
    assert group.get("data-arm") == '"<&'
    assert group.get("data-seed") == "3"
    assert "id" not in group.attrib
    assert [path.get("stroke") or group.get("stroke") for path in group] == ["#123456"]


def test_a_marker_has_the_look_of_the_element_that_uses_it() -> None:
    root = ElementTree.fromstring(to_svg(drawing(), "a"))
    markers = root.findall(f".//{SVG}defs/{SVG}path")
    assert markers
    assert all(set(marker.attrib) == {"id", "d"} for marker in markers)
    for use in root.iter(f"{SVG}use"):
        group = next(group for group in root.iter() if use in group)
        assert "stroke" in use.attrib or "stroke" in group.attrib


def test_what_a_page_needs_to_read_and_to_move_it_travels_with_the_picture() -> None:
    still = drawing(text="</metadata>")
    moving = replace(still, frames={"epoch": 3}, last=5, cells={"name": "value"})
    for one, names in ((still, {"panels"}), (moving, {"panels", "frames", "last", "cells"})):
        (found,) = ElementTree.fromstring(to_svg(one, "a")).iter(f"{SVG}metadata")
        known = json.loads(found.text or "")
        assert set(known) == names
        assert known["panels"][0]["x"]["name"] == "</metadata>"
        assert known.get("frames") == one.frames
        assert known.get("cells") == one.cells


def test_the_name_of_an_axis_is_as_small_as_it_must_be_to_fit() -> None:
    long = "name " * 40 + "name"
    sizes = {}
    for text in ("label", long):
        one = drawing(text=text)
        root = ElementTree.fromstring(to_svg(one, "a"))
        (name,) = (name for name in root.iter(f"{SVG}text") if name.text == text)
        sizes[text] = float((name.get("font-size") or "").removesuffix("px"))
    assert sizes["label"] == 9
    room = one.figure.axes[0].get_position().width * WIDTH + 0.25
    assert text_width(long, sizes[long]) == pytest.approx(room, rel=0.01)


def test_the_same_figure_gives_the_same_bytes_every_time() -> None:
    once = drawing()
    assert to_svg(once, "a") == to_svg(once, "a") == to_svg(drawing(), "a")


@pytest.mark.parametrize("figure_id", ["", "1a", "a b", 'a"', "a)", "\u00e9", "a\n"])
def test_a_figure_id_that_is_no_name_is_refused(figure_id: str) -> None:
    with pytest.raises(ValueError, match="figure_id must be an ASCII letter"):
        to_svg(drawing(), figure_id)
