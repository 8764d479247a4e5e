from __future__ import annotations

import re
from collections import OrderedDict
from pathlib import Path

import pytest
import torch
from torchvision.models.vision_transformer import VisionTransformer, interpolate_embeddings

from normreport.errors import StorageError, WeightsError
from normreport.io.files import write_arrays
from normreport.training.checkpoint_files import read_checkpoint
from normreport.training.networks import Network, shape_only_network
from normreport.training.pretrained_weights import (
    load_backbone,
    read_state_dict,
)
from tests.training.helpers import (
    build_network,
    copy_state,
    equal_states,
    random_images,
    relative_gap,
)

pytestmark = pytest.mark.usefixtures("narrow_vggs")


@pytest.mark.parametrize(("source", "target"), [(32, 64), (64, 32), (32, 32), (64, 64)])
def test_loading_keeps_the_function_between_folded_and_unfolded_networks(
    source: int, target: int
) -> None:
    trained = build_network(image_size_px=source, seed=1)
    network = build_network(image_size_px=target, seed=2, pretrained=copy_state(trained))
    head = trained.module.get_submodule(trained.head)
    network.module.set_submodule(network.head, head)
    images = random_images()
    with torch.no_grad():
        assert relative_gap(network.module.eval()(images), trained.module.eval()(images)) < 1e-5


def test_unfolding_and_folding_again_restores_the_weights() -> None:
    folded = copy_state(build_network(seed=1))
    unfolded = build_network(seed=2, image_size_px=64, pretrained=folded)
    again = copy_state(build_network(seed=3, pretrained=copy_state(unfolded)))
    for name in folded.keys() - {"classifier.6.weight", "classifier.6.bias"}:
        torch.testing.assert_close(again[name], folded[name], rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("classes", [10, 3, 1000])
def test_the_last_layer_of_pretrained_weights_is_ignored(classes: int) -> None:
    pretrained = copy_state(build_network("mobilenet_v2", classes=classes, seed=1))
    scratch = copy_state(build_network("mobilenet_v2", seed=2))
    found = copy_state(build_network("mobilenet_v2", seed=2, pretrained=pretrained))
    for name, value in found.items():
        expected = scratch if name.startswith("classifier.1.") else pretrained
        assert torch.equal(value, expected[name]), name


def small_vit(size: int) -> Network:
    vit = VisionTransformer(
        image_size=size, patch_size=8, num_layers=1, num_heads=2, hidden_dim=8, mlp_dim=16
    )
    return Network(vit, "heads.head")


def test_position_embeddings_are_interpolated_as_torchvision_does() -> None:
    state = copy_state(small_vit(32))
    positions = state["encoder.pos_embedding"]
    expected = interpolate_embeddings(64, 8, OrderedDict(state))["encoder.pos_embedding"]
    larger, same = small_vit(64), small_vit(32)
    for network in (larger, same):
        load_backbone(network.module, state, head=network.head)
    found, unchanged = copy_state(larger), copy_state(same)
    assert torch.equal(found["encoder.pos_embedding"], expected)
    assert torch.equal(unchanged["encoder.pos_embedding"], positions)
    assert torch.equal(state["encoder.pos_embedding"], positions)
    assert torch.equal(found["conv_proj.weight"], unchanged["conv_proj.weight"])


@pytest.mark.parametrize("shape", [(1, 7, 8), (2, 17, 8), (17, 8), (1, 17, 9)])
def test_position_embeddings_that_cannot_be_interpolated_are_listed(shape: tuple[int, ...]) -> None:
    state = copy_state(small_vit(32)) | {"encoder.pos_embedding": torch.zeros(shape)}
    with pytest.raises(WeightsError, match=r"encoder\.pos_embedding has shape"):
        load_backbone(small_vit(64).module, state, head="heads.head")


def test_pretrained_weights_may_lack_the_last_layer() -> None:
    pretrained = copy_state(build_network(seed=1))
    without = {name: v for name, v in pretrained.items() if not name.startswith("classifier.6.")}
    found = copy_state(build_network(seed=2, pretrained=without))
    assert torch.equal(found["features.0.weight"], pretrained["features.0.weight"])


def test_weights_that_do_not_fit_are_listed() -> None:
    state = copy_state(build_network(seed=1))
    del state["features.0.bias"]
    state["features.99.weight"] = torch.zeros(1)
    state["classifier.3.bias"] = torch.zeros(21)
    with pytest.raises(WeightsError) as caught:
        build_network(pretrained=state)
    message = str(caught.value)
    assert message.startswith("pretrained weights: 3 weights do not fit the network: ")
    assert "missing features.0.bias" in message
    assert "unexpected features.99.weight" in message
    assert "classifier.3.bias has shape (21,), expected (20,)" in message
    assert "only the last layer may differ" in message


def test_a_long_list_of_misfits_is_shortened() -> None:
    state = copy_state(build_network("mobilenet_v2"))
    with pytest.raises(WeightsError, match=r"pretrained weights: \d+ weights do not fit") as caught:
        build_network("vgg_narrow", pretrained=state)
    assert re.search(r"; and \d+ more\. Expected", str(caught.value))
    assert len(str(caught.value)) < 600


def test_a_failed_load_leaves_the_network_unchanged() -> None:
    network = build_network(seed=1)
    before = copy_state(network)
    state = copy_state(build_network(seed=2)) | {"features.0.weight": torch.zeros(1)}
    with pytest.raises(WeightsError):
        load_backbone(network.module, state, head=network.head)
    assert all(torch.equal(value, before[name]) for name, value in copy_state(network).items())


@pytest.mark.parametrize("image_size_px", [32, 64])
def test_weights_are_checked_against_a_network_on_the_meta_device(
    tmp_path: Path, image_size_px: int
) -> None:
    network = shape_only_network("vgg_narrow", image_size_px=image_size_px)
    for size in (32, 64):  # folded and unfolded
        path = tmp_path / f"{size}.pth"
        torch.save(copy_state(build_network(image_size_px=size)), path)
        read_checkpoint(path, network.module, head=network.head)
    other = tmp_path / "other.pth"
    torch.save(copy_state(build_network("vgg_narrow_bn")), other)
    with pytest.raises(
        WeightsError,
        match=re.escape(f"{other} (the whole file): ") + r"\d+ weights do not fit the ",
    ):
        read_checkpoint(other, network.module, head=network.head)


def test_our_file_of_weights_is_read_as_it_was_written(tmp_path: Path) -> None:
    state = copy_state(build_network("mobilenet_v2"))
    write_arrays(tmp_path / "w.safetensors", {name: v.numpy() for name, v in state.items()})
    assert equal_states(read_state_dict(tmp_path / "w.safetensors"), state)


@pytest.mark.parametrize("content", [None, b"", b"not a checkpoint" * 40])
def test_our_file_of_weights_that_is_damaged_is_named(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "w.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StorageError, match=r"w\.safetensors: could not be read .*run snakemake"):
        read_state_dict(path)
