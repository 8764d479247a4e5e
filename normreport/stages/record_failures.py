"""Record which runs failed, and how their logs end, for a report that does without them."""

from __future__ import annotations

from pathlib import Path

from normreport.config.base import parse
from normreport.config.failures import FailureSettings
from normreport.io import files
from normreport.report.failures import failure


def run(*, settings: str, failures: Path) -> None:
    """Write one entry per failed run."""
    chosen = parse(FailureSettings, settings, where="record_failures --settings")
    logs = [
        # Of a process that was killed anything may be left.
        Path(failed.log).read_text(encoding="utf-8", errors="replace") if failed.log else None
        for failed in chosen.runs
    ]
    files.write_json(failures, list(map(failure, chosen.runs, logs)))
