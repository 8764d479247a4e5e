from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml

from normreport.commands.check import read_config
from normreport.config.experiment import load_config
from normreport.io.files import read_json
from normreport.source_code import ROOT
from tests.benchmarks import (
    build,
    growth,
    memory,
    page,
    processes,
    statistics_and_figures,
    throughput,
)
from tests.benchmarks.__main__ import JSON, PAGE, SUBJECTS, document, machine, record
from tests.benchmarks.processes import Job, Usage
from tests.benchmarks.tables import table
from tests.reports import write_report
from tests.workflow.rebuilds import CHANGES

MB = 10**6
# What Snakemake prints of two jobs, the second with an input that does not exist.
PRINTED = """\
Building DAG of jobs...

[Sun Nov 29 22:23:30 2026]
localrule judge_claims:
    input: a.json, b.json
    log: logs/judge_claims/results.log
    jobid: 0
    resources: tmpdir=/tmp, mem_mb=2000, mem=2 GB, mem_mib=1908

rule compare_arms:
    output: c.parquet
    log: logs/compare_arms/vgg16/scratch/features.0.log
    resources: tmpdir=/tmp, mem_mb=<TBD>, runtime=30

rule all:
    input: c.parquet
    jobid: 1
"""


def test_a_process_is_measured_with_its_own_memory_and_the_time_of_its_children(tmp_path: Path):
    burn = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    idle, _ = processes.run([sys.executable, "-c", ""], folder=tmp_path)
    busy, printed = processes.run(
        [sys.executable, "-c", f"{burn}; block = b'x' * {200 * MB}; print('done')"],
        folder=tmp_path,
    )
    assert printed == "done\n"
    assert busy.peak_mb - idle.peak_mb == pytest.approx(200, abs=10)
    assert busy.seconds > idle.seconds


def test_a_process_that_fails_is_an_error_with_its_output(tmp_path: Path):
    with pytest.raises(RuntimeError, match="out of luck"):
        processes.run([sys.executable, "-c", "raise SystemExit('out of luck')"], folder=tmp_path)


def test_jobs_have_the_memory_that_they_ask_for_and_what_their_logs_say(tmp_path: Path):
    log = tmp_path / "logs/judge_claims/results.log"
    log.parent.mkdir(parents=True)
    log.write_text("a warning\npeak memory 319 MB, processor time 8.8 s\n")
    assert processes.jobs(PRINTED, tmp_path) == [
        Job("judge_claims", "results", 2000, Usage(8.8, 319)),
        Job("compare_arms", "vgg16/scratch/features.0", None, None),
        Job("all", "", None, None),
    ]


def test_the_share_of_training_counts_pretraining_and_sweeps():
    done = [
        Job("train_run", "a", 3000, Usage(50.0, 1700)),
        Job("train_run", "b", 4000, Usage(20.0, 1800)),
        Job("pretrain_model", "c", 4000, Usage(20.0, 900)),
        Job("judge_claims", "results", 2000, Usage(8.0, 300)),
        Job("render_pdf", "report", 2000, None),
    ]
    results = build.summarize(done, snakemake_seconds=2.0)
    assert results["training_share"] == pytest.approx(0.9)
    assert results["missing"] == 1
    training = results["stages"][0]
    assert (training["stage"], training["jobs"], training["seconds"]) == ("train_run", 2, 70)
    assert (training["peak_mb"], training["declared_mb"]) == (1800, 4000)
    text = build.describe({"default": results, "edits": BUILDS, "seconds_per_job": 0.2})
    assert "Training takes 90.0%" in text
    assert "Snakemake takes 2.0%" in text


BUILDS = [
    {"edit": "the first build", "jobs": 40, "trainings": 8, "seconds": 200.0,
     "snakemake_seconds": 12.0},
    {"edit": "nothing", "jobs": 0, "trainings": 0, "seconds": 4.0, "snakemake_seconds": 4.0},
]  # fmt: skip


def test_builds_after_an_edit_are_relative_to_the_first():
    overhead = build.seconds_per_job(BUILDS)
    assert overhead == pytest.approx(0.2)
    text = build.describe({"default": None, "edits": BUILDS, "seconds_per_job": overhead})
    assert "| nothing | 0 | 0 | 4.0 | 2% | 4.0 |" in text


