"""Write the article as one HTML file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from normreport import files
from normreport.article import Illustration, render
from normreport.settings.base import parse
from normreport.settings.report import RenderSettings


def run(
    *, settings: str, results: Path, figures: Sequence[Path], templates: Path, html: Path
) -> None:
    """Write the page for a screen."""
    files.write_text(html, page(settings, results, figures, templates, medium="screen"))


def page(
    settings: str, results: Path, figures: Sequence[Path], templates: Path, *, medium: str
) -> str:
    """Fill the templates for one medium."""
    chosen = parse(RenderSettings, settings, where="render --settings")
    illustrations = [_illustration(path, number) for number, path in enumerate(figures, start=1)]
    return render(
        templates,
        results=files.read_json(results),
        figures=illustrations,
        settings=chosen,
        medium=medium,
    )


def _illustration(path: Path, number: int) -> Illustration:
    # Our own SVG, whose text was escaped when it was drawn.
    svg = Markup(files.read_text(path))
    return Illustration(number=number, svg=svg, **files.read_json(path.with_suffix(".json")))
