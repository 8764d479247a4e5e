"""Folders of images: their classes, their errors, and their fingerprints."""

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
from normreport.sources.decoding import resize
from normreport.sources.fingerprint import files_digest
from normreport.sources.pool import Unused
from tests.sources.images import SPLIT_NAMES, load, picture, settings, styled, write_classes


def source(path: Path, **more: Any) -> dict[str, Any]:
    return {"kind": "imagefolder", "path": str(path), **more}


def assert_error(path: Path, message: str, **counts: int) -> None:
    assert_error_of(source(path), message, **counts)


def assert_error_of(values: dict[str, Any], message: str, **counts: int) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        load(values, **counts)


def test_every_image_is_used_once_with_the_class_of_its_folder(tmp_path: Path) -> None:
    write_classes(tmp_path, {"rose": 5, "aster": 3})
    found = load(source(tmp_path), train=6, heldout=2)
    assert found.classes == ("aster", "rose")
    images = [*found.train_images, *found.heldout_images]
    labels = [*found.train_labels, *found.heldout_labels]
    expected = {resize(picture(i), 16).tobytes(): 1 for i in range(5)}
    expected |= {resize(picture(1000 + i), 16).tobytes(): 0 for i in range(3)}
    pairs = zip(images, labels, strict=True)
    assert {image.tobytes(): int(label) for image, label in pairs} == expected


def test_a_subset_is_stratified_and_a_prefix_of_a_larger_one(tmp_path: Path) -> None:
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


TRAIN_NAMES = [name for name, kind in SPLIT_NAMES if kind == "train"]
HELDOUT_NAMES = [name for name, kind in SPLIT_NAMES if kind != "train"]


@hypothesis_settings(max_examples=25, deadline=None)
@given(
    train=st.sampled_from(TRAIN_NAMES).flatmap(styled),
    heldout=st.sampled_from(HELDOUT_NAMES).flatmap(styled),
)
def test_splits_are_found_by_the_names_that_people_use(
    tmp_path_factory: pytest.TempPathFactory, train: str, heldout: str
) -> None:
    folder = tmp_path_factory.mktemp("any")
    write_classes(folder / train, {"a": 4, "b": 4})
    write_classes(folder / heldout, {"a": 1, "b": 1})
    found = sources.list_images(settings(source(folder), train=8, heldout=2))
    assert found.classes == ("a", "b")
    assert found.unused == ()
    assert (len(found.train.labels), len((found.heldout or found.train).labels)) == (8, 2)


def test_a_third_split_and_other_folders_are_named(tmp_path: Path) -> None:
    for name, count in (("Train", 4), ("Valid", 2), ("Test", 3)):
        write_classes(tmp_path / name, {"a": count, "b": count})
    write_classes(tmp_path, {"unlabeled": 5})
    (tmp_path / "notes").mkdir()
    found = sources.list_images(settings(source(tmp_path), train=8, heldout=4))
    assert len((found.heldout or found.train).labels) == 4
    assert found.unused == (Unused("Test/", 6), Unused("unlabeled/", 5))


@pytest.mark.parametrize(
    "names",
    [
        {"val": "ab", "test": "ab"},
        {"train": "ab"},
        {"train": "ab", "unlabeled": ""},
        {"train": "ab", "Training": "ab", "test": "ab"},
        {"train": "ab", "val": "ab", "valid": "ab"},
        {"seg_train": "ab", "seg_test": "ab", "train": "ab", "test": "ab"},
        {"train": "ab", "fox": "ab"},
        {"train1": "", "train2": ""},
        {"validation": "", "holdout": ""},
    ],
    ids=str,
)
def test_splits_that_are_not_clear_raise(tmp_path: Path, names: dict[str, str]) -> None:
    for name, classes in names.items():
        write_classes(tmp_path / name if classes else tmp_path, dict.fromkeys(classes or [name], 4))
    assert_error(
        tmp_path, f"{tmp_path}: expected one folder of training images and one of held-out"
    )
    assert_error(tmp_path, "Set the source's train, and heldout if there is one, to the splits")


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        (["train", "bus"], ("bus", "train")),
        (["valid", "invalid"], ("invalid", "valid")),
        (["bullet train", "crash test"], ("bullet train", "crash test")),
        (["test", "control", "train"], None),
    ],
)
def test_classes_with_the_word_of_a_split_stay_classes(
    tmp_path: Path, names: list[str], classes: tuple[str, ...] | None
) -> None:
    write_classes(tmp_path, dict.fromkeys(names, 4))
    if classes is None:
        assert_error(tmp_path, "expected a folder for each class, as 'train' looks like the name")
    else:
        assert load(source(tmp_path)).classes == classes
    found = load(source(tmp_path, train="."))
    assert found.classes == tuple(sorted(names))


