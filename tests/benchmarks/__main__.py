"""Run the benchmarks; write docs/benchmarks.json and, from it, docs/benchmarks.md.

    python -m tests.benchmarks [SUBJECT ...]

The named subjects are measured again, or all of them. What was measured on another machine or with
other versions is dropped.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

from normreport.io.files import read_json, write_json, write_text
from normreport.source_code import ROOT
from tests.benchmarks import (
    build,
    growth,
    memory,
    page,
    statistics_and_figures,
    throughput,
)
from tests.benchmarks.tables import Results, table

JSON = ROOT / "docs/benchmarks.json"
PAGE = ROOT / "docs/benchmarks.md"
SUBJECTS: Mapping[str, tuple[str, ModuleType]] = {
    "throughput": ("Training", throughput),
    "statistics_and_figures": ("Statistics and figures", statistics_and_figures),
    "build": ("Builds", build),
    "growth": ("Growth with the number of runs", growth),
    "memory": ("Memory of trainings", memory),
    "page": ("The page", page),
}
PACKAGES = ("torch", "numpy", "pandas", "pyarrow", "matplotlib", "seaborn", "snakemake")
INTRODUCTION = """\
# Benchmarks

`make benchmark` writes this page and [the numbers as JSON](benchmarks.json), in about 25 minutes.
Compare the numbers of one row with each other: times on another machine, or on a busy one, differ.
No test checks a time.
"""


def main(subjects: Sequence[str]) -> None:
    """Measure subjects, and write the files after each of them."""
    unknown = sorted({*subjects} - {*SUBJECTS})
    if unknown:
        sys.exit(f"{unknown[0]}: expected one of {', '.join(SUBJECTS)}")
    for name in subjects or SUBJECTS:
        title, module = SUBJECTS[name]
        print(f"{title} ...", file=sys.stderr, flush=True)
        record(name, module.measure(), JSON)
        write_text(PAGE, document(read_json(JSON)))


def record(subject: str, results: Results | None, path: Path) -> None:
    """Put the results of one subject into the file, beside the others of this machine."""
    here = machine()
    known = read_json(path) if path.exists() else {}
    others = known.get("subjects", {}) if known.get("machine") == here else {}
    date = datetime.now(UTC).date().isoformat()
    subjects = {**others, subject: {"date": date, "results": results}}
    write_json(path, {"machine": here, "subjects": subjects})


def machine() -> Results:
    """Describe this machine and the versions that decide a time."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            **{package: version(package) for package in PACKAGES},
        },
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    names = [line.split(":")[1].strip() for line in info.splitlines() if "model name" in line]
    return names[0] if names else platform.processor()


def document(recorded: Results) -> str:
    """Write the page from the numbers alone."""
    here, subjects = recorded["machine"], recorded["subjects"]
    versions = ", ".join(f"{name} {number}" for name, number in here["versions"].items())
    sections = [
        f"## {title}\n\n{module.describe(subjects[name]['results'])}\n"
        f"Measured on {subjects[name]['date']}.\n"
        for name, (title, module) in SUBJECTS.items()
        if name in subjects
    ]
    about = table(
        ["machine", ""],
        [("processor", here["processor"]), ("cores", here["cores"]), ("system", here["system"]),
         ("versions", versions)],
    )  # fmt: skip
    return "\n".join([INTRODUCTION, about, *sections])


if __name__ == "__main__":
    main(sys.argv[1:])
