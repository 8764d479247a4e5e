"""Checkpoints as people have them: the weights in them are found, or a message says why not."""

from __future__ import annotations

import argparse
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.swa_utils import AveragedModel

from normreport.config.manifests import Unwrapping
from normreport.errors import WeightsError
from normreport.training.checkpoint_files import describe_unwrapping, read_checkpoint
from normreport.training.pretrained_weights import StateDict, load_backbone
from normreport.training.weights_files import weights_file
from tests.training.helpers import Bomb, copy_state, equal_states, tiny_network

NETWORK = tiny_network()
WHOLE = Unwrapping(entry="", prefix="", others=())


@pytest.fixture
def weights() -> StateDict:
    return copy_state(tiny_network(seed=1))


def read(path: Path) -> tuple[StateDict, Unwrapping]:
    return read_checkpoint(path, NETWORK.module, head=NETWORK.head)


def saved(folder: Path, content: Any, name: str = "a.pth", **options: Any) -> Path:
    path = folder / name
    torch.save(content, path, **options)
    return path


# Files


@pytest.mark.parametrize(
    "name", ["a.pth", "a.pt", "a.PTH", "a.pth.tar", "a.ckpt", "a.bin", "model_best", "a.b/c"]
)
def test_a_file_of_pytorch_has_any_suffix(tmp_path: Path, weights: StateDict, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for zipped in (True, False):
        path = saved(tmp_path, weights, name, _use_new_zipfile_serialization=zipped)
        found, unwrapping = read(path)
        assert equal_states(found, weights)
        assert unwrapping == WHOLE


@pytest.mark.parametrize("name", ["a.safetensors", "a.SafeTensors", "a.bin", "a"])
def test_a_file_of_safetensors_has_any_suffix(
    tmp_path: Path, weights: StateDict, name: str
) -> None:
    save_file(weights, tmp_path / name)
    assert equal_states(read(tmp_path / name)[0], weights)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "run git lfs pull"),
        (b"\n<!DOCTYPE html><html>Not found</html>", "it is a web page"),
        (b'{"weight_map": {}}', ""),
        (b"not a checkpoint" * 40, ""),
        (b"\x80\x02", ""),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_reason(
    tmp_path: Path, content: bytes, why: str
) -> None:
    path = tmp_path / "a.pth"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match=re.escape(f"{path}: ") + rf".*cannot be read.*{why}"):
        read(path)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"a\.pth: this checkpoint does not exist\. Put the file"
    ):
        read(tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="expected a checkpoint, found a folder"):
        read(tmp_path)


