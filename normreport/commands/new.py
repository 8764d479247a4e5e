"""Write the folder of a new study: a small example to change."""

from __future__ import annotations

import os
import shlex
import tempfile
from pathlib import Path

from normreport.errors import ConfigError, StorageError
from normreport.source_code import ROOT

EXAMPLE = ROOT / "workflow/study"
PROFILE = ROOT / "workflow/profiles/default"
# Folders of the clone, and their places in the study. Snakemake looks for a profile beside the
# Snakefile.
SOURCES = {EXAMPLE: ".", PROFILE: "profiles/default"}
# Files that would have an effect in the repository have another name there.
RENAMED = {"gitignore": ".gitignore"}


def run(*, folder: Path) -> None:
    """Write the example, and say how to go on.

    Raises
    ------
    ConfigError
        If the folder exists and is not empty, or the path of the clone has braces.
    StorageError
        If the folder cannot be written.
    """
    clone = os.path.relpath(ROOT, os.path.realpath(folder))
    if {"{", "}", '"', "\\"} & {*clone}:
        raise ConfigError(
            f"{clone}: expected a clone in a folder without braces, quotes or backslashes, which "
            "mean something else to Snakemake. Rename the folder."
        )
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise ConfigError(f"{folder}: expected a new or an empty folder. Choose another name.")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as made:
            _write(Path(made), clone)
            for path in Path(made).iterdir():
                path.replace(folder / path.name)
    except OSError as error:
        raise StorageError(
            f"{error.filename or folder}: could not be written ({error.strerror}). Choose another "
            "folder, or change its permissions."
        ) from error
    print(f"Wrote {folder}. Edit config.yaml there, then build its report:")
    print(f"  cd {shlex.quote(str(folder))}")
    print("  normreport check")
    print("  snakemake --cores all")


def _write(folder: Path, clone: str) -> None:
    for source, part in SOURCES.items():
        for path in source.rglob("*"):
            place = path.relative_to(source)
            if not path.is_file() or "__pycache__" in place.parts:
                continue
            target = folder / part / place.with_name(RENAMED.get(place.name, place.name))
            target.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8")
            target.write_text(text.replace("{clone}", clone), encoding="utf-8")
