from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from scipy import stats

from normreport.io.files import write_arrays, write_json
from normreport.io.snapshots import epoch_digests
from normreport.stages import measure_weights
from normreport.statistics.quantiles import SCORES
from tests.stages.conftest import LAYER, processed, trained


def test_every_epoch_has_its_statistics(runs):
    weights = load_file(runs[1].snapshots)[LAYER].astype(np.float64)
    rows = pd.read_parquet(runs[1].measures).to_dict("records")
    assert [row["epoch"] for row in rows] == [0, 1, 2]
    for row, values in zip(rows, weights.reshape(3, -1), strict=True):
        assert row["layer"] == LAYER
        assert row["n"] == 864
        assert row["std"] == pytest.approx(values.std(ddof=1), rel=1e-12)
        assert row["excess_kurtosis"] == pytest.approx(stats.kurtosis(values), rel=1e-9)
        assert row["p95"] == pytest.approx(np.quantile(values, 0.95), rel=1e-12)
        # torchvision's first layer of MobileNetV2: sqrt(2 / (32 * 9)).
        assert row["kaiming_std"] == pytest.approx(0.083333, abs=1e-6)


def test_every_epoch_has_its_quantiles_at_the_scores(runs):
    weights = load_file(runs[1].snapshots)[LAYER].astype(np.float64).reshape(3, -1)
    rows = pd.read_parquet(runs[1].quantiles).to_dict("records")
    assert [row["epoch"] for row in rows] == [epoch for epoch in range(3) for _ in SCORES]
    for row in rows:
        values = weights[row["epoch"]]
        quantile = np.quantile(values, stats.norm.cdf(row["score"]))
        expected = (quantile - values.mean()) / values.std(ddof=1)
        assert row["quantile"] == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert (row["layer"], row["start"], row["n"]) == (LAYER, "pretrained", 864)
        assert row["normalization"] == "imagenet"


def test_a_linear_layer_is_kept_and_measured_like_a_convolution(data, tmp_path):
    model = {"model": "mobilenet_v3_small", "architecture": "mobilenet_v3_small", "epochs": 1}
    run = trained(tmp_path, data.images, data.manifest, **model, layers=["classifier.0"])
    processed(tmp_path, run)
    weights = load_file(run.snapshots)["classifier.0"]
    assert weights.shape == (2, 1024, 576)
    rows = pd.read_parquet(run.measures).to_dict("records")
    for row, values in zip(rows, weights.astype(np.float64), strict=True):
        assert row["std"] == pytest.approx(values.std(ddof=1), rel=1e-12)
    layers = {*pd.read_csv(run.layers)["layer"]}
    assert "features.0.0" in layers
    assert "classifier.0" in layers


def test_a_layer_without_spread_has_statistics_but_no_quantiles(tmp_path):
    paths = {name: tmp_path / name for name in ("digests", "snapshots", "measures", "quantiles")}
    equal = np.full((2, 4, 3, 3, 3), 0.5, dtype=np.float32)
    run = {"model": "m", "start": "scratch", "normalization": "unit", "seed": 0}
    write_arrays(paths["snapshots"], {LAYER: equal})
    layers = {
        LAYER: {"weights": equal[0].size, "shape": equal[0].shape, "epochs": epoch_digests(equal)}
    }
    write_json(paths["digests"], {"run": run, "status": {"state": "OK"}, "layers": layers})
    measure_weights.run(**paths)
    assert len(pd.read_parquet(paths["measures"])) == 2
    quantiles = pd.read_parquet(paths["quantiles"])
    assert quantiles.empty
    assert list(quantiles.columns) == [*measure_weights.CURVE, "score", "quantile"]
