"""Sources of images: each with its own keys, none with a place in what is printed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from normreport.config.base import parse, validate
from normreport.config.data import DataSettings
from normreport.errors import ConfigError

COUNTS = {"train_images": 2, "heldout_images": 1}
SOURCES: list[Any] = [
    "digits",
    "printed_digits",
    "photographs",
    {"kind": "imagefolder", "path": "/data/flowers", "skip_unreadable": True},
    {"kind": "torchvision", "dataset": "SVHN", "root": "/data", "arguments": {"split": "train"}},
    {"kind": "npz", "path": "/data/x.npz"},
    {"kind": "parquet", "path": "/data/x", "label_column": "what"},
    {"kind": "imagefolder", "path": "/data/x", "train": "learn", "heldout": "check"},
    {"kind": "parquet", "path": "/data/x", "train": "train-*", "heldout": "val-*"},
]


def _settings(source: Any) -> DataSettings:
    return validate(DataSettings, COUNTS | {"source": source}, where="here")


def _line(source: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        _settings(source)
    head, line = str(caught.value).split("\n  ")
    assert head == "here: 1 invalid value; correct it and run again"
    return line


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_survives_the_way_through_json(source: Any) -> None:
    found = _settings(source)
    assert parse(DataSettings, found.model_dump_json(), where="here") == found


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_without_its_place_is_one_that_can_be_printed(source: Any) -> None:
    text = _settings(source).without_place().model_dump_json()
    assert "/" not in text
    assert parse(DataSettings, text, where="here").without_place().model_dump_json() == text


def test_the_place_of_the_root_itself_is_a_name_too() -> None:
    for path in ("/", ".", "./"):
        found = _settings({"kind": "imagefolder", "path": path}).without_place()
        assert json.loads(found.model_dump_json())["source"]["path"] == "."


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (
            "digit",
            "source: expected 'digits', 'printed_digits' or 'photographs', found \"digit\". Did",
        ),
        (None, "source: expected 'digits', 'printed_digits' or 'photographs', found null."),
        (
            {"path": "x"},
            "source: expected digits, printed_digits, photographs, or keys and values with the",
        ),
        (
            {"kind": "folder"},
            "source: expected digits, printed_digits, photographs, or keys and values with",
        ),
        (
            {"kind": ["npz"]},
            "source: expected digits, printed_digits, photographs, or keys and values with",
        ),
        ({"kind": "npz"}, "source.path: missing, expected a value"),
        ({"kind": "npz", "path": ""}, "source.path: expected String should have at least 1 char"),
        (
            {"kind": "npz", "path": "a\0"},
            "source.path: expected a path, found a string with a null",
        ),
        ({"kind": "npz", "path": 3}, "source.path: expected a valid string, found 3."),
        (
            {"kind": "imagefolder", "path": "x", "skip_unreadabel": True},
            "source.skip_unreadabel: unknown key. Did you mean 'skip_unreadable'? Known: "
            "heldout, kind, max_megapixels, path, skip_unreadable, train.",
        ),
        (
            {"kind": "npz", "path": "x", "skip_unreadable": True},
            "source.skip_unreadable: unknown key. Known: kind, path.",
        ),
        (
            {"kind": "imagefolder", "path": "x", "heldout": "val"},
            "source: expected train together with heldout, found only heldout",
        ),
        (
            {"kind": "imagefolder", "path": "x", "train": ".", "heldout": "val"},
            "source: expected heldout images that are not in train ('.'), found 'val'",
        ),
        (
            {"kind": "parquet", "path": "x", "train": "a/b", "heldout": "a"},
            "source: expected heldout images that are not in train ('a/b'), found 'a'",
        ),
        (
            {"kind": "imagefolder", "path": "x", "train": "../y"},
            "source.train: expected a path below that of the source, found '../y'",
        ),
        (
            {"kind": "imagefolder", "path": "x", "skip_unreadable": "perhaps"},
            "source.skip_unreadable: expected a valid boolean",
        ),
    ],
)
def test_a_wrong_source_is_named_with_what_was_expected(source: Any, line: str) -> None:
    assert _line(source).startswith(line)
