"""On a full disk or with damaged results a message names the file, and a rerun repairs it."""

from __future__ import annotations

import re
import shutil

import pytest

from tests.workflow.conftest import SMOKE, copy_of
from tests.workflow.test_kills import results as every_byte

RUN, OTHER_RUN = "mobilenet_v2/scratch/unit/seed0", "mobilenet_v2/pretrained/unit/seed1"
# Python imports this first: a training gets the error of a full disk for files above 4 kB. Python
# itself must write no .pyc, because it would keep and later read a truncated one.
FULL = """
import resource, sys
from normreport import cli
main = cli.main
def limited():
    if sys.argv[1] == "train_run":
        sys.dont_write_bytecode = True
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    return main()
cli.main = limited
"""


@pytest.fixture(scope="module")
def built(smoke, tmp_path_factory):
    """Return a copy of a finished build."""
    return copy_of(smoke, tmp_path_factory.mktemp("damaged"))


def checked(*runs):
    """Give the arguments of a build that trains some runs, reads their weights and stops there."""
    outputs = ("runs/{}/snapshots.safetensors", "runs/{}/manifest.json", "weights/{}.json")
    return (*SMOKE, "--", *(f"results/{path.format(run)}" for run in runs for path in outputs))


def trained(output):
    """Return the number of trainings that the build announced."""
    (found,) = re.findall(r"Runs to be trained: (\d+) of 8", output)
    return int(found)


def test_a_full_disk_gives_a_message_and_leaves_no_partial_file(smoke, built):
    folder = built.folder / "results/runs" / RUN
    shutil.rmtree(folder)
    (built.folder / "sitecustomize.py").write_text(FULL)
    assert built.snakemake(*checked(RUN), check=False).returncode == 1
    (built.folder / "sitecustomize.py").unlink()
    log = (built.folder / f"logs/train_run/{RUN}.log").read_text()
    assert f"results/runs/{RUN}/snapshots.safetensors: could not be written" in log
    assert "Traceback" not in log
    assert not [path for path in folder.rglob("*") if path.is_file()]
    assert trained(built.snakemake(*checked(RUN)).stdout) == 1
    assert every_byte(built) == every_byte(smoke)


def test_truncated_files_are_named_and_only_their_runs_are_trained_again(smoke, built):
    cut = {RUN: "snapshots.safetensors", OTHER_RUN: "manifest.json"}
    paths = {run: built.folder / "results/runs" / run / name for run, name in cut.items()}
    for path in paths.values():
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    failed = built.snakemake("--keep-going", *checked(*cut), check=False)
    assert failed.returncode == 1
    assert trained(failed.stdout) == 0
    for run, path in paths.items():
        log = (built.folder / f"logs/digest_weights/{run}.log").read_text()
        name = path.relative_to(built.folder)
        assert re.search(rf"{name}: could not be read .* rebuilds only what is missing", log)
        assert "Traceback" not in log
        path.unlink()
    assert trained(built.snakemake(*checked(*cut)).stdout) == 2
    assert every_byte(built) == every_byte(smoke)
