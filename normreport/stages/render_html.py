"""Write the article as one HTML file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from normreport.config.base import parse
from normreport.config.figure_words import FigureWords
from normreport.config.json_files import read_model
from normreport.config.report import RenderSettings
from normreport.config.results import Results
from normreport.io import files
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
    """Write the page for a screen."""
    chosen = parse(RenderSettings, settings, where="render_html --settings")
    text = page(chosen, results, files.read_json(record), figures, templates, logo, medium="screen")
    files.write_text(html, text)


def page(
    settings: RenderSettings,
    results: Path,
    record: Mapping[str, Any],
    figures: Sequence[Path],
    templates: Sequence[Path],
    logo: Path | None = None,
    *,
    medium: str,
) -> str:
    """Fill the templates for one medium."""
    set_language(find_catalogue(settings.language, templates))
    illustrations = [_illustration(path, number) for number, path in enumerate(figures, start=1)]
    return render(
        templates,
        results=read_model(Results, results),
        record=record,
        figures=illustrations,
        settings=settings,
        medium=medium,
        logo=data_uri(logo) if logo else None,
    )


def _illustration(path: Path, number: int) -> Illustration:
    # Our own SVG, whose text was escaped when it was drawn.
    svg = Markup(files.read_text(path))
    words = read_model(FigureWords, path.with_suffix(".json"))
    return Illustration(number=number, svg=svg, **words.model_dump(mode="json"))
