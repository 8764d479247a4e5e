"""Record which runs failed and how their logs end, for a partial report."""

from __future__ import annotations

from pathlib import Path

from normreport.config.base import parse
from normreport.config.failures import Failures, FailureSettings
from normreport.config.json_files import write_model
from normreport.report.failures import summarize_failure


def run(*, settings: str, failures: Path) -> None:
    """Write one entry per failed run."""
    chosen = parse(FailureSettings, settings, where="record_failures --settings")
    logs = [
        # The log of a killed process may end within a character.
        Path(failed.log).read_text(encoding="utf-8", errors="replace") if failed.log else None
        for failed in chosen.runs
    ]
    write_model(failures, Failures(runs=tuple(map(summarize_failure, chosen.runs, logs))))
