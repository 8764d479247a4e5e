"""Reading the weights that a run kept, never others than its digests are of."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from normreport import files


def epoch_digests(weights: NDArray[np.float32]) -> list[str]:
    """SHA-256 of a layer's weights at every epoch."""
    return [files.array_digest(epoch) for epoch in weights]


def read_layer(path: Path, layer: str, digests: Mapping[str, Any]) -> NDArray[np.float32]:
    """Read one layer, (epoch, C_out, C_in / groups[, k, k]).

    Parameters
    ----------
    path
        The run's snapshots.
    layer
        Module path of the layer.
    digests
        What ``extract_weights`` wrote of this run.

    Raises
    ------
    StorageError
        If the file is damaged, lacks the layer or holds other weights.
    """
    weights = files.read_arrays(path, [layer])[layer]
    if epoch_digests(weights) != digests["layers"][layer]["epochs"]:
        raise files.unreadable(path, ValueError(f"{layer} holds other weights than were extracted"))
    return weights
