"""Compare a page and its tables with those that the results give.

The page is compared with a page rendered from the results, part by part: the drawing and the
caption of each figure, and the prose of each section or claim. Every difference gets a place and
an amount.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from html.parser import HTMLParser
from itertools import takewhile

import pandas as pd

from normreport.provenance.differences import largest_difference, relative_difference
from normreport.text.formatting import SUPERSCRIPTS

# Numbers as the article's filters and the drawings write them.
NUMBER = re.compile(r"[-−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?(?: × 10[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)?")
TAG = re.compile(r"<[^>]*>")
DIGITS = str.maketrans({value: chr(key) for key, value in SUPERSCRIPTS.items()})
# Elements without an end tag.
VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "wbr"})
EXCERPT = 60


@dataclass(frozen=True)
class PagePart:
    """A part of a page: its kind, and the id of the element that contains it."""

    kind: str
    place: str


# What the text within an element is. The first of them that is open decides.
KINDS = {
    "svg": "drawing", "details": "fold-out", "figcaption": "caption", "script": "record",
    "style": "style",
}  # fmt: skip


class _PartsParser(HTMLParser):
    """Collect the text of each part with its tags."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        # The tag, the name of the part and the kind of each open element.
        self.open: list[tuple[str, str, str | None]] = []
        self.texts: dict[PagePart, str] = {}

    def _add(self, text: str) -> None:
        kinds = {kind for _, _, kind in self.open}
        kind = next((kind for kind in KINDS.values() if kind in kinds), "prose")
        place = next((name for _, name, _ in reversed(self.open) if name), "page")
        part = PagePart(kind, place)
        self.texts[part] = self.texts.get(part, "") + text

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            # Ids within a drawing belong to the drawing.
            inside = tag == "svg" or any(opened == "svg" for opened, _, _ in self.open)
            values = dict(attrs)
            name = "" if inside else values.get("id") or ""
            # The supplement folds whole parts, which stay prose.
            kind = None if values.get("class") == "fold" else KINDS.get(tag)
            self.open.append((tag, name, kind))
        self._add(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._add(self.get_starttag_text() or "")

    def handle_endtag(self, tag: str) -> None:
        self._add(f"</{tag}>")
        if tag in {opened for opened, _, _ in self.open}:
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


def split_page(page: str) -> dict[PagePart, str]:
    """Split a page: drawing, caption and fold-out of each figure, prose of each section."""
    parser = _PartsParser()
    parser.feed(page)
    parser.close()
    return parser.texts


def compare_pages(page: str, expected: str) -> dict[PagePart, str]:
    """Describe for each part of a page how it differs from the expected page.

    Returns
    -------
    dict of str
        Empty if both pages have the same bytes.
    """
    if page == expected:
        return {}
    actual_parts, expected_parts = split_page(page), split_page(expected)
    differences = {}
    for part in dict.fromkeys([*expected_parts, *actual_parts]):
        a, b = actual_parts.get(part, ""), expected_parts.get(part, "")
        if a != b:
            differences[part] = describe_difference(a, b)
    return differences or {PagePart("prose", "page"): "differs only in its markup"}


def describe_difference(actual: str, expected: str) -> str:
    """Describe how a text differs from the expected one, and by how much its numbers differ."""
    if NUMBER.sub("0", actual) != NUMBER.sub("0", expected):
        return _quote_difference(actual, expected)
    pairs = [
        (a, b)
        for a, b in zip(NUMBER.findall(actual), NUMBER.findall(expected), strict=True)
        if a != b
    ]
    most = largest_difference(
        relative_difference(_parse_number(a), _parse_number(b)) for a, b in pairs
    )
    first = f"{pairs[0][0]} instead of {pairs[0][1]}"
    amount = f"{most:.2g} relative"
    if len(pairs) == 1:
        return f"{first} ({amount})"
    return f"{len(pairs)} numbers, by at most {amount}; the first: {first}"


def _parse_number(number: str) -> float:
    mantissa, _, exponent = number.replace(",", "").replace("−", "-").partition(" × 10")
    return float(mantissa) * 10.0 ** int(exponent.translate(DIGITS) or 0)


def _quote_difference(actual: str, expected: str) -> str:
    """Quote the words between the first and the last difference of two texts."""
    a, b = (TAG.sub(" ", text).split() for text in (actual, expected))
    if a == b:  # only tags differ: quote them
        a, b = actual.split(), expected.split()
    if a == b:
        return "differs only in spaces"
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
    ends = zip(reversed(a[start:]), reversed(b[start:]), strict=False)
    end = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], ends))
    quoted = [" ".join(words[start : len(words) - end]) for words in (a, b)]
    short = [text if len(text) <= EXCERPT else text[:EXCERPT] + "…" for text in quoted]
    return f"“{short[0]}” instead of “{short[1]}”"


def compare_tables(old: pd.DataFrame, new: pd.DataFrame) -> dict[str, str]:
    """Describe in which columns two tables differ, and by how much at most.

    Returns
    -------
    dict of str
        By column: ``3 of 36 values, by at most 1.2e-07``. Tables of different shapes give one
        entry, ``shape``.
    """
    if list(old.columns) != list(new.columns) or len(old) != len(new):
        shapes = [f"{len(t)} rows of {', '.join(map(str, t.columns))}" for t in (old, new)]
        return {"shape": f"{shapes[0]}; {shapes[1]}"} if shapes[0] != shapes[1] else {}
    differences = {}
    for column in old.columns:
        pairs = [
            (a, b)
            for a, b in zip(old[column].tolist(), new[column].tolist(), strict=True)
            if a != b and not (pd.isna(a) and pd.isna(b))
        ]
        if pairs:
            most = largest_difference(relative_difference(a, b) for a, b in pairs)
            amount = f", by at most {most:.2g}" if math.isfinite(most) else ""
            differences[str(column)] = f"{len(pairs)} of {len(old)} values{amount}"
    return differences
