"""The pages of a large report: 3,000 runs and 284 figures, each as large as a figure may be."""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from normreport.config.base import validate
from normreport.config.pages import ARTICLE
from normreport.config.report import FigureSettings
from normreport.config.results import ClaimResult
from normreport.errors import ConfigError
from normreport.provenance.record import EMBEDDED
from normreport.report.article import Illustration
from normreport.report.forest import MOST_CASES, make_forest
from tests import large_article
from tests.articles import FIGURE, rendered_pages, results_of, text_of
from tests.claims.studies import study
from tests.injections import INJECTIONS, find_injections

LARGEST_PAGE = 5 * 1024**2  # bytes


@pytest.fixture(scope="module")
def figures() -> list[Illustration]:
    return large_article.figures()


@pytest.fixture(scope="module")
def pages(figures: list[Illustration]) -> dict[str, str]:
    return large_article.pages(figures)


class Page(HTMLParser):
    """The ids, links and figures of a page, without those of drawings."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.figures: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if tag == "a" else []
        self.figures += [values["id"]] if tag == "figure" else []


def test_no_page_is_larger_than_five_megabytes(pages: dict[str, str]) -> None:
    assert len(pages) == 16
    sizes = {path: len(page.encode()) for path, page in pages.items()}
    assert {path: size for path, size in sizes.items() if size > LARGEST_PAGE} == {}


def test_every_figure_is_on_exactly_one_page(
    figures: list[Illustration], pages: dict[str, str]
) -> None:
    shown = Counter(name for page in pages.values() for name in Page(page).figures)
    assert shown == Counter(figure.id for figure in figures)


def test_every_link_leads_to_a_file_of_the_report_and_to_its_place_there(
    figures: list[Illustration], pages: dict[str, str]
) -> None:
    read = {path: Page(page) for path, page in pages.items()}
    tables = {f"data/{name}.csv" for name in [*(f.id for f in figures), "runs", "cases"]}
    files = {"report.pdf", "results.json", "provenance.json", "ro-crate-metadata.json", *tables}
    linked = set()
    for path, page in read.items():
        assert len(page.ids) == len(set(page.ids))
        for link in page.links:
            if link.startswith("https://"):
                continue
            place, _, fragment = link.partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place))
            target = target if place else path
            assert target in (read if fragment else read.keys() | files), (path, link)
            assert not fragment or fragment in read[target].ids, (path, link)
            linked.add(target)
    assert linked >= read.keys() | tables


def test_claims_lead_to_their_figures_on_other_pages(pages: dict[str, str]) -> None:
    claims = pages[ARTICLE].split('<section id="claims">')[1].split("</section>")[0]
    evidence = re.findall(r'<a class="ref" href="(supplement/[^"#]+)#([^"]+)"', claims)
    assert len({path for path, _ in evidence}) > 3
    for path, figure in evidence:
        assert figure in Page(pages[path]).figures


def test_the_article_and_every_page_lead_to_every_page(pages: dict[str, str]) -> None:
    others = pages.keys() - {ARTICLE}
    assert {*Page(pages[ARTICLE]).links} >= others
    for path in others:
        links = {*Page(pages[path]).links}
        assert links >= {f"../{other}" for other in others} | {"../index.html#figures"}


def test_the_record_and_the_runs_are_linked_and_not_on_the_page(pages: dict[str, str]) -> None:
    assert not any(EMBEDDED.search(page) for page in pages.values())
    assert "/seed9" not in pages[ARTICLE]
    assert {"provenance.json", "data/runs.csv"} < {*Page(pages[ARTICLE]).links}


def test_the_policy_of_each_page_lets_only_its_own_scripts_run(pages: dict[str, str]) -> None:
    for page in pages.values():
        scripts = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
        digests = [
            base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
            for script in scripts
        ]
        (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
        assert policy.endswith("script-src " + " ".join(f"'sha256-{one}'" for one in digests))


def test_in_print_the_article_names_the_pages_that_have_the_other_figures(
    figures: list[Illustration], pages: dict[str, str]
) -> None:
    printed = large_article.pages(figures, "print")
    assert [*printed] == [ARTICLE]
    text = text_of(printed[ARTICLE])
    assert all(path in text for path in pages.keys() - {ARTICLE})
    page = Page(printed[ARTICLE])
    assert {*page.figures} == {figure.id for figure in figures if figure.page == ARTICLE}
    assert {link.partition("#")[0] for link in page.links if "://" not in link} == {""}
    assert {link[1:] for link in page.links if link.startswith("#")} <= {*page.ids}


def test_a_small_report_is_one_page_that_holds_its_record() -> None:
    pages = rendered_pages(study(), figures=[FIGURE])
    assert [*pages] == [ARTICLE]
    assert EMBEDDED.search(pages[ARTICLE])
    assert "supplement/" not in pages[ARTICLE]


@pytest.mark.parametrize("name", [*INJECTIONS, "a/b", "..", ""])
def test_no_name_leads_out_of_the_folder_of_the_pages(name: str) -> None:
    with pytest.raises(ConfigError):
        validate(FigureSettings, {"kind": "curves", "model": name}, where="here")
    values = {"kind": "curves", "model": "vgg16", "layer": f"{name}/"}
    with pytest.raises(ConfigError):
        validate(FigureSettings, values, where="here")


def test_words_of_the_user_stay_words_on_every_page() -> None:
    hostile = " ".join(INJECTIONS)
    figure = replace(FIGURE, layer=hostile, caption=hostile, alt=hostile, page="supplement/x.html")
    pages = rendered_pages(study(), figures=[figure], title=hostile[:300])
    assert [*pages] == [ARTICLE, figure.page]
    for page in pages.values():
        assert find_injections(page) == []
    assert "&lt;script&gt;" in pages[figure.page]


def test_a_table_with_too_many_rows_says_where_all_of_them_are() -> None:
    results = results_of(study())
    results["headline"]["layers"] *= 200
    (page,) = rendered_pages(study(), results=results).values()
    rows = page.split("Every compared layer")[1].split("</table>")[0].count("<tr>") - 1
    assert rows == 500
    assert f"The table shows the first 500 of {8 * 200:,} rows." in text_of(page)


def test_a_claim_with_too_many_cases_says_where_all_of_them_are() -> None:
    results = results_of(study())
    claim = next(claim for claim in results["claims"] if claim["id"] == "H1")
    claim["cases"] *= 100
    forest = make_forest(ClaimResult.model_validate(claim), "screen")
    assert forest is not None
    assert sum(len(rows) for _, rows in forest.groups) == MOST_CASES
    (page,) = rendered_pages(study(), results=results).values()
    others = len(claim["cases"]) + len(claim["beyond"]) - MOST_CASES
    assert f"{others} other cases are in data/cases.csv" in text_of(page)
