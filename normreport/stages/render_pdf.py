"""Write the article as PDF, from the same templates as the HTML."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport import files
from normreport.errors import MissingToolError
from normreport.stages.render_html import page
from normreport.system import pdf_hindrance


def run(
    *, settings: str, results: Path, figures: Sequence[Path], templates: Path, pdf: Path
) -> None:
    """Lay the printed page out with WeasyPrint, as a tagged PDF (PDF/UA-1)."""
    hindrance = pdf_hindrance()
    if hindrance:
        raise MissingToolError(f"{pdf}: cannot be made: {hindrance}")
    from weasyprint import HTML

    text = page(settings, results, figures, templates, medium="print")
    files.write_bytes(pdf, HTML(string=text, base_url=None).write_pdf(pdf_variant="pdf/ua-1"))
