from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest

from normreport.errors import StorageError
from normreport.io import files
from normreport.io.snapshots import KeptLayer, epoch_digests


@pytest.mark.parametrize("damage", [None, "changed", "shorter", "truncated", "layer", "missing"])
def test_a_layer_is_verified_by_its_digests(tmp_path: Path, damage: str | None) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 4, 3, 2, 2)).astype(np.float32)
    digests = epoch_digests(weights)
    kept = {"shorter": weights[:2], "changed": weights + np.float32(1e-6)}.get(
        damage or "", weights
    )
    path = tmp_path / "snapshots.safetensors"
    if damage != "missing":
        files.write_arrays(path, {"features.3" if damage == "layer" else "features.0": kept})
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:-1])
    if damage is None:
        layer = KeptLayer(path, "features.0", digests)
        assert len(layer) == 3
        assert np.array_equal(list(layer), weights)
        assert np.array_equal(layer[-1], weights[2])
        return
    with pytest.raises(StorageError, match=r"snapshots\.safetensors: could not be read \(.*again"):
        list(KeptLayer(path, "features.0", digests))


def test_one_epoch_is_read_and_verified_without_the_others(tmp_path: Path) -> None:
    weights = np.random.default_rng(0).standard_normal((3, 4, 3, 2, 2)).astype(np.float32)
    digests = epoch_digests(weights)
    path = tmp_path / "snapshots.safetensors"
    files.write_arrays(path, {"features.0": np.append(weights[:2], weights[:1], axis=0)})
    layer = KeptLayer(path, "features.0", digests)
    assert np.array_equal(layer[1], weights[1])
    with pytest.raises(StorageError, match="has other weights"):
        layer[2]


def test_a_thousand_layers_are_read_with_few_open_files(tmp_path: Path) -> None:
    """compare_arms reads one epoch of every run after the other."""
    weights = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
    path = tmp_path / "snapshots.safetensors"
    files.write_arrays(path, {"features.0": weights})
    layers = [KeptLayer(path, "features.0", epoch_digests(weights)) for _ in range(1000)]
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, limits[1]))
    try:
        for epoch in range(2):
            assert all(np.array_equal(layer[epoch], weights[epoch]) for layer in layers)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
