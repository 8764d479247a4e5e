from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from normreport import files
from normreport.errors import StorageError
from normreport.snapshots import epoch_digests, read_layer


@pytest.mark.parametrize("damage", [None, "changed", "shorter", "cut", "layer", "missing"])
def test_a_layer_is_read_as_it_was_extracted_or_its_file_is_named(
    tmp_path: Path, damage: str | None
) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 4, 3, 2, 2)).astype(np.float32)
    digests = {"layers": {"features.0": {"epochs": epoch_digests(weights)}}}
    kept = {"shorter": weights[:2], "changed": weights + np.float32(1e-6)}.get(
        damage or "", weights
    )
    path = tmp_path / "snapshots.safetensors"
    if damage != "missing":
        files.write_arrays(path, {"features.3" if damage == "layer" else "features.0": kept})
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-1])
    if damage is None:
        assert np.array_equal(read_layer(path, "features.0", digests), weights)
        return
    with pytest.raises(StorageError, match=r"snapshots\.safetensors: could not be read \(.*again"):
        read_layer(path, "features.0", digests)
