"""Writing a run's snapshots, which may be larger than memory, epoch by epoch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normreport.errors import StorageError
from normreport.io import files


@dataclass
class EpochFiles:
    """The kept weights of an unfinished run, one file per epoch.

    They lie in the folder of the run's checkpoint, which holds their digests.

    Attributes
    ----------
    folder
        The folder. Files of epochs that a resumed training has not reached are never read.
    epochs
        The number of kept epochs.
    """

    folder: Path
    epochs: int = 0
    _digests: list[str] = field(default_factory=list)

    def keep(self, weights: Mapping[str, NDArray[np.float32]]) -> None:
        """Write the weights of the next epoch, by layer; they have the same shapes in each."""
        files.write_arrays(self._path(self.epochs), weights)
        self.epochs += 1

    def digests(self) -> list[str]:
        """Return the SHA-256 of each file, for a checkpoint. Files are read only once."""
        new = range(len(self._digests), self.epochs)
        self._digests += [files.file_digest(self._path(epoch)) for epoch in new]
        return self._digests

    def restore(self, digests: Sequence[str]) -> str | None:
        """Continue after the epochs of a checkpoint and remove the files of all others.

        Returns
        -------
        str or None
            Why the checkpoint cannot be used; None if it can.
        """
        paths = [self._path(epoch) for epoch in range(len(digests))]
        for path, digest in zip(paths, digests, strict=True):
            if not _has_digest(path, digest):
                return f"needs {path.name}, which is missing or damaged"
        for path in {*self.folder.glob("epoch*.safetensors")} - {*paths}:
            path.unlink(missing_ok=True)
        self.epochs, self._digests = len(digests), list(digests)
        return None

    def assemble(self, path: Path, layers: Iterable[str]) -> None:
        """Write the snapshots, a tensor (epoch, C_out, C_in / groups[, k, k]) per layer."""
        first = {layer: files.StoredArray.find(self._path(0), layer) for layer in layers}
        shapes = {layer: ("F32", (self.epochs, *array.shape)) for layer, array in first.items()}

        def epochs_of(layer: str) -> Iterator[NDArray[np.float32]]:
            for epoch in range(self.epochs):
                yield files.read_arrays(self._path(epoch), [layer])[layer]

        files.write_items(path, shapes, epochs_of)

    def _path(self, epoch: int) -> Path:
        return self.folder / f"epoch{epoch}.safetensors"


def _has_digest(path: Path, digest: str) -> bool:
    try:
        return files.file_digest(path) == digest
    except StorageError:
        return False
