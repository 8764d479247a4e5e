"""Judge every claim and write the only file that the article's prose takes numbers from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from normreport.claims.judging import judge_all
from normreport.claims.rows import rows_of_layers, rows_of_products
from normreport.claims.study import IndexedTable, Study
from normreport.config.base import parse
from normreport.config.failures import Failures
from normreport.config.json_files import read_model, write_model
from normreport.config.judging import JudgeSettings
from normreport.config.manifests import ImagesManifest, PretrainingManifest, RunManifest
from normreport.config.planned_inputs import PlannedInputs
from normreport.config.results import Results, TargetData
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.provenance.consistency import Manifests, check_manifests
from normreport.report.chosen_claims import chosen_claims
from normreport.report.claim_results import claim_result
from normreport.report.effects import contrast_effects
from normreport.report.summary import (
    CASE_COLUMNS,
    RUN_COLUMNS,
    case_rows,
    class_images,
    failed_run_result,
    failure_result,
    headline,
    pretraining_result,
    run_result,
    training_summaries,
)
from normreport.text.language import set_language


def run(
    *,
    settings: str,
    planned: str,
    manifests: Sequence[Path],
    histories: Sequence[Path],
    layers: Sequence[Path],
    measures: Sequence[Path],
    products: Sequence[Path],
    images: Path,
    images_manifest: Path,
    pretrained: Sequence[Path],
    results: Path,
    runs: Path,
    cases: Path,
    failures: Path | None = None,
    catalogue: Path | None = None,
) -> None:
    """Write the results, and the tables of all runs and all cases."""
    set_language(catalogue)
    chosen = parse(JudgeSettings, settings, where="judge_claims --settings")
    trained = [read_model(RunManifest, path) for path in manifests]
    prepared = read_model(ImagesManifest, images_manifest)
    started = [read_model(PretrainingManifest, path) for path in pretrained]
    check_manifests(
        parse(PlannedInputs, planned, where="judge_claims --planned"),
        Manifests(data={"target": prepared}, pretrained=started, runs=trained),
    )
    for manifest, history, summaries in zip(trained, histories, layers, strict=True):
        files.check_digest(history, manifest.files.get(history.name))
        files.check_digest(summaries, manifest.files.get(summaries.name))
    failed = read_model(Failures, failures).runs if failures else ()
    failure_results = [failure_result(failure) for failure in failed]
    run_results = [
        *map(run_result, trained),
        *map(failed_run_result, failure_results),
    ]
    run_rows = [result.model_dump() for result in run_results]
    prepared = read_model(ImagesManifest, images_manifest)
    train_images = files.read_arrays(images, ["train_images"])["train_images"]
    claims = chosen_claims(chosen.claims)
    of_layers = rows_of_layers(chosen, claims)
    study = Study(
        settings=chosen,
        runs=IndexedTable(pd.DataFrame(run_rows)),
        layers=IndexedTable(read_tables(layers, filters=of_layers)),
        measures=IndexedTable(read_tables(measures, filters=of_layers)),
        products=IndexedTable(read_tables(products, filters=rows_of_products(chosen))),
        histories=IndexedTable(read_tables(histories)),
        images=train_images,
        classes=trained[0].classes,
        fits={manifest.run.model: manifest.settings for manifest in reversed(trained)},
    )
    arms = {arm: chosen.inputs.get(arm, arm) for arm in chosen.normalizations}
    judged_claims = [claim_result(judged) for judged in judge_all(claims, study)]
    files.write_csv(runs, RUN_COLUMNS, run_rows)
    files.write_csv(cases, CASE_COLUMNS, case_rows(judged_claims))
    write_model(
        results,
        Results(
            experiment=chosen,
            settings=training_summaries(
                trained,
                chosen.candidates,
                [name for name, arm in chosen.arms.items() if arm.training],
            ),
            data=TargetData(
                classes=trained[0].classes,
                images_per_class=class_images(prepared),
                unused=prepared.unused,
                skipped=prepared.skipped,
            ),
            pretraining=[pretraining_result(manifest, arms, train_images) for manifest in started],
            runs=run_results,
            failures=failure_results,
            claims=judged_claims,
            headline=headline(study),
            effects_by_epoch=contrast_effects(study.standard, range(chosen.epochs + 1)),
            versions=trained[0].versions,
        ),
    )
