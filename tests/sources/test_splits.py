"""Names of training and held-out images, as people choose them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normreport.sources.splits import HELDOUT, TRAIN, group_by_split, heldout_kind, read_name
from tests.sources.images import SPLIT_NAMES, styled

# Names of classes in public data sets that contain a split's word, or parts of one.
NOT_SPLITS = [
    "contest", "latest", "trainer", "testament", "evaluator", "validated", "restrained", "device",
    "evolution", "intestine", "strain", "train_test_split", "train-and-test", "holding out",
    "data", "images", "set", "1", "", "試験",
]  # fmt: skip


@pytest.mark.parametrize(("name", "kind"), SPLIT_NAMES)
def test_the_word_of_a_split_is_recognized(name: str, kind: str) -> None:
    assert read_name(name).kind == kind
    assert read_name(name).rest == ()


@given(st.sampled_from(SPLIT_NAMES), st.data())
def test_case_numbers_and_separators_do_not_matter(
    case: tuple[str, str], data: st.DataObject
) -> None:
    name, kind = case
    assert read_name(data.draw(styled(name))).kind == kind


@pytest.mark.parametrize("name", NOT_SPLITS)
def test_a_name_without_such_a_word_is_no_split(name: str) -> None:
    assert read_name(name).kind is None


def test_names_are_grouped_by_their_other_words() -> None:
    names = ["seg_train", "seg_test", "bullet train", "crash test", "Train", "val2017", "cat"]
    assert group_by_split(names) == {
        ("seg",): {"train": ["seg_train"], "test": ["seg_test"]},
        ("bullet",): {"train": ["bullet train"]},
        ("crash",): {"test": ["crash test"]},
        (): {"train": ["Train"], "val": ["val2017"]},
    }


def test_validation_goes_before_test() -> None:
    assert heldout_kind(["test", TRAIN, "val"]) == "val"
    assert heldout_kind([TRAIN]) is None
    assert {kind for _, kind in SPLIT_NAMES} == {TRAIN, *HELDOUT}
