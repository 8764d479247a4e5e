"""Write the article as PDF, from the same templates as the HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from normreport.config.base import parse
from normreport.config.pages import ARTICLE
from normreport.config.report import RenderSettings
from normreport.errors import MissingToolError
from normreport.io import files
from normreport.plan.system import pdf_unavailable_reason
from normreport.provenance.record import read_record
from normreport.stages.render_html import render_pages
from normreport.text.language import gettext

# Attachments need a date, which must not depend on the clock: equal reports have equal bytes.
NO_DATE = datetime.fromtimestamp(0, UTC)


def run(
    *,
    settings: str,
    results: Path,
    record: Path,
    figures: Sequence[Path],
    attachments: Sequence[Path],
    templates: Sequence[Path],
    pdf: Path,
    logo: Path | None = None,
) -> None:
    """Lay out the printed page as a tagged PDF (PDF/UA-1) with its numbers attached."""
    reason = pdf_unavailable_reason()
    if reason:
        raise MissingToolError(f"{pdf}: could not be made: {reason}")
    from weasyprint import HTML, Attachment
    from weasyprint.urls import URLFetcher

    chosen = parse(RenderSettings, settings, where="render_pdf --settings")
    pages = render_pages(
        chosen, results, read_record(record), figures, templates, logo, medium="print"
    )
    attached = [
        Attachment(
            string=files.read_text(path),
            name=path.name,
            description=gettext("The numbers of %(figure)s", figure=path.stem),
            created=NO_DATE,
            modified=NO_DATE,
            relationship="Data",
        )
        for path in attachments
    ]
    # Nothing is fetched, not even the references of a logo in SVG.
    document = HTML(string=pages[ARTICLE], url_fetcher=URLFetcher(allowed_protocols=["data"]))
    files.write_bytes(pdf, document.write_pdf(pdf_variant="pdf/ua-1", attachments=attached))
