"""What the default experiment leaves out, trained for real: every other arm, start and outcome."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from scipy import stats

from normreport.config.training import ArmInputs
from normreport.io.files import read_arrays
from normreport.normalizations import NORMALIZATIONS, OwnFile, normalize
from normreport.provenance.stage_code import run_code
from normreport.training.seeds import epoch_order
from tests.stages.conftest import LAYER, processed, read, trained
from tests.stages.test_train_run import rows

DEEP = "features.18.0"
SHORT = {"epochs": 1, "train_images": 24, "batch_size": 12, "layers": [LAYER, DEEP]}


@pytest.fixture(scope="module")
def arms(tmp_path_factory, data):
    """Train one run of every arm that takes the images at their own size."""
    found = {}
    for arm in NORMALIZATIONS:
        if arm != "published_meanstd":
            folder = tmp_path_factory.mktemp(arm)
            found[arm] = trained(folder, data.images, data.manifest, normalization=arm, **SHORT)
    return found


def weights(run, layer=LAYER):
    return load_file(run.snapshots)[layer]


@pytest.mark.parametrize("arm", [arm for arm in NORMALIZATIONS if arm != "published_meanstd"])
def test_an_arm_is_trained_on_what_it_makes_of_the_images(arms, data, arm):
    manifest = read(arms[arm].manifest)
    assert manifest["status"] == {"state": "OK"}
    assert manifest["run"]["normalization"] == arm
    images = read_arrays(data.images)["train_images"]
    batch = normalize(images[:24], arm, images)[epoch_order(0, 1, 24)[:12]].astype(np.float64)
    first = manifest["first_batch"]
    assert (first["min"], first["max"]) == (batch.min(), batch.max())
    assert first["mean"] == pytest.approx(batch.mean(), abs=1e-6)
    assert first["std"] == pytest.approx(batch.std(ddof=1), rel=1e-6)


def test_all_arms_begin_with_the_same_weights_and_only_equal_ones_end_with_them(arms):
    digests = {arm: read(run.manifest)["digests"] for arm, run in arms.items()}
    assert len({found["initial_weights"] for found in digests.values()}) == 1
    ends = {arm: found["final_weights"] for arm, found in digests.items()}
    assert ends["published_none"] == ends["published_minmax"] == ends["unit"]
    others = {arm: end for arm, end in ends.items() if not arm.startswith("published")}
    assert len(set(others.values())) == len(others)


def test_the_placebo_moves_the_weights_less_than_any_real_arm(arms):
    unit = weights(arms["unit"], DEEP)[-1]
    gaps = {
        arm: float(np.linalg.norm(weights(run, DEEP)[-1] - unit))
        for arm, run in arms.items()
        if arm not in {"unit", "published_none", "published_minmax"}
    }
    assert min(gaps, key=gaps.__getitem__) == "placebo"


OWN = """
import numpy as np

def transform(images, train_images):
    return np.divide(images, np.float32(255), dtype=np.float32)
"""


def test_own_arms_with_the_inputs_of_a_built_in_one_end_like_it(arms, data, tmp_path):
    (tmp_path / "own.py").write_text(OWN)
    channels = {"mean": [0, 0, 0], "std": [1, 1, 1]}
    ends, codes = set(), set()
    for name, inputs in (
        ("scaled", {"divide": 255, **channels}),
        ("own", {"file": str(tmp_path / "own.py")}),
        ("named", "unit"),
    ):
        (tmp_path / name).mkdir()
        own = SHORT | {"normalization": name, "inputs": inputs}
        manifest = read(trained(tmp_path / name, data.images, data.manifest, **own).manifest)
        assert manifest["run"]["normalization"] == name
        ends.add(manifest["digests"]["final_weights"])
        codes.add(manifest["digests"]["code"])
    assert ends == {read(arms["unit"].manifest)["digests"]["final_weights"]}
    assert len(codes) == 3


def test_another_text_of_an_own_file_is_other_code(tmp_path):
    def digest():
        inputs = OwnFile(str(tmp_path / "own.py"))
        return run_code(ArmInputs(normalization="own", inputs=inputs)).digest()

    (tmp_path / "own.py").write_text(OWN)
    before = digest()
    (tmp_path / "own.py").write_text(OWN + "# a thought")
    assert digest() != before


def test_the_published_third_pipeline_alone_sees_larger_images(data, tmp_path):
    few = SHORT | {"train_images": 4, "batch_size": 2, "normalization": "published_meanstd"}
    run = trained(tmp_path, data.images, data.manifest, **few)
    manifest = read(run.manifest)
    assert manifest["first_batch"]["shape"] == [2, 3, 224, 224]
    assert manifest["status"] == {"state": "OK"}


@pytest.mark.parametrize(
    ("start", "kurtosis"), [("scratch_uniform", -1.2), ("scratch_laplace", 3.0)]
)
def test_other_laws_of_the_same_variance_are_drawn_and_trained(data, tmp_path, start, kurtosis):
    run = processed(tmp_path, trained(tmp_path, data.images, data.manifest, start=start, **SHORT))
    first, last = weights(run, DEEP).reshape(2, -1)
    assert stats.kurtosis(first) == pytest.approx(kurtosis, abs=0.1)
    assert first.std() == pytest.approx(np.sqrt(2 / 1280), rel=0.01)
    assert not np.array_equal(first, last)
    table = pd.read_parquet(run.measures)
    measured = table[table["layer"] == DEEP].set_index("epoch")
    assert measured.loc[0, "excess_kurtosis"] == pytest.approx(stats.kurtosis(first), rel=1e-5)


@pytest.mark.parametrize("start", ["scratch_head", "pretrained_head"])
def test_training_of_the_head_leaves_every_convolution_as_it_was(data, pretrained, tmp_path, start):
    begin = pretrained.weights if start.startswith("pretrained") else None
    run = trained(tmp_path, data.images, data.manifest, begin, start=start, **SHORT | {"epochs": 2})
    for layer in (LAYER, DEEP):
        first, *later = weights(run, layer)
        assert all(np.array_equal(first, after) for after in later)
    assert {float(row["displacement"]) for row in rows(run.layers)} == {0.0}
    manifest = read(run.manifest)
    assert not manifest["checks"]["moved"]
    assert manifest["digests"]["initial_weights"] != manifest["digests"]["final_weights"]
    history = rows(run.history)
    assert float(history[-1]["train_loss"]) != float(history[0]["train_loss"])
