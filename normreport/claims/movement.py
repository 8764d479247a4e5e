"""F2, F5, P6: how far weights move, and whether their spread does."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from normreport.claims.base import Case, Claim, Place, Study, case_from_seeds, missing, select
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

TINY = MarginTest(0.05, level=0.95, below=True)
CONSTANT = MarginTest(math.log(1.02), level=0.90, below=True)
LESS = MarginTest(0.0, level=0.95)


def _places(study: Study, start: str) -> Iterator[Place]:
    for model in study.settings.models:
        for layer in study.measured_layers(model):
            for arm in study.settings.normalizations:
                yield Place(model, start, layer, arm)


def _tiny(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("pretrained",))
    if lacking:
        yield missing(lacking)
        return
    for place in _places(study, "pretrained"):
        yield case_from_seeds(
            place,
            list(study.last(place.rows(study, "layers"))["displacement"]),
            test=TINY,
            failed=place.failed(study),
        )


def _constant(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("scratch",))
    if lacking:
        yield missing(lacking)
        return
    for place in _places(study, "scratch"):
        rows = place.rows(study, "layers")
        spread = rows.pivot(index="epoch", columns="seed", values="std")
        drift = np.log(spread / spread.reindex([0]).iloc[0])
        yield case_from_seeds(
            place,
            list(drift.abs().max()),
            test=CONSTANT,
            failed=place.failed(study),
        )


def _less(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("scratch", "pretrained"))
    if lacking:
        yield missing(lacking)
        return
    for place in _places(study, "scratch"):
        other = replace(place, start="pretrained")
        scratch, pretrained = (study.last(at.rows(study, "layers")) for at in (place, other))
        rows = scratch.merge(pretrained, on="seed", suffixes=("_scratch", "_pretrained"))
        pairs = zip(rows["displacement_scratch"], rows["displacement_pretrained"], strict=True)
        yield case_from_seeds(
            replace(place, start="both"),
            # A layer that did not move at all has no ratio.
            [math.log(far / near) if far > 0 < near else None for far, near in pairs],
            test=LESS,
            failed=[*place.failed(study), *other.failed(study)],
        )


def _arithmetic(study: Study, cases: object) -> Iterator[str]:
    """Remind that std hardly sees an update that is orthogonal to the weights."""
    last = select(study.last(study.layers), start="scratch")
    if len(last) and float(last["displacement"].max()) > TINY.margin:
        yield gettext(
            "nearly blind to learning: the weights moved by up to %(share)s of their norm all the "
            "same",
            share=f"{float(last['displacement'].max()):.0%}",
        )


UPDATES_ARE_TINY = Claim(
    id="F2",
    kind="finding",
    topic=N_("Pretrained: updates are tiny"),
    statement=N_("Started from pretrained weights, no layer moves far."),
    statistic=N_("displacement |w_T - w_0| / |w_0| of every measured layer"),
    unit=N_("share of the initial norm"),
    test=TINY,
    judge=_tiny,
)

STD_IS_CONSTANT = Claim(
    id="F5",
    kind="finding",
    topic=N_("Scratch: the spread is constant"),
    statement=N_("Started from random weights, a layer's standard deviation hardly changes."),
    statistic=N_("largest |ln(std_t / std_0)| over the epochs, of every measured layer"),
    unit=N_("natural logarithm of a ratio"),
    test=CONSTANT,
    judge=_constant,
    flags=_arithmetic,
)

PRETRAINED_MOVES_LESS = Claim(
    id="P6",
    kind="prediction",
    topic=N_("Pretrained moves less than scratch"),
    statement=N_("In every layer, pretrained weights move less than random ones."),
    statistic=N_(
        "ln of the displacement from scratch over that from pretrained weights, same seed"
    ),
    unit=N_("natural logarithm of a ratio"),
    test=LESS,
    judge=_less,
)
