"""Read the weights that a run kept, and check them against their digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normreport.io import files


def epoch_digests(weights: NDArray[np.float32]) -> list[str]:
    """Compute the SHA-256 of a layer's weights at every epoch."""
    return [files.array_digest(epoch) for epoch in weights]


@dataclass(frozen=True)
class KeptLayer:
    """One layer of a run by epoch; each epoch is read on demand and none stays in memory.

    Attributes
    ----------
    path
        The run's snapshots.
    layer
        Module path of the layer.
    digests
        Digest of the layer's weights at each epoch, as ``digest_weights`` wrote them.
    """

    path: Path
    layer: str
    digests: Sequence[str]

    def __len__(self) -> int:
        return len(self.digests)

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
        if files.array_digest(weights) != self.digests[at]:
            raise files.unreadable(
                self.path, ValueError(f"{self.layer} holds other weights than were digested")
            )
        return weights
