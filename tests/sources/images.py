"""Small images, files and data sets that the tests of the sources share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from normreport import sources
from normreport.config.base import validate
from normreport.config.data import DataSettings
from normreport.sources import DataSet


def settings(source: Any, train: int = 4, heldout: int = 2, size: int = 16, seed: int = 0) -> Any:
    values = {"train_images": train, "heldout_images": heldout, "image_size_px": size}
    return validate(DataSettings, values | {"source": source, "seed": seed}, where="test")


def load(source: Any, threads: int = 2, **counts: int) -> DataSet:
    return in_memory(settings(source, **counts), threads=threads)


def in_memory(chosen: DataSettings, *, threads: int = 1) -> DataSet:
    """Load a data set into arrays in memory."""
    skip = getattr(chosen.source, "skip_unreadable", False)
    return sources.load_images(
        sources.list_images(chosen), empty(chosen), skip=skip, threads=threads
    )


def empty(chosen: DataSettings) -> dict[str, NDArray[Any]]:
    """Return empty arrays for a data set."""
    dtypes = {"I64": np.int64, "U8": np.uint8}
    shapes = sources.array_shapes(chosen).items()
    return {name: np.zeros(shape, dtypes[dtype]) for name, (dtype, shape) in shapes}


def picture(number: int, size: int = 20) -> Image.Image:
    """Return a picture of noise, different for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (size, size, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def write_classes(
    folder: Path, classes: dict[str, int], suffix: str = ".png", size: int = 20
) -> Path:
    """Write a number of pictures into the folder of each class."""
    for label, (name, count) in enumerate(classes.items()):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(count):
            picture(1000 * label + i, size).save(folder / name / f"{i}{suffix}")
    return folder


# Names of folders and files of public data sets, and the kind of split that they hold.
SPLIT_NAMES = [
    ("train", "train"), ("training", "train"), ("training_set", "train"), ("trainset", "train"),
    ("train_images", "train"), ("trainval", "train"), ("train_val", "train"),
    ("val", "val"), ("valid", "val"), ("validation", "val"), ("valid_set", "val"), ("dev", "val"),
    ("images_val", "val"), ("eval", "eval"), ("evaluation", "eval"),
    ("test", "test"), ("testing", "test"), ("test_set", "test"), ("testset", "test"),
    ("test_data", "test"), ("holdout", "holdout"), ("hold_out", "holdout"),
    ("held_out", "holdout"),
]  # fmt: skip


@st.composite
def styled(draw: st.DrawFn, name: str) -> str:
    """Draw another spelling of a name of lower-case words."""
    words = name.split("_")
    words = draw(st.sampled_from([words, [w.title() for w in words], [w.upper() for w in words]]))
    ending = draw(st.sampled_from(["", "1", "_2017", "-00000", " (2)"]))
    return draw(st.sampled_from(["_", "-", " ", "."])).join(words) + ending
