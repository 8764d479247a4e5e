"""Which commit the working directory is: a clone, a changed clone, an archive, or none of these."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from normreport.config.record import Revision

ARCHIVAL = ".git_archival.json"
# What decides a report. Notes, overlays of one's own and the README do not make a clone unclean:
# the configuration is recorded as resolved.
DECIDING = ("Snakefile", "workflow", "normreport", "templates", "requirements.lock")


def revision(folder: Path) -> Revision:
    """Ask git, or the file that ``git archive`` fills in.

    Parameters
    ----------
    folder
        The root of the checkout. A repository that merely encloses it is not asked.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "log", "-1", "--format=%H %cs")
    changed = _git(folder, "status", "--porcelain", "--", *DECIDING)
    if not top or not commit or changed is None or not Path(top).samefile(folder):
        return _archived(folder / ARCHIVAL)
    name, date = commit.split()
    return Revision(commit=name, date=date, state="changed" if changed else "clean")


def _archived(path: Path) -> Revision:
    """Read what ``git archive`` filled in; what was changed since cannot be known."""
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    # Of a copy that is no archive it still holds the placeholders.
    known = {key: None if value.startswith("$") else value for key, value in found.items()}
    return Revision(commit=known.get("commit"), date=known.get("date"), state="unknown")


def _git(folder: Path, *arguments: str) -> str | None:
    """Give what git answers; None if there is no git, no repository or no commit."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            check=True,
            # Status would refresh the index otherwise: reading must not write.
            env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"},
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
