"""Find the commit of the working directory, which may be a clone, an archive or neither."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

from normreport.config.record import Revision

ARCHIVAL = ".git_archival.json"
# The files that decide a report. Other files, such as notes, do not make a clone unclean. The
# configuration is recorded as resolved.
DECIDING = ("Snakefile", "workflow", "normreport", "templates", "requirements.lock")


def revision(folder: Path) -> Revision:
    """Ask git for the commit, or read the file that ``git archive`` fills in.

    Parameters
    ----------
    folder
        The root of the checkout. A repository around it does not count.
    """
    top = _git(folder, "rev-parse", "--show-toplevel")
    commit = _git(folder, "log", "-1", "--format=%H %cs")
    changed = _git(folder, "status", "--porcelain", "--", *DECIDING)
    if not top or not commit or changed is None or not Path(top).samefile(folder):
        return _archived(folder / ARCHIVAL)
    name, date = commit.split()
    return Revision(commit=name, date=date, state="changed" if changed else "clean")


def commit_unavailable_reason(folder: Path) -> str | None:
    """Return why git does not tell the commit of a clone; None if it does, or for another folder.

    Git refuses to read a clone that belongs to somebody else, and says what to do.
    """
    if not (folder / ".git").exists():
        return None
    try:
        # Without a translation, as everything else that the build prints.
        done = _run_git(folder, "log", "-1", "--format=%H", LC_ALL="C")
    except OSError as error:
        return f"git cannot be run ({error.strerror}). Install it and run the same command again."
    if done.returncode == 0:
        return None
    return f"git says: {' '.join(done.stderr.split())}"


def _archived(path: Path) -> Revision:
    """Read what ``git archive`` filled in; later changes are unknown."""
    content = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    # A copy that is not an archive still has the placeholders.
    known = {key: None if value.startswith("$") else value for key, value in content.items()}
    return Revision(commit=known.get("commit"), date=known.get("date"), state="unknown")


def _git(folder: Path, *arguments: str) -> str | None:
    """Run git and return its output; None without git, a repository or a commit."""
    try:
        done = _run_git(folder, *arguments)
    except OSError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def _run_git(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["git", "-C", str(folder), *arguments],
        capture_output=True,
        text=True,
        check=False,
        # Keep `git status` from refreshing the index: reading must not write.
        env=os.environ | {"GIT_OPTIONAL_LOCKS": "0"} | environment,
    )
