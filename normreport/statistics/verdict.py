"""The verdicts on tests and claims, for modules that need no scipy."""

from __future__ import annotations

from enum import StrEnum


class Verdict(StrEnum):
    """The outcome of a test or of a claim."""

    SUPPORTED = "SUPPORTED"
    REFUTED = "REFUTED"
    MIXED = "MIXED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_EVALUABLE = "NOT EVALUABLE"
