"""The article in a real browser: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Page, Request, sync_playwright

from normreport.config.figure_kinds import figure_kinds
from normreport.config.figure_words import MadeFrom
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.svg import to_svg
from normreport.report.article import Illustration
from tests.articles import rendered
from tests.claims.studies import study
from tests.figures import synthetic

# Kinds that have a single figure.
WHOLE = ("answer", "pretraining_gain", "examples", "inputs", "levels", "resize", "inits", "centre")
IN_ARTICLE = {kind for kind, declared in figure_kinds().items() if declared.in_article}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("needs chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        # No sandbox: containers have no user namespaces, and the page is our own.
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def drawings() -> dict[str, Drawing]:
    """Draw a figure of every kind."""
    return synthetic.drawings(synthetic.runs(epochs=6, layers={"features.0": 0.0589}))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, drawings: dict[str, Drawing]) -> Path:
    """Write an article with all of them."""
    return write_site(tmp_path_factory.mktemp("site"), drawings)


def write_site(folder: Path, drawings: dict[str, Drawing]) -> Path:
    """Write an article with figures, given by their kinds."""
    figures: list[Illustration] = []
    for kind, drawing in drawings.items():
        whole = kind in WHOLE
        of_a_layer = kind in ("density", "ribbon", "violin", "spread", "seeds")
        figure = Illustration(
            id=f"fig-{kind}",
            number=f"{len(figures) + 1}" if kind in IN_ARTICLE else f"S{len(figures) + 1}",
            kind=kind,
            model=None if whole else "vgg16",
            start="scratch" if of_a_layer else None,
            layer="features.0" if of_a_layer else None,
            caption=drawing.caption,
            method=drawing.method,
            alt=drawing.alt,
            svg=Markup(to_svg(drawing, f"fig-{kind}")),
            made_from=MadeFrom(settings=FigureSettings(kind=kind), inputs="1" * 64, code="2" * 64),
        )
        figures.append(figure)
    html = folder / "index.html"
    html.write_text(rendered(study(), figures=figures), encoding="utf-8")
    return html


class Reader:
    """A page, and what happened in it that must not."""

    def __init__(self, page: Page, site: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note)
        page.goto(site.as_uri())

    def unfold(self) -> None:
        """Open every part that is folded; what a closed one holds cannot be pointed at."""
        folds = self.page.locator("details.fold")
        folds.evaluate_all("all => all.forEach((fold) => { fold.open = true; })")

    def _note(self, request: Request) -> None:
        if not request.url.startswith(("data:", "blob:")):
            self.requests.append(request.url)


@pytest.fixture
def reader(browser: Browser, site: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Open the article; indirect parameters are options of the browser's context."""
    options = getattr(request, "param", {})
    context = browser.new_context(**options)
    reader = Reader(context.new_page(), site)
    if options.get("java_script_enabled", True):
        reader.unfold()
    yield reader
    context.close()
