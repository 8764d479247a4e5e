"""What a build prints before it starts: what the report will lack, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from normreport.config.report import ReportSettings
from normreport.plan.fonts import missing_letters
from normreport.provenance.revision import commit_unavailable_reason
from normreport.text.language import find_catalogue

# Name at most this many letters: a text in another script may lack all of them.
MAX_NAMED = 10


def notices(report: ReportSettings, pdf_unavailable: str | None, clone: Path) -> Iterator[str]:
    """Yield a sentence for each thing that the report will lack.

    Parameters
    ----------
    report
        The settings of the report.
    pdf_unavailable
        Why the system cannot make the PDF; None if it can.
    clone
        The folder of the workflow.
    """
    if pdf_unavailable:
        yield f"The PDF is left out: {pdf_unavailable}"
    else:
        yield from _missing_letters(report, clone)
    if reason := commit_unavailable_reason(clone):
        yield f"The report will name no commit: {reason}"


def _missing_letters(report: ReportSettings, clone: Path) -> Iterator[str]:
    texts = {
        "report.title": report.title,
        "report.authors": " ".join(str(author) for author in report.authors),
        "report.abstract": report.abstract or "",
        "report.introduction": report.introduction or "",
    }
    catalogue = find_catalogue(report.language, report.template_folders(clone / "templates"))
    if catalogue:
        texts[str(catalogue)] = catalogue.read_text(encoding="utf-8", errors="replace")
    for place, text in texts.items():
        letters = missing_letters(text)
        if letters:
            more = f" and {len(letters) - MAX_NAMED} more" if len(letters) > MAX_NAMED else ""
            yield (
                f"{place}: no installed font has {' '.join(letters[:MAX_NAMED])}{more}, and the "
                "PDF will show boxes instead. Install a font with these letters (for Chinese, "
                "Japanese and Korean on Debian: apt-get install fonts-noto-cjk)."
            )
