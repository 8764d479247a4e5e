"""References as a reader takes them away."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from normreport.report.references import bibtex, link, short

REFERENCES = json.loads(
    (Path(__file__).parents[2] / "templates" / "references.json").read_text(encoding="utf-8")
)
PAPER = {
    "id": "doe2001",
    "type": "article-journal",
    "author": [{"family": "Doe", "given": "Jane"}, {"literal": "others"}],
    "issued": 2001,
    "title": "Of 100% & more",
    "container-title": "Journal",
    "page": "1-9",
    "DOI": "10.1/a_b",
}


def test_an_entry_escapes_what_latex_would_read_but_not_its_doi():
    assert bibtex(PAPER) == (
        "@article{doe2001,\n"
        "  author = {Doe, Jane and others},\n"
        "  title = {{Of 100\\% \\& more}},\n"
        "  journal = {Journal},\n"
        "  year = {2001},\n"
        "  pages = {1--9},\n"
        "  doi = {10.1/a_b},\n"
        "}"
    )


def test_a_report_without_authors_or_year_is_an_entry_too():
    report = {"id": "r", "type": "report", "title": "{", "author": [], "version": "1.0"}
    assert bibtex(report) == "@misc{r,\n  title = {{\\{}},\n  version = {1.0},\n}"


@pytest.mark.parametrize(
    ("families", "text"),
    [(["A"], "A 2001"), (["A", "B"], "A and B 2001"), (["A", "B", "C"], "A et al. 2001")],
)
def test_a_text_cites_by_author_and_year(families, text):
    assert short({"author": [{"family": name} for name in families], "issued": 2001}) == text


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference["id"])
def test_every_reference_is_found_by_a_doi_or_an_address(reference):
    assert re.fullmatch(
        r"https://(doi\.org/10\.\d{4,}/\S+|www\.jstor\.org/stable/\d+)", link(reference)
    )
    assert reference["id"].endswith(str(reference["issued"]))
    assert short(reference)


def test_references_stand_in_the_order_of_their_names():
    ids = [reference["id"] for reference in REFERENCES]
    assert ids == sorted(set(ids))
