"""Which folders or files hold training images and which hold held-out images, by their names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

TRAIN = "train"
# The kinds of held-out images; the first one that a source has is used.
HELDOUT = ("eval", "val", "test", "holdout")
# The words that people use for each kind.
WORDS = {
    word: kind
    for kind, words in {
        TRAIN: ("train", "training", "trn", "trainval"),
        "eval": ("eval", "evaluation"),
        "val": ("val", "valid", "validate", "validation", "dev", "devel", "development"),
        "test": ("test", "testing", "tst"),
        "holdout": ("holdout", "heldout"),
    }.items()
    for word in words
}
# Words beside them that say nothing about the images, also without a separator: trainset.
NEUTRAL = (
    "set", "sets", "data", "dataset", "split", "folder", "dir", "image", "images", "img", "imgs",
    "picture", "pictures", "photo", "photos", "file", "files", "sample", "samples",
)  # fmt: skip
_GLUED = re.compile(
    rf"(?:{'|'.join(NEUTRAL)})*({'|'.join(sorted(WORDS, key=len, reverse=True))})"
    rf"(?:{'|'.join(NEUTRAL)})*"
)
WAY_OUT = (
    "Set the source's train, and heldout if there is one, to the splits that are to be used, or "
    "train to '.' if these are none."
)


@dataclass(frozen=True)
class SplitName:
    """What a name says about a split.

    Attributes
    ----------
    kind
        ``train`` or one of ``HELDOUT``; None if the name is not that of a split.
    rest
        The other words of the name, without those that say nothing.
    """

    kind: str | None
    rest: tuple[str, ...]


def read_name(name: str) -> SplitName:
    """Look for the word of a split in a name, in any case: ``Train``, ``seg_test``, ``valSet2``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", unicodedata.normalize("NFKC", name))
    joined = re.sub(r"\b(h[oe]ld)[\W_]*out", r"\1out", spaced.casefold())
    kinds, rest = set(), []
    for word in re.findall(r"[^\W\d_]+", joined):
        if found := _GLUED.fullmatch(word):
            kinds.add(WORDS[found[1]])
        elif word not in NEUTRAL:
            rest.append(word)
    # Some data sets join the two: trainval.
    kind = TRAIN if kinds == {TRAIN, "val"} else kinds.pop() if len(kinds) == 1 else None
    return SplitName(kind, tuple(rest))


def group_by_split(names: Iterable[str]) -> dict[tuple[str, ...], dict[str, list[str]]]:
    """Group the names of splits by their other words, and then by kind.

    ``seg_train`` and ``seg_test`` are in one group, ``bullet train`` and ``crash test`` in two.
    """
    groups: dict[tuple[str, ...], dict[str, list[str]]] = {}
    for name in sorted(names):
        found = read_name(name)
        if found.kind:
            groups.setdefault(found.rest, {}).setdefault(found.kind, []).append(name)
    return groups


def heldout_kind(kinds: Iterable[str]) -> str | None:
    """Return the kind of held-out images to use, of those that a source has."""
    present = set(kinds)
    return next((kind for kind in HELDOUT if kind in present), None)
