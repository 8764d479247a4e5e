"""Copy the report to a folder for any static host."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from normreport.errors import StorageError


def run(*, files: Sequence[Path], report: Path, site: Path) -> None:
    """Replace the site by the report's files, once all of them are copied."""
    try:
        site.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=site.parent, prefix=f".{site.name}.") as folder:
            fresh = Path(folder) / "site"
            for path in files:
                target = fresh / path.relative_to(report)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
            # Hosts that would run the files through a site generator leave them alone.
            (fresh / ".nojekyll").touch()
            if site.exists():
                shutil.rmtree(site)
            fresh.rename(site)
    except OSError as error:
        raise StorageError(
            f"{site}: could not be written ({error.strerror or error}). Expected a folder that may "
            "be written, on a disk with free space. Mend that and run the same command again."
        ) from error
