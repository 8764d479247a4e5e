"""The article's claims, each a typed object with its statement, statistic, margin and rule."""

from __future__ import annotations

from normreport.claims.agreement import agreement
from normreport.claims.base import Case, Claim, Judgement, Study, corrected
from normreport.claims.contrasts import (
    RAW_IS_ROUGHER,
    RAW_IS_WIDER,
    STANDARDIZED_IS_NARROWER,
    STANDARDIZED_IS_SMOOTHER,
)
from normreport.claims.distances import (
    NORMALIZATION_MATTERS,
    PRETRAINED_ARE_CLOSE,
    SCRATCH_SEPARATES,
)
from normreport.claims.inputs import OUTLIERS, UNNORMALIZED
from normreport.claims.learning import LOSS_FLUCTUATES, LOSS_IS_HIGH, SWEET_SPOT
from normreport.claims.movement import PRETRAINED_MOVES_LESS, STD_IS_CONSTANT, UPDATES_ARE_TINY
from normreport.claims.scale import SCALE_IS_FORGOTTEN
from normreport.claims.shape import (
    BATCH_NORMALIZATION,
    EVERY_LAYER_IS_GAUSSIAN,
    LIMIT_THEOREM,
    WIDER_IN_THE_CENTRE,
)
from normreport.claims.spread import ORDER_OF_STD

# What both architectures are asked to agree on.
STORIES = (
    PRETRAINED_ARE_CLOSE,
    UPDATES_ARE_TINY,
    LOSS_IS_HIGH,
    LOSS_FLUCTUATES,
    SCRATCH_SEPARATES,
    ORDER_OF_STD,
    STD_IS_CONSTANT,
    NORMALIZATION_MATTERS,
)

CLAIMS: tuple[Claim, ...] = (
    UNNORMALIZED,
    RAW_IS_WIDER,
    RAW_IS_ROUGHER,
    OUTLIERS,
    STANDARDIZED_IS_NARROWER,
    STANDARDIZED_IS_SMOOTHER,
    SWEET_SPOT,
    *STORIES,
    WIDER_IN_THE_CENTRE,
    EVERY_LAYER_IS_GAUSSIAN,
    LIMIT_THEOREM,
    BATCH_NORMALIZATION,
    agreement(STORIES),
    SCALE_IS_FORGOTTEN,
    PRETRAINED_MOVES_LESS,
)

# The primary family: the claims that intervals over seeds judge, whose verdicts are corrected
# together. Outside it stand those that are exact (C0, H3), that count verdicts (F11), or that no
# experiment of this design can judge (H6).
PRIMARY: tuple[Claim, ...] = (
    RAW_IS_WIDER,
    RAW_IS_ROUGHER,
    STANDARDIZED_IS_NARROWER,
    STANDARDIZED_IS_SMOOTHER,
    *STORIES,
    WIDER_IN_THE_CENTRE,
    EVERY_LAYER_IS_GAUSSIAN,
    LIMIT_THEOREM,
    BATCH_NORMALIZATION,
    SCALE_IS_FORGOTTEN,
    PRETRAINED_MOVES_LESS,
)


def judge_all(study: Study) -> list[tuple[Claim, Judgement]]:
    """Judge every claim on a study, those of the primary family together."""
    return corrected([(claim, claim.judged(study)) for claim in CLAIMS], PRIMARY)


__all__ = ["CLAIMS", "PRIMARY", "Case", "Claim", "Judgement", "Study", "judge_all"]
