"""Write the article as HTML, in one file unless the study is large."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords, number_figures
from normreport.config.json_files import read_model
from normreport.config.pages import ARTICLE, FOLDER, assign_pages
from normreport.config.report import RenderSettings
from normreport.config.results import Results
from normreport.io import files
from normreport.provenance.record import Record, read_record
from normreport.report.article import Illustration, render
from normreport.report.user_files import data_uri
from normreport.text.language import find_catalogue, set_language


def run(
    *,
    settings: str,
    results: Path,
    record: Path,
    figures: Sequence[Path],
    templates: Sequence[Path],
    html: Path,
    logo: Path | None = None,
) -> None:
    """Write the pages for the screen: the article and, beside it, those of the supplement."""
    chosen = parse(RenderSettings, settings, where="render_html --settings")
    pages = render_pages(
        chosen, results, read_record(record), figures, templates, logo, medium="screen"
    )
    # An earlier report may have had other pages.
    shutil.rmtree(html.parent / FOLDER, ignore_errors=True)
    for path, text in pages.items():
        files.write_text(html if path == ARTICLE else html.parent / path, text)


def render_pages(
    settings: RenderSettings,
    results: Path,
    record: Record,
    figures: Sequence[Path],
    templates: Sequence[Path],
    logo: Path | None = None,
    *,
    medium: str,
) -> dict[str, str]:
    """Fill the templates for one medium; return the pages by their paths beside the article."""
    set_language(find_catalogue(settings.language, templates))
    words = [read_model(FigureWords, path.with_suffix(".json")) for path in figures]
    numbers, pages = number_figures(words), assign_pages(words, len(record.runs))
    illustrations = [
        # The texts of our own SVG were escaped when it was drawn.
        Illustration.from_words(one, number=number, page=page, svg=Markup(files.read_text(path)))
        for one, number, page, path in zip(words, numbers, pages, figures, strict=True)
    ]
    return render(
        templates,
        results=read_model(Results, results),
        record=record,
        figures=illustrations,
        settings=settings,
        medium=medium,
        logo=data_uri(logo) if logo else None,
    )
