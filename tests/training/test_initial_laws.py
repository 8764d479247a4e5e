"""Initial weights under other laws are compared to scipy's distributions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from tests.training.helpers import build_network, copy_state

LAWS = {"gaussian": stats.norm(), "laplace": stats.laplace(), "uniform": stats.uniform()}


@pytest.mark.parametrize("law", LAWS)
def test_convolutions_follow_their_law_with_torchvisions_variance(law: str) -> None:
    found = build_network("mobilenet_v2", init_law=law).measured_layers()
    own = build_network("mobilenet_v2").measured_layers()
    standardized = []
    for name, weight in found.items():
        values = weight.detach().double().flatten().numpy()
        assert values.std() == pytest.approx(own[name].std().item(), rel=4 / len(values) ** 0.5)
        standardized.append(values / (2 / (weight.shape[0] * weight[0, 0].numel())) ** 0.5)
    pooled = np.concatenate([values for values in standardized if len(values) > 10_000])
    mean, std = LAWS[law].stats(moments="m"), LAWS[law].std()
    test = stats.kstest(pooled[::20] * std + mean, LAWS[law].cdf)
    assert len(pooled[::20]) > 50_000
    assert test.pvalue > 0.001
    assert stats.kurtosis(pooled) == pytest.approx(LAWS[law].stats(moments="k"), abs=0.05)


@pytest.mark.parametrize("law", ["uniform", "laplace"])
def test_another_law_keeps_rank_and_sign_and_changes_only_convolutions(law: str) -> None:
    network, own = build_network("mobilenet_v2", init_law=law), build_network("mobilenet_v2")
    convolutions = own.measured_layers()
    for name, weight in network.measured_layers().items():
        before, now = convolutions[name].detach().flatten(), weight.detach().flatten()
        assert (now[before.argsort()].diff() >= 0).all(), name
        assert (now.sign() == before.sign()).float().mean() > 0.999, name
    changed = {
        name.removesuffix(".weight")
        for name, value in copy_state(network).items()
        if not torch.equal(value, own.module.state_dict()[name])
    }
    assert changed == set(convolutions)


def test_the_seed_decides_the_draw_under_another_law() -> None:
    a, b, c = (
        build_network("mobilenet_v2", seed=seed, init_law="laplace").measured_layers()[
            "features.0.0"
        ]
        for seed in (3, 3, 4)
    )
    assert torch.equal(a, b)
    assert not torch.equal(a, c)
