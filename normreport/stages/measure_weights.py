"""Statistics of one run's kept layers at every epoch."""

from __future__ import annotations

from pathlib import Path

from normreport import files
from normreport.statistics import (
    kaiming_fan_out_std,
    roughness,
    roughness_bandwidth,
    summarize,
)


def run(*, digests: Path, snapshots: Path, measures: Path) -> None:
    """Write one row per layer and epoch."""
    found = files.read_json(digests)
    rows = []
    for layer in found["layers"]:
        array = files.read_arrays(snapshots, [layer])[layer]
        # The std that torchvision draws this layer's initial weights with.
        out_channels, _, height, width = array.shape[1:]
        kaiming_std = kaiming_fan_out_std(out_channels, height, width)
        for epoch, weights in enumerate(array):
            statistics = summarize(weights, array[0])
            place = {**found["run"], "layer": layer, "epoch": epoch}
            spread = statistics["std"]
            # In units of the layer's own spread, so that only the shape counts.
            bandwidth = roughness_bandwidth(spread, weights.size) if spread else None
            known = {
                "roughness": roughness(weights, bandwidth) if bandwidth else None,
                "kaiming_std": kaiming_std,
            }
            rows.append({**place, **statistics, **known})
    files.write_csv(measures, list(rows[0]), rows)
