"""What a record holds, and how it is found in a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from normreport.cli import STAGES
from normreport.config.results import ContrastResult, PlaceResult, Results
from normreport.errors import StorageError
from normreport.provenance.record import (
    FLOW,
    OPENING,
    PACKAGES,
    Record,
    case_name,
    folders_digest,
    read_embedded_record,
    read_page,
    record_claim,
    versions,
)
from tests.articles import record_of, results_of
from tests.claims.studies import study


def test_the_flow_is_that_of_the_stages() -> None:
    assert [stage for stage in STAGES if stage in FLOW] == list(FLOW)
    assert set(PACKAGES.values()) <= set(FLOW)


def test_every_dependency_that_can_change_a_page_has_its_version(root: Path) -> None:
    import tomllib

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    needed = {text.split(">")[0].split("=")[0] for text in project["dependencies"]}
    # YAML is read before anything is recorded; a terminal and the PDF are not the page.
    assert needed - {"pyyaml", "rich", "weasyprint"} == set(PACKAGES)
    assert set(versions()) == {"python", *PACKAGES}


def test_a_summary_holds_every_verdict_and_every_effect() -> None:
    for claim in Results.model_validate(results_of(study())).claims:
        recorded = record_claim(claim)
        assert recorded.verdict == claim.verdict
        assert len(recorded.cases) == len(claim.cases), "two cases have the same name"
        for case in claim.cases:
            kept = recorded.cases[case_name(case.place)]
            assert kept.verdict == case.verdict
            assert kept.mean == (case.effect.mean if case.effect else None)


def test_a_case_without_a_place_has_no_name() -> None:
    assert case_name(None) == ""
    contrast = ContrastResult(arms=["raw", "unit"], label="raw - unit")
    place = PlaceResult(models=["vgg16"], starts=[], layers=["features.0"], contrast=contrast)
    assert case_name(place) == "vgg16, features.0, raw - unit"
    both = place.model_copy(update={"starts": ["scratch", "pretrained"]})
    assert case_name(both) == "vgg16, scratch - pretrained, features.0, raw - unit"


def test_the_digest_of_a_folder_is_of_names_and_bytes_and_not_of_the_place(tmp_path: Path) -> None:
    def write(folder: str, **texts: str) -> str:
        for name, text in texts.items():
            path = tmp_path / folder / "deep" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return folders_digest(tmp_path / folder)

    first = write("one", a="1", b="2")
    assert write("two", b="2", a="1") == first
    assert len({first, write("three", a="2", b="1"), write("four", a="1", c="2")}) == 3


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<html></html>", r"index\.html: contains no record of a report"),
        (OPENING + "{</script>", r"index\.html: its record is damaged"),
        (OPENING + "[]</script>", r"index\.html: contains no record"),
        (OPENING + '{"schema_version": 99}</script>', r"is of version 99, expected 2"),
        (
            OPENING + '{"schema_version": 2}</script>',
            r"(?s)record is damaged\. .*\n  claims: missing",
        ),
    ],
)
def test_a_page_without_a_record_that_is_known_is_named(
    tmp_path: Path, page: str, message: str
) -> None:
    (tmp_path / "index.html").write_text(page)
    with pytest.raises(StorageError, match=message):
        read_page(tmp_path)


def test_a_report_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"gone\.html: could not be read"):
        read_page(tmp_path / "gone.html")


def test_a_page_may_be_given_as_its_file_or_its_folder(tmp_path: Path) -> None:
    record = Record.model_validate(record_of())
    page = f"<p>{OPENING}{record.model_dump_json()}</script>"
    (tmp_path / "index.html").write_text(page)
    assert read_page(tmp_path) == read_page(tmp_path / "index.html") == (page, record)
    assert read_embedded_record(page, where="here") == record


def test_the_record_of_a_report_with_several_pages_lies_beside_them(tmp_path: Path) -> None:
    record = Record.model_validate(record_of())
    (tmp_path / "index.html").write_text("<p>")
    (tmp_path / "provenance.json").write_text(record.model_dump_json())
    assert read_page(tmp_path) == read_page(tmp_path / "index.html") == ("<p>", record)
    (tmp_path / "provenance.json").unlink()
    with pytest.raises(StorageError, match="no record of a report"):
        read_page(tmp_path)
