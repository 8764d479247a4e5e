"""Runs that failed: what their logs say of it, for a report that does without them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from normreport.labels import run_id
from normreport.settings.failures import FailedRun

LINES = 15
LONGEST = 200
# Of an absolute path: results tell nothing of the machine.
FOLDERS = re.compile(r"(?<![\w.])/(?:[^/\s\"']+/)+")


def failure(run: FailedRun, log: str | None) -> dict[str, Any]:
    """Describe a failed run: its condition, what went wrong, and the end of its log.

    Parameters
    ----------
    run
        The run, and the stage that did not end.
    log
        What that stage printed; None if it was not tried.
    """
    lines = [line for line in FOLDERS.sub("", log or "").splitlines() if line.strip()]
    if log is None:
        what = f"{run.stage} was not tried"
    elif not lines:
        what = f"{run.stage} ended without a word"
    else:
        last = lines[-1].strip()
        short = last if len(last) <= LONGEST else last[:LONGEST] + "…"
        what = f"the last words of {run.stage}: “{short}”"
    condition = run.model_dump(include={"model", "start", "normalization", "seed"})
    return {**condition, "what": what, "log": "\n".join(lines[-LINES:])}


def sentence(run: Mapping[str, Any]) -> str:
    """Name a failed run under a figure that it would be part of."""
    return f"Not shown, as it failed: {run_id(run)} ({run['what']})."
