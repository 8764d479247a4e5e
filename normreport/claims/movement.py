"""F2, F5, P6: how far weights move, and whether their spread does."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from normreport.claims.base import Case, Claim, Study, case_from_seeds, missing, select
from normreport.evidence import judge_above, judge_within

TINY = 0.05
CONSTANT = math.log(1.02)


def _tiny(study: Study) -> Iterator[Case]:
    if "pretrained" not in study.settings.starts:
        yield missing("no run of the experiment starts pretrained")
        return
    last = select(study.last(study.layers), start="pretrained")
    for (model, layer, arm), rows in last.groupby(["model", "layer", "normalization"], sort=False):
        yield case_from_seeds(
            list(rows["displacement"]),
            judge=judge_within,
            margin=TINY,
            level=0.95,
            failed=study.failed(model=model, start="pretrained", normalization=arm),
            model=model,
            start="pretrained",
            layer=layer,
            contrast=arm,
        )


def _constant(study: Study) -> Iterator[Case]:
    if "scratch" not in study.settings.starts:
        yield missing("no run of the experiment starts scratch")
        return
    table = select(study.layers, start="scratch")
    groups = table.groupby(["model", "layer", "normalization"], sort=False)
    for (model, layer, arm), rows in groups:
        spread = rows.pivot_table(index="epoch", columns="seed", values="std", sort=True)
        drift = np.log(spread / spread.loc[0])
        # The farthest excursion keeps its sign, so that growth and shrinkage can be told apart.
        farthest = [column[column.abs().idxmax()] for _, column in drift.items()]
        yield case_from_seeds(
            farthest,
            judge=judge_within,
            margin=CONSTANT,
            level=0.90,
            failed=study.failed(model=model, start="scratch", normalization=arm),
            model=model,
            start="scratch",
            layer=layer,
            contrast=arm,
        )


def _less(study: Study) -> Iterator[Case]:
    absent = [start for start in ("scratch", "pretrained") if start not in study.settings.starts]
    if absent:
        yield missing(f"no run of the experiment starts {absent[0]}")
        return
    groups = study.last(study.layers).groupby(["model", "layer", "normalization"], sort=False)
    for (model, layer, arm), rows in groups:
        rho = rows.pivot_table(index="seed", columns="start", values="displacement")
        ratio = (
            [] if len(rho.columns) < 2 else list(np.log(rho["scratch"] / rho["pretrained"]))
        )
        yield case_from_seeds(
            ratio,
            judge=judge_above,
            margin=0.0,
            level=0.95,
            failed=study.failed(model=model, normalization=arm),
            model=model,
            start="both",
            layer=layer,
            contrast=arm,
        )


def _arithmetic(study: Study, cases: object) -> Iterator[str]:
    """Remind that std hardly sees an update that is orthogonal to the weights."""
    last = select(study.last(study.layers), start="scratch")
    if len(last) and float(last["displacement"].max()) > TINY:
        yield (
            "nearly blind to learning: the weights moved by up to "
            f"{100 * float(last['displacement'].max()):.0f}% of their norm all the same"
        )


UPDATES_ARE_TINY = Claim(
    id="F2",
    kind="finding",
    topic="Pretrained: updates are tiny",
    statement="Started from pretrained weights, no layer moves far.",
    statistic="displacement |w_T - w_0| / |w_0| of every conv layer",
    unit="share of the initial norm",
    rule="supported if the 95% interval lies within the margin, refuted if wholly beyond it",
    margin=TINY,
    judge=_tiny,
)

STD_IS_CONSTANT = Claim(
    id="F5",
    kind="finding",
    topic="Scratch: the spread is constant",
    statement="Started from random weights, a layer's standard deviation hardly changes in training.",
    statistic="farthest excursion of ln(std_t / std_0) over the epochs, of every conv layer",
    unit="natural logarithm of a ratio",
    rule="supported if the 90% interval lies within the margin, refuted if wholly beyond it",
    margin=CONSTANT,
    judge=_constant,
    flags=_arithmetic,
)

PRETRAINED_MOVES_LESS = Claim(
    id="P6",
    kind="prediction",
    topic="Pretrained moves less than scratch",
    statement="In every layer, pretrained weights move less than random ones.",
    statistic="ln of the displacement from scratch over that from pretrained weights, same seed",
    unit="natural logarithm of a ratio",
    rule="supported if the 95% interval lies above zero, refuted if wholly below it",
    margin=0.0,
    judge=_less,
)

