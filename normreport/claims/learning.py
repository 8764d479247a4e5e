"""F3, F3b, H6: what the losses and accuracies show."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from itertools import product

import numpy as np
import pandas as pd

from normreport.claims.cases import (
    Case,
    Contrast,
    Place,
    case_from_seeds,
    failed_runs_at,
    not_evaluable,
)
from normreport.claims.claim import PRIMARY_FAMILY, Claim
from normreport.claims.needs import Needs
from normreport.claims.study import ARTICLE_STARTS, Study
from normreport.claims.values import Arms, arrange, article_arms, planned_arms, raw_arm
from normreport.statistics.inference import FEWEST_FOR_ACCURACY, MarginTest
from normreport.text.formatting import join_with_and
from normreport.text.language import N_, gettext

LAST_EPOCHS = 5
# The logarithm of a loss is taken from here on: a perfect network may reach exactly 0.
SMALLEST_LOSS = 1e-6
HIGH_LOSS = MarginTest(math.log(0.5), level=0.95)
FLUCTUATION = MarginTest(math.log(1.5), level=0.95)


def _judge_late_loss(study: Study, test: MarginTest, *, arms: Arms) -> Iterator[Case]:
    # Epoch 0 is before the first step.
    first = max(0, study.settings.epochs - LAST_EPOCHS) + 1
    for model in study.settings.models:
        for arm in planned_arms(study, arms, model=model, starts=("pretrained",)):
            seeds = study.seeds(model=model, starts=("pretrained",), arms=(arm,))
            rows = study.histories.at(model=model, start="pretrained", normalization=arm)
            late = rows[rows["epoch"] >= first].groupby("seed")["train_loss"].mean()
            share = (late / math.log(study.classes)).clip(lower=SMALLEST_LOSS)
            yield case_from_seeds(
                Place.of(model=model, start="pretrained", contrast=arm),
                list(np.log(share.reindex(list(seeds)))),
                test=test,
                failed=study.failed_runs(models=(model,), starts=("pretrained",), arms=(arm,)),
            )


def _judge_fluctuation(study: Study, test: MarginTest, *, arms: Arms) -> Iterator[Case]:
    starts = ("pretrained", "scratch")
    for model in study.settings.models:
        chosen = planned_arms(study, arms, model=model, starts=starts)
        if not chosen:
            continue
        seeds = list(study.seeds(model=model, starts=starts, arms=chosen))
        ratios = [
            _measure_jumps(study, model, "pretrained", arm).reindex(seeds)
            - _measure_jumps(study, model, "scratch", arm).reindex(seeds)
            for arm in chosen
        ]
        yield case_from_seeds(
            Place((model,), starts, (), Contrast.of_arms(*chosen, sign="+")),
            list(sum(ratios[1:], start=ratios[0]) / len(ratios)),
            test=test,
            failed=study.failed_runs(models=(model,), starts=starts, arms=chosen),
        )


def _measure_jumps(study: Study, model: str, start: str, arm: str) -> pd.Series:
    """Compute ln of the SD of the changes of ln(train loss) from epoch to epoch, per seed.

    The logarithm of the loss makes the changes relative: a small loss fluctuates little in
    absolute terms. NaN if the loss does not change or there are fewer than three epochs.
    """
    rows = study.histories.at(model=model, start=start, normalization=arm)
    jumps = {}
    for seed, run in rows.groupby("seed"):
        losses = run.sort_values("epoch")["train_loss"].clip(lower=SMALLEST_LOSS)
        changes = np.diff(np.log(losses))
        spread = float(np.std(changes, ddof=1)) if len(changes) > 1 else 0.0
        jumps[seed] = math.log(spread) if spread > 0 else math.nan
    return pd.Series(jumps, dtype=np.float64)


def _judge_accuracy(study: Study, test: MarginTest) -> Iterator[Case]:
    """Compare the held-out accuracy of the arm with mean and std removed with every other arm's."""
    scaled, best = study.contrast
    for model, start in product(study.settings.models, ARTICLE_STARTS):
        planned = study.arms(model=model, starts=(start,))
        # As in H1 and H2, raw inputs stand for what the article takes "none" to be.
        for other in (arm for arm in (*raw_arm(study), scaled) if arm in planned):
            seeds = study.seeds(model=model, starts=(start,), arms=(best, other))
            if not seeds:
                continue
            place = Place.of(model=model, start=start, contrast=Contrast.of_arms(best, other))
            failed = failed_runs_at(study, place)
            if 1 < len(seeds) < FEWEST_FOR_ACCURACY and not failed:
                yield not_evaluable(gettext("it needs three seeds or more"), place)
                continue
            rows = study.runs.at(model=model, start=start)
            accuracies = arrange(rows, "heldout_accuracy", seed=seeds, normalization=(best, other))
            yield case_from_seeds(
                place, list(accuracies[best] - accuracies[other]), test=test, failed=failed
            )


