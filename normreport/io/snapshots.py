"""Reading the weights that a run kept, never others than its digests are of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport.io import files


def epoch_digests(weights: NDArray[np.float32]) -> list[str]:
    """SHA-256 of a layer's weights at every epoch."""
    return [files.array_digest(epoch) for epoch in weights]


@dataclass(frozen=True)
class KeptLayer:
    """One layer of a run, by epoch: each is read when it is asked for, and none is kept in memory.

    Attributes
    ----------
    path
        The run's snapshots.
    layer
        Module path of the layer.
    digests
        What ``digest_weights`` wrote of this run.
    """

    path: Path
    layer: str
    digests: Mapping[str, Any]

    def __len__(self) -> int:
        return len(self._epochs)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[epoch] for epoch in range(len(self)))

    def __getitem__(self, epoch: int) -> NDArray[np.float32]:
        """Read one epoch, (C_out, C_in / groups[, k, k]); -1 is the last.

        Raises
        ------
        StorageError
            If the file is damaged, lacks the layer or holds other weights.
        """
        at = range(len(self))[epoch]
        weights: NDArray[np.float32] = files.read_item(self.path, self.layer, at)
        if files.array_digest(weights) != self._epochs[at]:
            raise files.unreadable(
                self.path, ValueError(f"{self.layer} holds other weights than were extracted")
            )
        return weights

    @property
    def _epochs(self) -> list[str]:
        found: list[str] = self.digests["layers"][self.layer]["epochs"]
        return found
