"""One generator per purpose, so that the same seed gives every arm the same init and order."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def derived_seed(seed: int, purpose: str, index: int = 0) -> int:
    """Seed of one purpose (``init``, ``head``, ``order``, ``dropout``) and, for some, one epoch.

    Stateless, so that any epoch can be started without those before it.
    """
    return int.from_bytes(hashlib.sha256(f"{purpose}/{seed}/{index}".encode()).digest()[:6], "big")


def epoch_order(seed: int, epoch: int, count: int) -> NDArray[np.int64]:
    """Order of the training images in one epoch: a permutation of ``range(count)``."""
    generator = np.random.default_rng(derived_seed(seed, "order", epoch))
    return generator.permutation(count).astype(np.int64)
