"""What a reader of a large report sees and can do, from files and without a server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from markupsafe import Markup
from playwright.sync_api import Browser, expect

from normreport.config.figure_words import MadeFrom
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.svg import to_svg
from normreport.report.article import Illustration
from tests.articles import rendered_pages
from tests.claims.studies import study

from .conftest import Reader
from .test_page import RULES, STILL

LAYER = "supplement/vgg16-features.0.html"
NETWORK = "supplement/vgg16.html"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, drawings: dict[str, Drawing]) -> Path:
    """Write an article with two pages besides it."""
    figures = [
        Illustration(
            id=f"{kind}-vgg16",
            number=f"S{number}",
            kind=kind,
            model="vgg16",
            start="scratch" if page == LAYER else None,
            layer="features.0" if page == LAYER else None,
            caption=drawings[kind].caption,
            method=drawings[kind].method,
            alt=drawings[kind].alt,
            svg=Markup(to_svg(drawings[kind], f"{kind}-vgg16")),
            made_from=MadeFrom(settings=FigureSettings(kind=kind), inputs="1" * 64, code="2" * 64),
            page=page,
        )
        for number, (kind, page) in enumerate(
            [("density", LAYER), ("spread", LAYER), ("separation", NETWORK)], start=1
        )
    ]
    report = tmp_path_factory.mktemp("report")
    for path, text in rendered_pages(study(), figures=figures).items():
        (report / path).parent.mkdir(exist_ok=True)
        (report / path).write_text(text, encoding="utf-8")
    return report


@pytest.fixture
def reader(browser: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Open the page of a layer; indirect parameters are options of the browser's context."""
    context = browser.new_context(**getattr(request, "param", {}))
    yield Reader(context.new_page(), folder / LAYER)
    context.close()


def with_options(*options: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("reader", options, indirect=True, ids=json.dumps)


@with_options({}, {"color_scheme": "dark"}, STILL)
def test_a_page_loads_one_file_and_complains_of_nothing(reader: Reader, folder: Path) -> None:
    reader.page.mouse.wheel(0, 5000)
    assert reader.requests == [(folder / LAYER).as_uri()]
    assert reader.complaints == []


@with_options({}, {"color_scheme": "dark", "viewport": {"width": 360, "height": 740}})
def test_axe_finds_nothing(reader: Reader) -> None:
    reader.unfold()
    found = Axe().run(reader.page, options={"runOnly": RULES}).response
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []


@with_options({"viewport": {"width": 360, "height": 740}})
def test_a_page_never_scrolls_sideways(reader: Reader) -> None:
    reader.unfold()
    assert reader.page.evaluate("document.documentElement.scrollWidth") == 360


@with_options({}, STILL)
def test_a_claim_leads_to_its_figure_on_another_page_and_this_leads_back(
    reader: Reader, folder: Path
) -> None:
    page = reader.page
    article = folder / "index.html"
    page.goto(f"{article.as_uri()}#claim-F6")
    page.locator("#claim-F6 a.ref").click()
    assert page.url == f"{(folder / NETWORK).as_uri()}#separation-vgg16"
    expect(page.locator("#separation-vgg16")).to_be_in_viewport()
    page.get_by_role("link", name="VGG16, features.0").click()
    assert page.url == (folder / LAYER).as_uri()
    page.get_by_role("link", name="The article").click()
    assert page.url == f"{article.as_uri()}#figures"
    assert reader.complaints == []


def test_the_explorer_of_a_page_shows_its_figures(reader: Reader, folder: Path) -> None:
    page = reader.page
    shown = page.locator("#explorer .shown figure")
    expect(shown).to_have_attribute("data-name", "density-vgg16")
    page.goto(f"{(folder / LAYER).as_uri()}#explore=spread/VGG16/features.0")
    page.reload()
    expect(shown).to_have_attribute("data-name", "spread-vgg16")
    table = folder / "data/spread-vgg16.csv"
    links = shown.locator("a[download]").evaluate_all("all => all.map((link) => link.href)")
    assert {*links} == {table.as_uri()}


def test_the_contents_show_where_the_reader_is(reader: Reader) -> None:
    current = reader.page.locator(".contents [aria-current=page]")
    expect(current).to_have_text("VGG16, features.0")