def _flag_end_of_sweep(study: Study, cases: object) -> Iterator[str]:
    """Say where the chosen learning rate is the lowest or the highest candidate."""
    names = []
    for model, candidates in study.settings.candidates.items():
        runs = study.runs.at(model=model)
        ends = {min(candidates), max(candidates)}
        at_end = runs[runs["learning_rate"].isin(ends)]
        arms = zip(at_end["model"], at_end["start"], at_end["normalization"], strict=True)
        names += [f"{model}/{start}/{arm}" for model, start, arm in dict.fromkeys(arms)]
    if names:
        yield gettext(
            "the lowest or the highest candidate was chosen for %(arms)s: a learning rate beyond "
            "it may be better",
            arms=join_with_and(names),
        )


LOSS_IS_HIGH = Claim(
    id="F3",
    kind="finding",
    group="pretrained",
    topic=N_("Pretrained: the loss stays high"),
    statement=N_("Started from pretrained weights, the loss stays high."),
    statistic=N_(
        "ln of the mean train cross-entropy of the last five epochs over that of chance, ln K, "
        "for each arm"
    ),
    unit=N_("the loss, relative to that of chance"),
    shown="size",
    test=HIGH_LOSS,
    needs_helpful_pretraining=False,
    needs=Needs(starts=("pretrained",), any_contrast=True),
    judge=partial(_judge_late_loss, arms=article_arms),
    beyond=partial(_judge_late_loss, arms=raw_arm),
    figures=("curves",),
    family=PRIMARY_FAMILY,
)

LOSS_FLUCTUATES = Claim(
    id="F3b",
    kind="finding",
    group="pretrained",
    topic=N_("Pretrained: the loss fluctuates"),
    statement=N_("The loss fluctuates more from pretrained weights than from random ones."),
    statistic=N_(
        "ln of the standard deviation of the changes of ln(train loss) from epoch to epoch, "
        "pretrained minus scratch, same seed, averaged over the article's arms"
    ),
    unit=N_("the change of the fluctuation"),
    shown="ratio",
    test=FLUCTUATION,
    needs_helpful_pretraining=False,
    needs=Needs(starts=("pretrained", "scratch"), any_contrast=True),
    judge=partial(_judge_fluctuation, arms=article_arms),
    beyond=partial(_judge_fluctuation, arms=raw_arm),
    figures=("curves",),
    family=PRIMARY_FAMILY,
)

SWEET_SPOT = Claim(
    id="H6",
    kind="hypothesis",
    group="premises",
    topic=N_("Mean and std removed: the sweet spot"),
    statement=N_("Subtracting a mean and dividing by a standard deviation gives the best network."),
    statistic=N_(
        "held-out accuracy with mean and standard deviation removed minus that with inputs / 255 "
        "and minus that with raw inputs, same seed, each at a learning rate of its own"
    ),
    unit=N_("the gain in held-out accuracy"),
    shown="points",
    rule=N_(
        "supported if the 95%% interval of every case lies above the margin; a network and start "
        "refute the claim if one interval lies wholly below the margin, after Bonferroni "
        "correction for the other arms; mixed if networks or starts decide opposite ways"
    ),
    test=MarginTest(0.01, level=0.95),
    every_arm=True,
    needs=Needs(any_start=ARTICLE_STARTS, contrast=True, tuned=True),
    judge=_judge_accuracy,
    flags=_flag_end_of_sweep,
    figures=("curves",),
    family=PRIMARY_FAMILY,
)
