"""Choosing images of small classes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from normreport import sources
from normreport.config.data import DataSettings
from normreport.errors import DataError
from normreport.sources.balance import balance
from normreport.sources.class_counts import (
    ClassCounts,
    chosen_labels,
    describe_counts,
    describe_unused,
    find_weak_classes,
)
from normreport.sources.pool import ImagePool, SourceImages, Unused
from tests.sources.images import load, picture, settings, write_classes

# A folder of 16 classes, as people have them.
SIZES = (200, 150, 120, 100, 80, 60, 40, 30, 20, 15, 10, 8, 5, 3, 2, 2)


def album(sizes: Any, heldout: Any = None, seed: int = 0) -> SourceImages:
    """Return a source of classes of some sizes."""

    def pool(counts: Any) -> ImagePool:
        labels = np.repeat(np.arange(len(counts)), counts)
        return ImagePool.stratified(labels, picture, seed)

    names = tuple(f"c{i}" for i in range(len(sizes)))
    return SourceImages("album", names, pool(sizes), heldout and pool(heldout))


def chosen(source: SourceImages, rule: Any, train: int = 96, heldout: int = 48) -> list[list[int]]:
    """Return the number of training and of held-out images of each class."""
    wanted = DataSettings(source="digits", train_images=train, heldout_images=heldout, balance=rule)
    labels = chosen_labels(balance(source, wanted), train, heldout)
    return [np.bincount(each, minlength=len(source.classes)).tolist() for each in labels]


def test_proportional_classes_may_be_empty() -> None:
    train, heldout = chosen(album(SIZES), "proportional")
    assert min(train) == 0
    assert min(heldout) == 0


def test_one_of_each_leaves_the_proportions_otherwise() -> None:
    before, after = (chosen(album(SIZES), rule) for rule in ("proportional", "one_of_each"))
    for old, new in zip(before, after, strict=True):
        assert min(new) == 1
        assert sum(new) == sum(old)
        assert np.abs(np.subtract(new, old)).max() <= 2


def test_equal_classes_have_the_same_number_if_they_can() -> None:
    train, heldout = chosen(album(SIZES), "equal")
    assert (sum(train), sum(heldout)) == (96, 48)
    assert {a + b for a, b in zip(train[:10], heldout[:10], strict=True)} <= {10, 11, 12}
    assert [a + b for a, b in zip(train, heldout, strict=True)][12:] == [5, 3, 2, 2]
    assert min(train) == min(heldout) == 1
    assert chosen(album((50, 50, 7)), "equal", 12, 6) == [[4, 4, 4], [2, 2, 2]]


def test_separate_splits_are_balanced_each() -> None:
    source = album((90, 9, 1), (1, 9, 90))
    assert chosen(source, "equal", 21, 9) == [[11, 9, 1], [1, 4, 4]]
    assert [min(counts) for counts in chosen(source, "one_of_each", 20, 9)] == [1, 1]


@given(
    sizes=st.lists(st.integers(2, 30), min_size=2, max_size=8),
    rule=st.sampled_from(["one_of_each", "equal"]),
    seed=st.integers(0, 5),
    data=st.data(),
)
def test_every_class_is_in_both_splits_and_no_image_in_two_places(
    sizes: list[int], rule: str, seed: int, data: st.DataObject
) -> None:
    classes, total = len(sizes), sum(sizes)
    heldout = data.draw(st.integers(classes, total - classes))
    train = data.draw(st.integers(classes, total - heldout))
    source = album(sizes, seed=seed)
    counts = chosen(source, rule, train, heldout)
    assert [min(each) for each in counts] >= [1, 1]
    assert [sum(each) for each in counts] == [train, heldout]
    wanted = DataSettings(source="digits", train_images=train, heldout_images=heldout, balance=rule)
    order = balance(source, wanted).train.order
    assert sorted(order) == list(range(total))
    # A model may use fewer training images, and an epoch fewer held-out ones.
    for begin in (0, heldout):
        assert len({*source.train.labels[order[begin : begin + classes]]}) == classes


@pytest.mark.parametrize(
    ("sizes", "counts", "message"),
    [
        ((5, 5, 1), {}, "expected one training and one held-out image of each class, found 1 ima"),
        ((5, 5, 5), {"heldout": 2}, "expected heldout_images of at least 3, one for each class"),
        ((5, 5, 5), {"train": 2, "heldout": 3}, "expected train_images of at least 3, one for ea"),
    ],
)
def test_one_of_each_that_is_impossible_raises(
    sizes: Any, counts: dict[str, int], message: str
) -> None:
    with pytest.raises(DataError, match=f"^album: balance is one_of_each: {message}"):
        chosen(album(sizes), "one_of_each", **({"train": 4, "heldout": 3} | counts))


def test_the_balance_of_a_folder_is_that_of_the_settings(tmp_path: Path) -> None:
    write_classes(tmp_path, {"a": 30, "b": 2})
    source = {"kind": "imagefolder", "path": str(tmp_path)}
    assert load(source, train=8, heldout=4).heldout_labels.tolist() == [0] * 4
    wanted = settings(source, train=8, heldout=4).model_copy(update={"balance": "one_of_each"})
    listed = sources.list_images(wanted)
    train, heldout = chosen_labels(listed, 8, 4)
    assert (np.bincount(train).tolist(), np.bincount(heldout).tolist()) == ([7, 1], [3, 1])


def test_weak_classes_are_named() -> None:
    counts = ClassCounts(("a", "b\n", "c", "d"), np.array([9, 1, 0, 1]), np.array([3, 0, 0, 1]))
    assert find_weak_classes(counts) == [
        "1 of 4 classes have no training image: c",
        "2 of 4 classes have a single training image: b\\n, d",
        "2 of 4 classes have no held-out image: b\\n, c",
    ]
    assert describe_counts(counts) == (
        "4 classes (training + held-out images): a (9 + 3), b\\n (1 + 0), c (0 + 0), d (1 + 1)"
    )
    assert find_weak_classes(ClassCounts(("a", "b"), np.array([2, 2]), np.array([1, 1]))) == []


def test_a_long_list_of_classes_is_cut() -> None:
    names = tuple(f"c{i}" for i in range(1000))
    counts = ClassCounts(names, np.arange(1000), np.full(1000, 2))
    assert describe_counts(counts).endswith("c11 (11 + 2), and 988 more (12 to 999 + 2)")
    none = ClassCounts(names, np.zeros(1000, dtype=int), np.full(1000, 2))
    assert find_weak_classes(none)[0].endswith("c10, c11, ...")


def test_unused_files_are_listed() -> None:
    unused = [Unused("*.heic", 3), Unused("test/", 1)]
    assert describe_unused(unused) == "*.heic (3 files), test/ (1 file)"
    assert describe_unused([Unused("", 2)]) == "without a suffix (2 files)"
    assert describe_unused(unused * 10).endswith("test/ (1 file), and 8 more")
