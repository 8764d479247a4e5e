"""Where two pages or tables differ: the part, the words, the amount."""

from __future__ import annotations

import pandas as pd
import pytest

from normreport.provenance.verification import (
    PagePart,
    compare_pages,
    compare_tables,
    describe_difference,
    split_page,
)
from normreport.text.formatting import format_number, format_percent

PAGE = """<!doctype html>
<html><head><meta charset="utf-8"><style>p { margin: 0 }</style></head><body>
<section id="abstract"><p class="lead">It moved by 1.25%.</p>
<figure id="curves"><svg id="a"><path id="b" d="M 1.5 2"/></svg>
<figcaption>A caption, 3 seeds.<details><summary>Data</summary>digest 1a2b</details></figcaption>
</figure>more</section>
<br><script type="application/json" id="record">{"a": 1}</script></body></html>
"""


def test_a_page_is_taken_apart_into_drawing_caption_and_prose() -> None:
    found = split_page(PAGE)
    assert found[PagePart("drawing", "curves")].startswith('<svg id="a"><path id="b" d="M 1.5 2"/>')
    assert "A caption, 3 seeds." in found[PagePart("caption", "curves")]
    assert "digest 1a2b" in found[PagePart("fold-out", "curves")]
    assert "It moved by 1.25%." in found[PagePart("prose", "abstract")]
    assert "more" in found[PagePart("prose", "abstract")]
    assert '{"a": 1}' in found[PagePart("record", "record")]
    assert "margin" in found[PagePart("style", "page")]


def test_nothing_of_a_page_is_left_out() -> None:
    page = PAGE.replace("<!doctype html>\n", "").replace("\n", "")
    joined = "".join(split_page(page).values())
    assert sorted(joined) == sorted(page)


def test_the_same_page_has_no_difference() -> None:
    assert compare_pages(PAGE, PAGE) == {}


@pytest.mark.parametrize(
    ("change", "kind", "place", "text"),
    [
        (("1.25%", "1.35%"), "prose", "abstract", "1.35 instead of 1.25 (0.074 relative)"),
        (("M 1.5", "M 1.6"), "drawing", "curves", "1.6 instead of 1.5 (0.063 relative)"),
        (("3 seeds", "4 seeds"), "caption", "curves", "4 instead of 3 (0.25 relative)"),
        (("A caption", "No caption"), "caption", "curves", "“No” instead of “A”"),
        (("1a2b", "1c2b"), "fold-out", "curves", "“1c2b” instead of “1a2b”"),
        (("moved", "<b>moved</b>"), "prose", "abstract", "“<b>moved</b>” instead of “moved”"),
        (("by 1", "by  1"), "prose", "abstract", "differs only in spaces"),
        (('"a": 1', '"a": 2'), "record", "record", "2 instead of 1 (0.5 relative)"),
        (
            ("</html>", "</HTML>"), "prose", "page",
            "differs only in its markup",
        ),
    ],
)  # fmt: skip
def test_a_difference_has_a_place_and_an_amount(
    change: tuple[str, str], kind: str, place: str, text: str
) -> None:
    assert compare_pages(PAGE.replace(*change), PAGE) == {PagePart(kind, place): text}


@pytest.mark.parametrize("value", [0.0123, -0.5, 1234.5, 1.234e-7, -2.5e9, 0])
@pytest.mark.parametrize("write", [format_number, format_percent])
def test_numbers_as_the_article_writes_them_are_compared_as_numbers(
    value: float, write: object
) -> None:
    assert callable(write)
    other = 3.0 if value == 0 else 2 * value
    described = describe_difference(f"a {write(other)} b", f"a {write(value)} b")
    amount = 1 if value == 0 else 0.5
    assert float(described.split("(")[1].split(" relative")[0]) == pytest.approx(amount, abs=0.03)


def test_of_many_numbers_the_largest_difference_and_the_first_are_told() -> None:
    assert describe_difference("1.1 2 4", "1 2 8") == (
        "2 numbers, by at most 0.5 relative; the first: 1.1 instead of 1"
    )


def test_long_words_are_cut() -> None:
    described = describe_difference("x" * 500, "y")
    assert described == f"“{'x' * 60}…” instead of “y”"


def test_tables_are_compared_column_by_column() -> None:
    old = pd.DataFrame({"id": ["a", "b"], "x": [1.0, 2.0], "y": [1.0, None]})
    assert compare_tables(old, old.copy()) == {}
    new = pd.DataFrame({"id": ["a", "c"], "x": [1.0, 2.5], "y": [1.0, None]})
    assert compare_tables(old, new) == {
        "id": "1 of 2 values",
        "x": "1 of 2 values, by at most 0.2",
    }
    assert compare_tables(old, old[:1]) == {"shape": "2 rows of id, x, y; 1 rows of id, x, y"}
