"""Results that Snakemake has no memory of, and when they may be adopted.

Snakemake keeps in ``.snakemake/`` what each file was made of. Without that it goes by times, which
copying sets: stale results would pass for new ones.
"""

from __future__ import annotations

from pathlib import Path

from normreport import files
from normreport.differences import changes
from normreport.errors import StorageError
from normreport.provenance import FLOW, folders_digest, versions
from normreport.settings.provenance import RecordSettings
from normreport.source_code import source_digest

HOW = "snakemake --cores 1 --touch --forceall --config adopt=true"


def is_remembered(results: Path, memory: Path) -> bool:
    """Tell whether Snakemake remembers results; where there are none, none are forgotten."""
    # What a job made, or has begun to make: as files, or with --persistence-backend db.
    notes = [*memory.glob("metadata/*"), *memory.glob("incomplete/*"), *memory.glob("metadata.db")]
    return bool(notes) or not any(path.is_file() for path in results.rglob("*"))


def forgotten(results: Path, memory: Path) -> StorageError:
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
    record = files.read_json(results / "report/provenance.json")
    here = {
        "config": settings.model_dump(mode="json")["config"],
        "code": {stage: source_digest(f"normreport.stages.{stage}") for stage in FLOW},
        "versions": versions(),
        "templates": folders_digest(*templates),
    }
    others = [change.name for key in here for change in changes(record[key], here[key], key)]
    others += [
        path
        for path, digest in record["files"].items()
        if not (results / path).is_file() or files.file_digest(results / path) != digest
    ]
    if others:
        more = f" and {len(others) - 3} more" if len(others) > 3 else ""
        raise StorageError(
            f"{results} was not made by this configuration and this code, or is not whole: "
            f"{', '.join(others[:3])}{more}. Expected the results of the report in it, unchanged; "
            f"move {results} away and run snakemake without adopt=true."
        )
