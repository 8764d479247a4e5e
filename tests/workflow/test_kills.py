"""The same configuration, code and packages: the same bytes, wherever and however often it is run.

A build that is killed again and again, at any moment, ends in the bytes of one that was not, which
ran in another folder, on another number of cores, in another time zone and language.

`make soak` kills twenty times over whole builds; the suite three times.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import time
from pathlib import Path

from tests.workflow.conftest import SMOKE, Clone

KILLS = int(os.environ.get("KILLS", "3"))
# Those of the decoding of images lie one folder higher.
OF_A_TRAINING = "*/*/**/checkpoint.safetensors"

_cores, _two, *CONFIGURATION = SMOKE
ELSEWHERE = {"TZ": "Pacific/Auckland", "LC_ALL": "C"}

# A run of the smoke preset is over before its first checkpoint is due. Python imports this first.
ALWAYS_DUE = """
from normreport.io import checkpoints
checkpoints.INTERVAL_SECONDS, checkpoints.TIME_SHARE = 0.0, float("inf")
"""


def results(clone):
    """Give the bytes of every file of the results, also of those that should not be there."""
    folder = clone.folder / "results"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def different(found, expected):
    """Name the files that are not in both, or not the same."""
    return [name for name in sorted({*found, *expected}) if found.get(name) != expected.get(name)]


def jobs(build):
    """Give the process ids of the stages that are at work in a build's session."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
            if os.getsid(int(path.parent.name)) == build.pid and b"normreport" in words[1]:
                found.append(int(path.parent.name))
        except (OSError, IndexError):
            continue  # it has ended meanwhile
    return found


def wait_for(build, is_due):
    while build.poll() is None and not is_due():
        time.sleep(0.05)


def resumed_stages(clone):
    """Count what went on from a checkpoint since this was asked last."""
    logs = [*(clone.folder / "logs").rglob("*.log")]
    count = sum("resuming from" in path.read_text(errors="replace") for path in logs)
    for path in logs:
        path.unlink()
    return count


def kill(build, chance):
    """Kill one stage, as a machine without memory does, or all at once, as one without power."""
    stages = jobs(build)
    if stages and chance.random() < 0.5:
        os.kill(chance.choice(stages), signal.SIGKILL)
        build.wait()
    elif build.poll() is None:
        os.killpg(build.pid, signal.SIGKILL)
        build.wait()


def test_a_build_that_is_killed_again_and_again_ends_in_the_same_bytes(smoke, tmp_path):
    (tmp_path / "another folder").mkdir()
    clone = Clone(tmp_path / "another folder")
    (clone.folder / "sitecustomize.py").write_text(ALWAYS_DUE)
    expected = results(smoke)
    assert {"report/index.html", "report/report.pdf", "report/results.json"} < expected.keys()
    chance = random.Random(0)
    killed, resumed = 0, 0
    while killed < KILLS:
        with clone.started("--cores", "4", *CONFIGURATION, **ELSEWHERE) as build:
            if killed == 0:
                # The first one while something is in training.
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
            # Ended before it could be killed: it must be whole, and the next begins anew.
            assert different(results(clone), expected) == []
            shutil.rmtree(clone.folder / "results")
    clone.snakemake("--cores", "4", *CONFIGURATION, **ELSEWHERE)
    resumed += resumed_stages(clone)
    assert resumed
    assert different(results(clone), expected) == []
    print(f"{killed} kills, {resumed} stages went on: identical")


def test_a_second_snakemake_at_the_same_time_is_turned_away(clone):
    with clone.started(*SMOKE) as build:
        claimed = clone.folder / ".snakemake/claimed"
        wait_for(build, claimed.exists)
        second = clone.snakemake(*SMOKE, check=False)
        os.killpg(build.pid, signal.SIGKILL)
    assert second.returncode != 0
    assert "another snakemake is at work here" in second.stdout
    assert "Traceback" not in second.stdout
