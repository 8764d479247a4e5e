from __future__ import annotations

import pytest
from pypdf import PdfReader

from normreport.errors import MissingToolError
from normreport.stages import render_pdf
from normreport.stages.render_pdf import run
from tests.stages.test_render_html import SETTINGS, TEMPLATES, parts

__all__ = ["parts"]


def test_the_pdf_holds_title_figure_and_caption(parts, tmp_path):
    pdf = tmp_path / "report.pdf"
    run(settings=SETTINGS, templates=TEMPLATES, pdf=pdf, **parts)
    reader = PdfReader(pdf)
    text = " ".join(page.extract_text() for page in reader.pages)
    assert reader.metadata.title == "A title"
    assert "drawn" in text
    assert "Figure 1." in text


def test_the_same_article_has_the_same_bytes(parts, tmp_path):
    first, second = tmp_path / "1.pdf", tmp_path / "2.pdf"
    for pdf in (first, second):
        run(settings=SETTINGS, templates=TEMPLATES, pdf=pdf, **parts)
    assert first.read_bytes() == second.read_bytes()


def test_without_pango_it_says_what_to_install(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(render_pdf, "pdf_hindrance", lambda: "the system lacks pango-1.0")
    with pytest.raises(MissingToolError, match=r"report\.pdf: cannot be made: the system lacks"):
        run(settings=SETTINGS, templates=TEMPLATES, pdf=tmp_path / "report.pdf", **parts)
    assert not (tmp_path / "report.pdf").exists()