def test_a_path_begins_at_the_home_folder_and_names_of_torchvision_are_no_paths(
    tmp_path: Path, weights: StateDict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    saved(tmp_path, weights, "x.PTH")
    path = weights_file("~/x.PTH")
    assert path == tmp_path / "x.PTH"
    assert equal_states(read(path)[0], weights)
    assert weights_file("folder/model") == Path("folder/model")
    assert weights_file("model_best.pth.tar") == Path("model_best.pth.tar")
    for name in ("train", "IMAGENET1K_V1", "IMAGENET1K_SWAG_E2E_V1", "DEFAULT", "IMAGENET1K-V1"):
        assert weights_file(name) is None


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_truncated_file_is_named(
    tmp_path: Path, weights: StateDict, share: float, zipped: bool
) -> None:
    path = saved(tmp_path, weights, _use_new_zipfile_serialization=zipped)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(WeightsError, match=re.escape(f"{path}: ")):
        read(path)


# Wrappers and prefixes

ENTRIES = ["state_dict", "model_state_dict", "model", "net", "weights", "params", "ema.module"]
PREFIXES = ["module.", "_orig_mod.", "model.", "backbone.", "module._orig_mod.model.", "x.y.z."]


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_only_state_dictionary_of_a_training_checkpoint_is_read(
    tmp_path: Path, weights: StateDict, entry: str
) -> None:
    content: Any = weights
    for key in reversed(entry.split(".")):
        content = {key: content, "epoch": 3, "args": {"lr": 0.1}, "best": [1.0, None]}
    optimizer = torch.optim.Adam(tiny_network().module.parameters())
    sum(p.sum() for p in optimizer.param_groups[0]["params"]).backward()
    optimizer.step()
    content |= {"optimizer": optimizer.state_dict(), "scaler": {"scale": torch.ones(())}}
    found, unwrapping = read(saved(tmp_path, content))
    assert equal_states(found, weights)
    assert unwrapping == Unwrapping(entry=entry, prefix="", others=())


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("entry", ["", "state_dict"])
def test_a_prefix_is_removed_and_named(
    tmp_path: Path, weights: StateDict, prefix: str, entry: str
) -> None:
    content: Any = {f"{prefix}{name}": value for name, value in weights.items()}
    path = saved(tmp_path, {entry: content, "epoch": 1} if entry else content)
    found, unwrapping = read(path)
    assert equal_states(found, weights)
    kept = prefix.replace("_orig_mod.", "")  # a wrapper that may be anywhere in a name
    assert unwrapping == Unwrapping(entry=entry, prefix=kept, others=())
    described = describe_unwrapping(path, unwrapping)
    assert (f"the entry {entry}" if entry else "the whole file") in described
    assert (f"the prefix {kept}" in described) == bool(kept)


def test_a_compiled_part_of_a_network_is_read(tmp_path: Path) -> None:
    network = tiny_network(seed=1)
    expected = copy_state(network)
    features = network.module.get_submodule("features")
    features[0] = torch.compile(features[0])
    assert any("_orig_mod" in name for name in network.module.state_dict())
    path = saved(tmp_path, network.module.state_dict())
    assert equal_states(read(path)[0], expected)


def test_an_averaged_model_is_read_and_its_counter_left_out(tmp_path: Path) -> None:
    network = tiny_network(seed=1)
    averaged = AveragedModel(network.module)
    averaged.update_parameters(network.module)
    found, unwrapping = read(saved(tmp_path, averaged.state_dict()))
    assert equal_states(found, copy_state(network))
    assert unwrapping == Unwrapping(entry="", prefix="module.", others=("n_averaged",))


def test_the_rest_of_a_larger_model_is_left_out_and_named(
    tmp_path: Path, weights: StateDict
) -> None:
    larger = {f"backbone.{name}": value for name, value in weights.items()}
    path = saved(tmp_path, larger | {"decoder.weight": torch.ones(2), "loss.weight": torch.ones(3)})
    found, unwrapping = read(path)
    assert equal_states(found, weights)
    assert unwrapping.others == ("decoder.weight", "loss.weight")
    assert "without 2 other tensors" in describe_unwrapping(path, unwrapping)


def test_the_last_layer_and_old_counters_may_be_missing(tmp_path: Path, weights: StateDict) -> None:
    few = {name: value for name, value in weights.items()
           if "num_batches" not in name and not name.startswith(NETWORK.head)}  # fmt: skip
    assert equal_states(read(saved(tmp_path, {"net": few}))[0], few)


def test_several_networks_in_a_file_are_listed(tmp_path: Path, weights: StateDict) -> None:
    other = {name: value + 1 for name, value in weights.items()}
    queries = {f"encoder_q.{name}": value for name, value in weights.items()}
    keys = {f"encoder_k.{name}": value for name, value in other.items()}
    for content, names in (
        ({"model": weights, "model_ema": other}, ("the entry model; ", "the entry model_ema.")),
        ({"state_dict": queries | keys}, ("prefix encoder_q.; ", "prefix encoder_k.")),
    ):
        with pytest.raises(WeightsError, match="the weights of one network, found 2") as caught:
            read(saved(tmp_path, content))
        assert all(name in str(caught.value) for name in names)
        assert 'torch.save(torch.load("a.pth")["' in str(caught.value)


def test_the_same_network_twice_in_a_file_is_read(tmp_path: Path, weights: StateDict) -> None:
    found, unwrapping = read(saved(tmp_path, {"model": weights, "best": copy_of(weights)}))
    assert equal_states(found, weights)
    assert unwrapping.entry == "model"


def copy_of(state: StateDict) -> StateDict:
    return {name: value.clone() for name, value in state.items()}


def test_the_nearest_dictionary_is_compared_with_the_network(
    tmp_path: Path, weights: StateDict
) -> None:
    del weights["features.0.bias"]
    inner = {f"module.{name}": value for name, value in weights.items()}
    path = saved(tmp_path, {"other": {"a.b": torch.ones(1)}, "net": inner})
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path} (the entry net, prefix module.): 1 weights do not")
    assert "missing features.0.bias" in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [torch.zeros(3), [torch.zeros(3)], {"a": torch.zeros(3), "lr": 0.1}, {1: torch.zeros(3)}, {}],
    ids=["tensor", "list", "numbers", "numbered", "nothing"],
)
def test_a_checkpoint_without_named_weights_is_refused(tmp_path: Path, content: Any) -> None:
    with pytest.raises(WeightsError, match="expected a dictionary of tensors"):
        read(saved(tmp_path, content))


