"""Fixtures of the tests of statistics."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.statistics.samples import LARGEST, sample


@pytest.fixture(scope="session")
def largest() -> NDArray[np.float32]:
    return sample("gaussian", LARGEST)
