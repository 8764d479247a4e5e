"""The same configuration, code and packages give the same bytes.

A build that is killed at random moments and resumed is compared with an uninterrupted one in
another folder, on another number of cores, in another time zone and language.

`make soak` kills twenty whole builds. The test suite kills two, up to the measurements of weights:
the later stages are short, have no checkpoints, and replace their files at once.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

from tests.workflow.conftest import SMOKE, Clone

IS_SOAK = "KILLS" in os.environ
KILLS = int(os.environ.get("KILLS", "2"))
# Checkpoints of prepare_data lie one folder higher.
OF_A_TRAINING = "*/*/**/checkpoint.safetensors"

_cores, _two, *CONFIGURATION = SMOKE
CONFIGURATION += [] if IS_SOAK else ["--until", "measure_weights"]
PARTS = ("data", "pretrained", "runs", "weights", "measures", "quantiles")
ELSEWHERE = {"TZ": "Pacific/Auckland", "LC_ALL": "C"}

# Python imports this first. A run of the smoke preset ends before its first checkpoint is due.
ALWAYS_DUE = """
from normreport.io import checkpoints
checkpoints.INTERVAL_SECONDS, checkpoints.TIME_SHARE = 0.0, float("inf")
"""


def results(clone):
    """Return the bytes of every file under results/."""
    folder = clone.folder / "results"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def different(found, expected):
    """Name the files that differ, or that only one of both has."""
    return [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]


def jobs(build):
    """Return the process ids of the stages that run in a build's session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if os.getsid(int(path.parent.name)) == build.pid and b"normreport" in words[1]:
                found.append(int(path.parent.name))
        except (OSError, IndexError):
            continue  # it has ended
    return found


def wait_for(build, is_due):
    while build.poll() is None and not is_due():
        time.sleep(0.05)


def resumed_stages(clone):
    """Count the stages that resumed from a checkpoint since the last call."""
    logs = [*(clone.folder / "logs").rglob("*.log")]
    count = sum("resuming from" in path.read_text(errors="replace") for path in logs)
    for path in logs:
        path.unlink()
    return count


def kill(build, chance):
    """Kill one stage, as a lack of memory does, or all processes, as a power failure does."""
    stages = jobs(build)
    if stages and chance.random() < 0.5:
        os.kill(chance.choice(stages), signal.SIGKILL)
        build.wait()
    elif build.poll() is None:
        os.killpg(build.pid, signal.SIGKILL)
        build.wait()


def test_a_build_that_is_killed_and_resumed_ends_in_the_same_bytes(smoke, tmp_path):
    (tmp_path / "another folder").mkdir()
    clone = Clone(tmp_path / "another folder")
    (clone.folder / "sitecustomize.py").write_text(ALWAYS_DUE)
    expected = results(smoke)
    assert {"report/index.html", "report/report.pdf", "report/results.json"} < expected.keys()
    if not IS_SOAK:
        expected = {name: expected[name] for name in expected if name.split("/")[0] in PARTS}
    chance = random.Random(0)
    killed, resumed = 0, 0
    while killed < KILLS:
        with clone.started("--cores", "4", *CONFIGURATION, **ELSEWHERE) as build:
            if killed == 0:
                # The first kill hits a training.
                folder = clone.folder / "results/checkpoints"
                wait_for(build, lambda folder=folder: any(folder.glob(OF_A_TRAINING)))
                os.killpg(build.pid, signal.SIGKILL)
            else:
                moment = time.monotonic() + chance.uniform(4, 15)
                wait_for(build, lambda moment=moment: time.monotonic() > moment)
                kill(build, chance)
        resumed += resumed_stages(clone)
        if build.returncode:
            killed += 1
        else:
            # It ended before the kill: check its results and start again.
            assert different(results(clone), expected) == []
            shutil.rmtree(clone.folder / "results")
    clone.snakemake("--cores", "4", *CONFIGURATION, **ELSEWHERE)
    resumed += resumed_stages(clone)
    assert resumed
    assert different(results(clone), expected) == []
    print(f"{killed} kills, {resumed} stages resumed: identical")


def test_a_second_snakemake_at_the_same_time_is_refused(clone):
    with clone.started(*SMOKE) as build:
        claimed = clone.folder / ".snakemake/claimed"
        wait_for(build, claimed.exists)
        second = clone.snakemake(*SMOKE, check=False)
        os.killpg(build.pid, signal.SIGKILL)
    assert second.returncode != 0
    assert "another snakemake is at work here" in second.stdout
    assert "Traceback" not in second.stdout
