from __future__ import annotations

import math

import numpy as np
import pytest
from safetensors.numpy import load_file

from normreport.errors import ConfigError, DataError
from normreport.io import checkpoints
from normreport.io.files import array_digest, canonical_json
from normreport.sources import decoding, imagefolder
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


def paths(folder):
    return {
        "images": folder / "images.safetensors",
        "manifest": folder / "manifest.json",
        "checkpoints": folder / "checkpoints",
    }


def test_the_same_settings_give_the_same_bytes(data, tmp_path):
    settings = canonical_json(read(data.manifest)["settings"])
    again = paths(tmp_path)
    prepare_data.run(settings=settings, **again)
    assert again["images"].read_bytes() == data.images.read_bytes()


def test_too_many_images_leave_no_file(tmp_path):
    settings = canonical_json({"source": "digits", "train_images": 1797, "heldout_images": 1})
    with pytest.raises(DataError, match="1798, but the source has only 1797 images"):
        prepare_data.run(settings=settings, **paths(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_settings_that_are_not_json_are_named(tmp_path):
    with pytest.raises(ConfigError, match=r"prepare_data --settings: expected JSON, found '\{'"):
        prepare_data.run(settings="{", **paths(tmp_path))


def prepared(folder, source, train, heldout, **options):
    folder.mkdir(exist_ok=True)
    counts = {"train_images": train, "heldout_images": heldout, "image_size_px": 16}
    settings = canonical_json({"source": source, **counts})
    prepare_data.run(settings=settings, **paths(folder), **options)
    return paths(folder)


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
    assert skipped["b/worse.jpg"] == "not an image of a known format"
    assert str(tmp_path) not in found["manifest"].read_text()
    assert sum(manifest["images_per_class"]["train"]) == 7


# Of work that ended before its end


@pytest.fixture
def always_due(monkeypatch):
    """Keep a checkpoint after every four images."""
    monkeypatch.setattr(decoding, "BATCH", 4)
    monkeypatch.setattr(checkpoints, "INTERVAL_SECONDS", 0.0)
    monkeypatch.setattr(checkpoints, "TIME_SHARE", math.inf)


@pytest.fixture
def reads(monkeypatch):
    """Give the names of the images that are read."""
    names = []

    def decoded(file, *, name, **more):
        names.append(name)
        return decoding.decode_image(file, name=name, **more)

    monkeypatch.setattr(imagefolder, "decode_image", decoded)
    return names


def with_one_that_is_bad(folder):
    """Write twelve images, and break the one that is read last of those to be trained on."""
    write_classes(folder, {"a": 6, "b": 6})
    (folder / "b/5.png").write_bytes((folder / "b/5.png").read_bytes()[:100])
    return {"kind": "imagefolder", "path": str(folder)}


def unfinished(folder):
    """Give the images that are being written."""
    (path,) = folder.glob(".images.safetensors.*.part")
    return path


def bytes_of(made):
    """Give what was written, of which nothing else may be left."""
    assert not made["checkpoints"].exists()
    assert {*made["images"].parent.iterdir()} == {made["images"], made["manifest"]}
    return [made[name].read_bytes() for name in ("images", "manifest")]


def test_after_an_image_that_cannot_be_read_others_are_skipped_without_reading_all_again(
    tmp_path, always_due, reads
):
    source = with_one_that_is_bad(tmp_path / "flowers")
    with pytest.raises(DataError, match=r"b/5\.png: this image cannot be read"):
        prepared(tmp_path / "made", source, 10, 1)
    assert unfinished(tmp_path / "made").stat().st_size > 11 * 16 * 16 * 3
    before, reads[:] = {*reads}, []
    lenient = source | {"skip_unreadable": True}
    found = prepared(tmp_path / "made", lenient, 10, 1)
    # The batch that it was in is read again.
    assert len(before & {*reads}) <= 4 < len(before)
    assert bytes_of(found) == bytes_of(prepared(tmp_path / "anew", lenient, 10, 1))


def test_where_an_image_was_mended_all_begins_anew(tmp_path, always_due, reads, capsys):
    source = with_one_that_is_bad(tmp_path / "flowers")
    with pytest.raises(DataError, match=r"b/5\.png: this image cannot be read"):
        prepared(tmp_path / "made", source, 11, 1)
    picture(5).save(tmp_path / "flowers/b/5.png")
    reads.clear()
    found = prepared(tmp_path / "made", source, 11, 1)
    assert "checkpoint.safetensors, as it has other data" in capsys.readouterr().err
    assert len(reads) == 12
    assert bytes_of(found) == bytes_of(prepared(tmp_path / "anew", source, 11, 1))


@pytest.mark.parametrize("damage", ["a bit", "the end", "all", "more", "another"])
def test_what_is_damaged_in_unfinished_images_is_read_again(tmp_path, always_due, reads, damage):
    source = with_one_that_is_bad(tmp_path / "flowers")
    with pytest.raises(DataError, match="this image cannot be read"):
        prepared(tmp_path / "made", source, 10, 1)
    part = unfinished(tmp_path / "made")
    content = bytearray(part.read_bytes())
    if damage == "a bit":
        content[-1000] ^= 1
    elif damage == "the end":
        del content[-1000:]
    elif damage == "all":
        content[:] = np.random.default_rng(0).bytes(len(content))
    elif damage == "more":
        content += b"more"
    part.write_bytes(content)
    if damage == "another":
        part.unlink()
        part.with_name(".images.safetensors.other.part").touch()
    reads.clear()
    lenient = source | {"skip_unreadable": True}
    found = prepared(tmp_path / "made", lenient, 10, 1)
    assert bytes_of(found) == bytes_of(prepared(tmp_path / "anew", lenient, 10, 1))


def test_two_at_once_leave_each_other_alone(tmp_path, always_due, monkeypatch):
    folder = write_classes(tmp_path / "flowers", {"a": 6, "b": 6})
    source = {"kind": "imagefolder", "path": str(folder)}
    expected = bytes_of(prepared(tmp_path / "alone", source, 11, 1))
    seen = []

    def decoded(file, *, name, **more):
        seen.append(name)
        if len(seen) == 8:  # when the first has kept a checkpoint
            found = prepared(tmp_path / "made", source, 11, 1)
            assert found["images"].read_bytes() == expected[0]
        return decoding.decode_image(file, name=name, **more)

    monkeypatch.setattr(imagefolder, "decode_image", decoded)
    assert bytes_of(prepared(tmp_path / "made", source, 11, 1)) == expected
    assert len(seen) == 24
