"""F3, F3b, H6: what the losses and accuracies show."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from normreport.claims.cases import Case, Place, case_from_seeds, not_evaluable
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import Study
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

LAST_EPOCHS = 5


def _judge_late_loss(study: Study, test: MarginTest) -> Iterator[Case]:
    # Epoch 0 is before the first step.
    first = max(0, study.settings.epochs - LAST_EPOCHS) + 1
    for model in study.settings.models:
        for arm in study.settings.normalizations:
            rows = study.histories.at(model=model, start="pretrained", normalization=arm)
            late = rows[rows["epoch"] >= first].groupby("seed")["train_loss"].mean()
            yield case_from_seeds(
                Place.of(model=model, start="pretrained", contrast=arm),
                list(late / math.log(study.classes)),
                test=test,
                failed=study.failed_runs(models=(model,), starts=("pretrained",), arms=(arm,)),
            )


def _judge_fluctuation(study: Study, test: MarginTest) -> Iterator[Case]:
    starts = ("pretrained", "scratch")
    for model in study.settings.models:
        for arm in study.settings.normalizations:
            failed = study.failed_runs(models=(model,), starts=starts, arms=(arm,))
            jumps = [_measure_jumps(study, model, start, arm) for start in starts]
            pairs = [] if failed else list(zip(*jumps, strict=True))
            yield case_from_seeds(
                Place.of(model=model, start="pretrained", contrast=arm),
                [math.log(a / b) if a > 0 < b else None for a, b in pairs],
                test=test,
                failed=failed,
            )


def _measure_jumps(study: Study, model: str, start: str, arm: str) -> list[float]:
    """Compute the SD of the training loss's changes from epoch to epoch, per seed."""
    rows = study.histories.at(model=model, start=start, normalization=arm)
    return [
        float(np.std(np.diff(run.sort_values("epoch")["train_loss"]), ddof=1))
        for _, run in rows.groupby("seed")
        if len(run) > 2
    ]


def _explain_untuned(study: Study, test: MarginTest) -> Iterator[Case]:
    yield not_evaluable(
        gettext("the learning rate was not tuned for each arm, so that none had its best chance")
    )


LOSS_IS_HIGH = Claim(
    id="F3",
    kind="finding",
    topic=N_("Pretrained: the loss stays high"),
    statement=N_("Started from pretrained weights, the loss stays high."),
    statistic=N_(
        "mean train cross-entropy of the last five epochs of training over that of chance, ln K"
    ),
    unit=N_("share of chance"),
    test=MarginTest(0.5, level=0.95),
    needs=Needs(starts=("pretrained",)),
    judge=_judge_late_loss,
    figures=("curves",),
    family=PRIMARY_FAMILY,
    is_story=True,
)

LOSS_FLUCTUATES = Claim(
    id="F3b",
    kind="finding",
    topic=N_("Pretrained: the loss fluctuates"),
    statement=N_(
        "Started from pretrained weights, the loss fluctuates more than from random ones."
    ),
    statistic=N_(
        "ln of the standard deviation of the train loss's differences from epoch to epoch, over "
        "that from scratch, same seed"
    ),
    unit=N_("natural logarithm of a ratio"),
    test=MarginTest(math.log(1.5), level=0.95),
    needs=Needs(starts=("pretrained", "scratch")),
    judge=_judge_fluctuation,
    figures=("curves",),
    family=PRIMARY_FAMILY,
    is_story=True,
)

SWEET_SPOT = Claim(
    id="H6",
    kind="hypothesis",
    topic=N_("Mean and std removed: the sweet spot"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives the best network."),
    statistic=N_("held-out accuracy against every other arm"),
    unit=N_("share of images"),
    rule=N_("supported if one point or more above every other arm, each at its own learning rate"),
    test=MarginTest(0.01, level=0.95),
    judge=_explain_untuned,
)
