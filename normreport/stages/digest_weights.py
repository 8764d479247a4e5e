"""Check one run's snapshots and write their digests.

The arrays stay in ``snapshots.safetensors``: one tensor per layer,
(epoch, C_out, C_in / groups[, k, k]). Later stages read them by memory map and depend on the small
file of digests. If a retrained run ends in the same weights, the rebuild stops here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import LayerDigests, RunManifest, WeightDigests
from normreport.errors import StorageError
from normreport.io import files
from normreport.io.snapshots import epoch_digests


def run(*, snapshots: Path, manifest: Path, digests: Path) -> None:
    """Write the digest of every layer at every epoch.

    Raises
    ------
    StorageError
        If the snapshots do not match the manifest or hold a number that is not finite.
    """
    trained = read_model(RunManifest, manifest)
    files.check_digest(snapshots, trained.files.get(snapshots.name))
    layers = {}
    for layer, weights in files.read_arrays(snapshots, trained.settings.layers).items():
        if not np.isfinite(weights).all():
            raise StorageError(
                f"{snapshots}: {layer} holds numbers that are not finite, but training keeps only "
                "finite weights: the file is damaged. Delete it and run snakemake again: only "
                "this run is trained again."
            )
        layers[layer] = LayerDigests(
            weights=weights[0].size,
            shape=weights.shape[1:],
            epochs=tuple(epoch_digests(weights)),
        )
    write_model(digests, WeightDigests(run=trained.run, status=trained.status, layers=layers))
