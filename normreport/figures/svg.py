"""The SVG of a drawing, as the report embeds it."""

import io
import json
import re
import warnings
from collections.abc import Mapping
from copy import copy
from typing import Any
from xml.etree import ElementTree

from matplotlib.figure import Figure

from normreport.figures.drawing import Drawing
from normreport.figures.interactivity import panels
from normreport.figures.style import FONTS, WIDTH, fitting, house_style

_BESIDE_LABEL = 0.25  # inches: how much longer than its axis a label may be
NATURAL_WIDTH = 720  # CSS pixels; a page may shrink it
MOST_BYTES = 200_000  # with the curves of every epoch

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_FIGURE_ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
_URL = re.compile(r"(?<=url\(#)[^)]+(?=\))")
_REFERENCES = {"clip-path": _URL, "fill": _URL, "href": re.compile(r"(?<=^#).+")}
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
_PATH_COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")
# XML 1.0 cannot hold these characters, not even escaped. The name of a class may contain them.
_ILLEGAL_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_NUMERIC = {"x", "y", "width", "height", "transform", "font-size", "opacity", "fill-opacity"} | {
    f"stroke-{name}" for name in ("opacity", "width", "dasharray", "dashoffset")
}
_ROOT_STYLE = {"stroke-linejoin": "round", "font-family": FONTS}
_DEFAULTS = {**_ROOT_STYLE, "stroke-dashoffset": "0", "text-anchor": "start", "opacity": "1"}
_INHERITED = ("fill", "stroke", "stroke-width", "clip-path")


def to_svg(drawing: Drawing, figure_id: str) -> str:
    """Write a drawing as one `<svg>` element to be placed inside an HTML page.

    The same drawing and id give the same bytes. Every id starts with `figure_id`, so many figures
    can share a page. Colours, widths and fonts are presentation attributes: the element
    has no style sheet that could leak into the page, and the page's own style sheet overrides it
    (``svg [fill="#1f1f1f"] {fill: #e4e8ee}`` is part of a dark theme). The labels of `style.mark`
    become ``data-arm``, ``data-seed`` and so on, on the group of the mark. From `<metadata>`, the
    page computes the values of marks from their positions. Without the curves of other epochs if
    these would take the element beyond `MOST_BYTES`. The `<title>` holds the whole alt text,
    because WeasyPrint reads it only there.

    Parameters
    ----------
    drawing : Drawing
        The drawing.
    figure_id : str
        An ASCII letter, then letters, digits, dots, hyphens or underscores; unique in its page.

    Returns
    -------
    str
        The element, without XML prolog and document type, ending in a newline.

    Raises
    ------
    ValueError
        If `figure_id` is not such a name.
    """
    if not _FIGURE_ID.fullmatch(figure_id):
        raise ValueError(
            "figure_id must be an ASCII letter followed by letters, digits, '.', '-' or '_', "
            f"got {figure_id!r}"
        )
    root = ElementTree.fromstring(_matplotlib_svg(drawing.figure))
    _remove_style_sheet(root)
    for element in root.iter():
        _compact(element)
    _bare_markers(root)
    _name_marks(root)
    _rename_ids(root, figure_id)
    _unwrap_bare_groups(root)
    _lift_common_attributes(root)
    title = ElementTree.Element("title", id=f"{figure_id}-title")
    title.text = _legal(drawing.alt)
    root.insert(0, title)
    known = {
        "panels": panels(drawing.figure),
        "frames": drawing.frames,
        "last": drawing.last,
        "cells": drawing.cells,
    }
    root.attrib = {
        "xmlns": "http://www.w3.org/2000/svg",
        "role": "img",
        "aria-labelledby": f"{figure_id}-title",
        "width": str(NATURAL_WIDTH),
        "viewBox": root.attrib["viewBox"],
        **_ROOT_STYLE,
    }
    text = _with_metadata(root, known)
    return (
        text if len(text.encode()) <= MOST_BYTES else _with_metadata(root, known | {"frames": None})
    )


def _with_metadata(root: ElementTree.Element, known: Mapping[str, Any]) -> str:
    """Write a picture with what the page needs to know about it."""
    picture = copy(root)
    if stated := {name: value for name, value in known.items() if value}:
        metadata = ElementTree.SubElement(picture, "metadata")
        metadata.text = _legal(json.dumps(stated, ensure_ascii=False, separators=(",", ":")))
    return ElementTree.tostring(picture, encoding="unicode") + "\n"


def _legal(text: str) -> str:
    return _ILLEGAL_XML.sub("\ufffd", text)


def _matplotlib_svg(figure: Figure) -> str:
    """Return the SVG document of matplotlib, without date and version."""
    _fit_labels(figure)
    buffer = io.StringIO()
    with house_style(), warnings.catch_warnings():
        # The reader's browser chooses the font, so glyphs that this machine lacks do not matter.
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from font")
        moment = dict.fromkeys(("Date", "Creator", "Format", "Type"))
        figure.savefig(buffer, format="svg", metadata=moment)
    return _legal(buffer.getvalue())


