"""Whatever a user writes stays text: on the page, in a drawing, in the PDF and in a shell."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup
from playwright.sync_api import Browser, Dialog, Page
from pypdf import PdfReader
from weasyprint import HTML

from normreport.config.figure_words import MadeFrom
from normreport.config.report import FigureSettings
from normreport.figures.svg import to_svg
from normreport.report.article import Illustration
from tests.articles import record_of, rendered, results_of
from tests.claims.studies import study
from tests.figures import synthetic
from tests.injections import INJECTIONS, SAID, TOUCHED

from .conftest import Reader

EVERYTHING = " ".join(INJECTIONS)
DRAWN = "figures-of-classes"


@pytest.fixture(scope="module")
def drawing() -> str:
    """Give the figure of example images, whose classes have harmful names."""
    images = synthetic.examples(k=len(INJECTIONS))
    drawing = synthetic.drawn_prepared("examples", examples=images, labels=INJECTIONS)
    return to_svg(drawing, DRAWN)


def article(drawing: str, medium: str = "screen") -> str:
    """Render an article with harmful texts in every place that a user decides."""
    whole = study()
    results = results_of(whole)
    results["experiment"]["target"]["source"] = {"kind": "imagefolder", "path": EVERYTHING}
    results["data"]["skipped"] = [
        {"split": "train", "image": text, "why": text} for text in INJECTIONS
    ]
    results["data"]["images_per_class"] = [
        {"name": text, "train": 0, "heldout": 0} for text in INJECTIONS
    ]
    results["data"]["unused"] = [{"name": text, "count": 1} for text in INJECTIONS]
    results["pretraining"] = [
        {
            "kind": "fetched",
            "model": model,
            "weights": EVERYTHING,
            "file": "0" * 64,
            "preprocessing": None,
            "unwrapping": None,
            "other_arms": None,
        }
        for model in whole.settings.models
    ]
    results["experiment"]["pretraining"] = None
    failure = {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": 0}
    failure |= {"id": "vgg16/scratch/unit/seed0"}
    failure |= {"what": "train_run failed", "log": "\n".join(INJECTIONS)}
    figure = Illustration(
        id=DRAWN,
        number="1",
        kind="examples",
        model=None,
        start=None,
        layer=None,
        caption=EVERYTHING,
        method=EVERYTHING,
        alt=EVERYTHING,
        svg=Markup(drawing),
        made_from=MadeFrom.model_construct(
            settings=FigureSettings.model_construct(kind=EVERYTHING),
            inputs="1" * 64,
            code="2" * 64,
        ),
    )
    return rendered(
        whole,
        medium=medium,
        figures=[figure],
        results=results,
        record=record_of([figure], config={"report": {"title": EVERYTHING}}),
        failures=[failure],
        title=EVERYTHING[:300],
        authors=INJECTIONS,
        abstract=EVERYTHING,
        introduction=EVERYTHING,
    )


class Attacked(Reader):
    """A reader whose browser says what it was made to do."""

    def __init__(self, page: Page, site: Path) -> None:
        self.dialogs: list[str] = []
        page.on("dialog", self._dismiss)
        super().__init__(page, site)

    def _dismiss(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()


@pytest.fixture(scope="module")
def files(drawing: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Write the page, the page without what forbids browsers to run scripts, and the drawing."""
    page = article(drawing)
    bare, count = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    assert count == 1
    folder = tmp_path_factory.mktemp("attacked")
    texts = {"page.html": page, "bare.html": bare, "drawing.svg": drawing}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return {name: folder / name for name in texts}


@pytest.fixture(params=["page.html", "bare.html", "drawing.svg"])
def attacked(
    browser: Browser, files: dict[str, Path], request: pytest.FixtureRequest
) -> Iterator[Attacked]:
    context = browser.new_context()
    yield Attacked(context.new_page(), files[request.param])
    context.close()


def squeezed(text: str) -> str:
    """Leave out all white space, which no markup keeps as it is, and pypdf's zero bytes."""
    return re.sub(r"[\s\0\u200b\ufeff]+", "", text)


def test_nothing_runs_and_nothing_is_fetched(attacked: Attacked) -> None:
    for box in attacked.page.locator("p, figure, svg").all()[:40]:
        box.dispatch_event("mouseover")
    assert attacked.dialogs == []
    assert attacked.complaints == []
    assert [url for url in attacked.requests if not url.startswith("file:")] == []
    assert len(attacked.requests) == 1


def test_no_text_becomes_an_element_or_an_attribute(attacked: Attacked) -> None:
    names = attacked.page.evaluate(
        """[...document.querySelectorAll('*')].flatMap(element =>
            [...element.attributes].map(attribute => attribute.name))"""
    )
    assert [name for name in names if name.startswith("on")] == []
    assert attacked.page.locator("base, link[href*=example], img[src=x]").count() == 0
    links = attacked.page.evaluate(
        "[...document.querySelectorAll('[href]')].map(element => element.getAttribute('href'))"
    )
    assert [link for link in links if "javascript:" in link] == []


def test_every_text_can_be_read(browser: Browser, files: dict[str, Path]) -> None:
    page = browser.new_page()
    found = {}
    for name, path in files.items():
        page.goto(path.as_uri())
        found[name] = squeezed(page.evaluate("document.documentElement.textContent"))
    page.close()
    for name in ("page.html", "bare.html"):
        assert [text for text in INJECTIONS if squeezed(text) not in found[name]] == []
    # There is room for the beginnings of names alone.
    starts = [text.split()[0][:2] for text in INJECTIONS]
    assert [start for start in starts if start not in found["drawing.svg"]] == []


@pytest.mark.filterwarnings("ignore")  # of what WeasyPrint's style sheets lack
def test_the_pdf_holds_the_texts_and_neither_scripts_nor_links_of_theirs(
    drawing: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.pdf"
    HTML(string=article(drawing, "print")).write_pdf(path)
    pdf = PdfReader(path)
    text = squeezed("".join(page.extract_text() for page in pdf.pages))
    for harmful in (f"<script>alert('{SAID}')</script>", "{{7*7}}", f"$(touch{TOUCHED})"):
        assert harmful in text
    links: list[Any] = [
        note.get_object().get("/A", {}).get("/URI", "")
        for page in pdf.pages
        for note in page.get("/Annots", [])
    ]
    assert [link for link in links if "example.invalid" in link or "javascript" in link] == []
    root: Any = pdf.trailer["/Root"]
    assert "/JavaScript" not in str(root.get("/Names", {}))


def test_a_command_of_the_page_does_in_a_shell_what_it_says(
    browser: Browser, files: dict[str, Path], tmp_path: Path
) -> None:
    tools = tmp_path / "tools"
    page = browser.new_page()
    page.goto(files["page.html"].as_uri())
    commands = [text for text in page.locator("code").all_text_contents() if " " in text]
    page.close()
    assert f"snakemake --cores all results/figures/{DRAWN}.svg" in commands
    tools.mkdir()
    bash = shutil.which("bash")
    assert bash
    for tool in ("snakemake", "normreport"):
        (tools / tool).write_text(f'#!{bash}\nprintf "%s\\n" "$@" > {tmp_path}/called\n')
        (tools / tool).chmod(0o755)
    for command in commands:
        if command.startswith(("snakemake ", "normreport ")):
            subprocess.run(
                [bash, "-c", command], cwd=tmp_path, env=os.environ | {"PATH": str(tools)},
                check=True,
            )  # fmt: skip
            assert (tmp_path / "called").read_text().split() == command.split()[1:]
    assert {path.name for path in tmp_path.iterdir()} == {"tools", "called"}
