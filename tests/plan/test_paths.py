"""Results paths are spelled in one module, and wildcards agree with the names of runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from normreport.config.runs import Run
from normreport.plan import paths

RUN = Run("vgg16", "scratch", "unit", 3)
PATTERNS = {
    name: value
    for name, value in vars(paths).items()
    if name.isupper() and isinstance(value, str) and "/" in value
}


def test_the_pattern_of_a_run_gives_the_run_s_own_name() -> None:
    assert paths.of_run(paths.RUN, RUN) == RUN.id == "vgg16/scratch/unit/seed3"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            paths.of_run(paths.RUN_SNAPSHOTS, RUN),
            "results/runs/vgg16/scratch/unit/seed3/snapshots.safetensors",
        ),
        (paths.of_run(paths.MEASURES, RUN), "results/measures/vgg16/scratch/unit/seed3.parquet"),
        (paths.TARGET_IMAGES, "results/data/target/images.safetensors"),
        (paths.HTML, "results/report/index.html"),
        (paths.log("train_run", paths.RUN).format(**vars(RUN)),
         "logs/train_run/vgg16/scratch/unit/seed3.log"),
    ],
)  # fmt: skip
def test_a_path_is_what_the_documentation_says(path: str, expected: str) -> None:
    assert path == expected


def test_no_two_names_stand_for_one_path() -> None:
    assert len(set(PATTERNS.values())) == len(PATTERNS)


@pytest.mark.parametrize("folder", ["normreport", "workflow/rules", "Snakefile"])
def test_no_other_source_file_spells_a_results_path(root: Path, folder: str) -> None:
    top = root / folder
    sources = [top] if top.is_file() else [*top.rglob("*.py"), *top.rglob("*.smk")]
    assert sources
    spelled = re.compile(r"""["'{ ](results|logs)/""")
    found = {
        path.relative_to(root).as_posix()
        for path in sources
        if spelled.search(path.read_text(encoding="utf-8"))
    }
    assert found <= {"normreport/plan/paths.py"}
