"""When a run has learned: the one meaning of the word in claims, tables and figures."""

from __future__ import annotations

import math

# Of the cross-entropy of chance, ln K.
LEARNED = 0.9


def learned_below(classes: int) -> float:
    """Return the last training cross-entropy below which a run that did not diverge has learned."""
    return LEARNED * math.log(classes)
