"""Compare one layer between all runs of a model and a start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from normreport.config.json_files import read_model
from normreport.config.manifests import WeightDigests
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics import comparison

DENSITIES = (
    "model", "start", "layer", "normalization", "seed", "epoch", "weight", "density", "bandwidth",
)  # fmt: skip
HISTOGRAMS = (
    "model", "start", "layer", "normalization", "seed", "epoch", "left", "right", "count",
)  # fmt: skip
PRODUCTS = (
    "model", "start", "layer", "epoch",
    "normalization_a", "seed_a", "normalization_b", "seed_b", "product", "correlation",
)  # fmt: skip


def run(
    *,
    layer: str,
    digests: Sequence[Path],
    snapshots: Sequence[Path],
    densities: Path,
    histograms: Path,
    products: Path,
) -> None:
    """Write the products of the runs, and each run's density and histogram at every epoch."""
    digested = [read_model(WeightDigests, path) for path in digests]
    kept = [
        (asdict(one.run), KeptLayer(path, layer, one.layers[layer].epochs))
        for one, path in zip(digested, snapshots, strict=True)
    ]
    common = {"model": digested[0].run.model, "start": digested[0].run.start, "layer": layer}
    write_table(products, PRODUCTS, (common | row for row in comparison.products(kept)))
    write_table(densities, DENSITIES, (common | row for row in comparison.densities(kept)))
    write_table(histograms, HISTOGRAMS, (common | row for row in comparison.histograms(kept)))
