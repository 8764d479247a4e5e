"""Numbers in sentences."""

import pytest

from normreport.text.formatting import (
    format_change,
    format_compact,
    format_extremes,
    format_integer,
    format_number,
    format_percent,
    join_with_and,
    join_with_or,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0589, "0.0589"),
        (0.05, "0.0500"),
        (-2.1179, "\u22122.12"),
        (255.0, "255"),
        (1728.0, "1,730"),
        (12345.678, "12,300"),
        (99.96, "100"),
        (0.0, "0"),
        (0.00010004, "0.000100"),
        (1.5e-7, "1.50 \u00d7 10\u207b\u2077"),
        (-3e8, "\u22123.00 \u00d7 10\u2078"),
        (999_999.9, "1.00 \u00d7 10\u2076"),
        (None, "not available"),
    ],
)
def test_a_number_has_three_significant_digits_and_a_true_minus_sign(
    value: float | None, text: str
) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.5, "0.5"),
        (100.0, "100"),
        (12_300.0, "12,300"),
        (1e6, "10\u2076"),
        (-2.5, "\u22122.5"),
    ],
)
def test_a_compact_number_has_no_trailing_zeros(value: float, text: str) -> None:
    assert format_compact(value) == text


def test_shares_are_written_in_percent() -> None:
    assert [format_percent(0.01234), format_percent(1.0), format_percent(None)] == [
        "1.2%",
        "100%",
        "not available",
    ]


def test_a_change_carries_its_sign() -> None:
    assert [format_change(0.012), format_change(-0.0034), format_change(0.0)] == [
        "+1.2%",
        "\u22120.34%",
        "0%",
    ]


def test_whole_numbers_have_separators() -> None:
    assert [format_integer(1234567), format_integer(-1234.5)] == ["1,234,567", "\u22121,234"]


def test_words_are_joined_as_a_sentence_does() -> None:
    assert [
        join_with_and([]),
        join_with_and(["a"]),
        join_with_and(["a", "b"]),
        join_with_and(["a", "b", "c"]),
    ] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert join_with_or(["a", "b", "c"]) == "a, b or c"


def test_extremes_name_where_they_are() -> None:
    assert format_extremes({"a": 2.0, "b": 1.0, "c": 3.0}) == "1.00 (b) to 3.00 (c)"
    assert format_extremes({"a": 2.0}) == "2.00 (a)"
    assert format_extremes({"a": 2.0001, "b": 2.0}) == "all 2.00"
