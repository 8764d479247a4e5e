"""Write the article as PDF, from the same templates as the HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport import files
from normreport.errors import MissingToolError
from normreport.settings.base import parse
from normreport.settings.report import RenderSettings
from normreport.stages.render_html import page
from normreport.system import pdf_hindrance


def run(
    *,
    settings: str,
    results: Path,
    record: Path,
    figures: Sequence[Path],
    templates: Path,
    pdf: Path,
) -> None:
    """Lay the printed page out with WeasyPrint, as a tagged PDF (PDF/UA-1)."""
    hindrance = pdf_hindrance()
    if hindrance:
        raise MissingToolError(f"{pdf}: cannot be made: {hindrance}")
    from weasyprint import HTML

    chosen = parse(RenderSettings, settings, where="render_pdf --settings")
    text = page(chosen, results, files.read_json(record), figures, templates, medium="print")
    files.write_bytes(pdf, HTML(string=text, base_url=None).write_pdf(pdf_variant="pdf/ua-1"))
