"""Samples of weights that the tests of several statistics share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

LARGEST = 2_359_296  # VGG16 features.28

Array = NDArray[Any]


def sample(kind: str, n: int) -> NDArray[np.float32]:
    generator = np.random.default_rng([n, len(kind)])
    match kind:
        case "gaussian":
            values = 0.02 * generator.standard_normal(n) + 0.001
        case "uniform":
            values = generator.uniform(-0.1, 0.3, n)
        case "laplace":
            values = generator.laplace(0, 0.05, n)
        case "tied":
            values = np.round(generator.standard_normal(n))
        case "spiked":
            values = np.where(np.arange(n) % 2, 0, generator.standard_normal(n))
        case "heavy":
            values = generator.choice([-1, 1], n) * 10 ** generator.uniform(-3, 30, n)
        case _:
            raise ValueError(kind)
    return values.astype(np.float32)


KINDS = ("gaussian", "uniform", "laplace", "tied", "spiked", "heavy")
CASES = [(kind, n) for kind in KINDS for n in (10, 864, 20_000)]
by_case = pytest.mark.parametrize(("kind", "n"), CASES)
