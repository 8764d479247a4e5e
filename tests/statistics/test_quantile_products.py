"""Products of quantile functions against plain sums over the weights."""

from __future__ import annotations

import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from normreport.statistics.quantile_products import product_block, quantile_products
from tests.statistics.layouts import layout

# Longer than two blocks, and no multiple of one.
SIZE = 20_011


@pytest.fixture(scope="module")
def ordered() -> np.ndarray:
    generator = np.random.default_rng(0)
    weights = generator.standard_normal((5, SIZE)) * 0.02 + generator.normal(0, 0.01, (5, 1))
    return np.sort(weights.astype(np.float32), axis=1)


def test_products_are_means_of_products_after_the_common_shift(ordered: np.ndarray) -> None:
    functions = ordered.astype(np.longdouble)
    functions = functions - functions[[0, 2]].mean(axis=0)
    expected = [[float(np.mean(a * b)) for b in functions] for a in functions]
    found = quantile_products(ordered, [0, 2])
    assert found == pytest.approx(np.array(expected), rel=1e-12, abs=1e-18)
    assert np.array_equal(found, found.T)


@pytest.mark.parametrize("reference", [[0], [3, 4], range(5)])
def test_the_squared_w2_distance_follows_from_the_products(
    ordered: np.ndarray, reference: list[int]
) -> None:
    """For samples of one size, the optimal plan pairs equal ranks (Villani 2003, theorem 2.18)."""
    products = quantile_products(ordered, reference)
    for a in range(5):
        for b in range(5):
            gaps = ordered[a].astype(np.longdouble) - ordered[b].astype(np.longdouble)
            expected = float(np.mean(gaps**2))
            found = products[a, a] + products[b, b] - 2 * products[a, b]
            assert found == pytest.approx(expected, rel=1e-9, abs=1e-18)


def test_equal_weights_are_exactly_zero_apart(ordered: np.ndarray) -> None:
    twins = np.stack([ordered[0], ordered[1], ordered[0], ordered[2], ordered[0]])
    products = quantile_products(twins, range(5))
    norms = np.diag(products)
    squares = norms[:, None] + norms[None, :] - 2 * products
    same = np.isin(np.arange(5), [0, 2, 4])
    assert (squares[np.ix_(same, same)] == 0).all()
    assert (quantile_products(np.stack([ordered[0]] * 7), range(7)) == 0).all()


def test_a_run_that_exploded_does_not_blur_the_others(ordered: np.ndarray) -> None:
    exploded = np.vstack([ordered[:4], ordered[4:] * np.float32(1e12)])
    plain = quantile_products(ordered[:4], range(4))
    assert np.array_equal(quantile_products(exploded, range(4))[:4, :4], plain)


SCRIPT = """
import numpy as np
from normreport.statistics.quantile_products import quantile_products
ordered = np.sort(np.random.default_rng(0).standard_normal((40, 50_000)).astype("f4"), axis=1)
print(quantile_products(ordered, range(40)).tobytes().hex())
"""


def test_the_bits_do_not_depend_on_the_number_of_threads() -> None:
    def bits(threads: str) -> str:
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        return subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={"PYTHONPATH": ":".join(sys.path), **dict.fromkeys(names, threads)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout

    assert bits("1") == bits("2") != ""


def test_a_block_holds_the_products_by_arm_and_seed() -> None:
    weights = layout(3, 4)
    products = quantile_products(weights.reshape(12, -1), range(12))
    labels = [(arm, seed) for arm in ("raw", "unit", "imagenet") for seed in (5, 3, 1, 7)]
    rows = [
        # Either run of a pair may come first.
        (labels[b], labels[a], products[a, b]) if (a + b) % 2 else
        (labels[a], labels[b], products[a, b])
        for a in range(12) for b in range(a, 12)
    ]  # fmt: skip
    block = product_block(*zip(*rows, strict=True), arms=("imagenet", "unit"), seeds=(1, 3))
    assert block is not None
    assert block.shape == (2, 2, 2, 2)
    for i, arm in enumerate(("imagenet", "unit")):
        for s, seed in enumerate((1, 3)):
            for j, other in enumerate(("imagenet", "unit")):
                for t, other_seed in enumerate((1, 3)):
                    a, b = labels.index((arm, seed)), labels.index((other, other_seed))
                    assert block[i, s, j, t] == products[a, b]


def test_a_block_without_one_of_its_runs_or_with_an_undefined_product_is_none() -> None:
    a, b = ("unit", 0), ("unit", 1)
    runs_a, runs_b = [a, a, b], [a, b, b]
    both = partial(product_block, arms=["unit"], seeds=[0, 1])
    assert both(runs_a, runs_b, [1.0, 0.5, 1.0]) is not None
    assert both(runs_a[:2], runs_b[:2], [1.0, 0.5]) is None
    assert both(runs_a, runs_b, [1.0, float("nan"), 1.0]) is None
    assert both([], [], []) is None
    assert product_block(runs_a, runs_b, [1.0, 0.5, 1.0], arms=["unit"], seeds=[]) is None
