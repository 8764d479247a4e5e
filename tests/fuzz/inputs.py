"""Valid and invalid inputs: configurations, folders of images, files of weights."""

from __future__ import annotations

import copy
import io
import os
import pickle
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from hypothesis import strategies as st
from PIL import Image
from safetensors.torch import save

from normreport.config.claims import STATISTICS
from normreport.normalizations import NORMALIZATIONS
from tests.conftest import ROOT
from tests.injections import INJECTIONS
from tests.sources.images import SPLIT_NAMES, styled
from tests.training.helpers import tiny_network

# Configurations

DEFAULT: dict[str, Any] = yaml.safe_load((ROOT / "config.yaml").read_text(encoding="utf-8"))

SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([*INJECTIONS, 10**100, -(10**100), "1e999", "digits", "\0", "../..", 10**19])
)  # fmt: skip
ABSURD = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)
CONDITIONS = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "model": st.sampled_from(["vgg16", "mobilenet_v2"]),
            "start": st.sampled_from(["scratch", "pretrained", ["scratch_head", "scratch"]]),
            "normalization": st.lists(st.sampled_from(sorted(NORMALIZATIONS)), max_size=2),
            "seed": st.integers(0, 3) | st.lists(st.integers(0, 2**32), max_size=3),
        },
    ),
    max_size=2,
)
NUMBERS = st.floats(0.01, 100) | st.lists(st.floats(0.01, 100), min_size=3, max_size=3)
OWN_ARMS = ("half", "decay", "Arm_3")
ARMS = st.dictionaries(
    st.sampled_from(OWN_ARMS),
    st.fixed_dictionaries({}, optional={"divide": st.floats(0.1, 300), "mean": NUMBERS})
    | st.fixed_dictionaries(
        {"normalization": st.sampled_from([*sorted(NORMALIZATIONS), *OWN_ARMS])},
        optional={
            "training": st.fixed_dictionaries(
                {},
                optional={
                    "optimizer": st.fixed_dictionaries(
                        {"name": st.sampled_from(["adamw", "sgd"])},
                        optional={"weight_decay": st.floats(0, 10), "momentum": st.floats(0, 0.9)},
                    ),
                    "learning_rate": st.floats(1e-6, 1),
                    "batch_size": st.integers(2, 64),
                },
            ),
            "label": st.sampled_from(INJECTIONS),
            "text": st.sampled_from(INJECTIONS),
            "color": st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
        },
    ),
    max_size=3,
)
SIDES = st.builds(
    "{}{}".format,
    st.sampled_from(["unit", "imagenet", "raw", "half", "decay"]),
    st.sampled_from(["", "", "@0", "@2", "@99"]),
)
CONTRASTS = SIDES | st.builds("{} {} {}".format, SIDES, st.sampled_from("/-+"), SIDES)
MARGINS = st.builds(
    "{}{}".format, st.floats(-2, 60).map(lambda x: round(x, 3)),
    st.sampled_from(["", "%", " points", " sigma", "1 point", " apples"]),
)  # fmt: skip
OWN_CLAIMS = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.sampled_from(["D1", "D2", "F1", "S3b"]),
            "statement": st.sampled_from(INJECTIONS) | st.just("It is so, by 5%."),
            "statistic": st.sampled_from(sorted(STATISTICS)),
            "contrast": CONTRASTS,
            "expect": st.sampled_from(["above", "below", "within"]),
            "margin": MARGINS | st.floats(-5, 5),
        },
        optional={
            "starts": st.just(["scratch"]),
            "layers": st.sampled_from([["kept"], ["measured"], ["features.*"], ["nowhere"]]),
            "models": st.sampled_from([["vgg16"], ["mobilenet_v2"], ["nothing"]]),
        },
    ),
    max_size=4,
)
WORDS = st.text(min_size=1, max_size=30).filter(lambda text: bool(text.strip()))
VALID_VALUES: Mapping[tuple[str, ...], st.SearchStrategy[Any]] = {
    ("report", "title"): WORDS | st.sampled_from(INJECTIONS),
    ("report", "authors"): st.lists(WORDS | st.sampled_from(INJECTIONS), max_size=3),
    ("report", "accent"): st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
    ("report", "density_epoch"): st.integers(0, 35),
    ("experiment", "models"): st.sampled_from([["vgg16"], ["mobilenet_v2"]]),
    ("experiment", "starts"): st.lists(
        st.sampled_from(["scratch", "pretrained", "scratch_laplace"]), min_size=1, unique=True
    ),
    ("experiment", "normalizations"): st.lists(
        st.sampled_from(sorted(NORMALIZATIONS)), min_size=1, max_size=4, unique=True
    ),
    ("experiment", "exclude"): CONDITIONS,
    ("experiment", "include"): CONDITIONS,
    ("arms",): ARMS,
    ("claims", "own"): OWN_CLAIMS,
    ("claims", "article"): st.sampled_from(["all", "none", ["F1"], ["F99"], []]),
    ("experiment", "contrast"): st.lists(
        st.sampled_from(["unit", "imagenet", "half", "decay"]), min_size=2, max_size=2
    ),
    ("experiment", "seeds"): st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=4,
                                      unique=True),
    ("data", "target", "source"): st.sampled_from(["digits", "photographs"])
    | st.fixed_dictionaries(
        {"kind": st.just("imagefolder"), "path": WORDS.filter(lambda text: "\0" not in text)},
        optional={"skip_unreadable": st.booleans()},
    ),
    ("data", "target", "balance"): st.sampled_from(["proportional", "one_of_each", "equal"]),
    ("data", "target", "train_images"): st.integers(128, 10**8),
    ("training", "epochs"): st.integers(35, 10_000),
    ("training", "optimizer"): st.fixed_dictionaries(
        {"name": st.sampled_from(["adam", "adamw", "sgd", "rmsprop"])},
        optional={"weight_decay": st.floats(0, 10)},
    ),
    ("training", "scheduler", "name"): st.sampled_from(["plateau", "step", "cosine"]),
    ("models", "vgg16", "layers"): st.lists(
        st.from_regex(r"[A-Za-z0-9_.-]{1,128}", fullmatch=True), min_size=1, max_size=16,
        unique=True),
    ("models", "mobilenet_v2", "learning_rate"): st.floats(1e-300, 100),
    ("pretraining", "weights"): st.sampled_from(["train", "IMAGENET1K_V1", "{model}.pth"]),
}  # fmt: skip


