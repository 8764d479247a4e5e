"""What a build prints: one line a job, progress bars in a terminal, and the verdicts at its end.

Snakemake describes each job by its files, which takes 40,000 characters for the last one. The
handlers here print a line instead; Snakemake's own log under ``.snakemake/log`` keeps the rest.
"""

from __future__ import annotations

import logging
import os
import re
import time
from collections import Counter, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from normreport.io.files import read_json

if TYPE_CHECKING:
    from rich.console import RenderableType

# The name of Snakemake's own handler for the terminal.
DEFAULT_HANDLER = "DefaultStreamHandler"
LOG_LINES = 5
# The last line of the log of a stage that succeeds begins so (normreport/cli.py).
USAGE = "peak memory "
AFTER_A_FAILURE = (
    "A job failed; its log is named above, and snakemake --show-failed-logs prints it. To report "
    "the runs that succeeded, run snakemake --keep-going and then snakemake --config partial=true."
)
# Snakemake's reasons to run a job, and ours. The files that may follow are left out, but one.
REASONS = (
    ("Missing output files", "missing output"),
    ("Incomplete output files", "unfinished output"),
    ("Updated input files", "changed input"),
    ("Input files updated by another job", "new input"),
    ("Set of input files has changed", "another set of inputs"),
    ("Code has changed", "changed rule"),
    ("Params have changed", "changed settings"),
    ("Forced execution", "forced"),
)
# What a cluster writes to the log of a job that it kills, and what to do about it.
KILL_MESSAGES = (
    (
        re.compile(r"exceeded \w*\s?memory limit|oom.?kill", re.IGNORECASE),
        "Killed: the job exceeded its memory limit. Retries, if any are left, request more; "
        "--set-resources RULE:mem_mb=N requests N MB.",
    ),
    (
        re.compile(r"due to time limit", re.IGNORECASE),
        "Killed: the job exceeded its time limit. Retries of trainings, if any are left, request "
        "more; --set-resources RULE:runtime=N requests N minutes.",
    ),
)
# Lines of Snakemake that repeat what a job's own line says, or that say nothing to a user.
REPEATED = re.compile(
    r"Select jobs to execute|Execute \d+ jobs|Finished job|Shell command:"
    r"|DAG of jobs will be updated|Updating checkpoint dependencies"
)


@dataclass(frozen=True)
class Job:
    """A job that was started.

    Attributes
    ----------
    rule
        The stage.
    name
        The stage and the values of its wildcards.
    log
        The path of the log, if the job has one.
    """

    rule: str
    name: str
    log: str | None


@dataclass(frozen=True)
class FailedGroup:
    """Jobs that a cluster ran as one, of which one failed.

    Attributes
    ----------
    failed
        The job that failed; those after it never started.
    logs
        The paths of the cluster's logs.
    """

    failed: Job
    logs: tuple[str, ...]


def short_reason(reason: str) -> str:
    """Shorten Snakemake's reason to run a job to a few words.

    Returns
    -------
    str
        Such as ``"changed input (normreport/training/loop.py)"``.
    """
    parts = []
    for opening, words in REASONS:
        _, found, rest = reason.partition(opening)
        if not found:
            continue
        first = re.match(r": ([^,;\s]+)", rest)
        # A changed input is the only file that a reader cannot guess.
        parts.append(f"{words} ({first[1]})" if first and words == "changed input" else words)
    return ", ".join(parts) or "requested"


def last_lines(path: str | None, count: int) -> list[str]:
    """Return the last lines of a log that are not empty."""
    try:
        with open(path or os.devnull, encoding="utf-8", errors="replace") as stream:
            return list(deque((line.rstrip() for line in stream if line.strip()), count))
    except OSError:
        return []


def last_epoch(path: str | None) -> list[str]:
    """Return a training's last line, skipping the line about memory."""
    return [line for line in last_lines(path, 2) if not line.startswith(USAGE)][-1:]


def has_succeeded(path: str | None) -> bool:
    """Return whether a log ends as that of a stage that succeeded."""
    return any(line.startswith(USAGE) for line in last_lines(path, 1))


def kill_reason(path: str) -> str | None:
    """Say, from the end of a log, why a cluster killed the job; None if it did not."""
    text = "\n".join(last_lines(path, 50))
    return next((reason for pattern, reason in KILL_MESSAGES if pattern.search(text)), None)


def headline(results: Path) -> str:
    """Count the verdicts of a report: ``"21 claims: 9 supported, 12 not evaluable"``.

    Raises
    ------
    StorageError
        If the results cannot be read.
    """
    claims = read_json(results)["claims"]
    verdicts = Counter(claim["verdict"].lower() for claim in claims)
    counts = ", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())
    return f"{len(claims)} claims: {counts}"


