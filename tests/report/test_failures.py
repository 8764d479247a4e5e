"""How the article describes a failed run."""

from __future__ import annotations

import pytest

from normreport.config.failures import FailedRun, Failure
from normreport.report.failures import (
    LINES,
    LONGEST,
    explain_absence,
    explain_failure,
    summarize_failure,
)

RUN = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 1}


def failed(log: str | None) -> Failure:
    path = None if log is None else "logs/train_run/x.log"
    run = FailedRun.model_validate({**RUN, "stage": "train_run", "log": path})
    return summarize_failure(run, log)


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ("epoch 1\nMemoryError: full\n\n", "train_run failed; its log ends “MemoryError: full”"),
        ("\n", "train_run failed without a message"),
        (None, "train_run was not tried"),
    ],
)
def test_the_last_line_of_the_log_is_the_reason(log: str | None, what: str) -> None:
    failure = failed(log)
    assert explain_failure(failure) == what
    assert (failure.log or "") == (log or "").strip()
    assert explain_absence(failure) == (
        f"Not shown, because it failed: vgg16/scratch/raw/seed1 ({what})."
    )


def test_the_end_of_a_long_log_is_kept_and_a_long_line_is_cut() -> None:
    log = "".join(f"line {i}\n" for i in range(100)) + "x" * 1000
    failure = failed(log)
    assert failure.log is not None
    lines = failure.log.splitlines()
    assert lines[0] == f"line {101 - LINES}"
    assert len(lines) == LINES
    assert "x" * LONGEST + "…" in explain_failure(failure)
    assert "x" * (LONGEST + 1) not in explain_failure(failure)


def test_folders_of_the_machine_are_removed() -> None:
    log = 'File "/home/me/my/normreport/training.py", line 3\n/tmp/x.npz: 1/2 of it is damaged'
    assert failed(log).log == 'File "training.py", line 3\nx.npz: 1/2 of it is damaged'
