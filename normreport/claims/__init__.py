"""The article's claims, each a typed object with its statement, statistic, margin and rule."""

from __future__ import annotations

from normreport.claims.base import Case, Claim, Judgement, Study
from normreport.claims.distances import PRETRAINED_ARE_CLOSE, SCRATCH_SEPARATES
from normreport.claims.movement import PRETRAINED_MOVES_LESS, STD_IS_CONSTANT, UPDATES_ARE_TINY
from normreport.claims.shape import EVERY_LAYER_IS_GAUSSIAN, WIDER_IN_THE_CENTRE
from normreport.claims.spread import ORDER_OF_STD

CLAIMS: tuple[Claim, ...] = (
    PRETRAINED_ARE_CLOSE,
    UPDATES_ARE_TINY,
    SCRATCH_SEPARATES,
    ORDER_OF_STD,
    STD_IS_CONSTANT,
    PRETRAINED_MOVES_LESS,
    WIDER_IN_THE_CENTRE,
    EVERY_LAYER_IS_GAUSSIAN,
)

__all__ = ["CLAIMS", "Case", "Claim", "Judgement", "Study"]
