"""Results that Snakemake has no memory of, and when they may be adopted.

Snakemake keeps in ``.snakemake/`` what each file was made of. Without that it goes by times, which
copying sets: stale results would pass for new ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from normreport.config.record import RecordSettings
from normreport.errors import StorageError
from normreport.io import files
from normreport.provenance.differences import changes
from normreport.provenance.record import FLOW, folders_digest, read_record, versions
from normreport.source_code import figure_modules, run_modules, source_digest

HOW = "snakemake --cores 1 --touch --forceall --config adopt=true"


def is_remembered(results: Path, memory: Path) -> bool:
    """Tell whether Snakemake remembers results; where there are none, none are forgotten."""
    # What a job made, or has begun to make: as files, or with --persistence-backend db.
    notes = [*memory.glob("metadata/*"), *memory.glob("incomplete/*"), *memory.glob("metadata.db")]
    return bool(notes) or not any(path.is_file() for path in results.rglob("*"))


def missing_metadata_error(results: Path, memory: Path) -> StorageError:
    """Make the error for results without Snakemake's memory of them."""
    return StorageError(
        f"{results} is here, but not {memory}, where Snakemake keeps what it was made of: whether "
        f"it is of this configuration and this code is not known. Bring {memory} from where "
        f"{results} was made, or move {results} away; where a whole report is in it and the images "
        f"have not changed since, adopt it: {HOW}"
    )


def check_adoption(results: Path, settings: RecordSettings, templates: list[Path]) -> None:
    """Check that results are those of a configuration and of the code that is here.

    Raises
    ------
    StorageError
        If no whole report tells what they were made of, if that is something else, or if a file is
        not the one that it tells of. Whether images were changed where they come from is not seen.
    """
    record = read_record(results / "report/provenance.json")
    here = {
        "config": settings.model_dump(mode="json")["config"],
        "code": {stage: source_digest(f"normreport.stages.{stage}") for stage in FLOW},
        "versions": versions(),
        "templates": folders_digest(*templates),
    }
    others = (
        [change.name for key in here for change in changes(record[key], here[key], key)]
        or _of_other_code(record)
        or _other_files(results, record["files"])
    )
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise StorageError(
            f"{results} was not made by this configuration and this code, or is not whole: "
            f"{', '.join(others[:3])}{more}. Expected the results of the report in it, unchanged; "
            f"move {results} away and run snakemake without adopt=true."
        )


def _of_other_code(record: Mapping[str, Any]) -> list[str]:
    """Name runs and figures whose own code, which stages import by its name, is another one."""
    modules = {run["id"]: run_modules(run["id"].split("/")[2]) for run in record["runs"]}
    codes = {run["id"]: run["code"] for run in record["runs"]}
    for name, figure in record["figures"].items():
        drawn = figure["settings"]
        modules[name] = figure_modules(drawn["kind"], drawn["normalizations"])
        codes[name] = figure["code"]
    return [f"code of {name}" for name in codes if codes[name] != source_digest(*modules[name])]


def _other_files(results: Path, digests: Mapping[str, str]) -> list[str]:
    paths = {path: results / path for path in digests}
    return [
        name
        for name, path in paths.items()
        if not path.is_file() or files.file_digest(path) != digests[name]
    ]
