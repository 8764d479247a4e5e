from __future__ import annotations

import os
import sys
from importlib import metadata
from typing import Any, NoReturn

import pytest
import torch
from torch import nn

from normreport.errors import ConfigError
from normreport.training.devices import find_device, make_deterministic, training_environment
from normreport.training.networks import Network
from normreport.training.pooling import AveragePool
from normreport.training.state import TrainingState
from tests.training.helpers import (
    Arrays,
    fit_settings,
    image_sets,
    small_network,
    train_from_scratch,
)

CUDA = torch.device("cuda")


def test_versions_equal_those_of_the_installed_packages() -> None:
    found = training_environment(torch.device("cpu"))
    assert found["numpy"] == metadata.version("numpy")
    for name in ("torch", "torchvision"):
        assert found[name].split("+")[0] == metadata.version(name).split("+")[0]
    assert found["python"] == ".".join(str(part) for part in sys.version_info[:3])
    assert found["device"] == "cpu"
    assert torch.backends.cpu.get_cpu_capability() in found["processor"].split(", ")
    assert "cuda" not in found


@pytest.mark.parametrize("kernels", ["", "Haswell"])
def test_the_kernels_of_openblas_are_named_if_chosen(
    monkeypatch: pytest.MonkeyPatch, kernels: str
) -> None:
    monkeypatch.setenv("OPENBLAS_CORETYPE", kernels)
    named = "OpenBLAS" in training_environment(torch.device("cpu"))["processor"]
    assert named == bool(kernels)


@pytest.mark.parametrize(("is_there", "expected"), [(False, "cpu"), (True, "cuda")])
def test_auto_chooses_a_gpu_if_available(
    monkeypatch: pytest.MonkeyPatch, is_there: bool, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: is_there)
    assert find_device("auto").type == expected
    assert find_device("cpu").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_missing_device_raises(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    backend = {"cuda": torch.cuda, "mps": torch.backends.mps}[name]
    monkeypatch.setattr(backend, "is_available", lambda: True)
    assert find_device(name).type == name
    monkeypatch.setattr(backend, "is_available", lambda: False)
    with pytest.raises(
        ConfigError, match=rf"^training\.device: .* cannot use the device '{name}' .* to 'cpu' or"
    ):
        TrainingState.begin(small_network(), fit_settings(device=name))


def test_cuda_is_made_deterministic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    for flag in ("benchmark", "allow_tf32"):
        monkeypatch.setattr(torch.backends.cudnn, flag, True)
    network = Network(nn.Sequential(nn.AdaptiveAvgPool2d((7, 7))), "0")
    make_deterministic(network, torch.device("cpu"))
    assert "CUBLAS_WORKSPACE_CONFIG" not in os.environ
    assert torch.backends.cudnn.allow_tf32
    make_deterministic(network, CUDA)
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert not torch.backends.cudnn.benchmark
    assert not torch.backends.cudnn.allow_tf32
    assert isinstance(network.module[0], AveragePool)


@pytest.mark.parametrize("where", ["at the start", "in a step"])
def test_a_full_gpu_raises_an_error_that_names_the_keys_to_lower(
    monkeypatch: pytest.MonkeyPatch, arrays: Arrays, where: str
) -> None:
    text = "CUDA out of memory. Tried to allocate 20.00 MiB. GPU 0 has a total capacity of 1 MiB"

    def full(*_: Any, **__: Any) -> NoReturn:
        raise torch.OutOfMemoryError(text)

    network = small_network()
    monkeypatch.setattr(network.module, "to" if where == "at the start" else "forward", full)
    with pytest.raises(ConfigError) as caught:
        list(train_from_scratch(network, *image_sets(arrays), fit_settings(), seed=0))
    assert str(caught.value) == (
        "models.tiny: training does not fit into the memory of the GPU (CUDA out of memory). "
        "Found a batch_size of 8 and 24 train_images. Lower one of these keys, or start snakemake "
        "with --resources gpu=1 to train one network at a time."
    )


def test_versions_include_the_name_of_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"the {device.type} card")
    found = training_environment(CUDA)
    assert found["device"] == "the cuda card"
    assert found["cuda"] == str(torch.version.cuda)
