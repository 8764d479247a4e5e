"""What the system must have beforehand, and that nobody else is at work."""

from __future__ import annotations

import ctypes.util
import fcntl
import os
import sys
from pathlib import Path

from normreport.errors import StorageError

# WeasyPrint lays text out with Pango, a library of the system that pip cannot bring.
PANGO = ("pango-1.0", "pangoft2-1.0", "harfbuzz", "fontconfig")
INSTALL_PANGO = "apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def pdf_unavailable_reason() -> str | None:
    """Why the PDF cannot be made on this system, and what to do; None if it can."""
    missing = [name for name in PANGO if ctypes.util.find_library(name) is None]
    if not missing:
        return None
    return (
        f"the system lacks {', '.join(missing)}, which WeasyPrint needs. Install it (on Debian: "
        f"{INSTALL_PANGO}) and run the same command again."
    )


def warn() -> None:
    """Say what is missing; the report is made all the same, without the PDF."""
    reason = pdf_unavailable_reason()
    if reason:
        print(f"The report will have no PDF: {reason}", file=sys.stderr)


def claim_folder(folder: Path) -> None:
    """Claim a folder for this process alone until it ends, however it ends.

    Raises
    ------
    StorageError
        If another process has claimed it.
    """
    # Never closed, which would end the claim; the system closes it, even after a kill.
    claim = os.open(folder / "claimed", os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise StorageError(
            f"{folder.resolve().parent}: another snakemake is at work here, expected one at a "
            "time. Wait until it has ended, or stop it, and run the same command again."
        ) from error
