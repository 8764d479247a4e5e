"""Write the article as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords, number_figures
from normreport.config.json_files import read_model
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
    """Write the page for the screen."""
    chosen = parse(RenderSettings, settings, where="render_html --settings")
    text = render_page(
        chosen, results, read_record(record), figures, templates, logo, medium="screen"
    )
    files.write_text(html, text)


def render_page(
    settings: RenderSettings,
    results: Path,
    record: Record,
    figures: Sequence[Path],
    templates: Sequence[Path],
    logo: Path | None = None,
    *,
    medium: str,
) -> str:
    """Fill the templates for one medium."""
    set_language(find_catalogue(settings.language, templates))
    words = [read_model(FigureWords, path.with_suffix(".json")) for path in figures]
    illustrations = [
        # The texts of our own SVG were escaped when it was drawn.
        Illustration.from_words(one, number=number, svg=Markup(files.read_text(path)))
        for one, number, path in zip(words, number_figures(words), figures, strict=True)
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
