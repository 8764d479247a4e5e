from __future__ import annotations

import io
import json
import re
import subprocess
from typing import Any

import pytest
from PIL import Image
from pypdf import PdfReader
from weasyprint import HTML

from normreport.errors import MissingToolError, StorageError
from normreport.io.files import canonical_json, read_json, write_json
from normreport.stages import render_pdf
from normreport.stages.render_pdf import run
from tests.articles import TEMPLATES
from tests.stages.test_render_html import SETTINGS, written

NAMES = ("drawn-a", "drawn-b", "drawn-c", "drawn-d")
SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-labelledby="NAME-title" width="720"'
    ' viewBox="0 0 518 300"><title id="NAME-title">A picture</title>'
    '<text x="9" y="99" font-size="9">NAME</text><metadata>"hidden frames"</metadata></svg>'
)


@pytest.fixture(scope="module")
def printed(tmp_path_factory):
    """Give what the stage reads: figures of a third of a page, long names, two files to attach."""
    folder = tmp_path_factory.mktemp("printed")
    parts = written(folder, *NAMES, svg=SVG)
    record = read_json(parts["record"])
    names = [f"{'mobilenet_v2' * 5}/scratch_laplace/published_meanstd/seed{i}" for i in range(50)]
    runs = [record["runs"][0] | {"id": name} for name in names]
    write_json(parts["record"], record | {"runs": runs})
    table = folder / "drawn-a.csv"
    table.write_text("epoch,std\n0,0.1\n")
    return {**parts, "attachments": [parts["results"], table]}


@pytest.fixture(scope="module")
def pdf(printed, tmp_path_factory):
    path = tmp_path_factory.mktemp("pdf") / "report.pdf"
    run(settings=SETTINGS, templates=[TEMPLATES], pdf=path, **printed)
    return PdfReader(path)


def test_the_pdf_holds_title_and_figures(pdf):
    text = " ".join(page.extract_text() for page in pdf.pages)
    assert pdf.metadata.title == "A title"
    assert NAMES[0] in text
    assert "hidden frames" not in text


def test_a_damaged_table_is_named(printed, tmp_path):
    damaged = tmp_path / "drawn-a.csv"
    damaged.write_bytes(b"epoch,std\n0,0.\xff\n")
    with pytest.raises(StorageError, match=r"drawn-a\.csv: could not be read"):
        run(
            settings=SETTINGS,
            templates=[TEMPLATES],
            pdf=tmp_path / "report.pdf",
            **printed | {"attachments": [damaged]},
        )


def test_every_caption_stands_on_its_figures_page(pdf):
    texts = [page.extract_text() for page in pdf.pages]
    pages = {}
    for number, name in enumerate(NAMES, start=1):
        (drawn,) = [i for i, text in enumerate(texts) if re.search(rf"^{name}$", text, re.M)]
        assert f"Figure S{number}." in texts[drawn]
        pages[name] = drawn
    assert len(set(pages.values())) > 1  # some did not fit on one page


def test_no_page_ends_with_a_heading_or_the_caption_of_a_table():
    style = "".join((TEMPLATES / name).read_text() for name in ("article.css", "print.css"))
    rows = "<tr><td>row</td></tr>" * 8
    table = f"<table><caption>CAPTION</caption><thead><tr><th>A</th></tr></thead>{rows}</table>"
    splits = set()
    for height in range(544, 730, 4):  # the text of a page is 731 points high
        body = f"<div style='height: {height}pt'></div><h3>HEADING</h3>{table}"
        file = io.BytesIO(HTML(string=f"<style>{style}</style>{body}").write_pdf())
        first, second = (page.extract_text() for page in PdfReader(file).pages)
        splits.add((*(first.count(part) for part in ("HEADING", "CAPTION", "row")),
                    second.count("row")))  # fmt: skip
    assert splits == {(0, 0, 0, 8), (1, 1, 3, 5), (1, 1, 4, 4), (1, 1, 5, 3)}


def test_no_word_reaches_into_the_margin(pdf):
    pdf.stream.seek(0)
    command = ["pdftotext", "-bbox", "-", "-"]
    pages = subprocess.check_output(command, input=pdf.stream.read()).decode()
    width = float(pdf.pages[0].mediabox.width)
    margin = 20 / 25.4 * 72
    words = re.findall(r'<word xMin="(.+?)" .* xMax="(.+?)" .*>(.+)</word>', pages)
    assert len(words) > 1000
    # Letters may hang over by their side bearing; hidden words are one pixel wide.
    outside = [text for left, right, text in words
               if float(left) < margin - 1 or float(right) > width - margin + 1]  # fmt: skip
    assert set(outside) <= {"supported", "refuted", "inconclusive", "evaluable"}


