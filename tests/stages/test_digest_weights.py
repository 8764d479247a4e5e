from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from normreport.errors import StorageError
from normreport.io.files import array_digest, file_digest, write_json
from normreport.stages import digest_weights
from tests.stages.conftest import LAYER, read


def test_there_is_a_digest_per_layer_and_epoch(runs):
    digests = read(runs[0].digests)
    weights = load_file(runs[0].snapshots)[LAYER]
    assert digests["run"] == read(runs[0].manifest)["run"]
    assert digests["layers"][LAYER]["weights"] == 864
    assert digests["layers"][LAYER]["shape"] == [32, 3, 3, 3]
    assert digests["layers"][LAYER]["epochs"] == [array_digest(epoch) for epoch in weights]


@pytest.mark.parametrize("damage", ["truncated", "changed", "missing"])
def test_a_damaged_snapshot_is_named_and_gives_no_digest(runs, tmp_path, damage):
    snapshots = tmp_path / "snapshots.safetensors"
    content = bytearray(runs[0].snapshots.read_bytes())
    content[-100] ^= 1
    if damage != "missing":
        snapshots.write_bytes(content if damage == "changed" else content[:-100])
    digests = tmp_path / "digests.json"
    with pytest.raises(StorageError, match=r"snapshots\.safetensors: could not be read .*again"):
        digest_weights.run(snapshots=snapshots, manifest=runs[0].manifest, digests=digests)
    assert not digests.exists()


@pytest.mark.parametrize("fault", ["not finite", "a layer is missing"])
def test_snapshots_that_no_training_writes_are_refused(runs, tmp_path, fault):
    weights = load_file(runs[0].snapshots)[LAYER].copy()
    weights[1, 0, 0, 0, 0] = np.nan if fault == "not finite" else 0
    snapshots, manifest = tmp_path / "snapshots.safetensors", tmp_path / "manifest.json"
    save_file({LAYER if fault == "not finite" else "features.7": weights}, snapshots)
    digest = {"files": {snapshots.name: file_digest(snapshots)}}
    write_json(manifest, read(runs[0].manifest) | digest)
    with pytest.raises(StorageError, match=rf"snapshots\.safetensors: .*{LAYER}.*again"):
        digest_weights.run(snapshots=snapshots, manifest=manifest, digests=tmp_path / "d.json")


def test_a_run_of_a_version_that_kept_no_digest_is_to_be_trained_again(runs, tmp_path):
    found = read(runs[0].manifest)
    del found["files"]
    write_json(tmp_path / "manifest.json", found)
    with pytest.raises(
        StorageError, match=r"(?s)not a file of this version .*Delete it.*files: missing"
    ):
        digest_weights.run(
            snapshots=runs[0].snapshots,
            manifest=tmp_path / "manifest.json",
            digests=tmp_path / "d.json",
        )
