"""Each change remakes what depends on it, and nothing else."""

from __future__ import annotations

import csv
import re
import shutil
from fnmatch import fnmatchcase

import pytest

from tests.workflow import rebuilds
from tests.workflow.conftest import ROOT, SMOKE, copy_of
from tests.workflow.rebuilds import CHANGES, OVERLAY


@pytest.fixture
def built(smoke, tmp_path):
    """Return a copy of a finished build with an empty overlay."""
    copy = copy_of(smoke, tmp_path)
    (tmp_path / OVERLAY).write_text("{}")
    yield copy
    shutil.rmtree(tmp_path)


def planned(clone):
    """Return (rule, path under results/) of every output, and whether Snakemake would remake it."""
    text = clone.snakemake(*SMOKE, OVERLAY, "--summary", "--quiet").stdout
    lines = text[text.index("output_file\t") :].splitlines()
    return {
        (row["rule"], row["output_file"].removeprefix("results/")): row["plan"] == "update pending"
        for row in csv.DictReader(lines, delimiter="\t")
    }


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_a_change_remakes_what_depends_on_it_and_nothing_else(built, change):
    change.apply(built.folder)
    plan = planned(built)
    expected = {
        (rule, path)
        for rule, path in plan
        if any(fnmatchcase(path, pattern) for pattern in change.anew.get(rule, ()))
    }
    assert {rule for rule, _ in expected} == set(change.anew), "a pattern that fits nothing"
    assert {output for output, anew in plan.items() if anew} == expected


def test_the_documentation_has_the_table_of_the_tests():
    found = (ROOT / "docs/rebuilds.md").read_text()
    repair = "python -m tests.workflow.rebuilds > docs/rebuilds.md"
    assert found == rebuilds.document(), f"run: {repair}"


# Imports that would make every call of snakemake seconds slower, before its first job.
SLOW_IMPORTS = {"torch", "torchvision", "scipy", "skimage", "sklearn", "matplotlib", "weasyprint"}


def test_planning_imports_no_slow_package(built):
    output = built.snakemake(*SMOKE, PYTHONPROFILEIMPORTTIME="1").stdout
    assert "Nothing to be done" in output
    imported = set(re.findall(r"^import time:[\d |]+\| *([a-zA-Z_]\w*)$", output, re.M))
    assert "pydantic" in imported  # the pattern fits what Python prints
    assert not imported & SLOW_IMPORTS


def test_a_changed_sentence_rebuilds_the_pages_only(built):
    template = built.folder / "templates/sections/question.html.j2"
    template.write_text(
        template.read_text().replace("</section>", "A sentence of its own.</section>")
    )
    output = built.snakemake(*SMOKE).stdout
    assert re.search(r"\[3/4\] all: ", output)  # after record, HTML and PDF
    assert "A sentence of its own." in (built.folder / "results/report/index.html").read_text()


ADOPT = (*SMOKE, OVERLAY, "--touch", "--forceall", "--config", "adopt=true")


def test_results_without_metadata_are_refused_until_they_are_adopted(built):
    shutil.rmtree(built.folder / ".snakemake")
    refused = built.snakemake(*SMOKE, OVERLAY, check=False)
    assert refused.returncode != 0
    assert "results is here, but not .snakemake" in refused.stdout
    (built.folder / OVERLAY).write_text("models: {mobilenet_v2: {learning_rate: 0.5}}")
    refused = built.snakemake(*ADOPT, check=False)
    assert refused.returncode != 0
    assert "made by this configuration and this code" in refused.stdout
    assert "config.models.mobilenet_v2.learning_rate" in refused.stdout
    (built.folder / OVERLAY).write_text("{}")
    built.snakemake(*ADOPT)
    assert not any(planned(built).values())
    (built.folder / OVERLAY).write_text("models: {mobilenet_v2: {learning_rate: 0.5}}")
    assert planned(built)["train_run", "runs/mobilenet_v2/scratch/unit/seed0/manifest.json"]
