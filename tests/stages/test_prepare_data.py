from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from normreport.errors import ConfigError, DataError
from normreport.files import array_digest, canonical_json
from normreport.stages import prepare_data
from tests.stages.conftest import read


def test_the_manifest_describes_the_images(data):
    arrays, manifest = load_file(data.images), read(data.manifest)
    assert arrays["train_images"].shape == (32, 32, 32, 3)
    assert arrays["heldout_images"].dtype == np.uint8
    assert manifest["classes"] == [str(digit) for digit in range(10)]
    counts = np.bincount(arrays["train_labels"], minlength=10).tolist()
    assert manifest["images_per_class"]["train"] == counts
    for name, array in arrays.items():
        assert manifest["digests"][name] == array_digest(array)


def test_the_same_settings_give_the_same_bytes(data, tmp_path):
    settings = canonical_json(read(data.manifest)["settings"])
    again = tmp_path / "images.safetensors"
    prepare_data.run(settings=settings, images=again, manifest=tmp_path / "m.json")
    assert again.read_bytes() == data.images.read_bytes()


def test_too_many_images_leave_no_file(tmp_path):
    settings = canonical_json({"source": "digits", "train_images": 1797, "heldout_images": 1})
    with pytest.raises(DataError, match="1798, expected at most 1797"):
        prepare_data.run(settings=settings, images=tmp_path / "i", manifest=tmp_path / "m")
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_not_json_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"prepare_data --settings: expected JSON, found '\{'"):
        prepare_data.run(settings="{", images=tmp_path / "i", manifest=tmp_path / "m")
