from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from normreport.errors import StorageError
from normreport.files import array_digest
from normreport.stages import extract_weights
from tests.stages.conftest import LAYER, read


def test_there_is_a_digest_per_layer_and_epoch(runs):
    digests = read(runs[0].digests)
    weights = load_file(runs[0].snapshots)[LAYER]
    assert digests["run"] == read(runs[0].manifest)["run"]
    assert digests["layers"][LAYER]["weights"] == 864
    assert digests["layers"][LAYER]["shape"] == [32, 3, 3, 3]
    assert digests["layers"][LAYER]["epochs"] == [array_digest(epoch) for epoch in weights]


@pytest.mark.parametrize("damage", ["truncated", "not finite"])
def test_a_damaged_snapshot_is_named_and_gives_no_digest(runs, tmp_path, damage):
    snapshots = tmp_path / "snapshots.safetensors"
    if damage == "truncated":
        snapshots.write_bytes(runs[0].snapshots.read_bytes()[:-100])
    else:
        weights = load_file(runs[0].snapshots)[LAYER].copy()
        weights[1, 0, 0, 0, 0] = np.nan
        save_file({LAYER: weights}, snapshots)
    digests = tmp_path / "digests.json"
    with pytest.raises(StorageError, match=r"snapshots\.safetensors: .*again"):
        extract_weights.run(snapshots=snapshots, manifest=runs[0].manifest, digests=digests)
    assert not digests.exists()
