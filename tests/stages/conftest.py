"""A small real study, one stage after the other, without Snakemake."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from normreport.config.data import DataSettings
from normreport.config.json_files import write_model
from normreport.config.manifests import ImagesManifest
from normreport.io import files
from normreport.io.files import canonical_json
from normreport.stages import (
    compare_arms,
    digest_weights,
    measure_weights,
    prepare_data,
    pretrain_model,
    train_run,
)

LAYER = "features.0.0"
FIT = {
    "epochs": 2,
    "model": "mobilenet_v2",
    "architecture": "mobilenet_v2",
    "train_images": 32,
    "batch_size": 16,
    "learning_rate": 0.001,
    "seed": 0,
}


def run_settings(**changes):
    values = {**FIT, "start": "scratch", "normalization": "unit", "layers": [LAYER], **changes}
    return canonical_json(values)


def trained(folder, images, manifest, pretrained=None, **changes):
    """Train one run into a folder and give the paths of what it wrote."""
    paths = SimpleNamespace(
        snapshots=folder / "snapshots.safetensors",
        history=folder / "history.csv",
        layers=folder / "layers.csv",
        manifest=folder / "manifest.json",
    )
    train_run.run(
        settings=run_settings(**changes),
        images=images,
        images_manifest=manifest,
        pretrained=pretrained,
        checkpoints=folder / "checkpoints",
        **vars(paths),
    )
    return paths


def processed(folder, run):
    """Extract and measure a run."""
    run.digests, run.measures = folder / "digests.json", folder / "measures.parquet"
    run.quantiles = folder / "quantiles.parquet"
    digest_weights.run(snapshots=run.snapshots, manifest=run.manifest, digests=run.digests)
    measure_weights.run(
        digests=run.digests,
        snapshots=run.snapshots,
        measures=run.measures,
        quantiles=run.quantiles,
    )
    return run


@pytest.fixture(scope="session")
def data(tmp_path_factory):
    """Give the prepared digits."""
    folder = tmp_path_factory.mktemp("data")
    paths = SimpleNamespace(images=folder / "images.safetensors", manifest=folder / "m.json")
    settings = {"source": "digits", "train_images": 32, "heldout_images": 20}
    prepare_data.run(
        settings=canonical_json(settings), checkpoints=folder / "checkpoints", **vars(paths)
    )
    return paths


@pytest.fixture(scope="session")
def dark_or_bright(tmp_path_factory):
    """Give prepared images of two classes, dark and bright."""
    folder = tmp_path_factory.mktemp("dark-or-bright")
    paths = SimpleNamespace(images=folder / "images.safetensors", manifest=folder / "m.json")
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for split, count in (("train", 32), ("heldout", 20)):
        labels = np.arange(count) % 2
        levels = 60 + 120 * labels[:, None, None, None]
        noise = generator.integers(-40, 40, (count, 32, 32, 3))
        arrays |= {f"{split}_images": (levels + noise).astype(np.uint8), f"{split}_labels": labels}
    files.write_arrays(paths.images, arrays)
    settings = DataSettings(source="digits", train_images=32, heldout_images=20)
    write_model(
        paths.manifest,
        ImagesManifest(
            settings=settings.model_dump(mode="json"),
            classes=("dark", "bright"), skipped=(), unused=(), files={},
            digests={name: files.array_digest(array) for name, array in arrays.items()},
            images_per_class={"train": [16, 16], "heldout": [10, 10]},
        ),
    )  # fmt: skip
    return paths


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory, data):
    """Give weights that were trained for one epoch."""
    folder = tmp_path_factory.mktemp("pretrained")
    paths = SimpleNamespace(weights=folder / "weights.safetensors", manifest=folder / "m.json")
    settings = {**FIT, "epochs": 1, "weights": "train", "normalization": "imagenet"}
    pretrain_model.run(
        settings=canonical_json(settings),
        images=data.images,
        checkpoints=folder / "checkpoints",
        **vars(paths),
    )
    return paths


@pytest.fixture(scope="session")
def runs(tmp_path_factory, data, pretrained):
    """Give four trained and measured runs: two starts, two arms."""
    found = []
    for start in ("pretrained", "scratch"):
        for arm in ("unit", "imagenet"):
            folder = tmp_path_factory.mktemp(f"{start}-{arm}")
            weights = pretrained.weights if start == "pretrained" else None
            run = trained(
                folder, data.images, data.manifest, weights, start=start, normalization=arm
            )
            found.append(processed(folder, run))
    return found


@pytest.fixture(scope="session")
def comparisons(tmp_path_factory, runs):
    """Give the comparison of each start's two runs."""
    found = {}
    for start, pair in (("pretrained", runs[:2]), ("scratch", runs[2:])):
        folder = tmp_path_factory.mktemp(f"compared-{start}")
        found[start] = SimpleNamespace(
            densities=folder / "densities.parquet",
            axes=folder / "axes.json",
            histograms=folder / "histograms.parquet",
            products=folder / "products.parquet",
        )
        compare_arms.run(
            layer=LAYER,
            digests=[run.digests for run in pair],
            snapshots=[run.snapshots for run in pair],
            **vars(found[start]),
        )
    return found


def planned_inputs(runs, data):
    """Give the settings of runs and their images as those that the configuration asks for."""
    settings = [read(run.manifest)["settings"] for run in runs]
    arms = {(run["model"], run["start"], run["normalization"]): run for run in settings}
    return canonical_json({
        "data": {"target": read(data.manifest)["settings"]},
        "pretraining": {},
        "pretrained_as": {},
        "sweeps": [],
        "runs": list(arms.values()),
    })  # fmt: skip


def read(path):
    return json.loads(path.read_text())
