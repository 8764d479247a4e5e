from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from http.client import IncompleteRead
from pathlib import Path
from typing import Any, NoReturn
from urllib.error import URLError

import pytest
import torch
import torchvision

from normreport.errors import WeightsError
from normreport.training.pretrained_weights import StateDict
from normreport.training.torchvision_weights import (
    find_weights,
    published_preprocessing,
    read_weights,
)
from tests.training.helpers import Bomb, build_network, equal_states


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give torchvision an empty cache and no internet connection."""

    def offline(*_: Any, **__: Any) -> NoReturn:
        raise URLError("[Errno -3] Temporary failure in name resolution")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "urlopen", offline)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    return folder


def cached_file(cache: Path, model: str) -> Path:
    weights = torchvision.models.get_model_weights(model)["IMAGENET1K_V1"]
    return cache / Path(weights.url).name


def test_unknown_weights_raise_and_suggest_similar_ones() -> None:
    message = (
        r"pretraining\.weights: torchvision has no weights 'IMAGENET1K_V9' for mobilenet_v2\. "
        r"Did you mean 'IMAGENET1K_V[12]'\? .*Or give the path of a checkpoint, or 'train'\."
    )
    with pytest.raises(WeightsError, match=message):
        read_weights("mobilenet_v2", "IMAGENET1K_V9")


@pytest.mark.usefixtures("cache")
def test_find_weights_downloads_nothing() -> None:
    assert find_weights("resnet18", "IMAGENET1K_V1").url.endswith(".pth")


def test_every_published_file_name_ends_in_its_checksum() -> None:
    names = [
        Path(weights.url).name
        for model in torchvision.models.list_models(torchvision.models)
        if not model.startswith("vgg_narrow")
        for weights in torchvision.models.get_model_weights(model)
    ]
    assert len(names) > 90
    assert [name for name in names if not re.search(r"-[0-9a-f]{8,}\.pth$", name)] == []


def test_a_failed_download_says_where_to_put_the_file(cache: Path) -> None:
    with pytest.raises(WeightsError) as caught:
        read_weights("resnet18", "IMAGENET1K_V1")
    message = str(caught.value)
    assert message.startswith("pretraining.weights: IMAGENET1K_V1 of resnet18 could not be")
    assert "Temporary failure in name resolution" in message
    assert f"put the file at {cached_file(cache, 'resnet18')}." in message


def test_a_refused_connection_ends_with_status_2_and_one_message(tmp_path: Path) -> None:
    """A proxy that listens on no port refuses every connection."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{unused.getsockname()[1]}"
        settings = {"model": "small", "architecture": "mobilenet_v2", "weights": "IMAGENET1K_V1"}
        paths = {
            name: str(tmp_path / "out" / name) for name in ("weights", "manifest", "checkpoints")
        }
        options = [part for name, path in paths.items() for part in (f"--{name}", path)]
        ended = subprocess.run(
            [sys.executable, "-m", "normreport", "pretrain_model", "--settings",
             json.dumps(settings), *options],
            env=os.environ | {"https_proxy": proxy, "no_proxy": "", "TORCH_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )  # fmt: skip
    assert ended.returncode == 2
    (message,) = ended.stderr.splitlines()
    name = "mobilenet_v2-b0353104.pth"
    assert message.startswith(
        "normreport pretrain_model: pretraining.weights: IMAGENET1K_V1 of mobilenet_v2 could not be"
    )
    assert "Connection refused" in message
    assert f"download https://download.pytorch.org/models/{name} on another machine" in message
    assert f"put the file at {tmp_path / 'hub' / 'checkpoints' / name}." in message
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_connection_that_breaks_is_a_failed_download(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: Any) -> NoReturn:
        raise IncompleteRead(b"half of a file")

    monkeypatch.setattr(torch.hub, "urlopen", breaks)
    with pytest.raises(WeightsError, match="resnet18 could not be downloaded"):
        read_weights("resnet18", "IMAGENET1K_V1")
    assert list(cache.iterdir()) == []


def test_a_cached_file_is_used_offline(cache: Path) -> None:
    with torch.device("cpu"):
        expected = torchvision.models.mobilenet_v2(weights=None).state_dict()
    torch.save(expected, cached_file(cache, "mobilenet_v2"))
    assert equal_states(read_weights("mobilenet_v2", "IMAGENET1K_V1"), expected)


def test_a_cached_file_with_code_raises_and_executes_nothing(cache: Path, tmp_path: Path) -> None:
    sign = tmp_path / "sign"
    torch.save({"a": torch.zeros(1), "b": Bomb(sign)}, cached_file(cache, "resnet18"))
    with pytest.raises(WeightsError, match=re.escape(str(cached_file(cache, "resnet18")))):
        read_weights("resnet18", "IMAGENET1K_V1")
    assert not sign.exists()


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>"])
def test_a_damaged_cached_file_raises_an_error_with_its_path(cache: Path, content: bytes) -> None:
    path = cached_file(cache, "resnet18")
    path.write_bytes(content)
    with pytest.raises(
        WeightsError, match=re.escape(str(path)) + ".* Delete the file to download it again"
    ):
        read_weights("resnet18", "IMAGENET1K_V1")


def test_a_damaged_download_raises_and_is_not_kept(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "served").write_bytes(b"half of a file")
    monkeypatch.setattr(
        torch.hub, "urlopen", lambda _: urllib.request.urlopen((tmp_path / "served").as_uri())
    )
    with pytest.raises(WeightsError, match="IMAGENET1K_V1 of resnet18 could not be downloaded"):
        read_weights("resnet18", "IMAGENET1K_V1")
    assert not cached_file(cache, "resnet18").exists()


def test_the_preprocessing_equals_torchvisions_transforms() -> None:
    found = published_preprocessing("vgg16", "IMAGENET1K_V1")
    assert (found.resize_px, found.crop_px) == (256, 224)
    images = torch.rand(2, 3, 300, 300, generator=torch.Generator().manual_seed(0))
    expected = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms()(images)
    cropped = torchvision.models.VGG16_Weights.IMAGENET1K_V1.transforms(
        mean=[0.0] * 3, std=[1.0] * 3
    )(images)
    mean, std = (torch.tensor(getattr(found, key)).view(3, 1, 1) for key in ("mean", "std"))
    torch.testing.assert_close((cropped - mean) / std, expected)


def test_the_preprocessing_of_googlenet_includes_transform_input() -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    imagenet, own = (
        published_preprocessing(model, "IMAGENET1K_V1") for model in ("vgg16", "googlenet")
    )
    stock = torchvision.models.googlenet(transform_input=True, init_weights=False)
    mean, std = (torch.tensor(getattr(imagenet, key)).view(3, 1, 1) for key in ("mean", "std"))
    expected = stock._transform_input((images - mean) / std)
    mean, std = (torch.tensor(getattr(own, key)).view(3, 1, 1) for key in ("mean", "std"))
    torch.testing.assert_close((images - mean) / std, expected)


def without_batch_counters(state: StateDict) -> StateDict:
    # Files from 2017, such as vgg16_bn-6c64b313.pth, lack this buffer.
    return {name: v for name, v in state.items() if not name.endswith("num_batches_tracked")}


def with_dotted_names(state: StateDict) -> StateDict:
    # densenet121-a639ec97.pth has norm.1 where the module is norm1; torchvision renames.
    pattern = re.compile(r"(denselayer\d+\.(?:norm|conv))([12]\.)")
    state = without_batch_counters(state)
    return {pattern.sub(r"\1.\2", name): value for name, value in state.items()}


def with_auxiliary_classifiers(state: StateDict) -> StateDict:
    assert any(name.startswith("aux1.") for name in state)
    return state


@pytest.mark.filterwarnings("ignore:The default weight initialization:FutureWarning")
@pytest.mark.parametrize(
    ("model", "published"),
    [
        ("resnet18", without_batch_counters),
        ("densenet121", with_dotted_names),
        ("googlenet", with_auxiliary_classifiers),
    ],
)
def test_published_files_load_as_in_torchvision(
    cache: Path, model: str, published: Callable[[StateDict], StateDict]
) -> None:
    torch.manual_seed(1)
    state = torchvision.models.get_model(model, weights=None).state_dict()
    torch.save(published(state), cached_file(cache, model))
    reference = torchvision.models.get_model(model, weights="IMAGENET1K_V1").state_dict()
    found = read_weights(model, "IMAGENET1K_V1")
    network = build_network(model, pretrained=found)
    for name, value in network.module.state_dict().items():
        if not name.startswith(f"{network.head}."):
            assert torch.equal(value, reference[name]), name
