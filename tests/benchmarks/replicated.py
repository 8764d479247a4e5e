"""A study of any size on disk, without training: all files that the stages after it read.

    python -m tests.benchmarks.replicated workflow/presets/full.yaml /tmp/large

The folder gets `results/`, for the configuration that the file makes of `config.yaml`. The numbers
are made up but realistic: weights are nearly Gaussian and share epoch 0 within a seed, and arms
drift slightly apart. Manifests have the settings and digests that the stages check. Snapshots and
pretrained weights are placeholders, unless :func:`write_snapshots` writes those of one layer.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv, parquet
from scipy.special import ndtri

from normreport.commands.check import read_config
from normreport.config.data import DataSettings
from normreport.config.experiment import Config, with_layer_paths
from normreport.config.failures import Failures
from normreport.config.json_files import write_model
from normreport.config.manifests import (
    DensityAxes,
    FinishedStatus,
    ImagesManifest,
    LayerDigests,
    PretrainingManifest,
    RunManifest,
    WeightDigests,
)
from normreport.config.runs import Run
from normreport.config.training import TrainedWeights
from normreport.config.tuning import TunedRate, TuningManifest
from normreport.io.files import array_digest, file_digest, text_digest, write_arrays, write_text
from normreport.io.snapshots import epoch_digests
from normreport.plan import paths
from normreport.plan.workflow import Plan
from normreport.source_code import ROOT
from normreport.statistics.comparison import BINS, GRID_POINTS, density_axes
from normreport.statistics.density import scott_bandwidth
from normreport.statistics.initialization import kaiming_fan_out_std
from normreport.statistics.quantiles import PERCENTILES, SCORES
from tests.figures.synthetic import pixels

Floats = NDArray[np.float64]
Shapes = Mapping[str, tuple[int, ...]]
"""The shape of each layer, by its path."""

# The order of columns in the stages' tables.
QUANTILES = ["model", "start", "normalization", "seed", "layer", "epoch", "n", "score", "quantile"]
OF_LAYER = ["model", "start", "layer", "normalization", "seed", "epoch"]
DENSITIES = [*OF_LAYER, "weight", "density", "bandwidth"]
HISTOGRAMS = [*OF_LAYER, "left", "right", "count"]
PRODUCTS = ["model", "start", "layer", "epoch", "normalization_a", "seed_a", "normalization_b",
            "seed_b", "product", "correlation"]  # fmt: skip
CLASSES = 10
CONDITION = tuple(field.name for field in fields(Run))
VERSIONS = {"python": "3.11.0", "torch": "2.14.1"}
PLACEHOLDER = "Made up: no network was trained.\n"
# Growth of the standard deviation until the last epoch, and how it approaches that: 8 epochs.
PULLS = {"raw": 0.004, "unit": 0.010, "placebo": 0.010, "imagenet": 0.022}
OTHER_PULL, TIME_CONSTANT = 0.015, 8
PRETRAINED_PULL = 0.3
"""Pretrained weights move less."""


def main(preset: Path, folder: Path) -> None:
    """Write the study of `config.yaml` with a preset."""
    folder.mkdir(parents=True, exist_ok=True)
    plan = read_plan([ROOT / "config.yaml", preset])
    replicate(plan, folder)
    print(f"{len(plan.runs)} runs in {folder / paths.RESULTS}")


def read_plan(configs: Sequence[Path]) -> Plan:
    """Plan the report of a configuration, whose later files override earlier ones."""
    return plan_of(read_config(configs))


def plan_of(config: Config) -> Plan:
    """Plan the report of a configuration with all its runs, without the PDF."""
    resolved = with_layer_paths(config, lambda architecture, key: [*layer_shapes(architecture)])
    return Plan.make(resolved, is_partial=False, with_pdf=False)


def layer_shapes(architecture: str) -> Shapes:
    """Return the shape of every measured layer of an architecture, in the network's order."""
    from normreport.training.networks import shape_only_network

    layers = shape_only_network(architecture).measured_layers()
    return {name: tuple(weight.shape) for name, weight in layers.items()}


