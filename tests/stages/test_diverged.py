"""A run that diverges is an outcome: every later stage goes on and says so."""

from __future__ import annotations

import csv
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from normreport.io.files import canonical_json, write_json
from normreport.stages import compare_arms, draw_figure, judge_claims, render_html
from tests.articles import TEMPLATES, record_of
from tests.stages.conftest import planned_inputs, processed, read, trained

LAYER = "features.0"
SGD = {
    "model": "vgg11",
    "architecture": "vgg11",
    "layers": [LAYER],
    "optimizer": {"name": "sgd"},
    "learning_rate": 0.05,
    "epochs": 4,
}
TABLES = ("densities", "histograms", "products")
COMMON = {"model": "vgg11", "start": "scratch", "layer": LAYER}


@pytest.fixture(scope="module")
def runs(tmp_path_factory, data):
    """Train the smallest VGG with plain SGD: on values of up to 255, and on such of up to 1."""
    found = {}
    for arm in ("raw", "unit"):
        folder = tmp_path_factory.mktemp(arm)
        run = trained(folder, data.images, data.manifest, normalization=arm, **SGD)
        found[arm] = processed(folder, run)
    return found


@pytest.fixture(scope="module")
def comparison(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("compared")
    paths = {key: folder / f"{key}.parquet" for key in TABLES} | {"axes": folder / "axes.json"}
    compare_arms.run(
        layer=LAYER,
        digests=[run.digests for run in runs.values()],
        snapshots=[run.snapshots for run in runs.values()],
        **paths,
    )
    return paths


def test_raw_input_diverges_where_scaled_input_trains(runs):
    raw, unit = (read(run.manifest) for run in runs.values())
    assert unit["status"] == {"state": "OK"}
    assert raw["status"]["state"] == "DIVERGED"
    kept = load_file(runs["raw"].snapshots)[LAYER]
    assert len(kept) == raw["epochs"] + 1 < 5
    assert np.isfinite(kept).all()
    assert raw["digests"]["final_weights"] is None


def test_the_report_is_built_and_names_the_run(runs, comparison, data, tmp_path):
    settings = {
        "models": ["vgg11"],
        "architectures": {"vgg11": "vgg11"},
        "built_as": {"vgg11": "vgg11"},
        "layers": {"vgg11": [LAYER]},
        "starts": ["scratch"],
        "normalizations": ["raw", "unit"],
        "seeds": [0],
        "planned": [
            {"model": "vgg11", "start": "scratch", "normalization": arm, "seeds": [0]}
            for arm in ("raw", "unit")
        ],
        "epochs": 4,
        "target": read(data.manifest)["settings"],
        "pretraining": None,
    }
    judge_claims.run(
        settings=canonical_json(settings),
        planned=planned_inputs(runs.values(), data),
        manifests=[run.manifest for run in runs.values()],
        histories=[run.history for run in runs.values()],
        layers=[run.layers for run in runs.values()],
        measures=[run.measures for run in runs.values()],
        products=[comparison["products"]],
        images=data.images,
        images_manifest=data.manifest,
        pretrained=[],
        cases=tmp_path / "cases.csv",
        results=tmp_path / "results.json",
        runs=tmp_path / "runs.csv",
    )
    inputs: dict[str, tuple[list[Path], dict[str, Any]]] = {
        "density": ([comparison["densities"]], COMMON),
        "violin": ([comparison["densities"]], COMMON),
        "histogram": ([comparison["histograms"]], {"model": "vgg11"}),
        "ribbon": ([run.measures for run in runs.values()], COMMON),
        "spread": ([run.measures for run in runs.values()], COMMON),
        "curves": ([run.history for run in runs.values()], {"model": "vgg11"}),
        "displacement": ([run.layers for run in runs.values()], {"model": "vgg11"}),
        "separation": ([comparison["products"]], {"model": "vgg11"}),
        "switch_or_seed": ([comparison["products"]], {"normalizations": ["raw", "unit"]}),
        "pretraining_gain": ([run.manifest for run in runs.values()], {}),
    }
    for kind, (tables, shown) in inputs.items():
        draw_figure.run(
            figure=kind,
            settings=canonical_json({"kind": kind, **shown}),
            inputs=tables,
            axes=[comparison["axes"]] if tables == [comparison["densities"]] else [],
            svg=tmp_path / f"{kind}.svg",
            text=tmp_path / f"{kind}.json",
            table=tmp_path / f"{kind}.csv",
        )
    record = record_of([SimpleNamespace(id=kind) for kind in inputs])
    write_json(tmp_path / "record.json", record)
    render_html.run(
        settings=canonical_json({"title": "A title", "authors": [], "with_pdf": False}),
        results=tmp_path / "results.json",
        record=tmp_path / "record.json",
        figures=[tmp_path / f"{kind}.svg" for kind in inputs],
        templates=[TEMPLATES],
        html=tmp_path / "index.html",
    )
    with (tmp_path / "runs.csv").open() as stream:
        states = {row["normalization"]: row["state"] for row in csv.DictReader(stream)}
    assert states == {"raw": "DIVERGED", "unit": "OK"}
    results = read(tmp_path / "results.json")
    assert results["headline"]["runs"]["diverged"] == 1
    page = (tmp_path / "index.html").read_text()
    assert "From scratch, raw: 1 of 1 run diverged (seed 0 after epoch 0)." in page
    assert "vgg11/scratch/raw/seed0 (diverged)" in page
    assert "nan" not in page.lower().split()
    for claim in results["claims"]:
        assert claim["verdict"] in {"NOT EVALUABLE", "REFUTED"}  # the latter: what is exact