# Values


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_weights_of_any_precision_are_read_as_fp32_without_gradients(
    tmp_path: Path, weights: StateDict, dtype: torch.dtype
) -> None:
    other = {
        name: nn.Parameter(value.to(dtype)) if value.is_floating_point() else value
        for name, value in weights.items()
    }
    found, _ = read(saved(tmp_path, other))
    for name, value in found.items():
        if weights[name].is_floating_point():
            assert value.dtype == torch.float32
            assert np.array_equal(value.numpy(), weights[name].to(dtype).float().numpy())
        else:
            assert torch.equal(value, weights[name])


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        (lambda value: value.to(torch.int8), r"integers \(int8\)"),
        (lambda value: value > 0, r"integers \(bool\)"),
        (lambda value: value.to(torch.complex64), r"complex numbers \(complex64\)"),
        (lambda value: value.to_sparse(), r"a sparse array \(float32\)"),
        (lambda value: value.to("meta"), r"no numbers \(float32\)"),
    ],
)
def test_values_that_are_no_weights_are_refused(
    tmp_path: Path, weights: StateDict, changed: Callable[[torch.Tensor], torch.Tensor], what: str
) -> None:
    weights["features.0.weight"] = changed(weights["features.0.weight"])
    with pytest.raises(
        WeightsError, match=rf"features\.0\.weight: expected floating.*found {what}"
    ):
        read(saved(tmp_path, weights))


# Content that is not data


@pytest.mark.parametrize(
    ("extra", "reason"),
    [
        (np.float64(0.5), "numpy"),
        (argparse.Namespace(lr=0.1), "argparse.Namespace"),
        (Path("a"), "pathlib"),
        (nn.Linear(1, 1), "torch.nn.modules.linear.Linear"),
    ],
)
def test_a_checkpoint_with_other_objects_is_refused_with_the_whole_reason(
    tmp_path: Path, weights: StateDict, extra: Any, reason: str
) -> None:
    path = saved(tmp_path, {"model": weights, "extra": extra})
    with pytest.raises(WeightsError) as caught:
        read(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: this checkpoint cannot be read safely (")
    assert reason in message
    assert "\x1b" not in message
    assert "\n" not in message
    assert "weights_only" not in message.partition("If you trust the file")[0].partition("(")[0]


def test_a_checkpoint_with_code_raises_and_executes_nothing(
    tmp_path: Path, weights: StateDict
) -> None:
    sign = tmp_path / "sign"
    path = saved(tmp_path, {"state_dict": weights, "extra": Bomb(sign)})
    torch.load(path, weights_only=False)
    assert sign.exists()  # the bomb is live
    sign.unlink()
    with pytest.raises(WeightsError, match=re.escape(str(path)) + ".*cannot be read safely"):
        read(path)
    assert not sign.exists()


def test_a_bare_pickle_with_code_raises_and_executes_nothing(tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    path = tmp_path / "a.pt"
    path.write_bytes(pickle.dumps(Bomb(sign)))
    with pytest.raises(WeightsError, match="cannot be read safely"):
        read(path)
    assert not sign.exists()


def test_what_was_read_can_be_loaded(tmp_path: Path, weights: StateDict) -> None:
    path = saved(tmp_path, {"net": {f"module.{name}": v for name, v in weights.items()}})
    network = tiny_network()
    load_backbone(network.module, read(path)[0], head=network.head)
    assert torch.equal(copy_state(network)["features.0.weight"], weights["features.0.weight"])
