"""Check one run's snapshots and give their digests.

The arrays stay where they are: a run's ``snapshots.safetensors`` holds one tensor per layer,
(epoch, C_out, C_in / groups[, k, k]), that is read by memory map, so that nothing is on the disk
twice. What is written is small. Later stages depend on it: a run that was trained again and ended
in the same weights stops the rebuild here.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from normreport.errors import StorageError
from normreport.io import files
from normreport.io.snapshots import epoch_digests


def run(*, snapshots: Path, manifest: Path, digests: Path) -> None:
    """Write the digest of every layer at every epoch."""
    found = files.read_json(manifest)
    files.check_digest(snapshots, found.get("files", {}).get(snapshots.name))
    layers = {}
    for layer, array in files.read_arrays(snapshots, found["settings"]["layers"]).items():
        if not np.isfinite(array).all():
            raise StorageError(
                f"{snapshots}: {layer} holds numbers that are not finite. Expected finite weights, "
                "as training keeps no others: the file is damaged. Delete it and run snakemake "
                "again: only this run is trained anew."
            )
        layers[layer] = {
            "weights": int(array[0].size),
            "shape": list(array.shape[1:]),
            "epochs": epoch_digests(array),
        }
    files.write_json(digests, {"run": found["run"], "status": found["status"], "layers": layers})
