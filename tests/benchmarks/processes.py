"""Processes with the processor time and the memory that they take. Linux only."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.workflow.conftest import Clone

POLLING = 0.02
"""Seconds between two looks at a process."""
# A job as Snakemake prints it before a dry run or with --printshellcmds.
JOB = re.compile(r"^(?:local)?(?:rule|checkpoint) (\w+):\n((?:    .*\n)+)", re.MULTILINE)
# The last line of a job's log.
USED = re.compile(r"^peak memory (\d+) MB, processor time ([\d.]+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Usage:
    """What a process took.

    Attributes
    ----------
    seconds
        Processor time of it and of all processes that it started.
    peak_mb
        Its own largest memory, in units of 10^6 bytes.
    """

    seconds: float
    peak_mb: float


@dataclass(frozen=True)
class Job:
    """A job of the workflow.

    Attributes
    ----------
    stage
        Its rule.
    name
        Its log, without the folder and the suffix: ``vgg16/scratch/unit/seed0``.
    declared_mb
        The memory that the rule asks for; None if that depends on a file that does not exist.
    usage
        What its log says; None if it did not run.
    """

    stage: str
    name: str
    declared_mb: int | None
    usage: Usage | None


def run(
    command: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None
) -> tuple[Usage, str]:
    """Run a command; return what it took and what it printed.

    Raises
    ------
    RuntimeError
        If its exit status is not 0.
    """
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        peak_mb = 0.0
        while True:
            # The kernel's own account would include the memory of this process (vfork).
            peak_mb = max(peak_mb, _peak_mb(process.pid))
            ended, status, used = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            time.sleep(POLLING)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)[:500]}: failed.\n{text[-5000:]}")
    return Usage(used.ru_utime + used.ru_stime, peak_mb), text


def _peak_mb(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def snakemake(clone: Clone, *arguments: str) -> tuple[Usage, str]:
    """Run Snakemake in a clone, one job at a time."""
    command = [sys.executable, "-m", "snakemake", "--cores", "1", *arguments]
    return run(command, folder=clone.folder, environment=clone.environment)


def jobs(output: str, folder: Path) -> list[Job]:
    """List the jobs that Snakemake printed, with what their logs in a folder say."""
    return [_job(stage, details, folder) for stage, details in JOB.findall(output) if stage]


def _job(stage: str, details: str, folder: Path) -> Job:
    log = re.search(r"^    log: (\S+)", details, re.MULTILINE)
    declared = re.search(r"\bmem_mb=(\d+)", details)
    path = Path(log[1]) if log else None
    used = USED.search(_read(folder / path)) if path else None
    return Job(
        stage=stage,
        name=str(path.relative_to(f"logs/{stage}").with_suffix("")) if path else "",
        declared_mb=int(declared[1]) if declared else None,
        usage=Usage(float(used[2]), float(used[1])) if used else None,
    )


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
