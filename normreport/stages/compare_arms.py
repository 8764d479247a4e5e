"""Compare the runs of one model and start in one layer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport import comparison, files

DENSITIES = (
    "model", "start", "layer", "normalization", "seed", "epoch", "weight", "density", "bandwidth",
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
    distances: Path,
) -> None:
    """Write distances between runs, and every run's density at every epoch."""
    conditions = [files.read_json(path)["run"] for path in digests]
    weights = [files.read_arrays(path, [layer])[layer] for path in snapshots]
    runs = list(zip(conditions, weights, strict=True))
    common = {"model": conditions[0]["model"], "start": conditions[0]["start"], "layer": layer}
    files.write_csv(
        distances, DISTANCES, (common | row for row in comparison.distances(runs, epochs))
    )
    files.write_csv(densities, DENSITIES, (common | row for row in comparison.densities(runs)))
