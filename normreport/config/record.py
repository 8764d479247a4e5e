"""Settings of record_provenance."""

from __future__ import annotations

from typing import Literal

from normreport.config.base import Settings
from normreport.config.experiment import Config


class Revision(Settings):
    """Which commit the files of the working directory are."""

    commit: str | None
    """The commit's full name; null where neither git nor an archive of it can tell."""
    date: str | None
    """The commit's day."""
    state: Literal["clean", "changed", "unknown"]
    """Whether the files that decide a report are those of the commit."""


class RecordSettings(Settings):
    """What results alone do not say of a report."""

    config: Config
    """The whole configuration, as resolved."""
    revision: Revision
    """The commit."""
    with_pdf: bool
    """Whether a PDF lies beside the HTML."""
