from __future__ import annotations

import base64
import json
from types import SimpleNamespace

import pytest

from normreport.config import pages
from normreport.errors import StorageError
from normreport.io.files import canonical_json, write_json
from normreport.stages import render_html
from tests.articles import TEMPLATES, record_of, results_of
from tests.claims.studies import study

SETTINGS = canonical_json({"title": "A title", "authors": ["A. Author"], "with_pdf": False})
TEXT = {"kind": "curves", "model": "vgg16", "start": None, "layer": None}
MADE_FROM = {"settings": {"kind": "curves"}, "inputs": "1" * 64, "code": "2" * 64}


def written(folder, *names, svg="<svg><text>NAME</text></svg>"):
    """Write results, the record and figures."""
    write_json(folder / "results.json", results_of(study()))
    write_json(folder / "record.json", record_of([SimpleNamespace(id=name) for name in names]))
    for name in names:
        text = {**TEXT, "id": name, "caption": "A caption.", "alt": "A picture."}
        write_json(folder / f"{name}.json", text | {"made_from": MADE_FROM})
        (folder / f"{name}.svg").write_text(svg.replace("NAME", name))
    return {
        "results": folder / "results.json",
        "record": folder / "record.json",
        "figures": [folder / f"{name}.svg" for name in names],
    }


@pytest.fixture
def parts(tmp_path):
    """Give results and one figure on disk."""
    return written(tmp_path, "drawn")


def test_the_page_holds_title_figure_and_caption(parts, tmp_path):
    html = tmp_path / "index.html"
    render_html.run(settings=SETTINGS, templates=[TEMPLATES], html=html, **parts)
    page = html.read_text()
    assert "<title>A title</title>" in page
    assert "<svg><text>drawn</text></svg>" in page
    assert "Figure S1." in page
    assert "A caption." in page


def test_the_page_is_in_the_language_of_the_users_catalogue(parts, tmp_path):
    catalogue = tmp_path / "own/languages/pt_BR.po"
    catalogue.parent.mkdir(parents=True)
    catalogue.write_text(
        'msgid "Contents"\nmsgstr "Conteúdo"\n\nmsgid "Copy table"\nmsgstr "Copiar tabela"\n'
    )
    settings = canonical_json(json.loads(SETTINGS) | {"language": "pt_BR"})
    folders = [tmp_path / "own", TEMPLATES]
    html = tmp_path / "index.html"
    render_html.run(settings=settings, templates=folders, html=html, **parts)
    page = html.read_text()
    assert '<html lang="pt-BR">' in page
    assert ">Conteúdo</h2>" in page
    words = '<script type="application/json" id="words">{"Copy table":"Copiar tabela"}</script>'
    assert words in page
    render_html.run(settings=SETTINGS, templates=folders, html=html, **parts)
    page = html.read_text()
    assert '<html lang="en">' in page
    assert ">Contents</h2>" in page
    assert 'id="words"' not in page


def test_a_logo_stands_above_the_title_with_its_words(parts, tmp_path):
    logo = tmp_path / "logo.svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    settings = canonical_json(json.loads(SETTINGS) | {"logo_alt": 'The "lab"'})
    html = tmp_path / "index.html"
    render_html.run(settings=settings, templates=[TEMPLATES], html=html, logo=logo, **parts)
    page = html.read_text()
    data = base64.b64encode(logo.read_bytes()).decode()
    image = f'<img class="logo" src="data:image/svg+xml;base64,{data}" alt="The &#34;lab&#34;">'
    assert f'<header class="title">\n{image}\n<h1>' in page
    assert "alert" not in page
    assert "img-src data:;" in page


def test_a_figure_that_is_missing_is_named(parts, tmp_path):
    parts["figures"][0].unlink()
    with pytest.raises(StorageError, match=r"drawn\.svg: could not be read .*again"):
        render_html.run(settings=SETTINGS, templates=[TEMPLATES], html=tmp_path / "x.html", **parts)


def test_damaged_results_are_named_and_leave_no_page(parts, tmp_path):
    parts["results"].write_text('{"claims": [')
    html = tmp_path / "index.html"
    with pytest.raises(StorageError, match=r"results\.json: could not be read"):
        render_html.run(settings=SETTINGS, templates=[TEMPLATES], html=html, **parts)
    assert not html.exists()


def test_the_pages_of_an_earlier_larger_report_are_removed(parts, tmp_path, monkeypatch):
    html = tmp_path / "report/index.html"
    page = tmp_path / "report/supplement/vgg16.html"
    with monkeypatch.context() as patch:
        patch.setattr(pages, "MOST_FIGURES", 0)
        render_html.run(settings=SETTINGS, templates=[TEMPLATES], html=html, **parts)
    assert "<svg><text>drawn</text></svg>" in page.read_text()
    assert "<svg><text>drawn</text></svg>" not in html.read_text()
    assert 'href="../data/drawn.csv"' in page.read_text()
    render_html.run(settings=SETTINGS, templates=[TEMPLATES], html=html, **parts)
    assert not page.parent.exists()
    assert "<svg><text>drawn</text></svg>" in html.read_text()
