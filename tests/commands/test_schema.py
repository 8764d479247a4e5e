"""The printed schema."""

from __future__ import annotations

import json

import pytest

from normreport.cli import main
from normreport.config.experiment import schema


def test_what_is_printed_is_the_schema_with_sorted_keys(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["schema"]) == 0
    text = capsys.readouterr().out
    assert json.loads(text) == schema()
    keys = list(json.loads(text))
    assert keys == sorted(keys)
    assert text.endswith("}\n")


def test_the_schema_is_the_same_text_every_time(capsys: pytest.CaptureFixture[str]) -> None:
    main(["schema"])
    first = capsys.readouterr().out
    main(["schema"])
    assert capsys.readouterr().out == first
