"""H1, H2, H4, H5, F1, F4, F4b: claims of the article in the form that a configuration has.

The other claims need what this form does not have: all layers of a network together, averages over
arms, two networks or starts, or the history of a run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from normreport.claims.cases import Case
from normreport.claims.claim import PRIMARY_FAMILY, Claim, Judge
from normreport.claims.declared import declared_claim, judge_declared
from normreport.claims.needs import Needs
from normreport.claims.shifts import DELTA, OF_SIGMA
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.config.claims import ClaimSettings
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

# `unit` and `imagenet` stand for the two arms that the experiment compares.
PLACEHOLDER_ARMS = "unit", "imagenet"
NEEDS_RAW_AND_UNIT = Needs(any_start=ARTICLE_STARTS, normalizations=("raw", "unit"))
NEEDS_CONTRAST = Needs(any_start=ARTICLE_STARTS, contrast=True)


def _compared_arms(study: Study) -> Mapping[str, str]:
    return dict(zip(PLACEHOLDER_ARMS, study.contrast, strict=True))


def _article_claim(settings: ClaimSettings, needs: Needs) -> Claim:
    """Build a claim of the article, whose words are translatable.

    If it needs the contrast of the experiment, `unit` and `imagenet` stand for its two arms.
    """
    renamed_arms = _compared_arms if needs.contrast else None
    return replace(
        declared_claim(settings),
        topic=settings.topic or settings.statement,
        statement=settings.statement,
        judge=partial(judge_declared, settings=settings, renamed_arms=renamed_arms),
        needs=needs,
        axis_margin=None,
        family=PRIMARY_FAMILY,
        needs_helpful_pretraining=True,
    )


def _judge_other_contrast(claim: ClaimSettings, contrast: str) -> Judge:
    """Judge a claim with other arms."""
    other = ClaimSettings.model_validate(claim.model_dump() | {"contrast": contrast})
    return partial(judge_declared, settings=other)


def _flag_same_as_published(study: Study, cases: object) -> Iterator[str]:
    yield gettext(
        "BY IDENTITY as published: the pipeline called “none” divides by 255, so its runs equal "
        "those of min/max scaling; raw values take its place here"
    )


def _flag_opposite_of_f4b(study: Study, cases: object) -> Iterator[str]:
    yield gettext("the article's own finding F4b says the opposite")


def _flag_shared_start(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say if runs from scratch with a shared seed are as close as the pretrained ones."""
    if any(case.verdict is not Verdict.SUPPORTED for case in cases):
        return
    settings = _F1_SETTINGS.model_copy(update={"starts": ("scratch",)})
    claim = _article_claim(settings, NEEDS_CONTRAST)
    scratch = list(claim.judge(study, claim.test))
    if scratch and all(case.verdict is Verdict.SUPPORTED for case in scratch):
        yield gettext(
            "BY CONSTRUCTION: runs from scratch that share their initial weights are as close"
        )


