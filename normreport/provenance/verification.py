"""Where a page, and the tables beside it, differ from those that results give.

A page is compared with a page that was rendered anew from the results, part by part: the drawing
and the caption of each figure, and the prose of each section or claim, so that a difference has a
place and an amount.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import takewhile

import pandas as pd

from normreport.provenance.differences import largest, relative_difference
from normreport.text.formatting import SUPERSCRIPTS

# As the article's filters write numbers, and as drawings hold them.
NUMBER = re.compile(r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?: × 10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?")
TAG = re.compile(r"<[^>]*>")
DIGITS = str.maketrans({value: chr(key) for key, value in SUPERSCRIPTS.items()})
# These have no end tag.
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
EXCERPT = 60


@dataclass(frozen=True)
class Part:
    """A part of a page: what it is, and the id of the element that it stands in."""

    kind: str
    place: str


class _Parts(HTMLParser):
    """Collects the text of each part, tags included."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self.open: list[tuple[str, str]] = []
        self.found: dict[Part, str] = {}

    def _add(self, text: str) -> None:
        tags = {tag for tag, _ in self.open}
        kinds = {
            "svg": "drawing", "details": "fold-out", "figcaption": "caption", "script": "record",
            "style": "style",
        }  # fmt: skip
        kind = next((kind for tag, kind in kinds.items() if tag in tags), "prose")
        place = next((name for _, name in reversed(self.open) if name), "page")
        part = Part(kind, place)
        self.found[part] = self.found.get(part, "") + text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            # Ids within a drawing are the drawing's own.
            inside = tag == "svg" or any(opened == "svg" for opened, _ in self.open)
            self.open.append((tag, "" if inside else dict(attrs).get("id") or ""))
        self._add(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self._add(f"</{tag}>")
        if tag in {opened for opened, _ in self.open}:
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        self._add(data)

    def handle_entityref(self, name: str) -> None:
        self._add(f"&{name};")

    def handle_charref(self, name: str) -> None:
        self._add(f"&#{name};")

    def handle_comment(self, data: str) -> None:
        self._add(f"<!--{data}-->")


def parts(page: str) -> dict[Part, str]:
    """Take a page apart: drawing, caption and fold-out of each figure, prose of each section."""
    parser = _Parts()
    parser.feed(page)
    parser.close()
    return parser.found


def compare_pages(page: str, expected: str) -> dict[Part, str]:
    """Say for each part of a page in what it differs from the page that is expected.

    Returns
    -------
    dict of str
        Empty if the two pages are the same, byte for byte.
    """
    if page == expected:
        return {}
    ours, theirs = parts(page), parts(expected)
    found = {}
    for part in [*theirs, *(part for part in ours if part not in theirs)]:
        a, b = ours.get(part, ""), theirs.get(part, "")
        if a != b:
            found[part] = describe(a, b)
    return found or {Part("prose", "page"): "differs in its markup only, not in what is read"}


def describe(found: str, expected: str) -> str:
    """Say in what a text differs from the one that is expected, and numbers by how much."""
    if NUMBER.sub("0", found) != NUMBER.sub("0", expected):
        return _words(found, expected)
    pairs = [
        (a, b)
        for a, b in zip(NUMBER.findall(found), NUMBER.findall(expected), strict=True)
        if a != b
    ]
    apart = largest(relative_difference(_value(a), _value(b)) for a, b in pairs)
    first = f"{pairs[0][0]} instead of {pairs[0][1]}"
    amount = f"{apart:.2g} relative"
    if len(pairs) == 1:
        return f"{first} ({amount})"
    return f"{len(pairs)} numbers, by at most {amount}; the first: {first}"


def _value(number: str) -> float:
    mantissa, _, exponent = number.replace(",", "").replace("−", "-").partition(" × 10")
    return float(mantissa) * 10.0 ** int(exponent.translate(DIGITS) or 0)


def _words(found: str, expected: str) -> str:
    """Quote the stretch in which two texts differ, from whole word to whole word."""
    a, b = (TAG.sub(" ", text).split() for text in (found, expected))
    if a == b:  # what is read is the same: quote the tags
        a, b = found.split(), expected.split()
    if a == b:
        return "differs in spaces only"
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    ends = zip(reversed(a[start:]), reversed(b[start:]), strict=False)
    end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    quoted = [" ".join(words[start : len(words) - end]) for words in (a, b)]
    short = [text if len(text) <= EXCERPT else text[:EXCERPT] + "…" for text in quoted]
    return f"“{short[0]}” instead of “{short[1]}”"


def compare_tables(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """Say in which columns two tables differ, and by how much at most.

    Returns
    -------
    dict of str
        By column: ``3 of 36 values, by at most 1.2e-07``. A table of another shape is one entry.
    """
    if list(old.columns) != list(new.columns) or len(old) != len(new):
        shapes = [f"{len(t)} rows of {', '.join(map(str, t.columns))}" for t in (old, new)]
        return {"shape": f"{shapes[0]}; {shapes[1]}"} if shapes[0] != shapes[1] else {}
    found = {}
    for column in old.columns:
        pairs = [
            (a, b)
            for a, b in zip(old[column].tolist(), new[column].tolist(), strict=True)
            if a != b and not (pd.isna(a) and pd.isna(b))
        ]
        if pairs:
            most = largest(relative_difference(a, b) for a, b in pairs)
            amount = f", by at most {most:.2g}" if math.isfinite(most) else ""
            found[str(column)] = f"{len(pairs)} of {len(old)} values{amount}"
    return found
