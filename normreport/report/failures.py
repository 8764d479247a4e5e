"""Describe failed runs for a partial report: how their logs end, and where they are missing."""

from __future__ import annotations

import re

from normreport.config.failures import FailedRun, Failure
from normreport.config.runs import Run
from normreport.text.language import gettext

LINES = 15
LONGEST = 200
# The folders of an absolute path: results must not describe the machine.
FOLDERS = re.compile(r"(?<![\w.])/(?:[^/\s\"']+/)+")


def summarize_failure(run: FailedRun, log: str | None) -> Failure:
    """Keep the condition of a failed run, its stage and the end of its log.

    Parameters
    ----------
    run
        The run and the stage that failed.
    log
        The text of the stage's log; None if the stage was not tried.
    """
    if log is not None:
        lines = [line for line in FOLDERS.sub("", log).splitlines() if line.strip()]
        log = "\n".join(lines[-LINES:])
    return Failure(**run.model_dump() | {"log": log})


def explain_failure(failure: Failure) -> str:
    """Say in the report's language how a failed run ended."""
    stage, log = failure.stage, failure.log
    if log is None:
        return gettext("%(stage)s was not tried", stage=stage)
    if not log:
        return gettext("%(stage)s failed without a message", stage=stage)
    last = log.splitlines()[-1].strip()
    short = last if len(last) <= LONGEST else last[:LONGEST] + "…"
    return gettext("%(stage)s failed; its log ends “%(words)s”", stage=stage, words=short)


def explain_absence(failure: Failure) -> str:
    """Name a failed run below a figure that would show it."""
    run = Run(failure.model, failure.start, failure.normalization, failure.seed)
    return gettext(
        "Not shown, because it failed: %(run)s (%(what)s).",
        run=run.id,
        what=explain_failure(failure),
    )
