"""The experiments that many tests read, made once."""

import pandas as pd
import pytest

from tests.figures import synthetic


@pytest.fixture(scope="session")
def runs() -> pd.DataFrame:
    """Three arms, two starts, three seeds, two layers, six epochs."""
    return synthetic.runs(epochs=6)


@pytest.fixture(scope="session")
def diverged_runs() -> pd.DataFrame:
    """The same, from scratch without unit, with one raw run lost at epoch 2 of 6."""
    table = synthetic.runs(epochs=6, diverged={("raw", 1): 2, ("imagenet", 0): 0})
    return table[(table["start"] != "scratch") | (table["normalization"] != "unit")]
