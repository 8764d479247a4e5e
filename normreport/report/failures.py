"""Runs that failed: what their logs say of it, for a report that does without them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from normreport.config.failures import FailedRun
from normreport.config.runs import run_id
from normreport.text.language import gettext

LINES = 15
LONGEST = 200
# Of an absolute path: results tell nothing of the machine.
FOLDERS = re.compile(r"(?<![\w.])/(?:[^/\s\"']+/)+")


def failure(run: FailedRun, log: str | None) -> dict[str, Any]:
    """Record a failed run: its condition, the stage, and the end of its log.

    Parameters
    ----------
    run
        The run, and the stage that did not end.
    log
        What that stage printed; None if it was not tried.
    """
    if log is not None:
        lines = [line for line in FOLDERS.sub("", log).splitlines() if line.strip()]
        log = "\n".join(lines[-LINES:])
    return run.model_dump() | {"log": log}


def localized(failure: Mapping[str, Any]) -> dict[str, Any]:
    """Give what the results tell of a failed run, in the report's language."""
    condition = {key: failure[key] for key in ("model", "start", "normalization", "seed")}
    return {**condition, "what": what(failure), "log": failure["log"] or ""}


def what(failure: Mapping[str, Any]) -> str:
    """Say in words what is known of the end of a failed run."""
    stage, log = failure["stage"], failure["log"]
    if log is None:
        return gettext("%(stage)s was not tried", stage=stage)
    if not log:
        return gettext("%(stage)s ended without a word", stage=stage)
    last = log.splitlines()[-1].strip()
    short = last if len(last) <= LONGEST else last[:LONGEST] + "…"
    return gettext("the last words of %(stage)s: “%(words)s”", stage=stage, words=short)


def sentence(failure: Mapping[str, Any]) -> str:
    """Name a failed run under a figure that it would be part of."""
    return gettext(
        "Not shown, as it failed: %(run)s (%(what)s).", run=run_id(failure), what=what(failure)
    )