def replicate(plan: Plan, folder: Path) -> None:
    """Write the results of every stage up to `compare_arms` below a folder."""
    data = {
        name: _write_images(folder, name, settings)
        for name, settings in plan.config.data_sets().items()
    }
    _write_pretrainings(plan, folder, data)
    _write_sweeps(plan, folder, data["target"])
    write_model(folder / paths.FAILURES, Failures(runs=()))
    shapes = {
        model: layer_shapes(plan.config.architecture(model)[0])
        for model in plan.config.design.models
    }
    for (model, _), runs in groupby(plan.runs, key=lambda run: (run.model, run.start)):
        group = Group(tuple(runs), shapes[model], plan.config.training.epochs)
        _write_tables_of_runs(group, plan, folder)
        for run in group.runs:
            _write_run(run, plan, folder, data["target"], group)
        for layer in plan.config.models[model].layers:
            _write_comparison(group, layer, folder)


def write_snapshots(plan: Plan, folder: Path, model: str, start: str, layer: str) -> None:
    """Write weights of one layer for all runs of a model and start, with their digests.

    The stages `measure_weights` and `compare_arms` can then be run on this layer.
    """
    shape = layer_shapes(plan.config.architecture(model)[0])[layer]
    epochs = plan.config.training.epochs
    std = kaiming_fan_out_std(shape[0], *(shape[2:] or (1, 1)))
    generator = np.random.default_rng(0)
    weights = generator.standard_normal((epochs + 1, *shape), dtype=np.float32) * np.float32(std)
    for run in plan.runs:
        if (run.model, run.start) != (model, start):
            continue
        scale = np.float32(1 + 1e-3 * generator.standard_normal())
        write_arrays(folder / paths.of_run(paths.RUN_SNAPSHOTS, run), {layer: weights * scale})
        digests = LayerDigests(
            weights=weights[0].size, shape=shape, epochs=tuple(epoch_digests(weights * scale))
        )
        write_model(
            folder / paths.of_run(paths.WEIGHT_DIGESTS, run),
            WeightDigests(run=run, status=FinishedStatus(), layers={layer: digests}),
        )


@dataclass(frozen=True)
class Group:
    """The runs of one model and start, with the moments of their weights.

    Arrays have the shape (runs, layers, epochs + 1).

    Attributes
    ----------
    runs
        The runs, by arm, then seed.
    shapes
        The shapes of all measured layers.
    epochs
        The last epoch.
    """

    runs: tuple[Run, ...]
    shapes: Shapes
    epochs: int

    @cached_property
    def generator(self) -> np.random.Generator:
        """A generator of its own, whatever other groups there are."""
        return np.random.default_rng([*f"{self.runs[0].model}/{self.runs[0].start}".encode()])

    @cached_property
    def initial_stds(self) -> Floats:
        """The standard deviations at epoch 0, which depend on the layer and the seed alone."""
        return self.kaiming_stds[:, None] * (1 + 0.017 * self.seed_noise)[..., None]

    @cached_property
    def kaiming_stds(self) -> Floats:
        """The standard deviation that each layer is drawn with, shape (layers,)."""
        return np.array([
            kaiming_fan_out_std(shape[0], *(shape[2:] or (1, 1))) for shape in self.shapes.values()
        ])  # fmt: skip

    @cached_property
    def seed_noise(self) -> Floats:
        """Standard normal noise that the runs of a seed share, shape (runs, layers)."""
        position = {seed: n for n, seed in enumerate(dict.fromkeys(run.seed for run in self.runs))}
        noise = self.generator.standard_normal((len(position), len(self.shapes)))
        shared: Floats = noise[[position[run.seed] for run in self.runs]]
        return shared

    @cached_property
    def pulls(self) -> Floats:
        """How far the arm of each run pulls the weights, shape (runs, 1, 1)."""
        start = self.runs[0].start
        strength = PRETRAINED_PULL if start.startswith("pretrained") else 1.0
        if self.is_frozen:
            strength = 0.0
        pulls = [PULLS.get(run.normalization, OTHER_PULL) for run in self.runs]
        return strength * np.array(pulls)[:, None, None]

    @property
    def is_frozen(self) -> bool:
        """Whether only the last layer is trained, which is not measured."""
        return self.runs[0].start.endswith("_head")

    @cached_property
    def growth(self) -> Floats:
        """How far training has come after each epoch, shape (epochs + 1,)."""
        return 1 - np.exp(-np.arange(self.epochs + 1) / TIME_CONSTANT)

    @cached_property
    def walk(self) -> Floats:
        """A random walk of each run and layer, from 0 at epoch 0."""
        steps = self._noise() * 4e-4 * (self.pulls > 0)
        steps[..., 0] = 0
        return steps.cumsum(axis=-1)

    @cached_property
    def moments(self) -> dict[str, Floats]:
        """The columns that training and `measure_weights` both write."""
        std = self.initial_stds * (1 + self.pulls * self.growth + self.walk)
        size = 10 * self.pulls * np.exp(0.12 * self.seed_noise)[..., None]
        displacement = size * self.growth * np.ones((1, len(self.shapes), 1))
        return {
            "mean": 0.02 * self.seed_noise[..., None] * self.initial_stds + self.walk * std,
            "std": std,
            "skewness": 0.02 * self.seed_noise[..., None] + self.walk,
            "excess_kurtosis": 0.05 * self.seed_noise[..., None] + 10 * self.pulls * self.growth,
            "displacement": displacement,
            "cosine": 1 / np.sqrt(1 + displacement**2),
        }

    @cached_property
    def tails(self) -> Floats:
        """How much heavier than Gaussian the tails are: the cube of the score counts so much."""
        tails: Floats = 0.002 * self.seed_noise[..., None] + 0.05 * self.pulls * self.growth
        return tails

    def losses(self) -> Floats:
        """Return the losses of each run at every epoch, shape (runs, epochs + 1)."""
        noise = self.generator.standard_normal((len(self.runs), self.epochs + 1))
        losses: Floats = (
            np.log(CLASSES) * np.exp(-np.arange(self.epochs + 1) / 6 + 0.05 * noise) + 0.004
        )
        return losses

    def weight_counts(self) -> list[int]:
        """Return the number of weights of each layer."""
        return [int(np.prod(shape)) for shape in self.shapes.values()]

    def _noise(self) -> Floats:
        return self.generator.standard_normal((len(self.runs), len(self.shapes), self.epochs + 1))


