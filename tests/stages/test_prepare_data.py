from __future__ import annotations

import numpy as np
import pytest
from safetensors.numpy import load_file

from normreport.errors import ConfigError, DataError
from normreport.files import array_digest, canonical_json
from normreport.stages import prepare_data
from tests.sources.images import picture, write_classes
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


def prepared(folder, source, train, heldout, **options):
    folder.mkdir()
    paths = {"images": folder / "images.safetensors", "manifest": folder / "manifest.json"}
    counts = {"train_images": train, "heldout_images": heldout, "image_size_px": 16}
    prepare_data.run(settings=canonical_json({"source": source, **counts}), **paths, **options)
    return paths


NAMES = ["<b>&amp;", '"it\'s"', "\U0001f600", "a;b,c\nd", "$x^2$"]


def test_a_folder_elsewhere_with_the_same_images_is_the_same_data(tmp_path):
    found = []
    for place, threads in (("one/flowers", 1), ("two/flowers", 5)):
        folder = write_classes(tmp_path / place, dict.fromkeys(NAMES, 4))
        source = {"kind": "imagefolder", "path": str(folder)}
        found.append(prepared(tmp_path / str(threads), source, 12, 8, threads=threads))
    for name in ("images", "manifest"):
        assert found[0][name].read_bytes() == found[1][name].read_bytes()
    manifest = read(found[0]["manifest"])
    assert manifest["classes"] == sorted(NAMES)
    assert str(tmp_path) not in found[0]["manifest"].read_text()
    assert manifest["settings"]["source"]["path"] == "flowers"


def test_images_that_were_skipped_are_in_the_manifest(tmp_path):
    folder = write_classes(tmp_path / "flowers", {"a": 5, "b": 5})
    picture(0).save(folder / "a/bad.tif")
    (folder / "a/bad.tif").write_bytes((folder / "a/bad.tif").read_bytes()[:300])
    (folder / "b/worse.jpg").touch()
    source = {"kind": "imagefolder", "path": str(folder)}
    with pytest.raises(DataError, match="set the source's skip_unreadable to true"):
        prepared(tmp_path / "strict", source, 8, 3)
    assert list((tmp_path / "strict").iterdir()) == []
    found = prepared(tmp_path / "lenient", source | {"skip_unreadable": True}, 7, 3)
    manifest = read(found["manifest"])
    skipped = {image["image"]: image["why"] for image in manifest["skipped"]}
    assert set(skipped) == {"a/bad.tif", "b/worse.jpg"}
    assert skipped["b/worse.jpg"] == "it does not begin as such a file does"
    assert str(tmp_path) not in found["manifest"].read_text()
    assert sum(manifest["images_per_class"]["train"]) == 7
