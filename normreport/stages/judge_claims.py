"""Judge every claim and write the one file that the article's prose takes its numbers from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from normreport.claims import Study, judge_all
from normreport.claims.base import to_json
from normreport.config.base import parse
from normreport.config.judging import JudgeSettings
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.report.failures import localized
from normreport.report.results import Results
from normreport.report.summary import (
    CASE_COLUMNS,
    RUN_COLUMNS,
    case_rows,
    failed_rows,
    headline,
    pretraining_rows,
    run_rows,
)
from normreport.text.language import set_language


def run(
    *,
    settings: str,
    manifests: Sequence[Path],
    histories: Sequence[Path],
    layers: Sequence[Path],
    measures: Sequence[Path],
    distances: Sequence[Path],
    images: Path,
    images_manifest: Path,
    pretrained: Sequence[Path],
    results: Path,
    runs: Path,
    cases: Path,
    failures: Path | None = None,
    catalogue: Path | None = None,
) -> None:
    """Write the judged claims, and the tables of all runs and all cases."""
    set_language(catalogue)
    chosen = parse(JudgeSettings, settings, where="judge_claims --settings")
    found = [files.read_json(path) for path in manifests]
    for manifest, history, summaries in zip(found, histories, layers, strict=True):
        files.check_digest(history, manifest.get("files", {}).get(history.name))
        files.check_digest(summaries, manifest.get("files", {}).get(summaries.name))
    failed = [localized(run) for run in files.read_json(failures)] if failures else []
    rows = [*run_rows(found), *failed_rows(failed)]
    train_images = files.read_arrays(images, ["train_images"])["train_images"]
    study = Study(
        settings=chosen,
        runs=pd.DataFrame(rows),
        layers=read_tables(layers),
        measures=read_tables(measures),
        distances=read_tables(distances),
        histories=read_tables(histories),
        images=train_images,
        classes=found[0]["classes"],
    )
    judged = [to_json(claim, judgement, study) for claim, judgement in judge_all(study)]
    files.write_csv(runs, RUN_COLUMNS, rows)
    files.write_csv(cases, CASE_COLUMNS, case_rows(judged))
    whole = Results.model_validate({
        "experiment": chosen,
        "settings": found_settings(found),
        "data": {
            "classes": found[0]["classes"],
            "skipped": files.read_json(images_manifest)["skipped"],
        },
        "pretraining": pretraining_rows(
            [files.read_json(path) for path in pretrained], chosen.normalizations, train_images
        ),
        "runs": rows,
        "failures": failed,
        "claims": judged,
        "headline": headline(study),
        "versions": found[0]["versions"],
    })  # fmt: skip
    files.write_json(results, whole.model_dump(mode="json"))


def found_settings(manifests: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Take each model's settings from its first run: those that do not depend on the run."""
    of_the_run = {"start", "normalization", "seed"}
    first: dict[str, dict[str, Any]] = {}
    for manifest in manifests:
        first.setdefault(manifest["run"]["model"], manifest)
    return {
        model: {
            **{key: value for key, value in manifest["settings"].items() if key not in of_the_run},
            "parameters": manifest["parameters"],
            "folded": bool(manifest["folded"]),
            "images": manifest["images"],
        }
        for model, manifest in first.items()
    }
