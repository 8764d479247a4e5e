"""Reading a run's snapshots epoch by epoch, verified by their digests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from normreport.io import files


def epoch_digests(weights: Iterable[NDArray[np.float32]]) -> list[str]:
    """Return the SHA-256 of a layer's weights at every epoch."""
    return [files.array_digest(epoch) for epoch in weights]


@dataclass(frozen=True)
class KeptLayer:
    """The weights of one layer at every epoch of a run, read from the disk when indexed.

    Attributes
    ----------
    path
        The run's snapshots.
    layer
        Dotted path of the layer.
    digests
        SHA-256 of the layer's weights at each epoch, as ``digest_weights`` writes them.
    """

    path: Path
    layer: str
    digests: Sequence[str]

    def __len__(self) -> int:
        return len(self.digests)

    def __iter__(self) -> Iterator[NDArray[np.float32]]:
        return (self[epoch] for epoch in range(len(self)))

    def __getitem__(self, epoch: int) -> NDArray[np.float32]:
        """Read the weights of one epoch, shape (C_out, C_in / groups[, k, k]); -1 is the last.

        Raises
        ------
        StorageError
            If the file is damaged, lacks the layer or has other weights than the digest.
        """
        index = range(len(self))[epoch]
        weights: NDArray[np.float32] = self._stored[index]
        if files.array_digest(weights) != self.digests[index]:
            raise files.unreadable(
                self.path, ValueError(f"{self.layer} has other weights than its digest")
            )
        return weights

    @cached_property
    def _stored(self) -> files.StoredArray:
        return files.StoredArray.find(self.path, self.layer)
