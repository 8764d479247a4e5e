from __future__ import annotations

import csv

import numpy as np
import pytest
from safetensors.numpy import load_file
from scipy import stats

from tests.stages.conftest import LAYER


def test_every_epoch_has_its_statistics(runs):
    weights = load_file(runs[1].snapshots)[LAYER].astype(np.float64)
    with runs[1].measures.open() as stream:
        rows = list(csv.DictReader(stream))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for row, values in zip(rows, weights.reshape(3, -1), strict=True):
        assert row["layer"] == LAYER
        assert int(row["n"]) == 864
        assert float(row["std"]) == pytest.approx(values.std(ddof=1), rel=1e-12)
        assert float(row["excess_kurtosis"]) == pytest.approx(stats.kurtosis(values), rel=1e-9)
        assert float(row["p95"]) == pytest.approx(np.quantile(values, 0.95), rel=1e-12)
        # torchvision's first layer of MobileNetV2: sqrt(2 / (32 * 9)).
        assert float(row["kaiming_std"]) == pytest.approx(0.083333, abs=1e-6)
