from __future__ import annotations

import csv

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.linear_model import RidgeClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from normreport.config.training import OptimizerSettings
from normreport.errors import WeightsError
from normreport.io.files import array_digest
from normreport.normalizations import normalize
from normreport.stages import train_run
from normreport.stages.train_run import check_run
from normreport.training.images import normalize_split
from normreport.training.loop import Diverged
from normreport.training.networks import build
from normreport.training.probe import PENALTY
from normreport.training.seeds import epoch_order
from normreport.training.state import Epoch
from tests.stages.conftest import LAYER, processed, read, trained


def rows(path):
    with path.open() as stream:
        return list(csv.DictReader(stream))


def test_a_run_leaves_its_weights_its_history_and_its_manifest(runs):
    run = runs[2]
    manifest = read(run.manifest)
    assert manifest["run"] == {
        "model": "mobilenet_v2",
        "start": "scratch",
        "normalization": "unit",
        "seed": 0,
    }
    assert manifest["status"] == {"state": "OK"}
    assert manifest["epochs"] == 2
    assert load_file(run.snapshots)[LAYER].shape == (3, 32, 3, 3, 3)
    history = rows(run.history)
    assert [row["epoch"] for row in history] == ["0", "1", "2"]
    assert history[0]["batch_loss"] == ""
    assert float(history[-1]["train_loss"]) == manifest["final"]["train_loss"]
    layers = rows(run.layers)
    assert len(layers) == 3 * 52
    assert {float(row["displacement"]) for row in layers if row["epoch"] == "0"} == {0.0}


def test_all_held_out_images_are_evaluated_at_both_ends_and_few_after_every_epoch(
    runs, data, tmp_path
):
    """With 20 held-out images the default of 24 evaluates all of them after every epoch."""
    few = trained(tmp_path, data.images, data.manifest, epoch_heldout_images=5)
    all_rows, few_rows = rows(runs[2].history), rows(few.history)
    assert {row["heldout_images"] for row in all_rows} == {"20"}
    assert {row["heldout_images"] for row in few_rows} == {"5"}
    manifest = read(few.manifest)
    assert manifest["images"] == {"train": 32, "heldout": 20, "epoch_heldout": 5}
    for end, row in (("initial", all_rows[0]), ("final", all_rows[-1])):
        assert manifest["heldout"][end] == {
            "loss": float(row["heldout_loss"]),
            "accuracy": float(row["heldout_accuracy"]),
            "images": 20,
        }
    images = normalize_split(load_file(data.images), "heldout", "unit").first(5)
    network = build(
        "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=0
    )
    with torch.no_grad():
        logits = network.module.eval()(images.inputs)
    expected = torch.nn.functional.cross_entropy(logits, images.labels).item()
    assert float(few_rows[0]["heldout_loss"]) == pytest.approx(expected, rel=1e-5)
    assert [row["train_loss"] for row in few_rows] == [row["train_loss"] for row in all_rows]


def test_the_probe_of_a_run_is_that_of_its_start(runs, data):
    sets = [
        normalize_split(load_file(data.images), split, "unit") for split in ("train", "heldout")
    ]
    network = build(
        "mobilenet_v2", classes=10, image_size_px=32, optimizer=OptimizerSettings(), seed=0
    )
    features = []
    network.module.classifier[1].register_forward_pre_hook(
        lambda layer, inputs: features.append(inputs[0].double().numpy())
    )
    with torch.no_grad():
        for images in sets:
            network.module.eval()(images.inputs)
    reference = make_pipeline(StandardScaler(), RidgeClassifier(alpha=PENALTY))
    reference.fit(features[0], sets[0].labels)
    expected = reference.score(features[1], sets[1].labels)
    assert read(runs[2].manifest)["heldout"]["probe_accuracy"] == pytest.approx(expected)


def test_a_run_diverges_if_only_the_final_evaluation_is_not_finite(data, tmp_path, monkeypatch):
    def diverge(state, images):
        raise Diverged(state.step, "the held-out loss")

    monkeypatch.setattr(train_run, "evaluate_all", diverge)
    manifest = read(trained(tmp_path, data.images, data.manifest, epochs=1).manifest)
    assert manifest["status"] == {"state": "DIVERGED", "step": 2, "what": "the held-out loss"}
    assert manifest["heldout"]["initial"]["images"] == 20
    assert manifest["heldout"]["final"] is None
    assert not manifest["checks"]["finite"]


