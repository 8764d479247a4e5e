from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from normreport.errors import ConfigError, WeightsError
from normreport.io.files import canonical_json, file_digest
from normreport.stages import pretrain_model
from normreport.training import torchvision_weights
from tests.stages.conftest import FIT, read


def settings(**changes):
    return canonical_json({**FIT, "weights": "train", "normalization": "imagenet", **changes})


def fetched(weights):
    return canonical_json(
        {"model": "mobilenet_v2", "architecture": "mobilenet_v2", "weights": weights}
    )


def test_weights_that_are_trained_here_come_with_their_history(pretrained):
    manifest = read(pretrained.manifest)
    assert manifest["origin"]["kind"] == "trained"
    assert manifest["origin"]["settings"]["epochs"] == 1
    history = manifest["origin"]["history"]
    assert [row["epoch"] for row in history] == [0, 1]
    # There are 20 held-out images, and the default evaluates 24 after every epoch.
    assert manifest["origin"]["evaluation"] == {
        "loss": history[-1]["heldout_loss"],
        "accuracy": history[-1]["heldout_accuracy"],
        "images": 20,
    }
    assert manifest["digests"]["weights"] == file_digest(pretrained.weights)
    state = load_file(pretrained.weights)
    assert state["features.0.0.weight"].shape == (32, 3, 3, 3)
    assert state["features.0.1.num_batches_tracked"] == 2


def test_a_pretraining_evaluates_few_images_per_epoch_and_all_at_the_end(
    pretrained, data, tmp_path
):
    manifest = tmp_path / "m.json"
    pretrain_model.run(
        settings=settings(epochs=1, epoch_heldout_images=5),
        images=data.images,
        weights=tmp_path / "weights.safetensors",
        manifest=manifest,
        checkpoints=tmp_path / "checkpoints",
    )
    few, every = read(manifest), read(pretrained.manifest)
    assert few["digests"]["weights"] == every["digests"]["weights"]
    assert few["origin"]["evaluation"] == every["origin"]["evaluation"]
    for name in ("train_accuracy", "heldout_accuracy"):
        fifths = [5 * row[name] for row in few["origin"]["history"]]
        assert fifths == [round(value) for value in fifths]


def test_a_checkpoint_becomes_the_same_weights(pretrained, tmp_path):
    checkpoint = tmp_path / "mobilenet_v2.pth"
    state = load_file(pretrained.weights)
    torch.save(
        {"state_dict": {f"module.{name}": value for name, value in state.items()}}, checkpoint
    )
    weights = tmp_path / "weights.safetensors"
    pretrain_model.run(
        settings=fetched(str(checkpoint)),
        images=None,
        weights=weights,
        manifest=tmp_path / "m.json",
        checkpoints=tmp_path / "checkpoints",
    )
    found = load_file(weights)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)
    manifest = read(tmp_path / "m.json")
    assert manifest["origin"] == {
        "kind": "fetched",
        "settings": {
            "model": "mobilenet_v2",
            "architecture": "mobilenet_v2",
            "weights": str(checkpoint),
        },
        "file": file_digest(checkpoint),
        "preprocessing": None,
        "unwrapping": {"entry": "state_dict", "prefix": "module.", "others": []},
    }


def test_published_weights_come_with_their_file_and_its_preprocessing(
    pretrained, tmp_path, monkeypatch
):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    published = torchvision_weights.find_weights("mobilenet_v2", "IMAGENET1K_V1")
    cached = tmp_path / "hub/checkpoints" / Path(published.url).name
    cached.parent.mkdir(parents=True)
    torch.save(load_file(pretrained.weights), cached)
    pretrain_model.run(
        settings=fetched("IMAGENET1K_V1"),
        images=None,
        weights=tmp_path / "weights.safetensors",
        manifest=tmp_path / "m.json",
        checkpoints=tmp_path / "checkpoints",
    )
    origin = read(tmp_path / "m.json")["origin"]
    assert origin["settings"]["weights"] == "IMAGENET1K_V1"
    assert origin["file"] == file_digest(cached)
    assert origin["preprocessing"]["mean"] == [0.485, 0.456, 0.406]
    assert origin["unwrapping"] is None


def test_weights_that_torchvision_does_not_have_are_named(tmp_path):
    with pytest.raises(WeightsError, match="Did you mean 'IMAGENET1K_V1'"):
        pretrain_model.run(
            settings=fetched("IMAGENET_V1"),
            images=None,
            weights=tmp_path / "w",
            manifest=tmp_path / "m",
            checkpoints=tmp_path / "checkpoints",
        )


def test_a_pretraining_that_diverges_is_no_start(data, tmp_path):
    vgg = {"architecture": "vgg11", "model": "vgg11"}
    hopeless = settings(learning_rate=100, optimizer={"name": "sgd"}, **vgg)
    with pytest.raises(ConfigError, match=r"models\.vgg11\.pretraining: .* is not finite .* Lower"):
        pretrain_model.run(
            settings=hopeless,
            images=data.images,
            weights=tmp_path / "w",
            manifest=tmp_path / "m",
            checkpoints=tmp_path / "checkpoints",
        )
    assert not (tmp_path / "w").exists()
    assert not (tmp_path / "m").exists()
