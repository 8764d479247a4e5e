"""Two reports: what differs and what explains it, as text and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from normreport.cli import main
from normreport.provenance.record import EMBEDDED, OPENING, read_embedded_record
from tests.reports import FIGURES, REVISION, RUNS, write_report

Change = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory, default_values: dict[str, Any]) -> Path:
    return write_report(tmp_path_factory.mktemp("old"), default_values)


@pytest.fixture
def new(tmp_path: Path, changed: Change) -> Path:
    """Give the page of a report with another learning rate, and all that comes of it."""
    return write_report(
        tmp_path / "new",
        changed({"models.vgg16.learning_rate": 0.5}),
        rows={RUNS[0]: {"train_loss": 0.5}},
        digests={RUNS[0]: {"final_weights": "f" * 64}},
        figures={FIGURES[0]: {"caption": "Another.", "made_from": {"inputs": "f" * 64}}},
        displacement={"pretrained": 0.3, "scratch": 0.1},
    )


def test_a_report_and_itself_are_identical(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(old), str(old.parent)]) == 0
    assert capsys.readouterr().out.startswith("identical: ")


def test_reports_of_two_commits_with_the_same_results_are_identical(
    old: Path, tmp_path: Path, default_values: dict[str, Any]
) -> None:
    other = write_report(tmp_path, default_values, revision=REVISION | {"commit": "f" * 40})
    assert old.read_bytes() != other.read_bytes()
    assert main(["diff", str(old), str(other)]) == 0


def test_two_pages_alone_tell_what_differs_and_why(
    old: Path, new: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = [tmp_path / "a.html", tmp_path / "b.html"]
    for copy, page in zip(alone, (old, new), strict=True):
        copy.write_bytes(page.read_bytes())
    assert main(["diff", *map(str, alone)]) == 1
    text = capsys.readouterr().out
    why = "[explained by: config models.vgg16.learning_rate]"
    for line in (
        "Inputs: 1 differs",
        "  config models.vgg16.learning_rate: 0.0001 → 0.5",
        f"  {RUNS[0]}: final weights   {why}",
        f"  {FIGURES[0]}: caption   {why}",
        f"  runs.{RUNS[0]}: 1, by at most 0.5 relative (train_loss: 0.25 → 0.5)",
    ):
        assert line in text.splitlines()
    assert f"  F2: SUPPORTED → REFUTED   {why}" in text
    assert "  P6: SUPPORTED → REFUTED   [likewise]" in text


def test_where_no_input_differs_that_is_said(
    old: Path,
    tmp_path: Path,
    default_values: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
) -> None:
    other = write_report(tmp_path, default_values, digests={RUNS[0]: {"final_weights": "f" * 64}})
    assert main(["diff", str(old), str(other)]) == 1
    text = capsys.readouterr().out
    assert "No recorded input differs" in text
    assert f"  {RUNS[0]}: final weights   [explained by: no recorded input]" in text


def test_everything_is_told_as_json(
    old: Path, new: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(old), str(new), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    (cause,) = found["causes"]
    assert cause == {
        "kind": "config", "name": "models.vgg16.learning_rate", "stage": "train_run",
        "old": 0.0001, "new": 0.5,
    }  # fmt: skip
    assert [run["name"] for run in found["runs"]] == [RUNS[0]]
    assert [figure["what"] for figure in found["figures"]] == ["caption"]
    losses = [number for number in found["numbers"] if number["name"].endswith("train_loss")]
    assert losses == [
        {"name": f"runs.{RUNS[0]}.train_loss", "old": 0.25, "new": 0.5, "relative": 0.5}
    ]


def test_a_file_that_is_no_report_is_a_mistake_of_the_user(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(old), str(tmp_path / "b.html")]) == 2
    assert "b.html: could not be read" in capsys.readouterr().err


def places(value: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Give where each part of a nested value is, the whole left out."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, part in items:
        yield (*place, key)
        if isinstance(part, dict | list):
            yield from places(part, (*place, key))


VALUES: list[Any] = [None, 7, [], {"a": [{}]}]


@pytest.mark.parametrize("value", VALUES)
def test_a_record_that_is_tampered_with_anywhere_is_compared_or_named(
    old: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], value: Any
) -> None:
    page = old.read_text()
    record = read_embedded_record(page, where="old").model_dump(mode="json")
    # Each kind of place once, as a record has hundreds of digests, and each with two of the values.
    kinds = {(*place[:2], len(place), place[-1]): place for place in places(record)}
    half = VALUES.index(value) % 2
    tampered = tmp_path / "tampered.html"
    for *parents, last in list(kinds.values())[half::2]:
        other = deepcopy(record)
        part: Any = other
        for key in parents:
            part = part[key]
        part[last] = value
        block = f"{OPENING}{json.dumps(other)}</script>".replace("\\", "\\\\")
        tampered.write_text(EMBEDDED.sub(block, page))
        status = main(["diff", str(old), str(tampered)])
        out, err = capsys.readouterr()
        if status == 2:
            assert re.search("its record is (damaged|of version)", err)
        else:
            assert status == int(not out.startswith("identical"))
