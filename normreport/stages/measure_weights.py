"""Compute statistics and quantiles of one run's kept layers at every epoch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from normreport.config.json_files import read_model
from normreport.config.manifests import WeightDigests
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics.arrays import sort_weights
from normreport.statistics.density import roughness, roughness_bandwidth
from normreport.statistics.initialization import kaiming_fan_out_std
from normreport.statistics.quantiles import SCORES, standardized_quantiles
from normreport.statistics.summary import summarize

QUANTILES = ("model", "start", "normalization", "seed", "layer", "epoch", "n", "score", "quantile")


def run(*, digests: Path, snapshots: Path, measures: Path, quantiles: Path) -> None:
    """Write one row of statistics per layer and epoch, and the quantiles of layers that vary."""
    digested = read_model(WeightDigests, digests)
    # In the order of the columns since the first version.
    condition = dict(sorted(asdict(digested.run).items()))
    rows, curves = [], []
    for name, layer in digested.layers.items():
        kept = KeptLayer(snapshots, name, layer.epochs)
        initial = kept[0]
        # VGG and MobileNet draw their convolutions with this std. A linear layer counts as a
        # convolution of a single pixel.
        out_channels, _, *kernel = initial.shape
        kaiming_std = kaiming_fan_out_std(out_channels, *(kernel or (1, 1)))
        for epoch, weights in enumerate(kept):
            ordered = sort_weights(weights)
            statistics = summarize(weights, initial, ordered)
            place = {**condition, "layer": name, "epoch": epoch}
            spread = statistics["std"]
            # The bandwidth is in units of the layer's own spread: only the shape counts.
            bandwidth = roughness_bandwidth(spread, weights.size) if spread else None
            rows.append({
                **place,
                **statistics,
                "roughness": roughness(weights, bandwidth) if bandwidth else None,
                "kaiming_std": kaiming_std,
            })  # fmt: skip
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
