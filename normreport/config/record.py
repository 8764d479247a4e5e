"""Settings of record_provenance."""

from __future__ import annotations

from typing import Literal

from normreport.config.base import Settings
from normreport.config.experiment import Config


class Revision(Settings):
    """The commit of the working directory."""

    commit: str | None
    """Full hash of the commit; null if neither git nor an archive tells it."""
    date: str | None
    """Date of the commit."""
    state: Literal["clean", "changed", "unknown"]
    """Whether the files that decide a report match the commit."""


class RecordSettings(Settings):
    """What the record adds to the results."""

    config: Config
    """The configuration, as resolved."""
    revision: Revision
    """The commit."""
    with_pdf: bool
    """Whether the report has a PDF."""