def test_named_splits_are_used(tmp_path: Path) -> None:
    write_classes(tmp_path / "one/apprentissage", {"a": 4, "b": 4})
    write_classes(tmp_path / "contrôle", {"a": 1, "b": 2})
    write_classes(tmp_path / "test", {"a": 3, "b": 3})
    named = source(tmp_path, train="one/apprentissage", heldout="contrôle/")
    found = sources.list_images(settings(named, train=8, heldout=3))
    assert len((found.heldout or found.train).labels) == 3
    assert found.unused == (Unused("test/", 6),)
    found = sources.list_images(settings(source(tmp_path, train="test")))
    assert found.heldout is None
    assert found.unused == (Unused("contrôle/", 3), Unused("one/", 8))
    assert_error_of(
        source(tmp_path, train="Test"), f"{tmp_path / 'Test'}: could not be read (No such file or"
    )


def test_splits_in_each_class_raise(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_classes(tmp_path, {f"a/{split}": 2, f"b/{split}": 2})
    assert_error(tmp_path, f"{tmp_path / 'a'}: expected images of one class, found folders that lo")
    assert load(source(tmp_path, train=".")).classes == ("a", "b")


def test_a_folder_around_the_classes_or_splits_raises_an_error_with_the_right_path(
    tmp_path: Path,
) -> None:
    write_classes(tmp_path / "flowers", {"a": 4, "b": 4})
    assert_error(
        tmp_path,
        f"{tmp_path}: expected at least two classes, found one folder, 'flowers'. If the classes "
        f"or splits are in it, set path to '{tmp_path}/flowers'.",
    )


@pytest.mark.parametrize("heldout", ["eval", "val", "test"])
def test_training_and_held_out_folders_are_separate(tmp_path: Path, heldout: str) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    write_classes(tmp_path / heldout, {"a": 1, "b": 1})
    picture(77).save(tmp_path / heldout / "a/0.png")
    picture(78).save(tmp_path / heldout / "b/0.png")
    found = load(source(tmp_path), train=8, heldout=2)
    expected = {resize(picture(n), 16).tobytes() for n in (77, 78)}
    assert {image.tobytes() for image in found.heldout_images} == expected
    assert_error(
        tmp_path, "heldout_images is 3, but the source has only 2 held-out images", heldout=3
    )
    assert_error(tmp_path, "train_images is 9, but the source has only 8 training images", train=9)


def test_different_classes_in_training_and_held_out_folders_raise(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 4, "b": 4})
    write_classes(tmp_path / "val", {"a": 4, "c": 4})
    assert_error(tmp_path, "expected the same classes in 'train' and 'val', found 'b' in only one")


def test_a_folder_named_train_without_a_held_out_folder_is_a_class(tmp_path: Path) -> None:
    write_classes(tmp_path, {"train": 4, "bus": 4})
    assert load(source(tmp_path)).classes == ("bus", "train")


def test_subfolders_of_a_class_belong_to_it(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 2, "a/deep/er": 2, "b": 2})
    found = load(source(tmp_path))
    assert Counter([*found.train_labels, *found.heldout_labels]) == {0: 4, 1: 2}


@pytest.mark.parametrize("name", ["1.jfif", "1.JPE", "1.jpg_large", "1.png-large", "1.jpg:orig"])
def test_images_with_the_suffixes_of_downloads_are_used(tmp_path: Path, name: str) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    picture(77).save(tmp_path / "a" / name, "JPEG" if "j" in name.lower() else "PNG")
    found = sources.list_images(settings(source(tmp_path)))
    assert len(found.train.labels) == 7
    assert found.unused == ()


