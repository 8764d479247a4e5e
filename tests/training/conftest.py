from __future__ import annotations

import pytest

from normreport.io import checkpoints
from tests.training.helpers import Arrays, digits


@pytest.fixture(scope="module")
def arrays() -> Arrays:
    """Return the arrays of a small data set."""
    return digits()


@pytest.fixture
def always_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Save a checkpoint after every epoch."""
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
