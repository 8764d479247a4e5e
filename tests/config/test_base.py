"""Groups of settings: frozen, strict about keys, and plain about what is wrong."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Literal

import pytest
from pydantic import Field

from normreport.config.base import Count, LayerName, Name, Seed, Settings, parse, validate
from normreport.errors import ConfigError


class Inner(Settings):
    """A group in a group."""

    colour: Literal["red", "green", "blue or black"] = "red"
    width: Annotated[float, Field(gt=0, le=10)] = 1.0


class Outer(Settings):
    """A group with one of everything."""

    count: Count
    seed: Seed = 0
    name: Name = "a"
    inner: Inner = Inner()
    maybe: Inner | None = None
    by_name: Mapping[Name, Inner] = {}
    layers: tuple[LayerName, ...] = ()


def _message(values: object) -> str:
    with pytest.raises(ConfigError) as caught:
        validate(Outer, values, where="here")
    return str(caught.value)


def test_right_values_make_a_group_with_its_defaults() -> None:
    found = validate(Outer, {"count": 3, "layers": ["a.0"]}, where="here")
    assert found == Outer(count=3, layers=("a.0",))
    assert (found.seed, found.inner.colour) == (0, "red")


def test_a_group_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Outer(count=1).count = 2  # type: ignore[misc]


def test_json_makes_the_same_group_as_values() -> None:
    text = '{"count": 3, "inner": {"width": 0.5}}'
    assert parse(Outer, text, where="here") == Outer(count=3, inner=Inner(width=0.5))


@pytest.mark.parametrize("text", ["", "{", "count: 3", "{'count': 3}"])
def test_text_that_is_no_json_is_shown(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, text, where="draw --settings")
    assert str(caught.value).startswith(f"draw --settings: expected JSON, found {text!r} (")


def test_a_long_text_that_is_no_json_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Outer, "x" * 5000, where="here")
    assert len(str(caught.value)) < 200


def test_a_group_survives_the_way_through_json() -> None:
    group = Outer(count=7, inner=Inner(width=1 / 3), by_name={"a": Inner(width=0.1)})
    assert parse(Outer, group.model_dump_json(), where="here") == group


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"count": 1, "cuont": 1}, "cuont: unknown key. Did you mean 'count'? "),
        (
            {"count": 1, "inner": {"color": 1}},
            "inner.color: unknown key. Did you mean 'col",
        ),
        (
            {"count": 1, "maybe": {"withd": 1}},
            "maybe.withd: unknown key. Did you mean 'wid",
        ),
        (
            {"count": 1, "by_name": {"x": {"widht": 1}}},
            "by_name.x.widht: unknown key. Did",
        ),
        ({}, "count: missing, expected a value"),
        ({"count": 0}, "count: expected greater than or equal to 1, found 0."),
        ({"count": 1, "seed": 2**32}, f"seed: expected less than {2**32}, found {2**32}."),
        (
            {"count": 1, "inner": {"width": math.inf}},
            "inner.width: expected a finite number, found",
        ),
        (
            {"count": 1, "inner": {"width": math.nan}},
            "inner.width: expected a finite number, found",
        ),
        ({"count": 1, "inner": None}, "inner: expected "),
        ({"count": 1, "name": "a/b"}, "name: expected "),
        ({"count": 1, "layers": ["a b"]}, "layers.0: expected "),
    ],
)
def test_a_wrong_value_is_one_line_that_names_its_key(values: object, line: str) -> None:
    head, *lines = _message(values).splitlines()
    assert head == "here: 1 invalid value; correct it and run again"
    assert len(lines) == 1
    assert lines[0].startswith(f"  {line}")


def test_every_known_key_of_the_group_is_listed() -> None:
    message = _message({"count": 1, "inner": {"zzz": 1}})
    assert message.endswith("inner.zzz: unknown key. Known: colour, width.")


@pytest.mark.parametrize("value", ["gren", "Green", ["green"]])
def test_a_choice_that_is_nearly_right_is_answered_with_the_nearest(value: object) -> None:
    message = _message({"count": 1, "inner": {"colour": value}})
    assert "inner.colour: expected 'red', 'green' or 'blue or black', found" in message
    assert message.endswith("Did you mean 'green'?")


def test_a_choice_unlike_all_others_gets_no_guess() -> None:
    assert "Did you mean" not in _message({"count": 1, "inner": {"colour": "zzz"}})


@pytest.mark.parametrize("value", [{"a": [1, 2, 3]}, list(range(1000)), object(), b"\xff"])
def test_a_value_of_any_kind_can_be_told(value: object) -> None:
    message = _message({"count": value})
    assert "count: expected a valid integer" in message
    assert len(message) < 250


def test_a_short_value_is_told_whole() -> None:
    assert _message({"count": [1]}).endswith('found "[1]".')


def test_a_number_that_python_does_not_print_is_found_in_words() -> None:
    for value in (16**5000, [16**5000]):
        message = _message({"count": 1, "inner": value})
        assert (
            'inner: expected keys and values, found "a number with thousands of digits"' in message
        )
