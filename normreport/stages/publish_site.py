"""Copy the report to a folder for any static host."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from normreport.errors import StorageError


def run(*, files: Sequence[Path], report: Path, site: Path) -> None:
    """Copy the report's files and then replace the site in one step."""
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=site.parent, prefix=f".{site.name}.") as folder:
            fresh = Path(folder) / "site"
            for path in files:
                target = fresh / path.relative_to(report)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            # Tell hosts such as GitHub Pages not to run a site generator.
            (fresh / ".nojekyll").touch()
            if site.exists():
                shutil.rmtree(site)
            fresh.rename(site)
    except OSError as error:
        raise StorageError(
            f"{site}: could not be written ({error.strerror or error}). Expected a writable folder "
            "on a disk with free space. Run the same command again afterwards."
        ) from error
