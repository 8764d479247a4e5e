"""One line a job, bars in a terminal, and the verdicts at the end."""

from __future__ import annotations

import io
import logging
import os
import pty
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from normreport.io import files
from normreport.plan.terminal import (
    DEFAULT_HANDLER,
    Bars,
    PlainLines,
    end_build,
    follow_build,
    headline,
    short_reason,
)

RUN = {"model": "vgg16", "start": "scratch", "normalization": "unit", "seed": "0"}


class _Terminal(io.StringIO):
    """Collects what is written to a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Give a logger with a handler that is named as Snakemake's own."""
    logger = logging.Logger("snakemake")
    default = logging.StreamHandler(io.StringIO())
    default.name = DEFAULT_HANDLER
    logger.addHandler(default)
    yield logger
    for handler in logger.handlers:
        handler.close()


def _start(logger: logging.Logger, jobid: int, rule: str, path: Path, **fields: Any) -> None:
    """Log what Snakemake does before it runs a job, with a page of paths."""
    pages = [f"results/runs/{number}/snapshots.safetensors" for number in range(1000)]
    known = {"input": pages, "output": pages, "log": [str(path)], "wildcards": RUN}
    reason = f"Missing output files: {', '.join(pages)}; Code has changed since last execution"
    extra = {"event": "job_info", "jobid": jobid, "rule_name": rule, "reason": reason}
    logger.info("Rule", extra=extra | known | fields)


@pytest.mark.parametrize(
    ("reason", "short"),
    [
        ("Missing output files: results/a.csv, results/b.csv", "missing output"),
        (
            "Missing output files: a.csv; Input files updated by another job: b.csv, c.csv",
            "missing output, new input",
        ),
        (
            "Updated input files: normreport/training/loop.py, normreport/io/files.py",
            "changed input (normreport/training/loop.py)",
        ),
        (
            "Set of input files has changed since last execution; "
            "Params have changed since last execution: before: '{\"seed\":0}'; now: '{}'",
            "another set of inputs, changed settings",
        ),
        ("Forced execution", "forced"),
        ("Incomplete output files: a.csv", "unfinished output"),
        ("", "requested"),
    ],
)
def test_a_reason_is_a_few_words(reason: str, short: str) -> None:
    assert short_reason(reason) == short


def test_a_job_is_one_line_with_its_condition_its_reason_and_the_count(
    logger: logging.Logger, tmp_path: Path
) -> None:
    stream = io.StringIO()
    assert type(follow_build(logger, stream, ["train_run", "train_run", "all"])) is PlainLines
    _start(logger, 1, "train_run", tmp_path / "a.log")
    logger.info("Shell command: normreport", extra={"event": "shellcmd"})
    logger.info("Finished job 1", extra={"event": "job_finished", "job_id": 1})
    logger.info(None, extra={"event": "progress", "done": 1, "total": 3})
    logger.info("Select jobs to execute...")
    logger.info("DAG of jobs will be updated after completion.")
    logger.info("Updating checkpoint dependencies.")
    _start(logger, 2, "all", tmp_path / "b.log", wildcards={}, log=[], reason="Forced execution")
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in stream.getvalue().splitlines()]
    assert lines == [
        "[0/3] train_run vgg16 scratch unit 0: missing output, changed rule",
        "[1/3] all: forced",
    ]


@pytest.mark.parametrize(("with_whole_logs", "shown"), [(False, 5), (True, 8)])
def test_a_failed_job_names_its_log_and_shows_its_end(
    logger: logging.Logger, tmp_path: Path, with_whole_logs: bool, shown: int
) -> None:
    log = tmp_path / "run.log"
    log.write_text("\n\n".join(f"line {number}" for number in range(8)) + "\n")
    stream = io.StringIO()
    follow_build(logger, stream, ["train_run"], with_whole_logs=with_whole_logs)
    _start(logger, 1, "train_run", log)
    logger.error("Error in rule", extra={"event": "job_error", "jobid": 1, "input": ["a"] * 1000})
    _, failed, *rest = stream.getvalue().splitlines()
    assert failed == f"Failed: train_run vgg16 scratch unit 0. Its log: {log}"
    assert rest == [f"    line {number}" for number in range(8 - shown, 8)]


def test_a_message_that_is_not_about_a_job_is_printed(logger: logging.Logger) -> None:
    stream = io.StringIO()
    follow_build(logger, stream, [])
    logger.warning("Exiting because a job execution failed.")
    logger.error("No space left on device", extra={"event": "error"})
    assert stream.getvalue() == (
        "Exiting because a job execution failed.\nNo space left on device\n"
    )


@pytest.mark.parametrize("with_losses", [False, True])
def test_losses_are_printed_on_request(
    logger: logging.Logger, tmp_path: Path, with_losses: bool
) -> None:
    log = tmp_path / "run.log"
    lines = "epoch 1 train loss 2.1\nepoch 2 train loss 1.9\n"
    log.write_text(f"{lines}peak memory 800 MB, processor time 9.1 s\n")
    stream = io.StringIO()
    follow_build(logger, stream, ["train_run"], with_losses=with_losses)
    _start(logger, 1, "train_run", log)
    logger.info("Finished", extra={"event": "job_finished", "job_id": 1})
    printed = "  train_run vgg16 scratch unit 0: epoch 2 train loss 1.9" in stream.getvalue()
    assert printed == with_losses
    assert "epoch 1" not in stream.getvalue()
    assert "peak memory" not in stream.getvalue()


