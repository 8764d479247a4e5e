"""The manipulation check: whether the pretrained start is better than a random one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from normreport.claims.cases import Case
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import arrange, article_arms, planned_arms
from normreport.statistics.inference import Interval
from normreport.statistics.pretraining_gain import Gain, measure_gain
from normreport.text.labels import model_label
from normreport.text.language import gettext

Outcome = Literal["helped", "not shown", "harmed", "not evaluable"]


@dataclass(frozen=True)
class ArmAccuracy:
    """Mean held-out accuracy of one arm, and how many seeds it rests on."""

    arm: str
    pretrained: float | None
    scratch: float | None
    seeds: int


@dataclass(frozen=True)
class PretrainingCheck:
    """Whether pretraining helped one network.

    Attributes
    ----------
    model
        The network.
    outcome
        ``helped`` or ``harmed`` if the interval excludes 0, else ``not shown``; ``not evaluable``
        without three seeds of complete runs.
    difference
        Held-out accuracy of pretrained minus scratch, paired by seed and averaged over the
        article's arms.
    probe_difference
        The same for a linear probe on the features before the first step.
    arms
        The accuracies of every arm.
    reason
        Why the check is not evaluable.
    """

    model: str
    outcome: Outcome
    difference: Interval | None
    probe_difference: Interval | None
    arms: tuple[ArmAccuracy, ...]
    reason: str | None = None


def check_pretraining(study: Study) -> list[PretrainingCheck]:
    """Check every network that has runs from both starts."""
    return [
        _check_model(study, model)
        for model in study.settings.models
        if all(study.arms(model=model, starts=(start,)) for start in ARTICLE_STARTS)
    ]


def _check_model(study: Study, model: str) -> PretrainingCheck:
    gain = _measure_gain(study, model, "heldout_accuracy")
    outcome, reason = _find_outcome(study, model, gain)
    probe = _measure_gain(study, model, "probe_accuracy")
    arms = tuple(
        ArmAccuracy(
            arm=arm,
            pretrained=_mean_accuracy(study, model, "pretrained", arm),
            scratch=_mean_accuracy(study, model, "scratch", arm),
            seeds=len(study.seeds(model=model, starts=ARTICLE_STARTS, arms=(arm,))),
        )
        for arm in study.arms(model=model, starts=ARTICLE_STARTS)
    )
    return PretrainingCheck(
        model=model,
        outcome=outcome,
        difference=gain.interval if gain else None,
        probe_difference=probe.interval if probe else None,
        arms=arms,
        reason=reason,
    )


def _find_outcome(study: Study, model: str, gain: Gain | None) -> tuple[Outcome, str | None]:
    """Return the outcome of a network, and why it is not evaluable."""
    if gain and gain.outcome:
        return gain.outcome, None
    if gain:
        reason = gettext("it needs three seeds or more")
    elif planned_arms(study, article_arms, model=model, starts=ARTICLE_STARTS):
        reason = gettext("a run diverged or failed")
    else:
        reason = gettext("no normalization has runs from both starts with the same seed")
    return "not evaluable", reason


def _measure_gain(study: Study, model: str, column: str) -> Gain | None:
    """Compare a column of `Study.runs` between the starts, over the article's arms."""
    chosen = planned_arms(study, article_arms, model=model, starts=ARTICLE_STARTS)
    if not chosen or column not in study.runs.rows:
        return None
    seeds = study.seeds(model=model, starts=ARTICLE_STARTS, arms=chosen)
    pretrained, scratch = (
        arrange(study.runs.at(model=model, start=start), column, seed=seeds, normalization=chosen)
        for start in ("pretrained", "scratch")
    )
    return measure_gain(pretrained, scratch)


def _mean_accuracy(study: Study, model: str, start: str, arm: str) -> float | None:
    seeds = study.seeds(model=model, starts=ARTICLE_STARTS, arms=(arm,))
    runs = study.runs.at(model=model, start=start, normalization=arm)
    values = arrange(runs, "heldout_accuracy", seed=seeds, normalization=(arm,))
    mean = values[arm].mean(skipna=False)
    return None if np.isnan(mean) else float(mean)


def flag_unhelpful_pretraining(study: Study, cases: Sequence[Case]) -> Iterator[str]:
    """Say if a case rests on pretrained weights that are not shown to be better than random."""
    models = {
        model
        for case in cases
        if case.place and "pretrained" in case.place.starts
        for model in case.place.models
    }
    if not set(ARTICLE_STARTS) <= set(study.settings.starts):
        return
    for model in study.settings.models:
        if model not in models:
            continue
        gain = _measure_gain(study, model, "heldout_accuracy")
        outcome, reason = _find_outcome(study, model, gain)
        if outcome == "harmed":
            yield gettext(
                "pretraining harmed %(model)s: its pretrained weights end with a lower held-out "
                "accuracy than random ones",
                model=model_label(model),
            )
        elif outcome == "not shown":
            yield gettext(
                "pretraining is not shown to have helped %(model)s", model=model_label(model)
            )
        elif outcome == "not evaluable":
            yield gettext(
                "whether pretraining helped %(model)s cannot be checked: %(reason)s",
                model=model_label(model),
                reason=reason,
            )
