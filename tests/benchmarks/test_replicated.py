from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pyarrow import parquet

from normreport.config.experiment import load_config
from normreport.config.json_files import read_model
from normreport.config.tuning import TuningManifest
from normreport.io.files import file_digest, read_json
from normreport.plan import paths
from normreport.plan.workflow import Plan
from normreport.stages import compare_arms, judge_claims, measure_weights, train_run
from tests.benchmarks.replicated import plan_of, replicate, write_snapshots

MODEL, START, LAYER = "mobilenet_v2", "pretrained", "features.0.0"
TINY: dict[str, Any] = {
    "experiment": {"models": [MODEL], "starts": [START, "scratch_head"], "include": [],
                   "normalizations": ["unit", "imagenet"], "seeds": [0, 1]},
    "training": {"epochs": 2},
    "data": {
        "target": {"source": "digits", "train_images": 32, "heldout_images": 20},
        "pretraining": {"source": "printed_digits", "train_images": 64, "heldout_images": 20},
    },
    "models": {MODEL: {
        "layers": [LAYER], "train_images": 32, "batch_size": 16, "learning_rate": 1e-3,
        "pretraining": {"train_images": 64, "epochs": 1, "batch_size": 32, "learning_rate": 1e-3},
    }},
}  # fmt: skip


@pytest.fixture(scope="module")
def plan() -> Plan:
    return plan_of(load_config(TINY))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, plan: Plan) -> Path:
    made = tmp_path_factory.mktemp("replicated")
    replicate(plan, made)
    return made


def test_every_file_that_later_stages_read_is_there(plan: Plan, folder: Path):
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    figures = {*plan.of_figures(paths.FIGURE_SVG), *plan.of_figures(paths.FIGURE_TEXT)}
    assert made == {*plan.intermediate_files(), paths.FAILURES} - figures


def test_a_tuned_model_has_the_sweeps_that_its_runs_need(tmp_path: Path):
    rates = {"learning_rate": {"candidates": [0.001, 0.01, 0.1], "seeds": [7]}}
    tuned = plan_of(load_config(TINY | {"models": {MODEL: TINY["models"][MODEL] | rates}}))
    replicate(tuned, tmp_path)
    (place, *_) = tuned.config.sweeps()
    sweep = {key: getattr(place, key) for key in ("model", "start", "normalization")}
    manifest = read_model(TuningManifest, tmp_path / paths.TUNING_MANIFEST.format(**sweep))
    assert manifest.learning_rate == 0.01
    assert manifest.files == {"rate.json": file_digest(tmp_path / paths.TUNED_RATE.format(**sweep))}


def test_equal_configurations_give_equal_bytes(plan: Plan, folder: Path, tmp_path: Path):
    replicate(plan, tmp_path)
    for path in plan.of_runs(paths.MEASURES) + plan.of_comparisons(paths.PRODUCTS):
        assert (tmp_path / path).read_bytes() == (folder / path).read_bytes()


def test_the_claims_can_be_judged(plan: Plan, folder: Path, tmp_path: Path):
    files: dict[str, Any] = {
        name: [folder / path for path in value] if isinstance(value, list) else folder / value
        for name, value in plan.judged_files().items()
    }
    results = tmp_path / "results.json"
    judge_claims.run(
        settings=plan.judge_settings(),
        planned=plan.planned_inputs(),
        results=results,
        runs=tmp_path / "runs.csv",
        cases=tmp_path / "cases.csv",
        **files,
    )
    assert len(read_json(results)["runs"]) == len(plan.runs)


def test_tables_have_the_columns_and_types_that_the_stages_write(
    plan: Plan, folder: Path, tmp_path: Path
):
    replicate(plan, tmp_path)
    write_snapshots(plan, tmp_path, MODEL, START, LAYER)
    wildcards = SimpleNamespace(model=MODEL, start=START, layer=LAYER)
    run = plan.runs[0]
    written = {
        name: tmp_path / f"{name}.parquet"
        for name in ("measures", "quantiles", "densities", "histograms", "products")
    }
    digests = [tmp_path / path for path in plan.compared_digests(wildcards)]
    snapshots = [tmp_path / path for path in plan.compared_snapshots(wildcards)]
    measure_weights.run(
        digests=digests[0],
        snapshots=snapshots[0],
        measures=written["measures"],
        quantiles=written["quantiles"],
    )
    compare_arms.run(
        layer=LAYER,
        digests=digests,
        snapshots=snapshots,
        densities=written["densities"],
        axes=tmp_path / "axes.json",
        histograms=written["histograms"],
        products=written["products"],
    )
    replicas = {
        "measures": paths.of_run(paths.MEASURES, run),
        "quantiles": paths.of_run(paths.QUANTILES, run),
        **{
            name: pattern.format(model=MODEL, start=START, layer=LAYER)
            for name, pattern in paths.TABLES_OF_COMPARISONS.items()
        },
    }
    for name, path in replicas.items():
        expected, found = (parquet.read_table(file) for file in (written[name], folder / path))
        assert found.schema.equals(expected.schema), name
        assert len(found) == len(expected), name
        keys = [column for column in expected.column_names if column in KEYS]
        assert found.select(keys).equals(expected.select(keys)), name


KEYS = {
    *("model", "start", "layer", "normalization", "seed", "epoch", "n", "score"),
    *("normalization_a", "seed_a", "normalization_b", "seed_b"),
}


@pytest.mark.parametrize(
    ("pattern", "columns"),
    [(paths.RUN_HISTORY, train_run.HISTORY), (paths.RUN_LAYERS, train_run.LAYERS)],
)
def test_tables_of_training_have_its_columns(
    plan: Plan, folder: Path, pattern: str, columns: tuple[str, ...]
):
    table = pd.read_csv(folder / paths.of_run(pattern, plan.runs[0]))
    assert tuple(table.columns) == columns
