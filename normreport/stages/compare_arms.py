"""Compare one layer between all runs of a model and a start."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import DensityAxes, WeightDigests
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics import comparison


def run(
    *,
    layer: str,
    digests: Sequence[Path],
    snapshots: Sequence[Path],
    densities: Path,
    axes: Path,
    histograms: Path,
    products: Path,
) -> None:
    """Write the products of the runs, and each run's density and histogram at every epoch.

    Figures of other starts need only the axes of the densities.
    """
    digested = [read_model(WeightDigests, path) for path in digests]
    kept = [
        (asdict(one.run), KeptLayer(path, layer, one.layers[layer].epochs))
        for one, path in zip(digested, snapshots, strict=True)
    ]
    place = {"model": digested[0].run.model, "start": digested[0].run.start, "layer": layer}
    write_table(products, {**place, **comparison.products(kept)})
    curves = comparison.densities(kept)
    write_table(densities, {**place, **curves})
    write_model(axes, DensityAxes(**comparison.density_axes(curves)))
    write_table(histograms, {**place, **comparison.histograms(kept)})
