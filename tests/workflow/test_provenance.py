"""A real report is verified, rebuilt, and distinguished from an altered one."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.workflow.conftest import SMOKE


def normreport(smoke, *arguments):
    done = subprocess.run(
        [sys.executable, "-m", "normreport", *arguments],
        cwd=smoke.folder,
        env=os.environ | {"PYTHONPATH": str(smoke.folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def record(smoke):
    return json.loads((smoke.folder / "results/report/provenance.json").read_text())


def test_a_finished_report_is_identical_to_its_results(smoke):
    status, text = normreport(smoke, "verify", "results/report")
    assert status == 0, text
    assert text.startswith("identical: ")


def test_a_digit_of_a_real_drawing_is_found(smoke, tmp_path):
    page = (smoke.folder / "results/report/index.html").read_text()
    figure = page.index('<figure id="displacement-mobilenet_v2"')
    digit = re.compile(r' d="M *(\d)').search(page, figure).start(1)
    tampered = tmp_path / "tampered.html"
    tampered.write_text(f"{page[:digit]}{9 - int(page[digit])}{page[digit + 1 :]}")
    status, text = normreport(smoke, "verify", str(tampered), "--results", "results")
    assert status == 1
    assert "(displacement-mobilenet_v2): " in text
    assert " instead of " in text


def test_every_figure_is_recorded_with_what_draws_it(smoke, record):
    drawn = {path.stem for path in (smoke.folder / "results/figures").glob("*.svg")}
    assert set(record["figures"]) == drawn
    for name, figure in record["figures"].items():
        assert name.startswith(figure["settings"]["kind"])
    assert len(record["runs"]) == 8
    assert not any(run["older_code"] for run in record["runs"])
    assert record["config"]["training"]["epochs"] == 8
    assert record["revision"]["state"] == "unknown"


def test_the_record_contains_no_path_and_no_host(smoke):
    for name in ("provenance.json", "ro-crate-metadata.json"):
        text = (smoke.folder / "results/report" / name).read_text()
        assert str(smoke.folder) not in text
        assert os.uname().nodename not in text


def test_another_commit_records_and_renders_anew_and_nothing_else(smoke):
    """Make the clone a repository for a moment: its commit enters the record."""
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@b", "-C", str(smoke.folder)]
    for arguments in (["init", "-q"], ["add", "Snakefile"], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], check=True)
    try:
        output = smoke.snakemake(*SMOKE, "--dry-run").stdout
    finally:
        shutil.rmtree(smoke.folder / ".git")
    jobs = re.search(r"Job stats:.*?\ntotal", output, re.S).group()
    assert set(re.findall(r"^(\w+) +\d+$", jobs, re.M)) == {
        "all",
        "record_provenance",
        "render_html",
        "render_pdf",
    }
