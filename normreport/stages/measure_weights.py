"""Statistics and quantiles of one run's kept layers at every epoch."""

from __future__ import annotations

from pathlib import Path

from normreport.io import files
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics.arrays import sort_weights
from normreport.statistics.density import roughness, roughness_bandwidth
from normreport.statistics.initialization import kaiming_fan_out_std
from normreport.statistics.quantiles import SCORES, standardized_quantiles
from normreport.statistics.summary import summarize

QUANTILES = ("model", "start", "normalization", "seed", "layer", "epoch", "n", "score", "quantile")


def run(*, digests: Path, snapshots: Path, measures: Path, quantiles: Path) -> None:
    """Write one row of statistics per layer and epoch, and its quantiles where it has a spread."""
    found = files.read_json(digests)
    rows, curves = [], []
    for layer in found["layers"]:
        kept = KeptLayer(snapshots, layer, found)
        initial = kept[0]
        # The std that VGG's and MobileNet's convolutions are drawn with; a linear layer is one of
        # a single pixel.
        out_channels, _, *kernel = initial.shape
        kaiming_std = kaiming_fan_out_std(out_channels, *(kernel or (1, 1)))
        for epoch, weights in enumerate(kept):
            ordered = sort_weights(weights)
            statistics = summarize(weights, initial, ordered)
            place = {**found["run"], "layer": layer, "epoch": epoch}
            spread = statistics["std"]
            # In units of the layer's own spread, so that only the shape counts.
            bandwidth = roughness_bandwidth(spread, weights.size) if spread else None
            known = {
                "roughness": roughness(weights, bandwidth) if bandwidth else None,
                "kaiming_std": kaiming_std,
            }
            rows.append({**place, **statistics, **known})
            curve = standardized_quantiles(ordered)
            if curve is not None:
                curves += [
                    {
                        **place,
                        "n": weights.size,
                        "score": score,
                        "quantile": float(f"{quantile:.6g}"),
                    }
                    for score, quantile in zip(SCORES, curve, strict=True)
                ]
    write_table(measures, list(rows[0]), rows)
    write_table(quantiles, QUANTILES, curves)
