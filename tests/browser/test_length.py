"""How long the article of the default experiment is, on the screen and in print."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser
from weasyprint import HTML

from normreport.report.article import Illustration
from tests import default_article

# Millimetres of an A4 page, as in print.css.
HEIGHT, TOP, BOTTOM = 297, 20, 19
SCREENS = 12
PAGES = 12


@pytest.fixture(scope="module")
def figures() -> list[Illustration]:
    return default_article.figures(default_article.drawings())


@pytest.fixture(scope="module")
def pdf(figures: list[Illustration], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    path.write_bytes(HTML(string=default_article.page(figures, "print")).write_pdf())
    return path


def test_the_article_is_at_most_twelve_screens_long(
    figures: list[Illustration], browser: Browser, tmp_path: Path
) -> None:
    html = tmp_path / "index.html"
    html.write_text(default_article.page(figures, "screen"), encoding="utf-8")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(html.as_uri())
    supplement = page.locator("#supplement").bounding_box()
    assert supplement is not None
    assert supplement["y"] < 1000 * SCREENS
    assert 8 <= page.locator("main figure:not(.supplement figure)").count() <= 12
    page.close()


def test_the_printed_article_has_at_most_twelve_pages(pdf: Path) -> None:
    assert _first_of_supplement(pdf) <= PAGES


def _first_of_supplement(pdf: Path) -> int:
    """Return the index of the page with its heading, which the contents name, too."""
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    pages = text.split("\f")
    return max(i for i, text in enumerate(pages) if re.search(r"^ *All figures$", text, re.M))


def test_nearly_all_pages_are_two_thirds_full(pdf: Path, tmp_path: Path) -> None:
    command = ["pdftoppm", "-r", "30", "-gray", "-png", str(pdf), str(tmp_path / "page")]
    subprocess.run(command, check=True)
    filled = []
    for picture in sorted(tmp_path.glob("page-*.png")):
        pixels = np.asarray(Image.open(picture).convert("L"))
        top, bottom = (round(len(pixels) * mm / HEIGHT) for mm in (TOP, HEIGHT - BOTTOM))
        rows = np.flatnonzero((pixels[top:bottom] < 250).any(axis=1))
        filled.append(rows.max() / (bottom - top))
    assert len(filled) > 30
    # The last pages of the article and of the supplement end where their text ends.
    end = _first_of_supplement(pdf) - 1
    whole = [*filled[:end], *filled[end + 1 : -1]]
    emptier = [round(share, 2) for share in whole if share < 2 / 3]
    # How text and figures fall depends on the results: one page may be left half full.
    assert len(emptier) <= 1, emptier
    assert min(whole) > 1 / 2