@pytest.mark.parametrize(
    "folder",
    ["@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", "__MACOSX",
     "@Recycle", ".ipynb_checkpoints", ".thumbnails"],
)  # fmt: skip
@pytest.mark.parametrize("place", [".", "a", "a/0.png", "train/a"])
def test_folders_of_systems_and_file_servers_are_ignored(
    tmp_path: Path, folder: str, place: str
) -> None:
    if place.startswith("train"):
        write_classes(tmp_path / "val", {"a": 3, "b": 3})
        write_classes(tmp_path / "val" / folder, {"c": 3})
        write_classes(tmp_path / "train", {"a": 3, "b": 3})
    else:
        write_classes(tmp_path, {"a": 3, "b": 3})
    if place == "a/0.png":  # as Synology: @eaDir/0.png/SYNOFILE_THUMB_M.jpg
        write_classes(tmp_path / "a" / folder, {"0.png": 1})
    else:
        write_classes(tmp_path / place, {folder: 3})
    found = sources.list_images(settings(source(tmp_path)))
    assert found.classes == ("a", "b")
    assert len(found.train.labels) == 6
    assert found.unused == ()


def test_other_files_are_counted_by_suffix(tmp_path: Path) -> None:
    write_classes(tmp_path / "train", {"a": 3, "b/deep": 3})
    write_classes(tmp_path / "val", {"a": 3, "b": 3})
    for name in ("train/a/1.HEIC", "val/b/2.heic", "train/b/deep/3.CR2", "train/a/no-suffix"):
        (tmp_path / name).touch()
    for name in ("train/1.jpg", "train/2.jpg", "1.zip"):  # belong to no class
        (tmp_path / name).touch()
    for name in ("README", "labels.csv", "train/Thumbs.db", "val/a/1.png:Zone.Identifier",
                 "val/a/1.png@SynoEAStream", "train/a/1.xmp", "val/a/._1.heic"):  # fmt: skip
        (tmp_path / name).touch()
    found = sources.list_images(settings(source(tmp_path)))
    assert {each.name: each.count for each in found.unused} == {
        "": 1, "*.cr2": 1, "*.heic": 2, "./*.zip": 1, "train/*.jpg": 2
    }  # fmt: skip


def test_a_class_of_another_format_is_described(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 0})
    for i in range(3):
        (tmp_path / f"b/{i}.heic").touch()
    assert_error(tmp_path, f"{tmp_path / 'b'}: expected images, found 3 *.heic. Add some, convert")


def test_dotfiles_and_files_without_an_image_suffix_are_ignored(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3, ".git": 3})
    (tmp_path / "a/notes.txt").write_text("not an image")
    (tmp_path / "a/._0.png").write_text("not an image")
    (tmp_path / "labels.csv").write_text("a,b")
    assert load(source(tmp_path)).classes == ("a", "b")
    assert_error(
        tmp_path, "train_images + heldout_images is 7, but the source has only 6 images", train=5
    )


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        ({}, "expected at least two classes, found none"),
        ({"a": 9}, "expected at least two classes, found 'a'"),
        ({"a": 9, "b": 0}, "b: expected images, found no file. Add some"),
        (
            {"Rose": 3, "rose": 3},
            "the class folders 'Rose' and 'rose' are one folder on some systems",
        ),
        ({"caf\u00e9": 3, "cafe\u0301": 3}, "are one folder on some systems"),
        ({"a": 2, "b": 2}, "train_images + heldout_images is 6, but the source has only 4 images"),
    ],
)
def test_folders_that_cannot_be_trained_on_raise(
    tmp_path: Path, classes: dict[str, int], message: str
) -> None:
    assert_error(write_classes(tmp_path, classes), message)


def test_a_missing_folder_or_a_file_in_its_place_raises(tmp_path: Path) -> None:
    assert_error(
        tmp_path / "none", f"{tmp_path / 'none'}: could not be read (No such file or directory)"
    )
    (tmp_path / "file").touch()
    assert_error(tmp_path / "file", "file: could not be read (Not a directory)")


def test_links_are_followed_and_duplicate_folders_raise(tmp_path: Path) -> None:
    elsewhere = write_classes(tmp_path / "elsewhere", {"x": 3})
    here = write_classes(tmp_path / "here", {"a": 3})
    (here / "b").symlink_to(elsewhere / "x")
    (here / "a/more.png").symlink_to(elsewhere / "x/0.png")
    found = load(source(here), train=5)
    assert Counter([*found.train_labels, *found.heldout_labels]) == {0: 4, 1: 3}
    (here / "c").symlink_to(elsewhere / "x")
    assert_error(here, "a link makes this the same folder as")
    (here / "c").unlink()
    (here / "a/loop").symlink_to(here / "a")
    assert_error(here, f"{here / 'a/loop'}: a link makes this the same folder as {here / 'a'}. ")


