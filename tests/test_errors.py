"""The error classes, and suggestions of valid names."""

from __future__ import annotations

import pytest

from normreport import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.ConfigError,
        errors.DataError,
        errors.WeightsError,
        errors.StorageError,
        errors.MissingToolError,
    ],
)
def test_all_user_errors_share_a_base_class(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.NormreportError)


def test_other_exceptions_are_not_user_errors() -> None:
    for bug in (ValueError, OSError, KeyError, ModuleNotFoundError):
        assert not issubclass(bug, errors.NormreportError)


def test_a_misspelled_name_gets_a_suggestion() -> None:
    hint = errors.nearest("vgg61", ["resnet18", "vgg16", "mobilenet_v2"])
    assert hint == "Did you mean 'vgg16'? Known: mobilenet_v2, resnet18, vgg16."


def test_a_name_without_a_similar_one_gets_only_the_list() -> None:
    assert errors.nearest("zzz", {"b": 1, "a": 2}) == "Known: a, b."


def test_a_long_list_is_shortened_and_ends_in_its_length() -> None:
    hint = errors.nearest("?", [f"m{i:02}" for i in range(13)])
    assert hint.endswith("m10, m11, ... (13 in all).")
    assert "m12" not in hint


def test_twelve_names_are_all_listed() -> None:
    assert "..." not in errors.nearest("?", [f"m{i:02}" for i in range(12)])


@pytest.mark.parametrize("name", [None, 7, True, ["vgg16"]])
def test_a_name_of_another_type_gets_the_list(name: object) -> None:
    assert errors.nearest(name, ["raw"]).endswith("Known: raw.")


@pytest.mark.parametrize(
    ("error", "line"),
    [(ValueError("bad value\nat line 3"), "bad value"), (MemoryError(), "MemoryError")],
)
def test_first_line_is_the_message_or_the_type_of_an_error(error: Exception, line: str) -> None:
    assert errors.first_line(error) == line
