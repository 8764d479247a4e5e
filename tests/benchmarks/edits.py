"""The time of the builds after an edit, relative to the first build.

python -m tests.benchmarks.edits
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.processes import jobs, snakemake
from tests.benchmarks.tables import Results, table
from tests.workflow.conftest import Clone
from tests.workflow.rebuilds import CHANGES, OVERLAY

PRESET = "workflow/presets/smoke.yaml"
EDITS = ("nothing", "the caption of the violins", "an arm added")


def measure(edits: Sequence[str] = EDITS) -> Results:
    """Build the smoke preset, then build it again after each of some edits."""
    changes = {change.what: change for change in CHANGES}
    with tempfile.TemporaryDirectory() as place:
        clone = Clone(Path(place))
        (clone.folder / OVERLAY).write_text("{}")
        builds = [{"edit": "the first build", **_build(clone)}]
        for edit in edits:
            changes[edit].apply(clone.folder)
            builds.append({"edit": edit, **_build(clone)})
    return {"builds": builds}


def _build(clone: Clone) -> Results:
    usage, output = snakemake(clone, "--configfile", PRESET, OVERLAY, "--printshellcmds")
    done = [job for job in jobs(output, clone.folder) if job.stage != "all"]
    return {
        "jobs": len(done),
        "trainings": sum(job.stage == "train_run" for job in done),
        "seconds": usage.seconds,
        "snakemake_seconds": usage.seconds - sum(job.usage.seconds for job in done if job.usage),
    }


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    first, *_ = results["builds"]
    return (
        "The smoke preset, built in a fresh clone, and built again after one edit after the other. "
        "Processor time of Snakemake and all jobs.\n\n"
        + table(
            ["build", "jobs", "trainings", "time, s", "of the first", "of it Snakemake, s"],
            [
                (build["edit"], build["jobs"], build["trainings"], f"{build['seconds']:.1f}",
                 f"{build['seconds'] / first['seconds']:.0%}", f"{build['snakemake_seconds']:.1f}")
                for build in results["builds"]
            ],
        )
    )  # fmt: skip


if __name__ == "__main__":
    print(describe(measure()))