def _write_images(folder: Path, name: str, settings: DataSettings) -> ImagesManifest:
    """Write images of a data set, copies of a few digits, and their manifest."""
    size = settings.image_size_px
    counts = {"train": settings.train_images, "heldout": settings.heldout_images}
    some = pixels(32, size)
    arrays = {
        f"{split}_{what}": value
        for split, count in counts.items()
        for what, value in (
            ("images", np.resize(some, (count, size, size, 3))),
            ("labels", np.arange(count) % CLASSES),
        )
    }
    images = folder / paths.DATA_IMAGES.format(data=name)
    write_arrays(images, arrays)
    manifest = ImagesManifest.model_validate({
        "settings": settings.without_place().model_dump(mode="json"),
        "classes": [str(number) for number in range(CLASSES)],
        "images_per_class": {
            split: np.bincount(arrays[f"{split}_labels"], minlength=CLASSES).tolist()
            for split in counts
        },
        "skipped": [],
        "unused": [],
        "digests": {key: array_digest(array) for key, array in arrays.items()},
        "files": {images.name: file_digest(images)},
    })  # fmt: skip
    write_model(folder / paths.DATA_MANIFEST.format(data=name), manifest)
    return manifest


def _write_pretrainings(plan: Plan, folder: Path, data: Mapping[str, ImagesManifest]) -> None:
    """Write a placeholder for each model's pretrained weights, and their manifest."""
    for path in plan.of_pretraining(paths.PRETRAINED_WEIGHTS):
        weights = folder / path
        model = weights.parent.name
        write_text(weights, PLACEHOLDER)
        settings = plan.config.pretrain_settings(model)
        origin: dict[str, Any] = {"kind": "fetched", "file": text_digest(PLACEHOLDER)}
        origin |= {"preprocessing": None, "unwrapping": None}
        if isinstance(settings, TrainedWeights):
            origin = {"kind": "trained", "classes": CLASSES, "history": []}
            origin |= {"data": data["pretraining"].digests}
            origin |= {"evaluation": {"loss": 0.2, "accuracy": 0.95, "images": 500}}
        manifest = PretrainingManifest.model_validate({
            "model": model,
            "origin": {**origin, "settings": settings},
            "digests": {"weights": file_digest(weights), "code": text_digest("code")},
            "files": {weights.name: file_digest(weights)},
            "versions": VERSIONS,
        })  # fmt: skip
        write_model(weights.with_name("manifest.json"), manifest)


