"""Which rows of the tables a judgement reads.

A large study has millions of rows, and the claims compare few of its epochs.
"""

from __future__ import annotations

from collections.abc import Sequence

from normreport.claims.claim import Claim
from normreport.config.contrast import CONTRAST, PUBLISHED_CONTRAST
from normreport.config.judging import JudgeSettings
from normreport.io.tables import Filters


def rows_of_layers(settings: JudgeSettings, claims: Sequence[Claim]) -> Filters:
    """Select the measurements of layers at the first and the last epoch, and at those of claims."""
    read = {0, settings.epochs}.union(*(claim.epochs for claim in claims))
    return [[("epoch", "in", sorted(read))]]


def rows_of_products(settings: JudgeSettings) -> Filters:
    """Select all products at the last epoch, and those of the contrast at every epoch."""
    # Without a contrast of its own, a study has the one or the other, depending on its models.
    contrast = settings.contrast or (*CONTRAST, *PUBLISHED_CONTRAST)
    return [
        [("epoch", "=", settings.epochs)],
        [("normalization_a", "in", contrast), ("normalization_b", "in", contrast)],
    ]
