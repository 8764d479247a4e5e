"""What is told of a run that failed."""

from __future__ import annotations

import pytest

from normreport.config.failures import FailedRun
from normreport.report.failures import LINES, LONGEST, failure, localized, sentence

RUN = {"model": "vgg16", "start": "scratch", "normalization": "raw", "seed": 1}


def failed(log):
    path = None if log is None else "logs/train_run/x.log"
    return failure(FailedRun(**RUN, stage="train_run", log=path), log)


@pytest.mark.parametrize(
    ("log", "what"),
    [
        ("epoch 1\nMemoryError: full\n\n", "the last words of train_run: “MemoryError: full”"),
        ("\n", "train_run ended without a word"),
        (None, "train_run was not tried"),
    ],
)
def test_the_last_line_of_the_log_is_the_reason(log, what):
    found = localized(failed(log))
    assert found == {**RUN, "what": what, "log": (log or "").strip()}
    assert sentence(failed(log)) == f"Not shown, as it failed: vgg16/scratch/raw/seed1 ({what})."


def test_the_end_of_a_long_log_is_kept_and_a_long_line_is_cut():
    log = "".join(f"line {i}\n" for i in range(100)) + "x" * 1000
    found = localized(failed(log))
    assert found["log"].splitlines()[0] == f"line {101 - LINES}"
    assert len(found["log"].splitlines()) == LINES
    assert "x" * LONGEST + "…" in found["what"]
    assert "x" * (LONGEST + 1) not in found["what"]


def test_no_folder_of_the_machine_is_told():
    log = 'File "/home/me/my/normreport/training.py", line 3\n/tmp/x.npz: 1/2 of it is damaged'
    found = failed(log)
    assert found["log"] == 'File "training.py", line 3\nx.npz: 1/2 of it is damaged'
