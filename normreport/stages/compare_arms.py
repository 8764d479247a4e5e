"""Compare the runs of one model and start in one layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.io import files
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics import comparison

DENSITIES = (
    "model", "start", "layer", "normalization", "seed", "epoch", "weight", "density", "bandwidth",
)  # fmt: skip
HISTOGRAMS = (
    "model", "start", "layer", "normalization", "seed", "epoch", "left", "right", "count",
)  # fmt: skip
DISTANCES = (
    "model", "start", "layer", "epoch",
    "normalization_a", "seed_a", "normalization_b", "seed_b", "w1", "w1_over_sigma0",
)  # fmt: skip


def run(
    *,
    layer: str,
    epochs: int,
    digests: Sequence[Path],
    snapshots: Sequence[Path],
    densities: Path,
    histograms: Path,
    distances: Path,
) -> None:
    """Write distances between runs, and every run's density and histogram at every epoch."""
    found = [files.read_json(path) for path in digests]
    runs = [
        (extracted["run"], KeptLayer(path, layer, extracted))
        for extracted, path in zip(found, snapshots, strict=True)
    ]
    common = {"model": runs[0][0]["model"], "start": runs[0][0]["start"], "layer": layer}
    write_table(distances, DISTANCES, (common | row for row in comparison.distances(runs, epochs)))
    write_table(densities, DENSITIES, (common | row for row in comparison.densities(runs)))
    write_table(histograms, HISTOGRAMS, (common | row for row in comparison.histograms(runs)))
