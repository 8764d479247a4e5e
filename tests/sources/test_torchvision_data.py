"""torchvision's data sets, local or downloaded, and their errors."""

from __future__ import annotations

import os
import pickle
import re
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
import pytest
from torchvision import datasets
from torchvision.datasets import utils

from normreport.errors import DataError
from normreport.sources.fingerprint import files_digest
from tests.sources.images import load, settings, write_classes

FAKE = {"size": 30, "image_size": [3, 20, 20], "num_classes": 3}


def source(dataset: str, root: Path | str = "unused", **more: Any) -> dict[str, Any]:
    return {"kind": "torchvision", "dataset": dataset, "root": str(root), **more}


def test_a_data_set_is_created_by_name_with_its_arguments() -> None:
    found = load(source("FakeData", arguments=FAKE), train=20, heldout=10)
    assert found.classes == ("0", "1", "2")
    assert found.train_images.shape == (20, 16, 16, 3)
    again = load(source("FakeData", arguments=FAKE), train=20, heldout=10, threads=7)
    assert np.array_equal(found.train_images, again.train_images)
    assert np.array_equal(found.heldout_images, again.heldout_images)


def test_held_out_images_can_have_other_arguments() -> None:
    both = source(
        "FakeData", arguments=FAKE, heldout_arguments=FAKE | {"size": 6, "random_offset": 99}
    )
    with pytest.raises(DataError, match="heldout_images is 7, but the source has only 6"):
        load(both, train=30, heldout=7)
    found = load(both, train=30, heldout=6)
    trained_on = {image.tobytes() for image in found.train_images}
    assert not trained_on & {image.tobytes() for image in found.heldout_images}


def test_other_classes_in_the_held_out_images_raise(
    cifar: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def renamed(self: Any) -> None:
        self.classes = ["cat", "dog"] if self.train else ["dog", "cat"]

    monkeypatch.setattr(datasets.CIFAR10, "_load_meta", renamed)
    both = source("CIFAR10", cifar, arguments={"train": True}, heldout_arguments={"train": False})
    with pytest.raises(DataError, match=r"CIFAR10: .*found other classes in the held-out images"):
        load(both)


def test_splits_in_place_of_classes_raise(tmp_path: Path) -> None:
    for split in ("Train", "valid"):
        write_classes(tmp_path / split, {"cat": 2, "dog": 2})
    with pytest.raises(DataError, match="found the splits 'Train', 'valid' in place of classes"):
        load(source("ImageFolder", tmp_path))


@pytest.fixture
def cifar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write CIFAR10's files into a root, and return it."""
    folder = tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    generator = np.random.default_rng(0)
    for name, _ in [*datasets.CIFAR10.train_list, *datasets.CIFAR10.test_list]:
        pixels = generator.integers(0, 256, (20, 3072), dtype=np.uint8)
        (folder / name).write_bytes(pickle.dumps({"data": pixels, "labels": [*range(10)] * 2}))
    names = [f"class {i}" for i in range(10)]
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": names}))
    monkeypatch.setattr(
        datasets.cifar, "check_integrity", lambda path, md5=None: Path(path).exists()
    )
    return tmp_path


def test_files_in_the_root_are_not_downloaded(cifar: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(utils, "download_url", None)
    found = load(
        source("CIFAR10", cifar, arguments={"train": True}, heldout_arguments={"train": False}),
        train=100,
        heldout=20,
    )
    assert found.classes[9] == "class 9"
    assert np.bincount(found.heldout_labels).tolist() == [2] * 10


def test_a_failed_download_raises_an_error_with_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: Any, **__: Any) -> None:
        raise URLError("Name or service not known")

    monkeypatch.setattr(datasets.cifar, "download_and_extract_archive", offline)
    with pytest.raises(DataError) as caught:
        load(source("CIFAR10", tmp_path))
    assert str(caught.value).startswith(
        f"torchvision's CIFAR10: could neither be opened in '{tmp_path}' nor downloaded "
        "(<urlopen error Name or service not known>)."
    )


@pytest.mark.parametrize(
    ("dataset", "arguments", "message"),
    [
        ("CIFAR11", {}, "torchvision has no data set 'CIFAR11'. Did you mean 'CIFAR10'?"),
        ("utils", {}, "torchvision has no data set 'utils'."),
        ("FakeData", {"sise": 3}, "the argument 'sise' cannot be set. Did you mean 'size'?"),
        ("FakeData", {"transform": "x"}, "the argument 'transform' cannot be set."),
        ("CIFAR10", {"root": "x"}, "the argument 'root' cannot be set."),
        ("SVHN", {"split": "x"}, "could neither be opened in 'unused' nor downloaded (Unkn"),
        ("FakeData", {"size": 1, "num_classes": 1}, "expected at least two classes, found '0'"),
    ],
)
def test_an_unknown_data_set_or_invalid_arguments_raise(
    dataset: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load(source(dataset, arguments=arguments))


def test_a_data_set_without_classes_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    class Boxes:
        def __init__(self) -> None:
            self.targets = [[1, 2], [3, 4]]

    monkeypatch.setattr(datasets, "FakeData", Boxes)
    with pytest.raises(DataError, match=r"one class each, found labels of type int64 and shape"):
        load(source("FakeData"))


def test_a_data_set_has_no_fingerprint_before_the_download() -> None:
    assert files_digest(settings(source("CIFAR10")).source) is None


def test_downloaded_files_have_a_fingerprint(cifar: Path) -> None:
    cifar_settings = settings(source("CIFAR10", cifar)).source
    (cifar / "cifar-10-batches-py" / "link").symlink_to("nowhere")
    seen = [files_digest(cifar_settings, is_fetched=True)]
    assert seen == [files_digest(cifar_settings, is_fetched=True)]
    os.utime(cifar / "cifar-10-batches-py" / "test_batch", (0, 0))
    seen.append(files_digest(cifar_settings, is_fetched=True))
    (cifar / "more").touch()
    seen.append(files_digest(cifar_settings, is_fetched=True))
    assert len(set(seen)) == 3
