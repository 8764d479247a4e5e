"""System prerequisites of a build, and the lock of its folder."""

from __future__ import annotations

import ctypes.util
import os
import sys
from pathlib import Path
from typing import Protocol

from normreport.errors import StorageError
from normreport.io.locks import try_lock
from normreport.plan.fonts import has_fonts

# WeasyPrint lays out text with Pango, a system library that pip cannot install.
PANGO = ("pango-1.0", "pangoft2-1.0", "harfbuzz", "fontconfig")
INSTALL_PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
INSTALL_FONT = "apt-get install fonts-dejavu"


def pdf_unavailable_reason() -> str | None:
    """Return why this system cannot make the PDF, and the remedy; None if it can."""
    missing = [name for name in PANGO if ctypes.util.find_library(name) is None]
    if missing:
        return (
            f"the system lacks {', '.join(missing)}, which WeasyPrint needs. Install it (on "
            f"Debian: {INSTALL_PANGO}) and run the same command again."
        )
    if not has_fonts():
        return (
            f"the system has no font, and WeasyPrint needs one. Install one (on Debian: "
            f"{INSTALL_FONT}) and run the same command again."
        )
    return None


def warn() -> None:
    """Print a warning if the report will have no PDF."""
    reason = pdf_unavailable_reason()
    if reason:
        print(f"The report will have no PDF: {reason}", file=sys.stderr)


class Scheduler(Protocol):
    """Snakemake's scheduler."""

    job_rate_limiter: object


def lift_rate_limit(scheduler: Scheduler) -> None:
    """Let Snakemake start any number of jobs per second.

    With a limit, which has a default, Snakemake 9 reconsiders all waiting jobs every second, and
    once more for each job that has ended. In the default build this took up to half of a core.
    """
    scheduler.job_rate_limiter = None


def lock_folder(folder: Path) -> None:
    """Lock a folder for this process until it ends, even if it is killed.

    Raises
    ------
    StorageError
        If another process holds the lock.
    """
    # Never closed here, which would release the lock. The system closes it with the process.
    lock = os.open(folder / "claimed", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not try_lock(lock):
            raise StorageError(
                f"{folder.resolve().parent}: another snakemake is at work here, expected one at a "
                "time. Wait until it has ended, or stop it, and run the same command again."
            )
    except OSError as error:
        print(f"continuing without a lock: {folder}: {error}", file=sys.stderr)
