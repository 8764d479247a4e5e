"""Write the article as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords
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
    illustrations = [
        read_illustration(path, number) for number, path in enumerate(figures, start=1)
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


def read_illustration(path: Path, number: int) -> Illustration:
    """Read a figure's drawing and its words."""
    words = read_model(FigureWords, path.with_suffix(".json"))
    # The texts of our own SVG were escaped when it was drawn.
    return Illustration.from_words(words, number=number, svg=Markup(files.read_text(path)))
