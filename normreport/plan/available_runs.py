"""Which runs a partial report can use, and which it must do without."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

from normreport.config.failures import FailedRun, Stage
from normreport.config.runs import Run
from normreport.plan import paths

# The path of a stage's log, without its suffix.
LOGS: Mapping[Stage, str] = {
    "pretrain_model": "{model}",
    "tune_rate": paths.ARM,
    "train_run": paths.RUN,
    "digest_weights": paths.RUN,
    "measure_weights": paths.RUN,
}
# Stages after the training. The report makes their files if they were not tried.
LATER_STAGES: Mapping[Stage, str] = {
    "digest_weights": paths.WEIGHT_DIGESTS,
    "measure_weights": paths.MEASURES,
}


def missing_stage(
    run: Run, *, is_tuned: bool = False, pretrained_as: str | None = None
) -> Stage | None:
    """Return the first stage of a run that failed or was not tried; None if the run can be used.

    A later stage than the training has failed if there is a log but no output: Snakemake deletes
    the output of a job that fails.

    Parameters
    ----------
    run
        The run.
    is_tuned
        Whether a sweep chooses its learning rate.
    pretrained_as
        The model whose pretrained weights the run begins with; None for its own.
    """
    pretrained = Path(paths.PRETRAINED_MANIFEST.format(model=pretrained_as or run.model))
    if run.start.startswith("pretrained") and not pretrained.exists():
        return "pretrain_model"
    if is_tuned and not Path(paths.of_run(paths.TUNED_RATE, run)).exists():
        return "tune_rate"
    if not Path(paths.of_run(paths.RUN_MANIFEST, run)).exists():
        return "train_run"
    for stage, output in LATER_STAGES.items():
        was_tried = Path(paths.log(stage, paths.of_run(LOGS[stage], run))).exists()
        if was_tried and not Path(paths.of_run(output, run)).exists():
            return stage
    return None


def failed_runs(
    runs: Iterable[Run],
    tuned_models: Collection[str] = (),
    pretrained_as: Mapping[str, str] | None = None,
) -> dict[Run, FailedRun]:
    """Describe the runs that are not complete, in the given order.

    A run whose stage left no log was not tried.

    Parameters
    ----------
    runs
        All runs.
    tuned_models
        The models whose learning rates sweeps choose.
    pretrained_as
        The model whose pretrained weights each model uses; a model that is missing has its own.
    """
    sources = pretrained_as or {}
    failed = {}
    for run in runs:
        source = sources.get(run.model, run.model)
        stage = missing_stage(run, is_tuned=run.model in tuned_models, pretrained_as=source)
        if stage is not None:
            logged = replace(run, model=source) if stage == "pretrain_model" else run
            log = paths.log(stage, paths.of_run(LOGS[stage], logged))
            failed[run] = FailedRun(
                **asdict(run), stage=stage, log=log if Path(log).exists() else None
            )
    return failed
