"""Folders of images: whose they are, what is refused, and what an edit changes."""

from __future__ import annotations

import os
import re
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from normreport import sources
from normreport.errors import DataError, NormreportError, UnreadableImageError
from normreport.sources.decoding import resized
from normreport.sources.fingerprint import files_digest
from tests.sources.images import load, picture, settings, write_classes


def source(path: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "imagefolder", "path": str(path), **more}


def refused(path: Path, message: str, **counts: int) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load(source(path), **counts)


def test_every_image_is_taken_once_with_the_class_of_its_folder(tmp_path: Path) -> None:
    write_classes(tmp_path, {"rose": 5, "aster": 3})
    found = load(source(tmp_path), train=6, heldout=2)
    assert found.classes == ("aster", "rose")
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    expected = {resized(picture(i), 16).tobytes(): 1 for i in range(5)}
    expected |= {resized(picture(1000 + i), 16).tobytes(): 0 for i in range(3)}
    pairs = zip(images, labels, strict=True)
    assert {image.tobytes(): int(label) for image, label in pairs} == expected


def test_a_subset_is_stratified_and_grows_without_changing(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 20, "b": 10})
    few, many = (
        load(source(tmp_path), train=6, heldout=6),
        load(source(tmp_path), train=18, heldout=6),
    )
    assert Counter(few.heldout_labels.tolist()) == {0: 4, 1: 2}
    assert Counter(many.train_labels.tolist()) == {0: 12, 1: 6}
    assert np.array_equal(few.heldout_images, many.heldout_images)
    assert np.array_equal(few.train_images, many.train_images[:6])
    other = load(source(tmp_path), train=6, heldout=6, seed=1)
    assert not np.array_equal(few.train_images, other.train_images)


@pytest.mark.parametrize("heldout", ["eval", "val", "test"])
def test_a_folder_for_training_and_one_held_out_are_kept_apart(
    tmp_path: Path, heldout: str
) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    write_classes(tmp_path / heldout, {"a": 1, "b": 1})
    picture(77).save(tmp_path / heldout / "a/0.png")
    picture(78).save(tmp_path / heldout / "b/0.png")
    found = load(source(tmp_path), train=8, heldout=2)
    expected = {resized(picture(n), 16).tobytes() for n in (77, 78)}
    assert {image.tobytes() for image in found.heldout_images} == expected
    refused(tmp_path, "heldout_images is 3, expected at most 2, the held-out images", heldout=3)
    refused(tmp_path, "train_images is 9, expected at most 8, the training images", train=9)


def test_classes_of_training_and_of_held_out_images_must_be_the_same(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    write_classes(tmp_path / "val", {"a": 4, "c": 4})
    refused(tmp_path, "expected the same classes in 'train' and 'val', found 'b' in one of them")


def test_a_folder_called_train_alone_is_a_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"train": 4, "bus": 4})
    assert load(source(tmp_path)).classes == ("bus", "train")


def test_folders_within_a_class_belong_to_it(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "a/deep/er": 2, "b": 2})
    found = load(source(tmp_path))
    assert Counter([*found.train_labels, *found.heldout_labels]) == {0: 4, 1: 2}


def test_what_is_hidden_or_no_image_is_passed_over(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3, ".git": 3})
    (tmp_path / "a/notes.txt").write_text("not an image")
    (tmp_path / "a/._0.png").write_text("not an image")
    (tmp_path / "labels.csv").write_text("a,b")
    assert load(source(tmp_path)).classes == ("a", "b")
    refused(tmp_path, "train_images + heldout_images is 7, expected at most 6", train=5)


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "expected at least two classes, found none"),
        ({"a": 9}, "expected at least two classes, found 'a'"),
        ({"a": 9, "b": 0}, "b: expected images, found none with a suffix of .jpg, .jpeg, .png"),
        ({"Rose": 3, "rose": 3}, "found 'Rose' and 'rose', which are one folder on some systems"),
        ({"caf\u00e9": 3, "cafe\u0301": 3}, "which are one folder on some systems"),
        ({"a": 2, "b": 2}, "train_images + heldout_images is 6, expected at most 4"),
    ],
)
def test_folders_that_nothing_can_be_learned_from_are_refused(
    tmp_path: Path, classes: dict[str, int], message: str
) -> None:
    refused(write_classes(tmp_path, classes), message)


def test_a_folder_that_is_not_there_or_is_a_file_is_named(tmp_path: Path) -> None:
    refused(
        tmp_path / "none", f"{tmp_path / 'none'}: could not be read (No such file or directory)"
    )
    (tmp_path / "file").touch()
    refused(tmp_path / "file", "file: could not be read (Not a directory)")


