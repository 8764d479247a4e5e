"""When a run counts as trained: the one definition for claims, tables and figures."""

from __future__ import annotations

import math

# Share of the cross-entropy of chance, ln K.
LEARNED_SHARE = 0.9


def compute_learning_threshold(classes: int) -> float:
    """Compute the final training cross-entropy below which a run has learned."""
    return LEARNED_SHARE * math.log(classes)