class PlainLines(logging.Handler):
    """Prints a line for each job that starts, and the end of the log of each that fails.

    Parameters
    ----------
    stream
        Where lines go.
    jobs
        The stage of every job of the build.
    with_losses
        Whether to print the last epoch of each finished training.
    with_whole_logs
        Whether to print the whole log of a failed job.
    """

    def __init__(
        self,
        stream: TextIO,
        jobs: Iterable[str],
        *,
        with_losses: bool = False,
        with_whole_logs: bool = False,
    ) -> None:
        super().__init__(logging.INFO)
        self.stream = stream
        self.totals = Counter(jobs)
        self.done: Counter[str] = Counter()
        self.running: dict[int, Job] = {}
        self.failed_groups: dict[int, FailedGroup] = {}
        self.with_losses = with_losses
        self.with_whole_logs = with_whole_logs

    def emit(self, record: logging.LogRecord) -> None:
        """Print what a record of Snakemake says, if it is news."""
        try:
            fields = vars(record)
            match str(fields.get("event")):
                case "job_info":
                    self._start(fields)
                case "job_finished":
                    self._finish(fields["job_id"])
                case "job_error":
                    self._fail(fields)
                case "group_error":
                    self._fail_group(fields)
                case "None" | "error":
                    message = record.getMessage()
                    if message != "None" and not REPEATED.match(message):
                        self.print(message)
        except Exception:  # as logging asks: a message that fails must not stop a build
            self.handleError(record)

    def print(self, line: str) -> None:
        """Print one line."""
        self.stream.write(f"{line}\n")
        self.stream.flush()

    def _start(self, fields: Mapping[str, object]) -> None:
        wildcards, logs = fields["wildcards"], fields["log"]
        values = wildcards.values() if isinstance(wildcards, Mapping) else ()
        rule = str(fields["rule_name"])
        log = str(logs[0]) if isinstance(logs, list) and logs else None
        job = Job(rule, " ".join([rule, *map(str, values)]), log)
        self.running[int(str(fields["jobid"]))] = job
        count = f"[{self.done.total()}/{self.totals.total()}]"
        reason = short_reason(str(fields["reason"]))
        self.print(f"{time.strftime('%H:%M:%S')} {count} {job.name}: {reason}")

    def _finish(self, job_id: int) -> None:
        job = self.running.pop(job_id)
        self.done[job.rule] += 1
        if self.with_losses and job.rule == "train_run":
            for line in last_epoch(job.log):
                self.print(f"  {job.name}: {line}")

    def _fail_group(self, fields: Mapping[str, Any]) -> None:
        """Remember a group that failed: the errors of all its jobs follow."""
        order = {rule: place for place, rule in enumerate(self.totals)}
        members = [job["jobid"] for job in fields["job_error_info"]]
        jobs = sorted(
            (self.running[one] for one in members), key=lambda job: order.get(job.rule, len(order))
        )
        unfinished = (job for job in jobs if not has_succeeded(job.log))
        group = FailedGroup(next(unfinished, jobs[-1]), tuple(map(str, fields["aux_logs"])))
        self.failed_groups |= dict.fromkeys(members, group)

    def _fail(self, fields: Mapping[str, object]) -> None:
        number = int(str(fields["jobid"]))
        job, group = self.running.pop(number), self.failed_groups.pop(number, None)
        if group and group.failed != job:
            return
        self.print(f"Failed: {job.name}. Its log: {job.log}")
        for line in last_lines(job.log, 10**9 if self.with_whole_logs else LOG_LINES):
            self.print(f"    {line}")
        logs = fields.get("log")
        known = [str(path) for path in logs] if isinstance(logs, list) else []
        for path in dict.fromkeys([*known, *(group.logs if group else ())]):
            if path != job.log and (reason := kill_reason(path)):
                self.print(f"    {reason.replace('RULE', job.rule)} The cluster's log: {path}")


class Bars(PlainLines):
    """Prints the same lines above a progress bar for each stage, with an estimate of the time left.

    With `with_losses`, the last epoch of each training in progress stands below the bars.
    """

    def __init__(self, stream: TextIO, jobs: Iterable[str], **options: bool) -> None:
        super().__init__(stream, jobs, **options)
        # Imported here, because a start of Snakemake must stay quick.
        from rich.console import Console
        from rich.live import Live
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self.console = Console(file=stream, highlight=False, markup=False)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        # A training may take longer than the 30 seconds that rich remembers.
        self.progress = Progress(
            *columns, TimeRemainingColumn(), console=self.console, speed_estimate_period=86_400
        )
        self.tasks = {
            rule: self.progress.add_task(rule, total=total) for rule, total in self.totals.items()
        }
        self.live = Live(
            get_renderable=self._picture, console=self.console, refresh_per_second=1, transient=True
        )
        self.live.start()

    def print(self, line: str) -> None:
        """Print one line above the bars."""
        self.console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Remove the bars."""
        self.live.stop()
        super().close()

    def _picture(self) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        jobs = list(self.running.values()) if self.with_losses else []
        losses = [
            Text(f"{job.name}: {line}", no_wrap=True, overflow="ellipsis")
            for job in jobs
            if job.rule == "train_run"
            for line in last_epoch(job.log)
        ]
        return Group(self.progress, *losses)

    def _finish(self, job_id: int) -> None:
        rule = self.running[job_id].rule
        super()._finish(job_id)
        self.progress.update(self.tasks[rule], completed=self.done[rule])


def follow_build(
    logger: logging.Logger,
    stream: TextIO,
    jobs: Iterable[str],
    *,
    with_losses: bool = False,
    with_whole_logs: bool = False,
) -> PlainLines | None:
    """Replace Snakemake's own output of a build.

    Parameters
    ----------
    logger
        Snakemake's logger.
    stream
        Where Snakemake prints. A terminal gets progress bars.
    jobs
        The stage of every job of the build.
    with_losses, with_whole_logs
        As :class:`PlainLines` takes them.

    Returns
    -------
    PlainLines or None
        The handler in use; None if a logger plugin that the user chose prints instead.
    """
    default = next((each for each in logger.handlers if each.name == DEFAULT_HANDLER), None)
    if default is None:
        return None
    is_terminal = stream.isatty() and os.environ.get("TERM") != "dumb"
    handler = (Bars if is_terminal else PlainLines)(
        stream, jobs, with_losses=with_losses, with_whole_logs=with_whole_logs
    )
    logger.removeHandler(default)
    logger.addHandler(handler)
    return handler


def end_build(logger: logging.Logger, handler: PlainLines | None) -> None:
    """Close the handler of :func:`follow_build`: a report's headline is the last line."""
    if handler is not None:
        logger.removeHandler(handler)
        handler.close()
