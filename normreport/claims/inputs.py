"""C0, H3: what the input pipelines do, proven on the values themselves."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from normreport.claims.base import Case, Claim, Place, Study
from normreport.normalizations import (
    Images,
    batches,
    minmax,
    published_minmax,
    published_none,
    unit,
)
from normreport.statistics.inference import Interval, MarginTest, Verdict
from normreport.text.language import N_, gettext

LEVELS: Images = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
# H3: one pixel in a thousand becomes white, as a dead pixel or dust would.
SALT = 0.001
SALT_SEED = 0
VISIBLE = MarginTest(0.01, level=1.0)


def _same_pipelines(study: Study) -> Iterator[Case]:
    none, scaled = published_none.apply(LEVELS), published_minmax.apply(LEVELS)
    difference = float(np.abs(none - scaled).max())
    identical = np.array_equal(none.view(np.int32), scaled.view(np.int32))
    yield Case(
        Place("", "", "", "published_none - published_minmax"),
        Verdict.REFUTED if identical else Verdict.SUPPORTED,
        _exact(difference),
    )


def _by_identity(study: Study, cases: object) -> Iterator[str]:
    yield gettext(
        "BY IDENTITY: the two pipelines give the same bits for every one of the 256 levels"
    )


def _salted(study: Study) -> Iterator[Case]:
    ways = {"unit": unit.apply, "minmax": minmax.apply}
    effects = dict.fromkeys(ways, 0.0)
    generator = np.random.default_rng(SALT_SEED)
    for part in batches(len(study.images), study.images.shape[1]):
        images = study.images[part]
        salt = generator.random(images.shape[:3]) < SALT
        salted = images.copy()
        salted[salt] = 255
        for arm, apply in ways.items():
            change = np.abs(apply(salted) - apply(images))[~salt]
            effects[arm] = max(effects[arm], float(change.max()))
    for arm, effect in effects.items():
        verdict = Verdict.SUPPORTED if effect > VISIBLE.margin else Verdict.REFUTED
        yield Case(Place("", "", "", arm), verdict, _exact(effect))


def _constant_scale(study: Study, cases: object) -> Iterator[str]:
    yield gettext("BY IDENTITY for division by 255: no pixel's value depends on another's")


def _exact(value: float) -> Interval:
    """Wrap a value that was computed, not estimated."""
    return Interval(value, value, value, 1.0, 0)


UNNORMALIZED = Claim(
    id="C0",
    kind="premise",
    topic=N_("The pipeline without normalization"),
    statement=N_("The pipeline called “none” feeds the network input that is not normalized."),
    statistic=N_("largest difference between “none” and min/max scaling over all 256 levels"),
    unit=N_("input value"),
    own_rule=N_("refuted by identity if both give the same bits"),
    test=MarginTest(0.0, level=1.0),
    judge=_same_pipelines,
    flags=_by_identity,
)

OUTLIERS = Claim(
    id="H3",
    kind="hypothesis",
    topic=N_("Scaling is sensitive to outliers"),
    statement=N_("Min/max scaling is sensitive to outliers."),
    statistic=N_(
        "largest change of a clean pixel's input when one pixel in a thousand turns white"
    ),
    unit=N_("input value"),
    own_rule=N_(
        "per way of scaling: supported above the margin; refuted by identity where exactly zero"
    ),
    test=VISIBLE,
    judge=_salted,
    flags=_constant_scale,
)