def test_a_report_that_is_not_there_is_left_out(tmp_path: Path):
    assert build.measure_default(tmp_path, seconds_per_job=0.2) is None
    assert page.measure(tmp_path / "index.html") is None
    assert "left out" in build.describe({"default": None, "edits": BUILDS, "seconds_per_job": 0.2})
    assert "Left out" in page.describe(None)


def test_the_parts_of_a_page_add_up(tmp_path: Path, default_values: dict[str, object]):
    html = write_report(tmp_path / "results", default_values)
    results = page.measure(html)
    assert results is not None
    assert sum(results["bytes"].values()) == html.stat().st_size
    assert results["bytes"]["drawings"] > 0
    for times in results["milliseconds"].values():
        assert times["first paint"] > 0
        assert 0 < times["DOMContentLoaded"] <= times["interactive"]
    assert f"{html.stat().st_size:,}" in page.describe(results)


def test_densities_agree_with_those_of_seaborn():
    results = statistics_and_figures.measure({"features.0": (8, 3, 3, 3)}, epochs=1)
    assert results["error"] < statistics_and_figures.LARGEST_ERROR
    assert [row["weights"] for row in results["curves"]] == [216]
    assert "`features.0`" in statistics_and_figures.describe(results)


def test_training_is_compared_with_a_script_and_bare_steps():
    results = throughput.measure(["mobilenet_v2"], rounds=1, seconds=0.1)
    (row,) = results["models"]
    assert row["over_script"] == row["run"] / row["script"]
    assert row["over_bare"] == row["steps"] / row["bare"]
    assert f"{row['over_bare']:.2f}" in throughput.describe(results)


def test_memory_is_that_of_the_trainings(default_values: dict[str, object]):
    results = memory.measure({
        "experiment": {"models": ["mobilenet_v2"]},
        "training": {"epochs": 1},
        "data": {"target": {"train_images": 32, "heldout_images": 20}},
        "models": {"mobilenet_v2": {"train_images": 32}},
    })  # fmt: skip
    found = {job["stage"]: job for job in results["jobs"]}
    assert {*found} == {"prepare_data", "train_run", "digest_weights"}
    layers = load_config(default_values).models["mobilenet_v2"].layers
    assert found["train_run"]["kept_layers"] == len(layers)
    assert f"{found['train_run']['peak_mb']:,.0f}" in memory.describe(results)


def test_growth_measures_one_job_of_each_kind():
    config = {
        "experiment": {"models": ["mobilenet_v2"], "starts": ["scratch"], "seeds": [0, 1],
                       "normalizations": ["unit", "imagenet"], "exclude": []},
        "training": {"epochs": 2},
        "claims": {"article": "none"},
        "models": {"mobilenet_v2": {"layers": ["features.0.0"]}},
    }  # fmt: skip
    size = growth.measure_size(config)
    assert (size["runs"], size["compared_runs"]) == (4, 4)
    stages = {name for name in size["jobs"] if not name.startswith("figure ")}
    assert stages == {"compare_arms", "judge_claims", "record_provenance", "render_html"}
    assert all(job["declared_mb"] and job["peak_mb"] for job in size["jobs"].values())
    described = growth.describe({"sizes": [size]})
    assert "| `judge_claims` |" in described
    assert "4 runs" in described


@pytest.mark.parametrize(("runs", "config"), growth.SIZES.items())
def test_the_sizes_have_as_many_runs_as_they_say(
    tmp_path: Path, runs: int, config: dict[str, object]
):
    size = tmp_path / "size.yaml"
    size.write_text(yaml.safe_dump(config))
    assert len(read_config([ROOT / "config.yaml", size]).design.runs) == runs


def test_the_edits_are_changes_that_are_tested():
    assert {*build.EDITS} <= {change.what for change in CHANGES}


def test_results_of_another_machine_are_dropped(tmp_path: Path):
    path = tmp_path / "benchmarks.json"
    record("build", None, path)
    record("page", None, path)
    known = read_json(path)
    assert {*known["subjects"]} == {"build", "page"}
    path.write_text(path.read_text().replace('"cores"', '"kernels"'))
    record("page", None, path)
    assert {*read_json(path)["subjects"]} == {"page"}
    assert read_json(path)["machine"] == machine()


def test_the_page_is_made_from_the_numbers():
    assert PAGE.read_text() == document(read_json(JSON))
    assert {*read_json(JSON)["subjects"]} == {*SUBJECTS}


def test_numbers_stand_on_the_right():
    assert table(["a", "b"], [("x", 1)]) == "| a | b |\n| --- | ---: |\n| x | 1 |\n"
