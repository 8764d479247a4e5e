"""P2: whether the input's scale matters where batch normalization divides it out."""

from __future__ import annotations

from collections.abc import Iterator

from normreport.claims.base import ARTICLE_STARTS, Case, Claim, Study, missing
from normreport.claims.distances import (
    SAME,
    cases_of_pairs,
    excess,
    floor_arms,
    unmeasured_floor,
)
from normreport.text.language import N_, gettext

SCALED = ("raw", "unit")
# torchvision's families of which batch normalization follows the first convolution, and the suffix
# of those that have it as an option.
FAMILIES = (
    "densenet", "efficientnet", "googlenet", "inception", "maxvit", "mnasnet", "mobilenet",
    "regnet", "resnet", "resnext", "shufflenet", "wide_resnet",
)  # fmt: skip
OPTION = "_bn"


def forgets_scale(architecture: str) -> bool:
    """Whether a factor on the input leaves what a network of torchvision computes as it was.

    But for the small number that batch normalization adds to a variance, and for rounding.
    """
    return architecture.startswith(FAMILIES) or architecture.endswith(OPTION)


def _cases(study: Study) -> Iterator[Case]:
    built_as = study.settings.built_as.items()
    models = [model for model, architecture in built_as if forgets_scale(architecture)]
    if not models:
        yield missing(
            gettext("the experiment has no network with batch normalization after its first layer")
        )
        return
    lacking = study.missing_conditions(any_start=ARTICLE_STARTS, normalizations=SCALED)
    if lacking:
        yield missing(lacking)
        return
    layers = [place for place in study.kept_layers(ARTICLE_STARTS) if place[0] in models]
    yield from cases_of_pairs(study, layers, [SCALED], excess, SAME, floor_arms(study))


SCALE_IS_FORGOTTEN = Claim(
    id="P2",
    kind="prediction",
    topic=N_("Batch normalization forgets the scale"),
    statement=N_(
        "Where batch normalization follows the first layer, raw and unit inputs end in nearly the "
        "same distribution of weights."
    ),
    statistic=N_(
        "Wasserstein distance W1 between raw and unit at the last epoch, same seed, minus that "
        "between division by 255 and its placebo where the experiment has it"
    ),
    unit=N_("sigma at initialization"),
    test=SAME,
    judge=_cases,
    flags=unmeasured_floor,
)