def _fit_labels(figure: Figure) -> None:
    """Shrink axis labels that are too long for their axis, as translations may be."""
    for ax in figure.axes:
        box = ax.get_position()
        for text, share, length in (
            (ax.xaxis.label, box.width, WIDTH),
            (ax.yaxis.label, box.height, figure.get_figheight()),
        ):
            room = share * length + _BESIDE_LABEL
            text.set_fontsize(fitting(text.get_text(), float(text.get_fontsize()), room))


def _remove_style_sheet(root: ElementTree.Element) -> None:
    """Drop matplotlib's `* {...}`, which would apply to the whole page around the figure."""
    for definitions in root.findall(f"{_SVG}defs"):
        if definitions.find(f"{_SVG}style") is not None:
            root.remove(definitions)


def _compact(element: ElementTree.Element) -> None:
    """Turn `style` into attributes, round numbers, and drop defaults and indentation."""
    element.tag = element.tag.removeprefix(_SVG)
    element.tail = None
    if element.tag != "text":
        element.text = None
    attributes = dict(element.attrib)
    for declaration in attributes.pop("style", "").split(";"):
        name, colon, value = declaration.partition(":")
        if colon:
            attributes[name.strip()] = value.strip()
    attributes.pop("font-family", None)  # the root has it
    if _HREF in attributes:
        attributes["href"] = attributes.pop(_HREF).replace("\n", "")
    if "d" in attributes:
        attributes["d"] = _compact_path(attributes["d"])
    for name in _NUMERIC & attributes.keys():
        # A rounded matrix would move the far edge of an image by several points.
        if not attributes[name].startswith("matrix"):
            attributes[name] = _NUMBER.sub(lambda n: _decimal(_hundredths(n[0])), attributes[name])
    if attributes.get("transform", "").startswith("rotate(0 "):
        del attributes["transform"]
    element.attrib = {
        name: value for name, value in attributes.items() if _DEFAULTS.get(name) != value
    }


def _hundredths(number: str) -> int:
    return round(float(number) * 100)


def _decimal(hundredths: int) -> str:
    """Write hundredths as the shortest decimal number: 1250 as 12.5, -5 as -.05."""
    text = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _join(hundredths: list[int]) -> str:
    return " ".join(map(_decimal, hundredths)).replace(" -", "-")


def _compact_path(path: str) -> str:
    """Write lines as relative steps, which take half the bytes; integers prevent a drift."""
    text = ""
    previous = ""
    here = [0, 0]
    for command, arguments in _PATH_COMMAND.findall(path):
        point = [_hundredths(number) for number in arguments.split()]
        if command == "L":
            step = _join([point[0] - here[0], point[1] - here[1]])
            if previous != "L":
                text += "l"
            elif not step.startswith("-"):
                text += " "
            text += step
        else:
            text += command + _join(point)
        here = point[-2:] or here
        previous = command
    return text


def _bare_markers(root: ElementTree.Element) -> None:
    """Drop the look of the marker definitions, whose copies the page's style sheet cannot reach."""
    for marker in root.iterfind(".//defs/path"):
        marker.attrib = {name: marker.attrib[name] for name in ("id", "d") if name in marker.attrib}


def _name_marks(root: ElementTree.Element) -> None:
    """Turn the labels of `style.mark` into attributes."""
    for group in root.iter("g"):
        if group.get("id", "").startswith("{"):
            of = json.loads(group.attrib.pop("id"))
            group.attrib |= {f"data-{name}": value for name, value in of.items()}


def _rename_ids(root: ElementTree.Element, figure_id: str) -> None:
    """Rename the ids that are referred to, to numbers after the figure's id; drop all others."""
    used: dict[str, str] = {}
    for element in root.iter():
        for name, reference in _REFERENCES.items():
            for old in reference.findall(element.get(name, "")):
                used.setdefault(old, f"{figure_id}-{len(used) + 1}")
    defined: set[str] = set()
    for element in root.iter():
        for name, reference in _REFERENCES.items():
            if name in element.attrib:
                element.set(name, reference.sub(lambda old: used[old[0]], element.attrib[name]))
        old_id = element.attrib.pop("id", None)
        if old_id in used and old_id not in defined:
            defined.add(old_id)
            element.set("id", used[old_id])


def _unwrap_bare_groups(element: ElementTree.Element) -> None:
    """Replace every group without attributes by its children."""
    children: list[ElementTree.Element] = []
    for child in element:
        _unwrap_bare_groups(child)
        if child.tag == "g" and not child.attrib:
            children.extend(child)
        else:
            children.append(child)
    element[:] = children


def _lift_common_attributes(root: ElementTree.Element) -> None:
    """Move an attribute that all marks of a group share to the group."""
    for group in root.iter("g"):
        for name in _INHERITED:
            values = {child.get(name) for child in group}
            if len(values) == 1 and None not in values and name not in group.attrib:
                group.set(name, values.pop() or "")
                for child in group:
                    del child.attrib[name]
