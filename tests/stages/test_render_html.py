from __future__ import annotations

import pytest

from normreport.errors import StorageError
from normreport.files import canonical_json, write_json
from normreport.stages import render_html
from tests.claims.studies import study
from tests.test_article import TEMPLATES, results_of

SETTINGS = canonical_json({"title": "A title", "authors": ["A. Author"], "with_pdf": False})
TEXT = {"id": "f", "kind": "curves", "model": "vgg16", "start": None, "layer": None}


@pytest.fixture
def parts(tmp_path):
    """Give results and one figure on disk."""
    write_json(tmp_path / "results.json", results_of(study()))
    write_json(tmp_path / "f.json", {**TEXT, "caption": "A caption.", "alt": "A picture."})
    (tmp_path / "f.svg").write_text("<svg><text>drawn</text></svg>")
    return {"results": tmp_path / "results.json", "figures": [tmp_path / "f.svg"]}


def test_the_page_holds_title_figure_and_caption(parts, tmp_path):
    html = tmp_path / "index.html"
    render_html.run(settings=SETTINGS, templates=TEMPLATES, html=html, **parts)
    page = html.read_text()
    assert "<title>A title</title>" in page
    assert "<svg><text>drawn</text></svg>" in page
    assert "Figure 1." in page
    assert "A caption." in page


def test_a_figure_that_is_missing_is_named(parts, tmp_path):
    (tmp_path / "f.svg").unlink()
    with pytest.raises(StorageError, match=r"f\.svg: could not be read .*again"):
        render_html.run(settings=SETTINGS, templates=TEMPLATES, html=tmp_path / "x.html", **parts)


def test_damaged_results_are_named_and_leave_no_page(parts, tmp_path):
    parts["results"].write_text('{"claims": [')
    html = tmp_path / "index.html"
    with pytest.raises(StorageError, match=r"results\.json: could not be read"):
        render_html.run(settings=SETTINGS, templates=TEMPLATES, html=html, **parts)
    assert not html.exists()
