"""Which stages take the processor time of a finished build, and how much memory.

    python -m tests.benchmarks.build [FOLDER OF A CLONE]

Sums what the logs of its jobs say. Snakemake lists the jobs in a dry run.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from normreport.plan import paths
from normreport.source_code import ROOT
from tests.benchmarks.processes import Job, jobs, run
from tests.benchmarks.tables import Results, table

TRAINING = ("pretrain_model", "tune_rate", "train_run")
GOAL = 0.85


def measure(folder: Path = ROOT) -> Results | None:
    """Sum the jobs of the finished default report in a clone; None if there is none."""
    if not (folder / paths.HTML).is_file():
        return None
    planning, output = run(
        [sys.executable, "-m", "snakemake", "--cores", "1", "--dry-run", "--forceall"],
        folder=folder,
    )
    return summarize(jobs(output, folder), planning_seconds=planning.seconds)


def summarize(done: list[Job], *, planning_seconds: float) -> Results:
    """Sum the jobs of every stage, and time its imports.

    The logs of a report that was made before they held these numbers say nothing; such jobs are
    counted as missing.
    """
    by_stage = groupby(sorted(done, key=lambda job: job.stage), key=lambda job: job.stage)
    stages = [_stage(name, [*members]) for name, members in by_stage if name != "all"]
    total = sum(stage["seconds"] for stage in stages)
    training = sum(stage["seconds"] for stage in stages if stage["stage"] in TRAINING)
    return {
        "planning_seconds": planning_seconds,
        "stages": sorted(stages, key=lambda stage: -stage["seconds"]),
        "training_share": training / (total + planning_seconds),
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


def describe(results: Results | None) -> str:
    """Describe the results in Markdown."""
    if results is None:
        return "Left out: there was no finished default report in `results/`.\n"
    total = sum(stage["seconds"] for stage in results["stages"]) + results["planning_seconds"]
    rows = [
        (f"`{stage['stage']}`", stage["jobs"], f"{stage['seconds']:,.0f}",
         f"{stage['seconds'] / total:.1%}", f"{stage['import_seconds']:,.0f}",
         _mb(stage["peak_mb"]), _mb(stage["declared_mb"]))
        for stage in results["stages"]
    ]  # fmt: skip
    planning = results["planning_seconds"]
    rows.append(
        ("Snakemake, planning", 1, f"{planning:,.0f}", f"{planning / total:.1%}", "", "", "")
    )
    imports = sum(stage["import_seconds"] for stage in results["stages"])
    missing = results["missing"]
    return (
        f"Training takes {results['training_share']:.1%} of the processor time of the default "
        f"build (goal: {GOAL:.0%}). The imports of all jobs take {imports / total:.1%}: each job "
        "is a process of its own. They were timed here, one per stage; the other numbers are "
        "from the logs of the build.\n\n"
        + table(
            ["stage", "jobs", "processor time, s", "share", "of it imports, s",
             "peak memory, MB", "declared, MB"],
            rows,
        )
        + (f"\nThe logs of {missing} jobs have no such numbers.\n" if missing else "")
    )  # fmt: skip


def _mb(memory: float | None) -> str:
    return "" if memory is None else f"{memory:,.0f}"


if __name__ == "__main__":
    print(describe(measure(Path(sys.argv[1]) if sys.argv[1:] else ROOT)))