def test_layer_summaries_are_those_of_the_kept_weights(runs):
    weights = load_file(runs[3].snapshots)[LAYER].astype(np.float64)
    row = next(row for row in rows(runs[3].layers) if row["layer"] == LAYER and row["epoch"] == "2")
    change = np.linalg.norm(weights[2] - weights[0]) / np.linalg.norm(weights[0])
    assert float(row["displacement"]) == pytest.approx(change, rel=1e-9)
    assert float(row["std"]) == pytest.approx(weights[2].std(ddof=1), rel=1e-9)


def test_arms_share_initial_weights_and_order_and_differ_in_the_first_batch(runs, data):
    unit, imagenet = read(runs[2].manifest), read(runs[3].manifest)
    assert unit["digests"]["initial_weights"] == imagenet["digests"]["initial_weights"]
    assert unit["digests"]["order"] == imagenet["digests"]["order"]
    assert unit["digests"]["final_weights"] != imagenet["digests"]["final_weights"]
    images = load_file(data.images)["train_images"]
    batch = normalize(images[epoch_order(0, 1, 32)[:16]], "imagenet").astype(np.float64)
    assert imagenet["first_batch"]["mean"] == pytest.approx(batch.mean(), rel=1e-9)
    assert imagenet["first_batch"]["std"] == pytest.approx(batch.std(ddof=1), rel=1e-9)
    assert imagenet["first_batch"]["dtype"] == "float32"
    assert imagenet["first_batch"]["shape"] == [16, 3, 32, 32]


def test_a_pretrained_run_begins_with_the_pretrained_weights(runs, pretrained):
    first = load_file(runs[0].snapshots)[LAYER][0]
    assert np.array_equal(first, load_file(pretrained.weights)[f"{LAYER[:-2]}.0.weight"])
    assert read(runs[0].manifest)["digests"]["pretrained"] is not None


def test_the_same_run_again_has_the_same_bytes(runs, data, tmp_path):
    again = trained(tmp_path, data.images, data.manifest)
    for name in ("snapshots", "history", "layers", "manifest"):
        assert getattr(again, name).read_bytes() == getattr(runs[2], name).read_bytes(), name


def test_a_diverged_run_keeps_its_last_finite_weights_and_says_when(data, tmp_path):
    run = trained(
        tmp_path,
        data.images,
        data.manifest,
        model="vgg11",
        architecture="vgg11",
        layers=["features.0"],
        normalization="raw",
        optimizer={"name": "sgd"},
        learning_rate=0.5,
        epochs=30,
    )
    manifest = read(run.manifest)
    assert manifest["status"]["state"] == "DIVERGED"
    assert manifest["status"]["step"] >= 1
    assert not manifest["checks"]["finite"]
    assert manifest["heldout"]["initial"]["images"] == 20
    assert 0 <= manifest["heldout"]["probe_accuracy"] <= 1
    assert manifest["heldout"]["final"] is None
    weights = load_file(run.snapshots)["features.0"]
    assert np.isfinite(weights).all()
    assert len(weights) == manifest["epochs"] + 1 < 31
    assert {row["status"] for row in rows(run.history)} == {"DIVERGED"}
    measured = pd.read_parquet(processed(tmp_path, run).measures)
    assert len(measured) == len(weights)
    assert np.isfinite(measured["std"]).all()


@pytest.mark.parametrize(
    ("is_finite", "loss", "learned"), [(True, 2.0, True), (True, 2.1, False), (False, 0.1, False)]
)
def test_a_run_has_learned_if_it_ended_with_a_loss_below_nine_tenths_of_chance(
    is_finite, loss, learned
):
    """Nine tenths of ln 10 = 2.303 are 2.072."""
    last = Epoch(1, 0.1, loss, loss, 0.5, loss, 0.5, 1.0)
    assert check_run([last], [], 10, is_finite=is_finite).learned is learned


def test_a_layer_that_is_not_there_is_named_with_its_neighbour(data, tmp_path):
    with pytest.raises(
        WeightsError, match=r"no convolution or linear layer 'feature\.0\.0'.*'features\.0\.0'"
    ):
        trained(tmp_path, data.images, data.manifest, layers=["feature.0.0"])
    assert list(tmp_path.iterdir()) == []


def test_the_manifest_describes_the_arrays_that_were_trained_on(runs, data):
    digests = read(runs[2].manifest)["digests"]["data"]
    for name, array in load_file(data.images).items():
        assert digests[name] == array_digest(array)
