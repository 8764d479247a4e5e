"""F2, F5, P6: how far weights move, and whether their spread changes."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from normreport.claims.cases import Case, Contrast, Place, case_from_seeds, failed_runs_at
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import RowKey, Study, select_rows
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

TINY_UPDATES = MarginTest(0.05, level=0.95, below=True)


def _measured_places(study: Study) -> Iterator[tuple[str, str, str]]:
    """Yield model, measured layer and arm."""
    for model in study.settings.models:
        for layer in study.measured_layers(model):
            for arm in study.settings.normalizations:
                yield model, layer, arm


def _judge_displacement(study: Study, test: MarginTest) -> Iterator[Case]:
    for model, layer, arm in _measured_places(study):
        place = Place.of(model=model, start="pretrained", layer=layer, contrast=arm)
        rows = study.layers.at(model=model, start="pretrained", layer=layer, normalization=arm)
        yield case_from_seeds(
            place,
            list(study.select_last_epoch(rows)["displacement"]),
            test=test,
            failed=failed_runs_at(study, place),
        )


def _judge_drift(study: Study, test: MarginTest) -> Iterator[Case]:
    for model, layer, arm in _measured_places(study):
        place = Place.of(model=model, start="scratch", layer=layer, contrast=arm)
        rows = study.layers.at(model=model, start="scratch", layer=layer, normalization=arm)
        spread = rows.pivot(index="epoch", columns="seed", values="std")
        drift = np.log(spread / spread.reindex([0]).iloc[0])
        yield case_from_seeds(
            place, list(drift.abs().max()), test=test, failed=failed_runs_at(study, place)
        )


def _judge_starts(study: Study, test: MarginTest) -> Iterator[Case]:
    for model, layer, arm in _measured_places(study):
        starts = ("scratch", "pretrained")
        keys: list[RowKey] = [
            {"model": model, "start": start, "layer": layer, "normalization": arm}
            for start in starts
        ]
        scratch, pretrained = (
            study.select_last_epoch(study.layers.at(**key))[["seed", "displacement"]]
            for key in keys
        )
        pairs = scratch.merge(pretrained, on="seed", suffixes=("_scratch", "_pretrained"))
        values = zip(pairs["displacement_scratch"], pairs["displacement_pretrained"], strict=True)
        failed = [
            run
            for start in starts
            for run in study.failed_runs(models=(model,), starts=(start,), arms=(arm,))
        ]
        yield case_from_seeds(
            Place((model,), starts, (layer,), Contrast.of_arms(arm)),
            # A layer that did not move has no ratio.
            [math.log(far / near) if far > 0 < near else None for far, near in values],
            test=test,
            failed=failed,
        )


def _flag_insensitive_std(study: Study, cases: object) -> Iterator[str]:
    """Say that std hardly responds to an update that is orthogonal to the weights."""
    last = select_rows(study.select_last_epoch(study.layers.rows), start="scratch")
    largest = float(last["displacement"].max()) if len(last) else 0.0
    if largest > TINY_UPDATES.margin:
        yield gettext(
            "nearly blind to learning: the weights moved by up to %(share)s of their norm all the "
            "same",
            share=f"{largest:.0%}",
        )


UPDATES_ARE_TINY = Claim(
    id="F2",
    kind="finding",
    topic=N_("Pretrained: updates are tiny"),
    statement=N_("Started from pretrained weights, no layer moves far."),
    statistic=N_("displacement |w_T - w_0| / |w_0| of every measured layer"),
    unit=N_("share of the initial norm"),
    test=TINY_UPDATES,
    needs=Needs(starts=("pretrained",)),
    judge=_judge_displacement,
    figures=("displacement",),
    family=PRIMARY_FAMILY,
    is_story=True,
)

STD_IS_CONSTANT = Claim(
    id="F5",
    kind="finding",
    topic=N_("Scratch: the spread is constant"),
    statement=N_("Started from random weights, a layer's standard deviation hardly changes."),
    statistic=N_("largest |ln(std_t / std_0)| over the epochs, of every measured layer"),
    unit=N_("natural logarithm of a ratio"),
    test=MarginTest(math.log(1.02), level=0.90, below=True),
    needs=Needs(starts=("scratch",)),
    judge=_judge_drift,
    flags=_flag_insensitive_std,
    figures=("spread",),
    family=PRIMARY_FAMILY,
    is_story=True,
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
    test=MarginTest(0.0, level=0.95),
    needs=Needs(starts=("scratch", "pretrained")),
    judge=_judge_starts,
    figures=("displacement",),
    family=PRIMARY_FAMILY,
)
