"""Messages name what would have been right."""

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
def test_every_error_of_a_user_is_caught_as_one_kind(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.NormreportError)


def test_a_bug_is_not_an_error_of_a_user() -> None:
    for bug in (ValueError, OSError, KeyError, ModuleNotFoundError):
        assert not issubclass(bug, errors.NormreportError)


def test_a_slip_of_the_pen_is_answered_with_the_nearest_name() -> None:
    hint = errors.nearest("vgg61", ["resnet18", "vgg16", "mobilenet_v2"])
    assert hint == "Did you mean 'vgg16'? Known: mobilenet_v2, resnet18, vgg16."


def test_a_name_unlike_all_others_gets_only_the_list() -> None:
    assert errors.nearest("zzz", {"b": 1, "a": 2}) == "Known: a, b."


def test_a_long_list_is_cut_and_its_length_told() -> None:
    hint = errors.nearest("?", [f"m{i:02}" for i in range(13)])
    assert hint.endswith("m10, m11, ... (13 in all).")
    assert "m12" not in hint


def test_twelve_names_are_listed_whole() -> None:
    assert "..." not in errors.nearest("?", [f"m{i:02}" for i in range(12)])


@pytest.mark.parametrize("name", [None, 7, True, ["vgg16"]])
def test_a_name_that_is_no_text_gets_an_answer_too(name: object) -> None:
    assert errors.nearest(name, ["raw"]).endswith("Known: raw.")
