"""What the processor time of builds is spent on.

    python -m tests.benchmarks.build [FOLDER OF A CLONE WITH A FINISHED DEFAULT REPORT]

The jobs of the default report are not run again: their logs say what they took. The smoke preset is
built here, and built again after edits. That also tells how long Snakemake itself takes per job,
which no log says.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from normreport.plan import paths
from normreport.source_code import ROOT
from tests.benchmarks.processes import Job, jobs, run, snakemake
from tests.benchmarks.tables import Results, table
from tests.workflow.conftest import Clone
from tests.workflow.rebuilds import CHANGES, OVERLAY

PRESET = "workflow/presets/smoke.yaml"
NO_EDIT = "nothing"
EDITS = (NO_EDIT, "the caption of the violins", "an arm added")
TRAINING = ("pretrain_model", "tune_rate", "train_run")
GOAL = 0.85


def measure(folder: Path = ROOT) -> Results:
    """Build the smoke preset, and sum the jobs of the default report if there is one."""
    builds = measure_edits()
    overhead = seconds_per_job(builds)
    return {
        "edits": builds,
        "seconds_per_job": overhead,
        "default": measure_default(folder, seconds_per_job=overhead),
    }


def measure_edits(edits: Sequence[str] = EDITS) -> list[Results]:
    """Build the smoke preset, then build it again after each of some edits."""
    changes = {change.what: change for change in CHANGES}
    with tempfile.TemporaryDirectory() as place:
        clone = Clone(Path(place))
        (clone.folder / OVERLAY).write_text("{}")
        builds = [{"edit": "the first build", **_build(clone)}]
        for edit in edits:
            changes[edit].apply(clone.folder)
            builds.append({"edit": edit, **_build(clone)})
    return builds


def _build(clone: Clone) -> Results:
    usage, output = snakemake(clone, "--configfile", PRESET, OVERLAY, "--printshellcmds")
    done = [job for job in jobs(output, clone.folder) if job.stage != "all"]
    return {
        "jobs": len(done),
        "trainings": sum(job.stage == "train_run" for job in done),
        "seconds": usage.seconds,
        "snakemake_seconds": usage.seconds - sum(job.usage.seconds for job in done if job.usage),
    }


def seconds_per_job(builds: list[Results]) -> float:
    """Return Snakemake's own processor time per job of the first build, without its planning."""
    first, *others = builds
    planning = next(build["seconds"] for build in others if build["edit"] == NO_EDIT)
    return float(first["snakemake_seconds"] - planning) / float(first["jobs"])


def measure_default(folder: Path, *, seconds_per_job: float) -> Results | None:
    """Sum the jobs of the finished default report in a clone; None if there is none."""
    if not (folder / paths.HTML).is_file():
        return None
    planning, output = run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--forceall"],
        folder=folder,
    )
    done = [job for job in jobs(output, folder) if job.stage != "all"]
    return summarize(done, snakemake_seconds=planning.seconds + seconds_per_job * len(done))


def summarize(done: list[Job], *, snakemake_seconds: float) -> Results:
    """Sum the jobs of every stage, and time its imports.

    Logs from before they held these numbers say nothing; such jobs are counted as missing.
    """
    by_stage = groupby(sorted(done, key=lambda job: job.stage), key=lambda job: job.stage)
    stages = [_stage(name, [*members]) for name, members in by_stage]
    total = sum(stage["seconds"] for stage in stages) + snakemake_seconds
    training = sum(stage["seconds"] for stage in stages if stage["stage"] in TRAINING)
    return {
        "seconds": total,
        "snakemake_seconds": snakemake_seconds,
        "stages": sorted(stages, key=lambda stage: -stage["seconds"]),
        "training_share": training / total,
        "missing": sum(stage["missing"] for stage in stages),
    }


def _stage(name: str, members: list[Job]) -> Results:
    used = [job.usage for job in members if job.usage]
    declared = [job.declared_mb for job in members if job.declared_mb]
    imports, _ = run([sys.executable, "-c", f"import normreport.stages.{name}"], folder=ROOT)
    return {
        "stage": name,
        "jobs": len(used),
        "missing": len(members) - len(used),
        "seconds": sum(usage.seconds for usage in used),
        "import_seconds": len(used) * imports.seconds,
        "peak_mb": max((usage.peak_mb for usage in used), default=None),
        "declared_mb": max(declared, default=None),
    }


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    return (
        f"{_describe_default(results['default'], results['seconds_per_job'])}\n"
        f"### After an edit\n\n{_describe_edits(results['edits'])}"
    )


def _describe_default(default: Results | None, overhead: float) -> str:
    if default is None:
        return "The default build is left out: `results/` had no finished default report.\n"
    total, own = default["seconds"], default["snakemake_seconds"]
    rows: list[tuple[object, ...]] = [
        (f"`{stage['stage']}`", stage["jobs"], f"{stage['seconds']:,.0f}",
         f"{stage['seconds'] / total:.1%}", f"{stage['import_seconds']:,.0f}",
         _mb(stage["peak_mb"]), _mb(stage["declared_mb"]))
        for stage in default["stages"]
    ]  # fmt: skip
    rows.append(("Snakemake", "", f"{own:,.0f}", f"{own / total:.1%}", "", "", ""))
    imports = sum(stage["import_seconds"] for stage in default["stages"])
    missing = default["missing"]
    return (
        f"Training takes {default['training_share']:.1%} of the processor time of the default "
        f"build (goal: {GOAL:.0%}). The imports of all jobs take {imports / total:.1%}, because "
        f"each job is a process of its own, and Snakemake takes {own / total:.1%}. Times of jobs "
        "are from the logs of the build. Imports were timed here, once per stage. Snakemake is a "
        f"dry run, and per job the {overhead:.2f} s of the smoke build below.\n\n"
        + table(
            ["stage", "jobs", "time, s", "share", "of it imports, s",
             "peak memory, MB", "declared, MB"],
            rows,
        )
        + (f"\nThe logs of {missing} jobs have no such numbers.\n" if missing else "")
    )  # fmt: skip


def _describe_edits(builds: list[Results]) -> str:
    return (
        "The smoke preset is built in a fresh clone, and again after each edit in turn. Times are "
        "the processor time of Snakemake and all jobs.\n\n"
        + table(
            ["build", "jobs", "trainings", "time, s", "share of the first", "Snakemake alone, s"],
            [
                (build["edit"], build["jobs"], build["trainings"], f"{build['seconds']:.1f}",
                 f"{build['seconds'] / builds[0]['seconds']:.0%}",
                 f"{build['snakemake_seconds']:.1f}")
                for build in builds
            ],
        )
    )  # fmt: skip


def _mb(memory: float | None) -> str:
    return "" if memory is None else f"{memory:,.0f}"


if __name__ == "__main__":
    print(describe(measure(Path(sys.argv[1]) if sys.argv[1:] else ROOT)))
