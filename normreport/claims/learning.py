"""F3, H6: what the losses and accuracies say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from normreport.claims.base import Case, Claim, Place, Study, case_from_seeds, missing
from normreport.statistics.inference import MarginTest
from normreport.text.language import N_, gettext

HIGH = MarginTest(0.5, level=0.95)
FLUCTUATES = MarginTest(math.log(1.5), level=0.95)
LAST_EPOCHS = 5


def _loss(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("pretrained",))
    if lacking:
        yield missing(lacking)
        return
    # Epoch 0 is before the first step.
    before = max(0, study.settings.epochs - LAST_EPOCHS)
    for model in study.settings.models:
        for arm in study.settings.normalizations:
            rows = study.rows("histories", model=model, start="pretrained", normalization=arm)
            late = rows[rows["epoch"] > before].groupby("seed")["train_loss"].mean()
            yield case_from_seeds(
                Place(model, "pretrained", "", arm),
                list(late / math.log(study.classes)),
                test=HIGH,
                failed=study.failed(model=model, start="pretrained", normalization=arm),
            )


def _fluctuation(study: Study) -> Iterator[Case]:
    lacking = study.missing_conditions(starts=("pretrained", "scratch"))
    if lacking:
        yield missing(lacking)
        return
    for model in study.settings.models:
        for arm in study.settings.normalizations:
            starts = ["pretrained", "scratch"]
            failed = study.failed(model=model, start=starts, normalization=arm)
            jumps = [_jumps(study, model=model, start=start, normalization=arm) for start in starts]
            pairs = [] if failed else list(zip(*jumps, strict=True))
            yield case_from_seeds(
                Place(model, "pretrained", "", arm),
                [math.log(a / b) if a > 0 < b else None for a, b in pairs],
                test=FLUCTUATES,
                failed=failed,
            )


def _jumps(study: Study, **condition: str) -> Sequence[float]:
    """SD of the epoch-to-epoch differences of the training loss, per seed."""
    rows = study.rows("histories", **condition)
    return [
        float(np.std(np.diff(run.sort_values("epoch")["train_loss"]), ddof=1))
        for _, run in rows.groupby("seed")
        if len(run) > 2
    ]


def _never_tuned(study: Study) -> Iterator[Case]:
    yield missing(
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
    test=HIGH,
    judge=_loss,
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
    test=FLUCTUATES,
    judge=_fluctuation,
)

SWEET_SPOT = Claim(
    id="H6",
    kind="hypothesis",
    topic=N_("Mean and std removed: the sweet spot"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives the best network."),
    statistic=N_("held-out accuracy against every other arm"),
    unit=N_("share of images"),
    own_rule=N_(
        "supported if one point or more above every other arm, each at its own learning rate"
    ),
    test=MarginTest(0.01, level=0.95),
    judge=_never_tuned,
)
