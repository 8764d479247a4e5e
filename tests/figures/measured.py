"""Tables of made-up weights, measured and compared by the stages themselves.

Unlike `tests.figures.synthetic`, they have the gaps that real layers leave: a statistic that is not
defined is missing, and a table can be empty.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.config.json_files import write_model
from normreport.config.manifests import FinishedStatus, LayerDigests, WeightDigests
from normreport.config.runs import Run
from normreport.io import files
from normreport.io.snapshots import epoch_digests
from normreport.io.tables import read_tables
from normreport.stages import compare_arms, measure_weights
from normreport.stages.train_run import LAYERS
from normreport.training.layer_summaries import summarize_layer

Weights = NDArray[np.float32]
"""A layer's weights at every epoch, shape (epochs + 1, C_out, C_in, k, k)."""
EPOCHS = 2
SHAPE = (8, 3, 3, 3)
LAYER = "features.0"


def runs() -> list[Run]:
    """List the runs of a study of VGG16: two starts, two normalizations, two seeds."""
    return [
        Run("vgg16", start, arm, seed)
        for start in ("pretrained", "scratch")
        for arm in ("unit", "imagenet")
        for seed in (0, 1)
    ]


def normal_weights(run: Run, shape: tuple[int, ...] = SHAPE, scale: float = 0.05) -> Weights:
    """Draw weights that both arms of a seed share at epoch 0, and that drift apart."""
    initial = np.random.default_rng([run.seed, len(run.start)]).standard_normal(shape)
    steps = np.random.default_rng([run.seed, len(run.start), len(run.normalization)])
    drift = 0.1 * steps.standard_normal((EPOCHS, *shape)).cumsum(axis=0)
    path = np.concatenate([np.zeros((1, *shape)), drift])
    return np.asarray(scale * (initial + path), dtype=np.float32)


def tables(weights: Mapping[Run, Mapping[str, Weights]], folder: Path) -> dict[str, pd.DataFrame]:
    """Write the weights of each run, and return the tables that the stages make of them."""
    of_stage: dict[str, list[Path]] = {name: [] for name in ("measures", "quantiles", "layers")}
    digests, snapshots = {}, {}
    for run, layers in weights.items():
        own = folder / run.id
        own.mkdir(parents=True)
        snapshots[run], digests[run] = own / "snapshots.safetensors", own / "digests.json"
        files.write_arrays(snapshots[run], dict(layers))
        digested = {
            name: LayerDigests(
                weights=values[0].size, shape=values.shape[1:], epochs=tuple(epoch_digests(values))
            )
            for name, values in layers.items()
        }
        write_model(digests[run], WeightDigests(run=run, status=FinishedStatus(), layers=digested))
        paths = {name: own / f"{name}.parquet" for name in ("measures", "quantiles")}
        measure_weights.run(digests=digests[run], snapshots=snapshots[run], **paths)
        rows = [
            {
                **asdict(run),
                "layer": name,
                "epoch": epoch,
                **asdict(summarize_layer(values[0], now)),
            }
            for name, values in layers.items()
            for epoch, now in enumerate(values)
        ]
        paths["layers"] = own / "layers.csv"
        files.write_csv(paths["layers"], LAYERS, rows)
        for name, path in paths.items():
            of_stage[name].append(path)
    for name in ("densities", "histograms", "products"):
        of_stage[name] = []
    for start in dict.fromkeys(run.start for run in weights):
        for layer in dict.fromkeys(name for layers in weights.values() for name in layers):
            chosen = [run for run in weights if run.start == start]
            paths = {
                name: folder / start / layer / f"{name}.parquet"
                for name in ("densities", "histograms", "products")
            }
            axes = folder / start / layer / "axes.json"
            compare_arms.run(
                layer=layer,
                digests=[digests[run] for run in chosen],
                snapshots=[snapshots[run] for run in chosen],
                axes=axes,
                **paths,
            )
            for name, path in paths.items():
                of_stage[name].append(path)
    return {name: read_tables(paths) for name, paths in of_stage.items()}
