"""Results without Snakemake's metadata, and when a build may adopt them.

Snakemake keeps in ``.snakemake/`` what each file was made of. Without it, Snakemake compares the
times of files. Copying sets these times, and outdated results would seem up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from normreport.config.experiment import Config
from normreport.config.record import RecordSettings
from normreport.errors import StorageError
from normreport.io import files
from normreport.plan import paths
from normreport.provenance.differences import find_changes
from normreport.provenance.figure_code import figure_code
from normreport.provenance.record import FLOW, Record, folders_digest, read_record, versions
from normreport.provenance.stage_code import run_code
from normreport.source_code import source_digest

ADOPT_COMMAND = "snakemake --cores 1 --touch --forceall --config adopt=true"


def has_metadata(results: Path, metadata: Path) -> bool:
    """Return whether Snakemake knows what results were made of; True if there are none."""
    # Of finished and of started jobs: files, or one file with --persistence-backend db.
    known = [
        *metadata.glob("metadata/*"),
        *metadata.glob("incomplete/*"),
        *metadata.glob("metadata.db"),
    ]
    return bool(known) or not any(path.is_file() for path in results.rglob("*"))


def missing_metadata_error(results: Path, metadata: Path) -> StorageError:
    """Return the error for results without Snakemake's metadata."""
    return StorageError(
        f"{results} is here, but not {metadata}, where Snakemake keeps what {results} was made "
        "from. Without it, nobody can tell whether the results belong to this configuration and "
        f"code. Copy {metadata} from where {results} was made, or move {results} away. If it "
        f"holds a complete report and the images have not changed since, adopt it: {ADOPT_COMMAND}"
    )


def check_adoption(results: Path, settings: RecordSettings, templates: list[Path]) -> None:
    """Check that results belong to a configuration and to the code of this clone.

    This cannot detect images that have changed at their source.

    Parameters
    ----------
    results
        The folder of the results.
    settings
        What a build of this clone would record.
    templates
        The folders of templates, the user's own first.

    Raises
    ------
    StorageError
        If there is no record of a complete report, if it names another configuration or other
        code, or if a file differs from the recorded one.
    """
    record = read_record(results / Path(paths.RECORD).relative_to(paths.RESULTS))
    there = record.model_dump(mode="json")
    here = {
        "config": settings.model_dump(mode="json")["config"],
        "code": {stage: source_digest(f"normreport.stages.{stage}") for stage in FLOW},
        "versions": versions(),
        "templates": folders_digest(*templates),
    }
    differences = (
        [change.name for key in here for change in find_changes(there[key], here[key], key)]
        or _of_other_code(record, settings.config)
        or _changed_files(results, record.files)
    )
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise StorageError(
            f"{results} was not made by this configuration and this code, or is not complete: "
            f"{', '.join(differences[:3])}{more}. Expected the unchanged results of the report in "
            f"it. Move {results} away and run snakemake without adopt=true."
        )


def _of_other_code(record: Record, config: Config) -> list[str]:
    """Name the runs and figures whose own modules have changed: stages import these by name."""
    arms = {run.normalization for run in record.runs}
    of_arm = {arm: run_code(config.arm_inputs(arm)).digest() for arm in arms}
    changed = [run.id for run in record.runs if run.code != of_arm[run.normalization]]
    changed += [
        name
        for name, figure in record.figures.items()
        if figure.code != figure_code(figure.settings).digest()
    ]
    return [f"code of {name}" for name in changed]


def _changed_files(results: Path, digests: Mapping[str, str]) -> list[str]:
    """Name the files that are missing, or not the recorded ones."""
    known = {path: results / path for path in digests}
    return [
        name
        for name, path in known.items()
        if not path.is_file() or files.file_digest(path) != digests[name]
    ]