RAW_IS_WIDER = replace(
    _article_claim(
        ClaimSettings(
            id="H1",
            topic=N_("Without normalization: high variance"),
            statement=N_("Without normalization, the weights have a higher variance."),
            statistic="std",
            contrast="raw / unit",
            expect="above",
            margin="5%",
        ),
        NEEDS_RAW_AND_UNIT,
    ),
    kind="hypothesis",
    group="premises",
    statistic=N_(
        "ln of the standard deviation with raw inputs over that with inputs / 255, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
    flags=_flag_same_as_published,
)

RAW_IS_ROUGHER = replace(
    _article_claim(
        ClaimSettings(
            id="H2",
            topic=N_("Without normalization: a jagged distribution"),
            statement=N_("Without normalization, the weights have a more jagged distribution."),
            statistic="roughness",
            contrast="raw / unit",
            expect="above",
            margin="25%",
        ),
        NEEDS_RAW_AND_UNIT,
    ),
    kind="hypothesis",
    group="premises",
    statistic=N_(
        "ln of the roughness J (sigma^5 times the integral of the density's squared second "
        "derivative) with raw inputs over that with inputs / 255, last epoch"
    ),
    unit=N_("the change of roughness"),
    flags=_flag_same_as_published,
)

STANDARDIZED_IS_NARROWER = replace(
    _article_claim(
        ClaimSettings(
            id="H4",
            topic=N_("Mean and std removed: narrower weights"),
            statement=N_(
                "Subtracting a mean and dividing by a standard deviation gives narrower weights."
            ),
            statistic="std",
            contrast="unit / imagenet",
            expect="above",
            margin="5%",
        ),
        NEEDS_CONTRAST,
    ),
    kind="hypothesis",
    group="premises",
    statistic=N_(
        "ln of the standard deviation with inputs / 255 over that with mean and standard deviation "
        "removed, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
    flags=_flag_opposite_of_f4b,
)

STANDARDIZED_IS_SMOOTHER = replace(
    _article_claim(
        ClaimSettings(
            id="H5",
            topic=N_("Mean and std removed: a smoother distribution"),
            statement=N_(
                "Subtracting a mean and dividing by a standard deviation gives smoother weights."
            ),
            statistic="roughness",
            contrast="unit / imagenet",
            expect="above",
            margin="25%",
        ),
        NEEDS_CONTRAST,
    ),
    kind="hypothesis",
    group="premises",
    statistic=N_(
        "ln of the roughness J with inputs / 255 over that with mean and standard deviation "
        "removed, last epoch"
    ),
    unit=N_("the change of roughness"),
)

_F1_SETTINGS = ClaimSettings(
    id="F1",
    topic=N_("Pretrained: the normalization hardly matters"),
    statement=N_(
        "Started from pretrained weights, a layer's weights end in nearly the same distribution "
        "whatever the normalization."
    ),
    statistic="shift",
    contrast="unit - imagenet",
    expect="below",
    margin="2%",
    starts=("pretrained",),
)
PRETRAINED_ARE_CLOSE = replace(
    _article_claim(_F1_SETTINGS, Needs(starts=("pretrained",), contrast=True)),
    kind="finding",
    group="pretrained",
    statistic=DELTA,
    unit=OF_SIGMA,
    beyond=_judge_other_contrast(_F1_SETTINGS, "raw - unit"),
    flags=_flag_shared_start,
    figures=("switch_or_seed", "density", "separation"),
)

_F4_SETTINGS = ClaimSettings(
    id="F4",
    topic=N_("Scratch: the normalizations separate"),
    statement=N_(
        "Started from random weights, a layer's weights end in distributions that differ by "
        "normalization."
    ),
    statistic="shift",
    contrast="unit - imagenet",
    expect="above",
    margin="4%",
    starts=("scratch",),
)
SCRATCH_SEPARATES = replace(
    _article_claim(_F4_SETTINGS, Needs(starts=("scratch",), contrast=True)),
    kind="finding",
    group="scratch",
    statistic=DELTA,
    unit=OF_SIGMA,
    beyond=_judge_other_contrast(_F4_SETTINGS, "raw - unit"),
    figures=("switch_or_seed", "density", "separation"),
)

STANDARDIZED_IS_WIDER = replace(
    _article_claim(
        ClaimSettings(
            id="F4b",
            topic=N_("Scratch: the spread is largest with mean and std removed"),
            statement=N_(
                "Started from random weights, the standard deviation is larger with mean and "
                "standard deviation removed than with division by 255."
            ),
            statistic="std",
            contrast="imagenet / unit",
            expect="above",
            margin="5%",
            starts=("scratch",),
        ),
        Needs(starts=("scratch",), contrast=True),
    ),
    kind="finding",
    group="scratch",
    statistic=N_(
        "ln of the standard deviation with mean and standard deviation removed over that with "
        "inputs / 255, last epoch"
    ),
    unit=N_("the change of the standard deviation"),
)
