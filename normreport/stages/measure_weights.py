"""Compute statistics and quantiles of one run's kept layers at every epoch."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from normreport.config.json_files import read_model
from normreport.config.manifests import WeightDigests
from normreport.io.snapshots import KeptLayer
from normreport.io.tables import write_table
from normreport.statistics.arrays import sort_weights
from normreport.statistics.density import roughness, roughness_bandwidth
from normreport.statistics.initialization import kaiming_fan_out_std
from normreport.statistics.quantiles import SCORES, standardized_quantiles
from normreport.statistics.summary import summarize

# Identify the curve of a layer at an epoch; n is the number of its weights.
CURVE = ["model", "start", "normalization", "seed", "layer", "epoch", "n"]


def run(*, digests: Path, snapshots: Path, measures: Path, quantiles: Path) -> None:
    """Write one row of statistics per layer and epoch, and the quantiles of layers that vary."""
    digested = read_model(WeightDigests, digests)
    # In the order of the columns since the first version.
    condition = dict(sorted(asdict(digested.run).items()))
    rows, varying = [], []
    curves: list[float] = []
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
                varying.append({**place, "n": weights.size})
                curves += [float(f"{quantile:.6g}") for quantile in curve]
    write_table(measures, pd.DataFrame(rows))
    curve_of = pd.DataFrame(varying, columns=CURVE).loc[np.repeat(range(len(varying)), len(SCORES))]
    scores = np.tile(SCORES, len(varying))
    write_table(quantiles, curve_of.assign(score=scores, quantile=curves))