def _places(node: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node)
    for key, child in children:
        yield (*place, key)
        if isinstance(child, dict | list):
            yield from _places(child, (*place, key))


PLACES = list(_places(DEFAULT))


@st.composite
def configurations(draw: st.DrawFn) -> bytes:
    """Draw the default configuration with valid or invalid values, or with damaged text."""
    values = copy.deepcopy(DEFAULT)
    for place in draw(st.lists(st.sampled_from(list(VALID_VALUES)), max_size=4, unique=True)):
        _group(values, place)[place[-1]] = copy.deepcopy(draw(VALID_VALUES[place]))
    kind = draw(st.sampled_from(["valid", "wrong value", "no key", "other key", "damaged text"]))
    if kind not in ("valid", "damaged text"):
        place = draw(st.sampled_from(PLACES))
        group = _group(values, place)
        old = group.pop(place[-1], None) if isinstance(group, dict) else None
        if kind == "wrong value" and isinstance(group, dict):
            group[place[-1]] = draw(ABSURD)
        elif kind == "other key" and isinstance(group, dict):
            group[draw(st.text(max_size=8))] = old
        elif not isinstance(group, dict):
            group.append(draw(ABSURD))
    text = yaml.safe_dump(values, allow_unicode=True).encode()
    return draw(damaged(text)) if kind == "damaged text" else text


