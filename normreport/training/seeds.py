"""Seeds of independent random streams, which all runs with the same seed share."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """Derive the 48-bit seed of one random stream.

    Parameters
    ----------
    seed
        Seed of the run.
    purpose
        ``init``, ``head``, ``order`` or ``dropout``.
    index
        The epoch, for streams that restart in every epoch. A training can thus resume at any
        epoch.
    """
    return int.from_bytes(hashlib.sha256(f"{purpose}/{seed}/{index}".encode()).digest()[:6], "big")


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Return the order of the training images in one epoch, a permutation of ``range(count)``."""
    generator = np.random.default_rng(derived_seed(seed, "order", epoch))
    return generator.permutation(count).astype(np.int64)
