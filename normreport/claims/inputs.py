"""C0, H3: what the input pipelines do, computed from pixel values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from normreport.claims.cases import Case, Contrast, Place, exact_case
from normreport.claims.claim import Claim
from normreport.claims.study import Study
from normreport.normalizations import (
    Images,
    Inputs,
    batches,
    minmax,
    published_minmax,
    published_none,
    unit,
)
from normreport.statistics.inference import MarginTest
from normreport.statistics.verdict import Verdict
from normreport.text.language import N_, gettext

LEVELS: Images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
# H3: one pixel in a thousand turns white, like a dead pixel or dust.
SALT = 0.001
SALT_SEED = 0


def _compare_published(study: Study, test: MarginTest) -> Iterator[Case]:
    none, scaled = published_none.apply(LEVELS), published_minmax.apply(LEVELS)
    difference = float(np.abs(none - scaled).max())
    identical = np.array_equal(none.view(np.int32), scaled.view(np.int32))
    yield exact_case(
        Place(contrast=Contrast.of_arms("published_none", "published_minmax")),
        Verdict.REFUTED if identical else Verdict.SUPPORTED,
        difference,
    )


def _flag_identity(study: Study, cases: object) -> Iterator[str]:
    yield gettext(
        "BY IDENTITY: the two pipelines give the same bits for every one of the 256 levels"
    )


def _add_salt(
    study: Study, test: MarginTest, *, arm: str, apply: Callable[[Images], Inputs]
) -> Iterator[Case]:
    largest = 0.0
    generator = np.random.default_rng(SALT_SEED)
    for batch in batches(len(study.images), study.images.shape[1]):
        images = study.images[batch]
        salt = generator.random(images.shape[:3]) < SALT
        salted = images.copy()
        salted[salt] = 255
        changes = np.abs(apply(salted) - apply(images))[~salt]
        largest = max(largest, float(changes.max()))
    verdict = Verdict.SUPPORTED if largest > test.margin else Verdict.REFUTED
    yield exact_case(Place(contrast=Contrast.of_arms(arm)), verdict, largest)


def _flag_constant_scale(study: Study, cases: object) -> Iterator[str]:
    yield gettext("BY IDENTITY for division by 255: no pixel's value depends on another's")


UNNORMALIZED = Claim(
    id="C0",
    kind="premise",
    group="premises",
    topic=N_("The pipeline without normalization"),
    statement=N_("The article’s pipeline “none” leaves its images unnormalized."),
    statistic=N_("largest difference between “none” and min/max scaling over all 256 levels"),
    unit=N_("input value"),
    rule=N_("refuted by identity if both give the same bits"),
    test=MarginTest(0.0, level=1.0),
    judge=_compare_published,
    flags=_flag_identity,
    figures=("levels",),
)

OUTLIERS = Claim(
    id="H3",
    kind="hypothesis",
    group="premises",
    topic=N_("Scaling is sensitive to outliers"),
    statement=N_("Min/max scaling is sensitive to outliers."),
    statistic=N_(
        "largest change of a clean pixel's input when one pixel in a thousand turns white"
    ),
    unit=N_("input value"),
    rule=N_(
        "supported above the margin, refuted by identity if exactly zero; the published pipeline "
        "divides by 255, scaling by each image's own extremes is shown beside it"
    ),
    test=MarginTest(0.01, level=1.0),
    judge=partial(_add_salt, arm="unit", apply=unit.apply),
    beyond=partial(_add_salt, arm="minmax", apply=minmax.apply),
    flags=_flag_constant_scale,
    figures=("inputs",),
)
