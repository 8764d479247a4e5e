"""The standard deviation at initialization against scipy and torch."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import stats

from normreport.statistics.initialization import (
    init_std_quantiles,
    init_std_range,
    kaiming_fan_out_std,
)
from normreport.statistics.moments import moments
from tests.statistics.samples import LARGEST


@pytest.mark.parametrize("n", [2, 10, 864, 1728, 409_600, LARGEST])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_init_std_quantiles_are_chi_squared(n: int, level: float) -> None:
    tails = [(1 - level) / 2, (1 + level) / 2]

    result = init_std_quantiles(n, 0.02, level)

    expected = 0.02 * np.sqrt(stats.chi2.ppf(tails, n - 1) / (n - 1))
    assert result == pytest.approx(tuple(expected), rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "groups", "sigma"),
    [
        ((64, 3, 3, 3), 1, 0.058926),
        ((512, 512, 3, 3), 1, 0.020833),
        ((32, 3, 3, 3), 1, 0.083333),
        ((1280, 320, 1, 1), 1, 0.039528),
        ((960, 1, 3, 3), 960, 0.015215),
    ],
)
def test_kaiming_fan_out_std_is_what_torch_draws_with(
    shape: tuple[int, int, int, int], groups: int, sigma: float
) -> None:
    generator = torch.Generator().manual_seed(0)
    conv = torch.nn.Conv2d(shape[1] * groups, shape[0], shape[2:], groups=groups)
    weight = torch.nn.init.kaiming_normal_(conv.weight, mode="fan_out", generator=generator)
    drawn = moments(weight.detach().numpy()).std

    std = kaiming_fan_out_std(shape[0], shape[2], shape[3])

    assert std == pytest.approx(sigma, abs=5e-7)
    low, high = init_std_quantiles(math.prod(shape), std, level=0.9999)
    assert drawn is not None
    assert low < drawn < high


@pytest.mark.parametrize(
    ("n", "draws", "percent"),
    [(1728, 3, 5.6), (LARGEST, 3, 0.15), (864, 3, 8.0), (409_600, 3, 0.37)],
)
def test_the_range_of_three_inits_is_that_of_the_known_layers(
    n: int, draws: int, percent: float
) -> None:
    assert float(f"{100 * init_std_range(n, draws):.2g}") == percent


@pytest.mark.parametrize("draws", [2, 3, 10])
def test_the_range_of_the_std_of_many_weights_is_studentized(draws: int) -> None:
    """For large n a std is normal, with the standard error 1 / sqrt(2 (n - 1))."""
    expected = stats.studentized_range.ppf(0.95, draws, np.inf) / math.sqrt(2 * (LARGEST - 1))

    assert init_std_range(LARGEST, draws) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("n", [2, 10, 100])
def test_the_range_of_the_std_of_few_weights_is_that_of_a_simulation(n: int) -> None:
    weights = np.random.default_rng(n).standard_normal((20_000, 3, n))
    ranges = np.ptp(weights.std(axis=2, ddof=1), axis=1)

    share = float(np.mean(ranges < init_std_range(n, 3)))

    assert share == pytest.approx(0.95, abs=4 * math.sqrt(0.95 * 0.05 / 20_000))


def test_impossible_initializations_are_named() -> None:
    with pytest.raises(ValueError, match="draws >= 2, got 1 and 3"):
        init_std_range(1, 3)
    with pytest.raises(ValueError, match="draws >= 2, got 10 and 1"):
        init_std_range(10, 1)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 1, 0\.02 and 0\.95"):
        init_std_quantiles(1, 0.02)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 10, 0 and 0\.95"):
        init_std_quantiles(10, 0)
    with pytest.raises(ValueError, match=r"0 < level < 1, got 10, 0\.02 and 1$"):
        init_std_quantiles(10, 0.02, level=1)