def roles_of(pdf):
    """Give the alternative texts of a document's elements by their roles."""
    roles: dict[str, list[Any]] = {}

    def walk(element):
        if isinstance(element, list):
            for kid in element:
                walk(kid.get_object())
        elif isinstance(element, dict):
            if "/S" in element:
                roles.setdefault(element["/S"], []).append(element.get("/Alt"))
            if "/K" in element:
                walk(element["/K"].get_object())

    walk(pdf.trailer["/Root"]["/StructTreeRoot"]["/K"].get_object())
    return roles


def test_it_is_tagged_and_says_what_each_picture_shows(pdf):
    root = pdf.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert b"pdfuaid:part" in root["/Metadata"].get_data()
    roles = roles_of(pdf)
    assert {"/H1", "/H2", "/H3", "/P", "/Table", "/TH", "/TD", "/Link"} <= set(roles)
    assert "A picture" in roles["/Figure"]


def test_fonts_are_embedded(pdf):
    fonts = [
        font.get_object()
        for page in pdf.pages
        for font in page["/Resources"].get("/Font", {}).values()
    ]
    descendants = [f["/DescendantFonts"][0].get_object() if "/DescendantFonts" in f else f
                   for f in fonts]  # fmt: skip
    assert descendants
    for font in descendants:
        assert any(key.startswith("/FontFile") for key in font["/FontDescriptor"])


def test_the_numbers_are_attached(pdf, printed):
    assert set(pdf.attachments) == {"results.json", "drawn-a.csv"}
    for path in printed["attachments"]:
        assert pdf.attachments[path.name] == [path.read_bytes()]


def test_bookmarks_and_contents_lead_to_the_sections(pdf):
    top = pdf.outline[1]
    titles = [entry.title for entry in top if not isinstance(entry, list)]
    assert "The experiment" in titles
    page = pdf.get_destination_page_number(
        next(entry for entry in top if getattr(entry, "title", "") == "The experiment")
    )
    assert re.search(rf"The experiment\W*{page + 1}$", pdf.pages[0].extract_text(), re.M)
    assert f"{page + 1} / {len(pdf.pages)}" in pdf.pages[page].extract_text()


def test_the_same_article_has_the_same_bytes(pdf, printed, tmp_path):
    again = tmp_path / "again.pdf"
    run(settings=SETTINGS, templates=[TEMPLATES], pdf=again, **printed)
    pdf.stream.seek(0)
    assert again.read_bytes() == pdf.stream.read()


def test_a_logo_is_printed_with_its_words_and_fetches_nothing(printed, tmp_path):
    record = read_json(printed["record"])
    short = tmp_path / "record.json"
    write_json(short, record | {"runs": record["runs"][:1]})
    Image.new("RGB", (7, 5)).save(tmp_path / "secret.png")
    secret = (tmp_path / "secret.png").as_uri()
    size = "width='80' height='40'"
    logo = tmp_path / "logo.svg"
    logo.write_text(
        f"<svg xmlns='http://www.w3.org/2000/svg' {size}><text y='20'>LAB LOGO</text>"
        f"<image href='{secret}' {size}/></svg>"
    )
    found = {}
    for alt in ("The lab", ""):
        path = tmp_path / f"logo{len(alt)}.pdf"
        settings = canonical_json(json.loads(SETTINGS) | {"logo_alt": alt})
        run(
            settings=settings,
            templates=[TEMPLATES],
            pdf=path,
            logo=logo,
            **printed | {"record": short},
        )
        found[alt] = PdfReader(path)
        assert "LAB LOGO" in found[alt].pages[0].extract_text()
        assert not any(len(page.images) for page in found[alt].pages)
    assert "The lab" in roles_of(found["The lab"])["/Figure"]
    assert None not in roles_of(found[""])["/Figure"]


def test_without_pango_it_says_what_to_install(printed, tmp_path, monkeypatch):
    monkeypatch.setattr(render_pdf, "pdf_unavailable_reason", lambda: "the system lacks pango-1.0")
    with pytest.raises(MissingToolError, match=r"report\.pdf: could not be made: the system lacks"):
        run(settings=SETTINGS, templates=[TEMPLATES], pdf=tmp_path / "report.pdf", **printed)
    assert not (tmp_path / "report.pdf").exists()