def _group(values: Any, place: tuple[Any, ...]) -> Any:
    """Return the innermost group on the way to a place that still exists."""
    for key in place[:-1]:
        inner = values.get(key) if isinstance(values, dict) else None
        if not isinstance(inner, dict | list):
            break
        values = inner
    return values


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> bytes:
    """Truncate the content, remove or insert some bytes, or change a few."""
    where = draw(st.integers(0, len(content)))
    match draw(st.sampled_from(["end", "cut", "insert", "flip"])):
        case "end":
            return content[:where]
        case "cut":
            return content[:where] + content[where + draw(st.integers(1, 50)) :]
        case "insert":
            return content[:where] + draw(st.binary(min_size=1, max_size=20)) + content[where:]
        case _:
            changed = bytearray(content)
            for place in draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=5)):
                changed[place] ^= draw(st.integers(1, 255))
            return bytes(changed)


# Folders of images


def _encoded(mode: str, kind: str, **options: Any) -> bytes:
    noise = np.random.default_rng(0).integers(0, 256, (17, 13, 4), dtype=np.uint8)
    image = Image.fromarray(noise)
    if mode == "I;16":
        image = Image.fromarray(noise[..., 0].astype(np.uint16) * 257)
    elif mode != "RGBA":
        image = image.convert("RGB").convert(mode)
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


ROTATED = Image.Exif()
ROTATED[0x0112] = 6
ENCODED_IMAGES = [
    _encoded("RGB", "PNG"), _encoded("RGBA", "PNG"), _encoded("P", "PNG"), _encoded("1", "PNG"),
    _encoded("LA", "PNG"), _encoded("I;16", "PNG"), _encoded("RGB", "JPEG", exif=ROTATED),
    _encoded("CMYK", "JPEG"), _encoded("L", "JPEG"), _encoded("RGBA", "WEBP"),
    _encoded("RGB", "BMP"), _encoded("P", "GIF"), _encoded("I;16", "TIFF"),
    _encoded("RGB", "AVIF"), _encoded("L", "PPM"), _encoded("1", "TIFF"), _encoded("LA", "TIFF"),
    _encoded("CMYK", "TIFF"), _encoded("RGB", "TIFF", compression="tiff_lzw"),
]  # fmt: skip
SUFFIXES = (
    "png", "jpg", "JPEG", "webp", "tif", "gif", "bmp", "jfif", "jpg_large", "avif", "heic", "txt",
    "",
)  # fmt: skip


@dataclass(frozen=True)
class File:
    """A file in a folder.

    Attributes
    ----------
    name
        Its name.
    content
        Its bytes; or "link", "loop" or "pipe" for a special file.
    """

    name: str
    content: bytes | str


NAMES = st.one_of(
    st.text(
        st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=8
    ),
    st.sampled_from([text for text in INJECTIONS if "/" not in text and len(text) < 60]),
).filter(lambda name: name not in (".", "..") and len(name.encode()) < 200)


@st.composite
def _files(draw: st.DrawFn) -> File:
    name = f"{draw(NAMES)}.{draw(st.sampled_from(['png'] * 20 + [*SUFFIXES]))}"
    content = draw(st.sampled_from(ENCODED_IMAGES))
    match draw(st.sampled_from(["intact"] * 30 + ["damaged", "other", "link", "loop", "pipe"])):
        case "intact":
            return File(name, content)
        case "damaged":
            return File(name, draw(damaged(content)))
        case "other":
            return File(name, draw(st.binary(max_size=40)))
        case special:
            return File(name, special)


def _file_lists(least: int) -> st.SearchStrategy[list[File]]:
    return st.lists(_files(), min_size=least, max_size=6, unique_by=lambda file: file.name)


def _classes(least: int) -> st.SearchStrategy[dict[str, list[File]]]:
    return st.dictionaries(NAMES, _file_lists(2 * least), min_size=least, max_size=4)


SPLITS = st.sampled_from([name for name, _ in SPLIT_NAMES]).flatmap(styled)
TRAINS = st.sampled_from([n for n, kind in SPLIT_NAMES if kind == "train"]).flatmap(styled)
HELDOUTS = st.sampled_from([n for n, kind in SPLIT_NAMES if kind != "train"]).flatmap(styled)


