"""YAML as people mean it: what else YAML allows is refused in words."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from normreport.config.yaml_files import read_values
from normreport.errors import ConfigError, NormreportError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my.yaml"


def _message(path: Path, text: str) -> str:
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_values(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


def test_the_default_is_read_as_yaml_has_it(root: Path) -> None:
    text = (root / "config.yaml").read_text(encoding="utf-8")
    assert read_values(root / "config.yaml") == yaml.safe_load(text)


def test_standard_input_is_read_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("a: 1\n"))
    assert read_values(Path("-")) == {"a": 1}


def test_aliases_and_merges_are_read_as_usual(path: Path) -> None:
    path.write_text("a: &a {x: 1, y: 2}\nb: *a\nc:\n  <<: *a\n  y: 3\n")
    assert read_values(path) == {
        "a": {"x": 1, "y": 2},
        "b": {"x": 1, "y": 2},
        "c": {"x": 1, "y": 3},
    }


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("a: 1\nb: 2\na: 3\n", "key 'a' is duplicated, in lines 1 and 3"),
        ("a:\n  b: 1\n  'b': 2\n", "key 'b' is duplicated, in lines 2 and 3"),
        ("a: [{b: 1, b: 2}]\n", "key 'b' is duplicated, in lines 1 and 1"),
    ],
)
def test_a_key_that_is_there_twice_is_named_with_its_lines(
    path: Path, text: str, place: str
) -> None:
    assert _message(path, text).startswith(place)


def test_a_file_that_unfolds_to_billions_is_refused_at_once(path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30)]
    assert "expands to 100000 values or more" in _message(path, "\n".join(lines))
    assert "expands to 100000 values or more" in _message(path, "a: &a [*a]\n")
    assert "expands to 100000 values or more" in _message(path, "a: &a {b: {c: *a}}\n")


def test_what_is_nested_without_end_is_refused(path: Path) -> None:
    assert _message(path, "a: " + "[" * 5000).startswith("is nested too deeply to read")
    assert _message(path, "a: " + "{b: " * 5000).startswith("is nested too deeply to read")


def test_a_number_without_end_is_refused(path: Path) -> None:
    assert _message(path, f"a: {'9' * 5000}\n").startswith("is not valid YAML (Exceeds the limit")


@settings(max_examples=60, deadline=None)
@given(text=st.text(st.sampled_from("abc:-[]{}&*!|>?#\"' \n\t%@0123.<~"), max_size=40))
def test_no_text_ends_in_a_traceback(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("any") / "my.yaml"
    path.write_text(text)
    try:
        values = read_values(path)
    except NormreportError as error:
        assert_named = str(error).startswith(f"{path}: ")
    else:
        assert_named = isinstance(values, dict)
    assert assert_named
