"""A real Slurm gives the bytes of a local build, whatever happens to its jobs and to snakemake.

`make test-slurm` starts a Slurm of one node on this machine and runs these tests in their order.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time

import pytest

from tests.workflow.conftest import SMOKE, Clone
from tests.workflow.test_kills import different, results

# `make test` needs neither root nor Slurm's packages; CI runs both targets.
pytestmark = pytest.mark.skipif(
    "SLURM" not in os.environ, reason="needs a Slurm on this machine: make test-slurm starts one"
)

_cores, _two, *CONFIGURATION = SMOKE
ON_SLURM = (
    *("--workflow-profile", "workflow/profiles/slurm", *CONFIGURATION),
    *("--slurm-no-account", "--slurm-status-command", "squeue"),
)
RUN = "mobilenet_v2/scratch/unit/seed0"
TIMEOUT_SECONDS = 300


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """Return a clone that all tests of this module build in."""
    return Clone(tmp_path_factory.mktemp("slurm"))


def states():
    """Return the state of each Slurm job by its number: RUNNING, PENDING."""
    lines = subprocess.run(
        ["squeue", "--noheader", "--format", "%i %T"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    return dict(line.split() for line in lines)


def wait_until(is_due):
    """Wait for something to become true, and return it."""
    end = time.monotonic() + TIMEOUT_SECONDS
    while not (found := is_due()):
        assert time.monotonic() < end, "timed out"
        time.sleep(0.2)
    return found


def trainings(clone):
    """Return the number of the Slurm job of each training that has finished an epoch."""
    found = {}
    for log in clone.folder.glob(".snakemake/slurm_logs/*train_run*/**/*.log"):
        if states().get(log.stem) != "RUNNING":
            continue
        for run in re.findall(r"log: logs/train_run/(\S+)\.log", log.read_text()):
            path = clone.folder / f"logs/train_run/{run}.log"
            if path.exists() and "epoch   1/" in path.read_text():
                found[run] = log.stem
    return found


def test_a_job_that_exceeds_its_memory_says_so_and_what_to_change(clone):
    output = f"results/measures/{RUN}.parquet"
    small = [f"{stage}:mem_mb=300" for stage in ("train_run", "digest_weights", "measure_weights")]
    done = clone.snakemake(
        *ON_SLURM, "--retries", "0", "--set-resources", *small, "--", output, check=False
    )
    assert done.returncode == 1
    assert "Killed: the job exceeded its memory limit." in done.stdout
    assert "--set-resources train_run:mem_mb=" in done.stdout
    assert done.stdout.count("Failed: ") == 1
    assert not (clone.folder / output).exists()


def test_a_build_survives_a_cancelled_job_and_the_death_of_snakemake(clone):
    with clone.started(*ON_SLURM) as build:
        run, first = next(iter(wait_until(lambda: trainings(clone)).items()))
        subprocess.run(["scancel", first], check=True)
        # The same run is tried again in another job.
        wait_until(lambda: trainings(clone).get(run, first) != first)
        os.killpg(build.pid, signal.SIGKILL)
    assert "RUNNING" in states().values(), "no job outlived snakemake"
    again = clone.snakemake(*ON_SLURM)
    assert "LockException" not in again.stdout
    assert re.search(r"^The report: results/report/index\.html$", again.stdout, re.M)


def test_its_bytes_are_those_of_a_local_build(clone, tmp_path):
    local = Clone(tmp_path)
    local.snakemake(*SMOKE)
    wait_until(lambda: not states())
    found = {
        name: content for name, content in results(clone).items() if "checkpoints/" not in name
    }
    assert different(found, results(local)) == []