@st.composite
def _split(draw: st.DrawFn) -> dict[str, Any]:
    train = draw(_classes(2))
    other = {name: draw(_file_lists(1)) for name in train}
    first, second = draw(st.tuples(TRAINS, HELDOUTS) | st.tuples(SPLITS, SPLITS))
    folder: dict[str, Any] = {first: train, second: draw(st.just(other) | _classes(0))}
    third = draw(st.none() | SPLITS | st.sampled_from(["@eaDir", "#recycle", "unlabeled"]))
    return folder | ({third: draw(st.just(other) | _classes(0))} if third else {})


@st.composite
def _with_system_folders(draw: st.DrawFn) -> dict[str, Any]:
    classes = draw(_classes(2))
    name = draw(st.sampled_from(["@eaDir", "__MACOSX", "$RECYCLE.BIN", ".thumbnails"]))
    return classes | {name: draw(_file_lists(1))}


FOLDERS = st.one_of(
    _classes(2), _classes(2), _classes(0), _split(), _split(), _with_system_folders()
)


def write_folder(folder: Path, content: Mapping[str, Any]) -> None:
    """Write a folder of classes, or a folder of splits with classes."""
    for name, inner in content.items():
        below = folder / name
        below.mkdir(parents=True, exist_ok=True)
        if isinstance(inner, Mapping):
            write_folder(below, inner)
            continue
        for file in inner:
            path = below / file.name
            match file.content:
                case "link":
                    path.symlink_to("nowhere")
                case "loop":
                    path.symlink_to(below)
                case "pipe":
                    os.mkfifo(path)
                case bytes():
                    path.write_bytes(file.content)


# Weights

STATE = {name: value.clone() for name, value in tiny_network().module.state_dict().items()}


def _saved(content: Any, **options: Any) -> bytes:
    stream = io.BytesIO()
    torch.save(content, stream, **options)
    return stream.getvalue()


CHECKPOINTS = [
    (".safetensors", save(STATE)),
    (".pth", _saved(STATE)),
    (".pth", _saved(STATE, _use_new_zipfile_serialization=False)),
    (".pt", _saved({"state_dict": {f"module.{k}": v for k, v in STATE.items()}, "epoch": 3})),
    (".pt", _saved([STATE])),
    (".pth", _saved({"weights": np.zeros(3)})),
    (".pth", pickle.dumps(STATE)),
]


PARTS = ["module", "_orig_mod", "model", "backbone", "net", "x y", "0", "encoder_q", "ünï"]
KEYS = ["state_dict", "model_state_dict", "model", "net", "weights", "params", "0", "a b", "ünï"]
EXTRAS = {"epoch": 3, "args": {"lr": 0.1}, "scaler": {"scale": torch.ones(())}, "best": [1, None]}


@st.composite
def wrapped_checkpoints(draw: st.DrawFn) -> tuple[str, Any]:
    """Draw the name of a file and a checkpoint of :data:`STATE`, wrapped in any way."""
    prefix = "".join(f"{part}." for part in draw(st.lists(st.sampled_from(PARTS), max_size=3)))
    content: Any = {f"{prefix}{name}": value for name, value in STATE.items()}
    # Without a prefix, other tensors of the dictionary may belong to the network.
    if prefix.replace("_orig_mod.", "") and draw(st.booleans()):
        content |= {"n_averaged": torch.tensor(1), "criterion.weight": torch.ones(2)}
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        content = {**draw(st.just({}) | st.just(EXTRAS)), key: content}
    suffix = draw(st.sampled_from([".pth", ".pth.tar", ".ckpt", ".bin", ".PTH", ""]))
    return f"weights{suffix}", content


@st.composite
def checkpoints(draw: st.DrawFn) -> tuple[str, bytes]:
    """Draw the suffix and the content of a file of weights, intact or damaged."""
    suffix, content = draw(st.sampled_from(CHECKPOINTS))
    return suffix, draw(st.just(content) | damaged(content))