def write_unreadable(folder: Path, kind: str) -> None:
    """Put an unreadable file beside the images."""
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


REASONS = {
    "truncated": "",
    "empty": "not an image of a known format",
    "text": "not an image of a known format",
    "link": "No such file or directory",
    "pipe": "not a regular file",
}


@pytest.mark.parametrize("kind", REASONS)
def test_an_unreadable_image_raises_or_is_skipped(tmp_path: Path, kind: str) -> None:
    write_classes(tmp_path, {"a": 3, "b": 4})
    write_unreadable(tmp_path, kind)
    with pytest.raises(UnreadableImageError) as caught:
        load(source(tmp_path), train=6)
    start = f"{tmp_path}: a/bad.jpg: this image cannot be read ({REASONS[kind]}"
    assert str(caught.value).startswith(start)
    assert "skip_unreadable" in str(caught.value)
    found = load(source(tmp_path, skip_unreadable=True), train=5)
    assert [image.image for image in found.skipped] == ["a/bad.jpg"]
    images = {image.tobytes() for image in [*found.train_images, *found.heldout_images]}
    assert len(images) == 7
    with pytest.raises(
        DataError, match=r"1 of the 6 train images are missing: 1 images of the source cannot"
    ):
        load(source(tmp_path, skip_unreadable=True), train=6)


@pytest.mark.parametrize("chosen", [{}, {"train": 12, "heldout": 6}])
def test_a_class_without_a_readable_image_raises(tmp_path: Path, chosen: dict[str, int]) -> None:
    write_classes(tmp_path, {"a": 9, "b": 9, "c": 9})
    for path in (tmp_path / "b").iterdir():
        path.write_bytes(b"")
    assert_error_of(
        source(tmp_path, skip_unreadable=True),
        f"{tmp_path}: class 'b' has no training image left, as those chosen cannot be read. The",
        **chosen,
    )


def test_training_images_of_one_class_raise(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 50, "b": 1})
    assert_error(
        tmp_path,
        f"{tmp_path}: expected training images of at least two classes, found 4 of class 'a'",
    )


def test_skipped_held_out_images_may_leave_too_few_for_training(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    write_classes(tmp_path, {"a": 2, "b": 3})
    # One image is unreadable, wherever each seed puts it in the order.
    for seed in range(4):
        with pytest.raises(DataError, match=r"1 of the 4 train images are missing: 1 im"):
            load(source(tmp_path, skip_unreadable=True), train=4, heldout=2, seed=seed)


def test_the_number_of_threads_does_not_affect_the_result(tmp_path: Path) -> None:
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


def test_only_an_edit_of_an_image_changes_the_fingerprint(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 3, "b": 3})
    imagefolder_settings = settings(source(tmp_path)).source
    before = files_digest(imagefolder_settings)
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "a/notes.txt").write_text("about")
    assert files_digest(imagefolder_settings) == before
    seen = [before]
    picture(5, size=21).save(tmp_path / "a/0.png")
    seen.append(files_digest(imagefolder_settings))
    (tmp_path / "a/1.png").rename(tmp_path / "b/9.png")
    seen.append(files_digest(imagefolder_settings))
    os.utime(tmp_path / "b/0.png", ns=(0, 0))
    seen.append(files_digest(imagefolder_settings))
    (tmp_path / "b/0.png").unlink()
    seen.append(files_digest(imagefolder_settings))
    assert len(set(seen)) == 5


NAMES = st.text(
    st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=12
).filter(lambda name: not name.startswith("."))


@hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(classes=st.dictionaries(NAMES, st.integers(0, 3), max_size=4), train=st.integers(2, 8))
def test_any_folder_is_read_or_raises_an_error_with_its_path(
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


def test_a_class_name_of_invalid_utf8_is_made_printable(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 4})
    write_classes(Path(os.fsdecode(os.fsencode(tmp_path))), {os.fsdecode(b"\xff\xfe"): 4})
    classes = sources.list_images(settings(source(tmp_path))).classes
    assert [name.encode() for name in classes] == [b"a", "\ufffd\ufffd".encode()]