def test_a_terminal_gets_a_bar_for_each_stage(
    logger: logging.Logger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    log = tmp_path / "run.log"
    log.write_text("epoch 7 train loss 0.5\n")
    terminal = _Terminal()
    handler = follow_build(logger, terminal, ["train_run"] * 3, with_losses=True)
    assert isinstance(handler, Bars)
    _start(logger, 1, "train_run", log)
    handler.live.refresh()
    bars = terminal.getvalue()
    assert "[0/3] train_run vgg16 scratch unit 0: missing output" in bars
    assert re.search(r"train_run .*0/3", bars)
    assert "train_run vgg16 scratch unit 0: epoch 7 train loss 0.5" in bars
    logger.info("Finished", extra={"event": "job_finished", "job_id": 1})
    handler.live.refresh()
    assert re.search(r"train_run .*1/3", terminal.getvalue())
    end_build(logger, handler)
    assert not handler.live.is_started
    assert logger.handlers == []


def test_the_bars_estimate_the_time_left(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Ten jobs, one a minute: after three, seven minutes are left."""
    monkeypatch.setenv("TERM", "xterm")
    handler = follow_build(logger, _Terminal(), ["train_run"] * 10)
    assert isinstance(handler, Bars)
    now = [0.0]
    monkeypatch.setattr(handler.progress, "get_time", lambda: now[0])
    for job in range(3):
        _start(logger, job, "train_run", tmp_path / "run.log")
        now[0] += 60
        logger.info("Finished", extra={"event": "job_finished", "job_id": job})
    assert handler.progress.tasks[0].time_remaining == pytest.approx(7 * 60)


def test_a_pseudo_terminal_is_a_terminal_and_a_dumb_one_is_not(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch
) -> None:
    controller, terminal = pty.openpty()
    with os.fdopen(controller, "rb"), os.fdopen(terminal, "w") as stream:
        monkeypatch.setenv("TERM", "dumb")
        handler = follow_build(logger, stream, ["all"])
        assert type(handler) is PlainLines
        end_build(logger, handler)


def test_a_logger_plugin_of_the_user_is_left_alone(logger: logging.Logger) -> None:
    (default,) = logger.handlers
    default.name = None
    assert follow_build(logger, io.StringIO(), ["all"]) is None
    assert logger.handlers == [default]
    end_build(logger, None)


def test_the_headline_counts_verdicts_the_most_frequent_first(tmp_path: Path) -> None:
    verdicts = ["NOT EVALUABLE", "SUPPORTED", "NOT EVALUABLE", "REFUTED"]
    path = tmp_path / "results.json"
    files.write_json(path, {"claims": [{"verdict": verdict} for verdict in verdicts]})
    assert headline(path) == "4 claims: 2 not evaluable, 1 supported, 1 refuted"


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("slurmstepd-a: error: StepId=1.0 exceeded memory limit (9 > 3), being killed", "mem_mb"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=5.batch.", "mem_mb"),
        (
            "slurmstepd: error: *** JOB 4 ON a CANCELLED AT 2026-01-01 DUE TO TIME LIMIT ***",
            "runtime",
        ),
        ("torch.OutOfMemoryError: CUDA out of memory", None),
        ("an ordinary error", None),
    ],
)
@pytest.mark.parametrize("is_group", [False, True])
def test_a_job_that_a_cluster_kills_says_why(
    logger: logging.Logger, tmp_path: Path, is_group: bool, line: str, key: str | None
) -> None:
    log, theirs = tmp_path / "run.log", tmp_path / "14.log"
    theirs.write_text(f"{line}\nShutting down.\n")
    stream = io.StringIO()
    follow_build(logger, stream, ["train_run", "measure_weights"])
    (tmp_path / "measure.log").write_text("an earlier attempt\npeak memory 1 MB\n")
    _start(logger, 1, "measure_weights", tmp_path / "measure.log")
    _start(logger, 2, "train_run", log)
    if is_group:
        members = [{"jobid": 1}, {"jobid": 2}]
        group = {"aux_logs": [str(theirs)], "job_error_info": members}
        logger.error("Error", extra={"event": "group_error", **group})
        logger.error("Error", extra={"event": "job_error", "jobid": 1, "log": []})
    logs = [str(log)] if is_group else [str(log), str(theirs)]
    logger.error("Error", extra={"event": "job_error", "jobid": 2, "log": logs})
    failed, *others = stream.getvalue().splitlines()[2:]
    assert failed.startswith("Failed: train_run ")
    assert len(others) == (key is not None)
    assert all(f"train_run:{key}=" in other and str(theirs) in other for other in others)


def test_a_failure_after_that_of_a_group_is_printed(logger: logging.Logger, tmp_path: Path) -> None:
    stream = io.StringIO()
    follow_build(logger, stream, ["train_run", "compare_arms"])
    _start(logger, 1, "train_run", tmp_path / "run.log")
    group = {"aux_logs": [], "job_error_info": [{"jobid": 1}]}
    logger.error("Error", extra={"event": "group_error", **group})
    logger.error("Error", extra={"event": "job_error", "jobid": 1, "log": []})
    _start(logger, 2, "compare_arms", tmp_path / "compare.log")
    logger.error("Error", extra={"event": "job_error", "jobid": 2, "log": []})
    failed = [line for line in stream.getvalue().splitlines() if line.startswith("Failed: ")]
    assert [line.split()[1] for line in failed] == ["train_run", "compare_arms"]
