"""P2: whether the scale of the input matters if batch normalization divides it out."""

from __future__ import annotations

from collections.abc import Iterator

from normreport.claims.cases import Case, not_evaluable
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.distances import SAMENESS
from normreport.claims.needs import Needs
from normreport.claims.pairs import (
    distances_beyond_placebo,
    flag_unmeasured_floor,
    judge_pairs,
    placebo_controls,
)
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

# torchvision's families with batch normalization after the first convolution, and the suffix of
# the architectures that have it as an option.
FAMILIES = (
    "densenet", "efficientnet", "googlenet", "inception", "maxvit", "mnasnet", "mobilenet",
    "regnet", "resnet", "resnext", "shufflenet", "wide_resnet",
)  # fmt: skip
OPTION = "_bn"


def forgets_scale(architecture: str) -> bool:
    """Tell whether a torchvision network computes the same if its input is multiplied by a factor.

    The two results still differ by rounding and by the epsilon of batch normalization.
    """
    return architecture.startswith(FAMILIES) or architecture.endswith(OPTION)


def _judge_raw_and_unit(study: Study, test: MarginTest) -> Iterator[Case]:
    built_as = study.settings.built_as.items()
    models = [model for model, architecture in built_as if forgets_scale(architecture)]
    if not models:
        yield not_evaluable(
            gettext("the experiment has no network with batch normalization after its first layer")
        )
        return
    yield from judge_pairs(
        study,
        test,
        layers=[place for place in study.kept_layers(ARTICLE_STARTS) if place[0] in models],
        pairs=[("raw", "unit")],
        values=distances_beyond_placebo,
        controls=placebo_controls(study),
    )


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
    test=SAMENESS,
    needs=Needs(any_start=ARTICLE_STARTS, normalizations=("raw", "unit")),
    judge=_judge_raw_and_unit,
    flags=flag_unmeasured_floor,
    figures=("density", "separation"),
    family=PRIMARY_FAMILY,
)