def test_links_are_followed_and_a_folder_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    elsewhere = write_classes(tmp_path / "elsewhere", {"x": 3})
    here = write_classes(tmp_path / "here", {"a": 3})
    (here / "b").symlink_to(elsewhere / "x")
    (here / "a/more.png").symlink_to(elsewhere / "x/0.png")
    found = load(source(here), train=5)
    assert Counter([*found.train_labels, *found.heldout_labels]) == {0: 4, 1: 3}
    (here / "c").symlink_to(elsewhere / "x")
    refused(here, "is the same folder as")
    (here / "c").unlink()
    (here / "a/loop").symlink_to(here / "a")
    refused(here, f"{here / 'a/loop'}: is the same folder as {here / 'a'}, by a link")


def broken(folder: Path, kind: str) -> None:
    """Put a file that is no image where one should be."""
    path = folder / "a/bad.jpg"
    whole = (folder / "a/0.png").read_bytes()
    match kind:
        case "truncated":
            path.write_bytes(whole[:200])
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("I am a text.")
        case "link":
            path.symlink_to(folder / "nowhere.jpg")
        case "pipe":
            os.mkfifo(path)


BROKEN = {
    "truncated": "",
    "empty": "it does not begin as such a file does",
    "text": "it does not begin as such a file does",
    "link": "No such file or directory",
    "pipe": "it is no file",
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_image_that_cannot_be_read_is_named_or_skipped_if_asked(
    tmp_path: Path, kind: str
) -> None:
    write_classes(tmp_path, {"a": 3, "b": 4})
    broken(tmp_path, kind)
    with pytest.raises(UnreadableImageError) as caught:
        load(source(tmp_path), train=6)
    start = f"{tmp_path}: a/bad.jpg: is no image that can be read ({BROKEN[kind]}"
    assert str(caught.value).startswith(start)
    assert "skip_unreadable" in str(caught.value)
    found = load(source(tmp_path, skip_unreadable=True), train=5)
    assert [image.image for image in found.skipped] == ["a/bad.jpg"]
    images = {image.tobytes() for image in [*found.train_images, *found.heldout_images]}
    assert len(images) == 7
    with pytest.raises(
        DataError, match=r"1 of the 6 train images are missing, as 1 of the source cannot"
    ):
        load(source(tmp_path, skip_unreadable=True), train=6)


def test_held_out_images_that_cannot_be_read_leave_too_few_for_training(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    write_classes(tmp_path, {"a": 2, "b": 3})
    # Whatever comes first in the order: with each seed one image cannot be read.
    for seed in range(4):
        with pytest.raises(DataError, match=r"1 of the 4 train images are missing, as 1 of the so"):
            load(source(tmp_path, skip_unreadable=True), train=4, heldout=2, seed=seed)


def test_the_result_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 30, "b": 20})
    for i in range(5):
        (tmp_path / f"a/{i}.png").write_bytes(b"")
    one, many = (
        load(source(tmp_path, skip_unreadable=True), train=30, heldout=10, threads=threads)
        for threads in (1, 7)
    )
    assert np.array_equal(one.train_images, many.train_images)
    assert np.array_equal(one.heldout_labels, many.heldout_labels)
    assert one.skipped == many.skipped
    assert one.skipped


def test_an_edit_of_an_image_is_seen_and_of_nothing_else(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    watched = settings(source(tmp_path)).source
    before = files_digest(watched)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "a/notes.txt").write_text("about")
    assert files_digest(watched) == before
    seen = [before]
    picture(5, size=21).save(tmp_path / "a/0.png")
    seen.append(files_digest(watched))
    (tmp_path / "a/1.png").rename(tmp_path / "b/9.png")
    seen.append(files_digest(watched))
    os.utime(tmp_path / "b/0.png", ns=(0, 0))
    seen.append(files_digest(watched))
    (tmp_path / "b/0.png").unlink()
    seen.append(files_digest(watched))
    assert len(set(seen)) == 5


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: not name.startswith("."))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(classes=st.dictionaries(NAMES, st.integers(0, 3), max_size=4), train=st.integers(2, 8))
def test_any_folder_is_read_whole_or_refused_in_words(
    tmp_path_factory: pytest.TempPathFactory, classes: dict[str, int], train: int
) -> None:
    folder = write_classes(tmp_path_factory.mktemp("any"), classes, suffix=".bmp")
    try:
        found = load(source(folder), train=train, heldout=1)
    except NormreportError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert found.classes == tuple(sorted(classes))
        assert len(found.train_images) == train
        assert sum(classes.values()) >= train + 1
    assert not refusal or refusal.startswith(str(folder))


def test_a_name_of_any_bytes_is_a_class_that_can_be_written(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 4})
    write_classes(Path(os.fsdecode(os.fsencode(tmp_path))), {os.fsdecode(b"\xff\xfe"): 4})
    classes = sources.find(settings(source(tmp_path))).classes
    assert [name.encode() for name in classes] == [b"a", "\ufffd\ufffd".encode()]
