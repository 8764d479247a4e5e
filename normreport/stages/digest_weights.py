"""Check one run's snapshots and write their digests.

The arrays stay in ``snapshots.safetensors``: one tensor per layer,
(epoch, C_out, C_in / groups[, k, k]). All stages read them epoch by epoch, because they may be
larger than memory, and later stages depend on the small file of digests. If a retrained run ends in
the same weights, the rebuild stops here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

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
    for layer in trained.settings.layers:
        stored = files.StoredArray.find(snapshots, layer)
        shape = stored.shape[1:]
        epochs = epoch_digests(check_finite(stored, layer))
        layers[layer] = LayerDigests(weights=math.prod(shape), shape=shape, epochs=tuple(epochs))
    write_model(digests, WeightDigests(run=trained.run, status=trained.status, layers=layers))


def check_finite(weights: files.StoredArray, layer: str) -> Iterator[NDArray[np.float32]]:
    """Yield the weights of a layer at every epoch, which must be finite."""
    for epoch in weights:
        if not np.isfinite(epoch).all():
            raise StorageError(
                f"{weights.path}: {layer} holds numbers that are not finite, but training keeps "
                "only finite weights: the file is damaged. Delete it and run snakemake again: "
                "only this run is trained again."
            )
        yield epoch