def _write_sweeps(plan: Plan, folder: Path, target: ImagesManifest) -> None:
    """Write the learning rate that each sweep chose: the candidate in the middle."""
    for sweep in plan.config.sweeps():
        place = {key: getattr(sweep, key) for key in ("model", "start", "normalization")}
        rate = _middle(sweep.candidates)
        chosen = folder / paths.TUNED_RATE.format(**place)
        write_model(chosen, TunedRate(learning_rate=rate))
        manifest = TuningManifest.model_validate({
            "settings": sweep,
            "classes": len(target.classes),
            "heldout_images": sum(target.images_per_class.heldout),
            "trials": [
                {
                    "learning_rate": candidate,
                    "heldout_losses": [0.5 + (candidate != rate)] * len(sweep.seeds),
                    "mean_heldout_loss": 0.5 + (candidate != rate),
                }
                for candidate in sweep.candidates
            ],
            "learning_rate": rate,
            "digests": {"data": target.digests, "pretrained": None, "code": text_digest("code")},
            "files": {chosen.name: file_digest(chosen)},
            "versions": VERSIONS,
        })  # fmt: skip
        write_model(folder / paths.TUNING_MANIFEST.format(**place), manifest)


def _middle(rates: Sequence[float]) -> float:
    return sorted(rates)[len(rates) // 2]


def _write_run(run: Run, plan: Plan, folder: Path, target: ImagesManifest, group: Group) -> None:
    """Write a run's manifest, digests of its weights, and placeholders of its weights."""
    settings = plan.config.run_settings(run)
    if plan.is_tuned(run.model):
        rate = _middle(plan.config.sweep_settings(*run.id.split("/")[:3]).candidates)
        settings = settings.model_copy(update={"learning_rate": rate})
    snapshots = folder / paths.of_run(paths.RUN_SNAPSHOTS, run)
    write_text(snapshots, PLACEHOLDER)
    tables = [folder / paths.of_run(each, run) for each in (paths.RUN_HISTORY, paths.RUN_LAYERS)]
    accuracy = 0.9 + 0.05 * (run.seed % 7) / 7
    evaluation = {"loss": 0.3, "accuracy": accuracy, "images": 600}
    final = {"epoch": settings.epochs, "learning_rate": settings.learning_rate, "batch_loss": 0.01}
    final |= {"train_loss": 0.01, "train_accuracy": 1.0}
    final |= {"heldout_loss": 0.3, "heldout_accuracy": accuracy}
    first = f"{run.model} {run.start} {run.seed}"
    pretrained = text_digest(PLACEHOLDER) if run.start.startswith("pretrained") else None
    manifest = RunManifest.model_validate({
        "run": run,
        "status": {"state": "OK"},
        "checks": {"finite": True, "learned": True, "moved": not group.is_frozen},
        "classes": CLASSES,
        "images": {"train": settings.train_images, "heldout": 600, "epoch_heldout": 24},
        "epochs": settings.epochs,
        "final": final,
        "heldout": {"initial": evaluation | {"accuracy": 0.1}, "final": evaluation,
                    "probe_accuracy": accuracy},
        "parameters": sum(group.weight_counts()),
        "folded": {},
        "first_batch": {"dtype": "float32", "shape": [settings.batch_size, 3, 32, 32],
                        "min": 0.0, "max": 1.0, "mean": 0.5, "std": 0.25},
        "settings": settings,
        "seeds": {"init": run.seed, "head": run.seed + 1},
        "digests": {
            "code": text_digest("code"),
            "data": target.digests,
            "initial_weights": text_digest(first),
            "final_weights": text_digest(run.id),
            "order": text_digest(f"order of {run.seed}"),
            "pretrained": pretrained,
        },
        "files": {path.name: file_digest(path) for path in (snapshots, *tables)},
        "versions": VERSIONS,
    })  # fmt: skip
    write_model(folder / paths.of_run(paths.RUN_MANIFEST, run), manifest)
    digests = tuple(text_digest(f"{run.id} {epoch}") for epoch in range(settings.epochs + 1))
    layers = {
        layer: LayerDigests(weights=int(np.prod(shape)), shape=shape, epochs=digests)
        for layer, shape in group.shapes.items()
        if layer in settings.layers
    }
    write_model(
        folder / paths.of_run(paths.WEIGHT_DIGESTS, run),
        WeightDigests(run=run, status=FinishedStatus(), layers=layers),
    )


def _write_tables_of_runs(group: Group, plan: Plan, folder: Path) -> None:
    """Write histories, layer summaries, measures and quantiles, one file of each per run."""
    kept = plan.config.models[group.runs[0].model].layers
    tables = {
        paths.RUN_HISTORY: _history(group, plan),
        paths.RUN_LAYERS: _layers(group),
        paths.MEASURES: _measures(group, kept),
        paths.QUANTILES: _quantiles(group, kept),
    }
    for pattern, table in tables.items():
        for run, rows in zip(group.runs, _split(table, len(group.runs)), strict=True):
            path = folder / paths.of_run(pattern, run)
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.suffix == ".csv":
                csv.write_csv(rows, path, csv.WriteOptions(quoting_style="none"))
            else:
                _write_parquet(rows, path)


def _split(table: pa.Table, parts: int) -> Iterator[pa.Table]:
    size = len(table) // parts
    return (table.slice(number * size, size) for number in range(parts))


def _write_parquet(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(table, path, write_page_checksum=True)


def _texts(names: Sequence[str], shape: tuple[int, ...], axis: int) -> pa.Array:
    """Repeat names along the other axes of a shape, as one flat column."""
    return _labels(names, _along(np.arange(len(names)), shape, axis))


def _labels(names: Sequence[str], places: NDArray[np.intp]) -> pa.Array:
    dictionary = pa.DictionaryArray.from_arrays(places, pa.array(names, pa.large_string()))
    return dictionary.dictionary_decode()


def _along(values: NDArray[Any], shape: tuple[int, ...], axis: int) -> NDArray[Any]:
    """Repeat values along the other axes of a shape, as one flat column."""
    places = [1] * len(shape)
    places[axis] = len(values)
    return np.broadcast_to(values.reshape(places), shape).reshape(-1)


def _columns(group: Group, shape: tuple[int, ...]) -> dict[str, Any]:
    """Return the columns of a condition, for tables whose first axis is the run."""
    values = {name: [getattr(run, name) for run in group.runs] for name in CONDITION}
    return {
        name: _along(np.array(column), shape, 0) if name == "seed" else _texts(column, shape, 0)
        for name, column in values.items()
    }


def _history(group: Group, plan: Plan) -> pa.Table:
    shape = (len(group.runs), group.epochs + 1)
    losses = group.losses()
    rates = [plan.config.run_settings(run).learning_rate for run in group.runs]
    accuracy = np.exp(-losses)
    batch = losses.copy()
    batch[:, 0] = np.nan
    return pa.table({
        **_columns(group, shape),
        "status": _texts(["OK"], shape, 0),
        "classes": np.full(np.prod(shape), CLASSES),
        "heldout_images": np.full(np.prod(shape), 24),
        "epoch": _along(np.arange(group.epochs + 1), shape, 1),
        "learning_rate": _along(np.array(rates), shape, 0),
        "batch_loss": pa.array(batch.reshape(-1), from_pandas=True),
        "train_loss": losses.reshape(-1),
        "train_accuracy": accuracy.reshape(-1),
        "heldout_loss": np.maximum(losses, 0.15).reshape(-1),
        "heldout_accuracy": (0.97 * accuracy).reshape(-1),
    })  # fmt: skip


def _layers(group: Group) -> pa.Table:
    """Make the layer summaries: by run, then epoch, then layer."""
    shape = (len(group.runs), group.epochs + 1, len(group.shapes))
    return pa.table({
        **_columns(group, shape),
        "epoch": _along(np.arange(shape[1]), shape, 1),
        "layer": _texts([*group.shapes], shape, 2),
        "n": _along(np.array(group.weight_counts()), shape, 2),
        **{name: values.swapaxes(1, 2).reshape(-1) for name, values in group.moments.items()},
    })  # fmt: skip


def _measures(group: Group, kept: Sequence[str]) -> pa.Table:
    """Make the statistics of the kept layers: by run, then layer, then epoch."""
    chosen = [[*group.shapes].index(layer) for layer in kept]
    shape = (len(group.runs), len(kept), group.epochs + 1)
    moments = {name: values[:, chosen] for name, values in group.moments.items()}
    tails = group.tails[:, chosen]
    counts = np.array(group.weight_counts())[chosen]
    values: dict[str, Any] = {name: moments[name] for name in (*moments,)[:4]}
    for percent in PERCENTILES:
        score = float(ndtri(percent / 100))
        values[f"p{percent:02d}"] = moments["mean"] + moments["std"] * (score + tails * score**3)
    values |= {
        "iqr_ratio": 1 - tails,
        "l_skewness": 0.1 * moments["skewness"],
        "l_kurtosis": 0.1226 + tails,
        "ppcc_deficit": np.abs(tails) / 10,
        "w1_normal": 0.01 + np.abs(tails),
        "displacement": moments["displacement"],
        "cosine": moments["cosine"],
        "variance_along": 0.1 * moments["displacement"],
        "variance_added": moments["displacement"] ** 2,
        "between_filter_share": 0.02 + 0.1 * np.abs(tails),
    }
    kaiming = group.kaiming_stds[chosen]
    condition = dict(sorted(_columns(group, shape).items()))
    return pa.table({
        **condition,
        "layer": _texts(kept, shape, 1),
        "epoch": _along(np.arange(shape[2]), shape, 2),
        "n": _along(counts, shape, 1),
        **{name: column.reshape(-1) for name, column in values.items()},
        "dead_filters": np.zeros(np.prod(shape), dtype=np.int64),
        "roughness": (0.21 * np.exp(tails)).reshape(-1),
        "kaiming_std": _along(kaiming, shape, 1),
    })  # fmt: skip


def _quantiles(group: Group, kept: Sequence[str]) -> pa.Table:
    """Make the standardized quantiles: by run, layer, epoch and score."""
    chosen = [[*group.shapes].index(layer) for layer in kept]
    shape = (len(group.runs), len(kept), group.epochs + 1, len(SCORES))
    scores = np.array(SCORES)
    counts = np.array(group.weight_counts())[chosen]
    curves = scores + group.tails[:, chosen, :, None] * scores**3
    return pa.table({
        **_columns(group, shape),
        "layer": _texts(kept, shape, 1),
        "epoch": _along(np.arange(shape[2]), shape, 2),
        "n": _along(counts, shape, 1),
        "score": _along(scores, shape, 3),
        "quantile": _significant(curves, 6).reshape(-1),
    }).select(QUANTILES)  # fmt: skip


def _write_comparison(group: Group, layer: str, folder: Path) -> None:
    """Write densities, histograms and products of one layer for all runs of a group."""
    place = {"model": group.runs[0].model, "start": group.runs[0].start, "layer": layer}
    curves = _densities(group, layer)
    for pattern, table in (
        (paths.DENSITIES, curves),
        (paths.HISTOGRAMS, _histograms(group, layer)),
        (paths.PRODUCTS, _products(group, layer)),
    ):
        _write_parquet(table, folder / pattern.format(**place))
    columns = {name: curves[name].to_numpy() for name in ("epoch", "weight", "density")}
    axes = DensityAxes(**density_axes(columns))
    write_model(folder / paths.DENSITY_AXES.format(**place), axes)


def _of_layer(group: Group, layer: str) -> tuple[Floats, Floats, int]:
    """Return mean and standard deviation, each (runs, epochs + 1), and the number of weights."""
    number = [*group.shapes].index(layer)
    mean, std = (group.moments[name][:, number] for name in ("mean", "std"))
    return mean, std, group.weight_counts()[number]


def _densities(group: Group, layer: str) -> pa.Table:
    """Make Gaussian curves whose wiggles belong to the seed: by run, epoch and grid point."""
    mean, std, count = _of_layer(group, layer)
    shape = (*std.shape, GRID_POINTS)
    grid = np.linspace(-4.2, 4.2, GRID_POINTS) * float(std.max())
    z = (grid - mean[..., None]) / std[..., None]
    phases = 6 * np.array([run.seed for run in group.runs])[:, None, None]
    wiggle = sum(0.02 * np.sin(k * z / 2 + phases + k) for k in range(2, 6))
    curves = np.exp(-(z**2) / 2) / (std[..., None] * np.sqrt(2 * np.pi)) * (1 + wiggle)
    bandwidth = scott_bandwidth(float(np.median(std[:, -1])), count)
    return pa.table({
        **_columns(group, shape),
        "layer": _texts([layer], shape, 0),
        "epoch": _along(np.arange(shape[1]), shape, 1),
        "weight": _along(_significant(grid, 7), shape, 2),
        "density": _significant(curves, 6).reshape(-1),
        "bandwidth": np.full(np.prod(shape), float(f"{bandwidth:.6g}")),
    }).select(DENSITIES)  # fmt: skip


def _histograms(group: Group, layer: str) -> pa.Table:
    """Make the counts of Gaussians: by run, epoch and bin."""
    mean, std, count = _of_layer(group, layer)
    shape = (*std.shape, BINS)
    edges = np.linspace(-4.2, 4.2, BINS + 1) * float(std.max())
    middles = (edges[:-1] + edges[1:]) / 2
    z = (middles - mean[..., None]) / std[..., None]
    shares = np.exp(-(z**2) / 2)
    shares /= shares.sum(axis=-1, keepdims=True)
    return pa.table({
        **_columns(group, shape),
        "layer": _texts([layer], shape, 0),
        "epoch": _along(np.arange(shape[1]), shape, 1),
        "left": _along(edges[:-1], shape, 2),
        "right": _along(edges[1:], shape, 2),
        "count": np.rint(count * shares).astype(np.int64).reshape(-1),
    }).select(HISTOGRAMS)  # fmt: skip


def _products(group: Group, layer: str) -> pa.Table:
    """Make the products of points in a space of six dimensions: by epoch and pair of runs.

    Two dimensions are the mean and the standard deviation. The others have noise of the seed and,
    once trained, of the run.
    """
    mean, std, _ = _of_layer(group, layer)
    number = [*group.shapes].index(layer)
    seeds = group.seed_noise[:, number]
    unit = float(np.sqrt(np.mean(std[:, 0] ** 2)))
    own = group.generator.standard_normal((4, len(seeds), 1)) * group.growth * 2e-3
    own *= group.pulls[:, 0] > 0
    shared = 0.02 * np.stack([np.sin(k * seeds) for k in range(1, 5)])[..., None]
    points = np.concatenate([np.stack([mean / unit, std / unit]), own + shared])
    points -= points.mean(axis=1, keepdims=True)
    a, b = np.triu_indices(len(seeds))
    products = np.einsum("kae,kae->ea", points[:, a], points[:, b])
    shape = products.shape
    run_a, run_b = [group.runs[i] for i in a], [group.runs[i] for i in b]
    is_pair = np.array([one.seed == other.seed for one, other in zip(run_a, run_b, strict=True)])
    correlation = np.full(shape, np.nan)
    correlation[-1, is_pair & (a != b)] = 0.999
    arms = [run.normalization for run in group.runs]
    every_seed = np.array([run.seed for run in group.runs])
    return pa.table({
        "model": _texts([group.runs[0].model], shape, 0),
        "start": _texts([group.runs[0].start], shape, 0),
        "layer": _texts([layer], shape, 0),
        "epoch": _along(np.arange(shape[0]), shape, 0),
        "normalization_a": _labels(arms, _along(a, shape, 1)),
        "seed_a": _along(every_seed[a], shape, 1),
        "normalization_b": _labels(arms, _along(b, shape, 1)),
        "seed_b": _along(every_seed[b], shape, 1),
        "product": products.reshape(-1),
        "correlation": pa.array(correlation.reshape(-1), from_pandas=True),
    }).select(PRODUCTS)  # fmt: skip


def _significant(values: Floats, digits: int) -> Floats:
    """Round to significant digits, as the stages do."""
    magnitude = np.abs(values)
    exponent = np.floor(np.log10(magnitude, where=magnitude > 0, out=np.zeros_like(values)))
    scale = 10.0 ** np.clip(digits - 1 - exponent, 0, 22)
    rounded: Floats = np.round(values * scale) / scale
    return rounded


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: python -m tests.benchmarks.replicated CONFIG FOLDER")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
