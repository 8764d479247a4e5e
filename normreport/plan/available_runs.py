"""Which runs a partial report can use, and which it must do without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from normreport.config.failures import FailedRun, Stage
from normreport.config.runs import Run
from normreport.plan import paths


def missing_stage(run: Run) -> Stage | None:
    """Return the first stage of a run that has left no manifest; None if the run is complete."""
    pretrained = Path(paths.PRETRAINED_MANIFEST.format(model=run.model))
    if run.start.startswith("pretrained") and not pretrained.exists():
        return "pretrain_model"
    return None if Path(paths.of_run(paths.RUN_MANIFEST, run)).exists() else "train_run"


def failed_runs(runs: Iterable[Run]) -> dict[Run, FailedRun]:
    """Describe the runs that are not complete, in the given order.

    A run whose stage left no log was not tried.
    """
    failed = {}
    for run in runs:
        stage = missing_stage(run)
        if stage is not None:
            log = paths.log(stage, run.model if stage == "pretrain_model" else run.id)
            failed[run] = FailedRun(
                **asdict(run), stage=stage, log=log if Path(log).exists() else None
            )
    return failed
