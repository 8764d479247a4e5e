"""Derived seeds and orders are independent streams and reproducible."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
import torch

from normreport.training.seeds import derived_seed, epoch_order

PURPOSES = ("init", "head", "order", "dropout")


@pytest.mark.parametrize(
    ("seed", "purpose", "index"), [(0, "init", 0), (7, "order", 35), (2**32 - 1, "dropout", 1)]
)
def test_a_derived_seed_is_the_first_48_bits_of_a_sha_256(
    seed: int, purpose: str, index: int
) -> None:
    text = f"{purpose}/{seed}/{index}"
    expected = int(hashlib.sha256(text.encode()).hexdigest()[:12], 16)
    assert derived_seed(seed, purpose, index) == expected


def test_the_seeds_of_published_results_are_unchanged() -> None:
    # printf init/0/0 | sha256sum, the first 12 digits
    assert derived_seed(0, "init") == 0x81B3039740C3
    assert epoch_order(0, 1, 8).tolist() == [5, 2, 7, 1, 0, 4, 6, 3]


def test_purposes_seeds_and_epochs_have_different_seeds() -> None:
    names = list(itertools.product(range(60), PURPOSES, range(40)))
    assert len({derived_seed(*name) for name in names}) == len(names)


@pytest.mark.parametrize("seed", [0, 1, 2**32 - 1])
def test_torch_and_numpy_accept_a_derived_seed(seed: int) -> None:
    value = derived_seed(seed, "dropout", 10_000)
    assert torch.Generator().manual_seed(value).initial_seed() == value
    np.random.default_rng(value)


@pytest.mark.parametrize("count", [1, 2, 64, 1797])
def test_an_order_contains_every_image_once(count: int) -> None:
    order = epoch_order(3, 5, count)
    assert order.dtype == np.int64
    assert sorted(order.tolist()) == list(range(count))


def test_every_epoch_and_seed_has_its_own_order() -> None:
    orders = {tuple(epoch_order(seed, epoch, 64)) for seed in range(5) for epoch in range(1, 36)}
    assert len(orders) == 5 * 35


def test_an_order_does_not_depend_on_earlier_ones() -> None:
    in_turn = [epoch_order(4, epoch, 64) for epoch in range(1, 6)]
    np.random.default_rng().random()
    assert np.array_equal(epoch_order(4, 5, 64), in_turn[4])


def test_orders_keep_the_global_generators_of_numpy_and_torch() -> None:
    before = np.random.get_state()[1].copy(), torch.get_rng_state()
    epoch_order(0, 1, 64)
    assert np.array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
