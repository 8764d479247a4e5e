"""The share of the arms against sums of squares of the weights, and on arms without an effect."""

from __future__ import annotations

import math

import numpy as np
import pytest

from normreport.statistics.arm_share import arm_share
from tests.statistics.layouts import layout, products_of

SEEDS = 5


def test_the_share_of_the_arms_has_the_pseudo_values_of_the_analysis_of_variance() -> None:
    weights = layout(2, SEEDS, shift=0.05)

    def share(seeds: list[int]) -> float:
        chosen = weights[:, seeds].astype(np.longdouble)
        means = chosen.mean(axis=(0, 1))
        of_arms = ((chosen.mean(axis=1) - means) ** 2).mean(axis=-1).sum() * len(seeds)
        of_seeds = ((chosen.mean(axis=0) - means) ** 2).mean(axis=-1).sum() * 2
        total = ((chosen - means) ** 2).mean(axis=-1).sum()
        degrees = len(seeds) - 1
        rest = (total - of_arms - of_seeds) / degrees
        arm, seed = (of_arms - rest) / (2 * len(seeds)), (of_seeds / degrees - rest) / 2
        return float(arm / (arm + seed + rest))

    found = arm_share(products_of(weights))
    assert found is not None
    everyone = list(range(SEEDS))
    assert found.value == pytest.approx(share(everyone), rel=1e-6)
    expected = [
        SEEDS * share(everyone) - (SEEDS - 1) * share(everyone[:s] + everyone[s + 1 :])
        for s in everyone
    ]
    assert found.pseudo_values == pytest.approx(expected, rel=1e-6)


def test_arms_without_an_effect_have_no_share_on_average() -> None:
    shares = [arm_share(products_of(layout(2, 4, entropy=number))) for number in range(200)]
    values = [share.value for share in shares if share]
    assert min(values) < 0
    assert abs(np.mean(values)) < 3 * np.std(values) / math.sqrt(len(values))


def test_equal_runs_have_no_share() -> None:
    assert arm_share(np.ones((2, 3, 2, 3))) is None
    assert arm_share(products_of(layout(2, 1))) is None
