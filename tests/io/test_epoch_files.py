"""Kept weights go to the disk epoch by epoch and become one tensor per layer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

from normreport.io import files
from normreport.io.epoch_files import EpochFiles


def test_epochs_are_assembled_into_one_tensor_per_layer(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    shapes = {"features.7": (3, 2, 3, 3), "classifier": (4, 5), "features.0": (2, 3, 1, 1)}
    stacked = {
        name: generator.standard_normal((3, *shape)).astype(np.float32)
        for name, shape in shapes.items()
    }
    kept = EpochFiles(tmp_path / "checkpoints")
    for epoch in range(3):
        kept.keep({name: weights[epoch] for name, weights in stacked.items()})
    kept.assemble(tmp_path / "snapshots.safetensors", shapes)
    found = files.read_arrays(tmp_path / "snapshots.safetensors")
    assert found.keys() == shapes.keys()
    for name, array in found.items():
        assert array.dtype == np.float32
        assert np.array_equal(array, stacked[name])


def test_a_resumed_run_continues_after_the_epochs_of_its_checkpoint(tmp_path: Path) -> None:
    kept = EpochFiles(tmp_path)
    for value in range(4):
        kept.keep({"a": np.full((2, 2), value, np.float32)})
    digests = kept.digests()[:2]
    resumed = EpochFiles(tmp_path)
    assert resumed.restore(digests) is None
    assert {path.name for path in tmp_path.iterdir()} == {f"epoch{n}.safetensors" for n in (0, 1)}
    resumed.keep({"a": np.full((2, 2), 7, np.float32)})
    assert resumed.digests()[:2] == digests
    resumed.assemble(tmp_path / "snapshots.safetensors", ["a"])
    found = files.read_arrays(tmp_path / "snapshots.safetensors")["a"]
    assert found[:, 0, 0].tolist() == [0, 1, 7]


# Keeps, assembles and reads 40 epochs of 4 MB and prints the peak memory that this adds, in MB.
STREAMED = """
import sys
from pathlib import Path
import numpy as np
from normreport.cli import peak_memory
from normreport.io import files
from normreport.io.epoch_files import EpochFiles
from normreport.io.snapshots import KeptLayer, epoch_digests

folder, shape = Path(sys.argv[1]), (1000, 1000)
path, kept = folder / "snapshots.safetensors", EpochFiles(folder / "epochs")
kept.keep({"a": np.zeros(shape, np.float32)})
before = peak_memory()
for epoch in range(1, 40):
    kept.keep({"a": np.full(shape, epoch, np.float32)})
kept.digests()
kept.assemble(path, ["a"])
digests = epoch_digests(files.StoredArray.find(path, "a"))
assert [weights[0, 0] for weights in KeptLayer(path, "a", digests)] == list(range(40))
print((peak_memory() - before) / 1e6)
"""


def test_snapshots_are_never_in_memory_as_a_whole(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", STREAMED, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert (tmp_path / "snapshots.safetensors").stat().st_size > 160e6
    assert float(ended.stdout) < 40
