"""A partial report names the runs that failed; the next build tries them again."""

from __future__ import annotations

import json
import shutil

import pytest

from tests.workflow.conftest import SMOKE, copy_of
from tests.workflow.test_kills import results as every_byte

PARTIAL = (*SMOKE, "--config", "partial=true")
FAILED = "mobilenet_v2/scratch/imagenet/seed1"
# Python imports this first: the process of one run prints a line and raises an error.
FAILING = """
import sys
from normreport import cli
main = cli.main
def failing():
    if sys.argv[1] == "train_run" and any("{run}" in word for word in sys.argv):
        print("a last line", file=sys.stderr)
        raise MemoryError("made to fail")
    return main()
cli.main = failing
"""


@pytest.fixture(scope="module")
def built(smoke, tmp_path_factory):
    """Return a copy of a finished build without one run, whose training fails."""
    copy = copy_of(smoke, tmp_path_factory.mktemp("partial"))
    shutil.rmtree(copy.folder / "results/runs" / FAILED)
    (copy.folder / "sitecustomize.py").write_text(FAILING.format(run=FAILED))
    return copy


def test_a_failed_run_is_reported_and_the_next_build_trains_it(smoke, built):
    run = f"results/runs/{FAILED}/manifest.json"
    first = built.snakemake(*SMOKE, "--keep-going", "--", run, check=False)
    assert first.returncode == 1
    assert "partial=true" in first.stdout
    for target in ("all", "publish"):  # the second build has nothing to do and must still fail
        partial = built.snakemake(*PARTIAL, "--", target, check=False)
        assert partial.returncode == 1
        assert "The report is partial: 1 of 8 runs failed." in partial.stdout
    assert not (built.folder / "public").exists()
    report = built.folder / "results/report"
    results = json.loads((report / "results.json").read_text())
    (failure,) = results["failures"]
    assert failure["what"] == "train_run failed; its log ends “MemoryError: made to fail”"
    assert "a last line" in failure["log"]
    assert str(built.folder) not in failure["log"]
    page = (report / "index.html").read_text()
    assert page.index("This report is partial") < page.index('id="scorecard"')
    touched = f"Not shown, because it failed: {FAILED} ({failure['what']})."
    captions = {
        path.stem: json.loads(path.read_text())["caption"]
        for path in (built.folder / "results/figures").glob("*.json")
    }
    for name, caption in captions.items():
        shows = not any(word in name for word in ("pretrained", "examples", "inputs"))
        shows &= name not in ("levels", "resize")
        assert (touched in caption) == shows, name
    for claim in results["claims"]:
        for case in claim["cases"]:
            place = case["place"]
            if place and "scratch" in place["starts"] and "imagenet" in place["contrast"]["arms"]:
                assert case["verdict"] == "NOT EVALUABLE"
                assert f"{FAILED} (failed: {failure['what']})" in case["reason"]
    (built.folder / "sitecustomize.py").unlink()
    whole = built.snakemake(*SMOKE)
    assert "Runs to be trained: 1 of 8" in whole.stdout
    assert every_byte(built) == every_byte(smoke)


def test_without_pretrained_weights_the_runs_from_scratch_are_reported(smoke, tmp_path):
    copy = copy_of(smoke, tmp_path)
    shutil.rmtree(tmp_path / "results/pretrained")
    copy.snakemake(*PARTIAL, "--", "results/report/results.json")
    results = json.loads((tmp_path / "results/report/results.json").read_text())
    assert {(run["start"], run["state"]) for run in results["runs"]} == {
        ("pretrained", "FAILED"),
        ("scratch", "OK"),
    }
    for failure in results["failures"]:
        assert failure["what"] == "pretrain_model was not tried"


@pytest.mark.parametrize("stage", ["digest_weights", "measure_weights"])
def test_a_run_that_fails_after_its_training_is_left_out(smoke, tmp_path, stage):
    copy = copy_of(smoke, tmp_path)
    (tmp_path / "sitecustomize.py").write_text(
        FAILING.format(run=FAILED).replace("train_run", stage)
    )
    made = {"digest_weights": ("weights",), "measure_weights": ("measures", "quantiles")}
    outputs = []
    for folder in made[stage]:
        for path in (tmp_path / "results" / folder).glob(f"{FAILED}.*"):
            path.unlink()
            outputs.append(str(path.relative_to(tmp_path)))
    assert copy.snakemake(*SMOKE, "--keep-going", "--", *outputs, check=False).returncode == 1
    done = copy.snakemake(*PARTIAL, "--", "results/failures.json")
    assert f"{stage} {FAILED}" not in done.stdout
    (failure,) = json.loads((tmp_path / "results/failures.json").read_text())["runs"]
    assert f"{failure['model']}/{failure['start']}/{failure['normalization']}" in FAILED
    assert failure["stage"] == stage
    assert failure["log"].endswith("MemoryError: made to fail")
    planned = copy.snakemake(*PARTIAL, "--dry-run").stdout
    assert "judge_claims" in planned
    assert f"results/measures/{FAILED}.parquet" not in planned
