"""Settings of prepare_data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath, PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag, model_validator

from normreport.config.base import UNION_TAG, Count, Name, Seed, Settings


def _reject_null_byte(path: str) -> str:
    if "\0" in path:
        raise ValueError("expected a path, found a string with a null byte")
    return path


PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_reject_null_byte)]
"""A path, relative to the folder where snakemake runs."""


def _reject_path_elsewhere(path: str) -> str:
    parts = PurePosixPath(path).parts
    if path.startswith("/") or ".." in parts:
        raise ValueError(f"expected a path below that of the source, found {path!r}")
    return path


Below = Annotated[PathText, AfterValidator(_reject_path_elsewhere)]
"""A path, relative to that of the source."""
Arguments = Mapping[Name, Any]

Bundled = Literal["digits", "printed_digits", "photographs"]
"""`digits`: scikit-learn's handwritten digits. `printed_digits`: digits in the fonts that
matplotlib ships, turned, stretched and shaded at random. `photographs`: random crops of
scikit-image's photographs; the class is the photograph."""


MAX_MEGAPIXELS = 128


class EncodedImages(Settings):
    """Encoded images in files below one path."""

    kind: str
    """Tells the kinds apart."""
    path: PathText
    """The file or folder."""
    train: Below | None = None
    """Training images below `path`; `.` is all of it. Null: by name, such as `train`."""
    heldout: Below | None = None
    """Held-out images below `path`. Null: by name (`eval`, `val`, `test`, `holdout`) or, with
    `train` or without such names, split off the training images."""
    skip_unreadable: bool = False
    """Replace an unreadable image by another one; the report lists those left out."""
    max_megapixels: Annotated[int, Field(ge=1, le=10_000)] = MAX_MEGAPIXELS
    """The largest image, in millions of pixels. Each million takes 3 to 6 MB of memory, for each of
    up to eight images at a time."""

    @model_validator(mode="after")
    def _check_splits(self) -> Self:
        if self.heldout is None:
            return self
        if self.train is None:
            raise ValueError("expected train together with heldout, found only heldout")
        train, heldout = PurePosixPath(self.train), PurePosixPath(self.heldout)
        if train in (heldout, *heldout.parents) or heldout in train.parents:
            raise ValueError(
                f"expected heldout images that are not in train ({self.train!r}), found "
                f"{self.heldout!r}"
            )
        return self

    def without_place(self) -> Self:
        """Reduce the path to its last part, which reveals nothing about the machine."""
        return self.model_copy(update={"path": PurePath(self.path).name or "."})


class ImageFolder(EncodedImages):
    """A folder with one folder per class, or with such folders of training and held-out images."""

    kind: Literal["imagefolder"]
    """Reads image files at any depth below the folder of their class."""
    path: PathText
    """The folder."""


class TorchvisionData(Settings):
    """A classification data set of torchvision; edits of its files are not detected."""

    kind: Literal["torchvision"]
    """Read from `root`; torchvision downloads it there if it is missing."""
    dataset: Name
    """The class in torchvision.datasets, such as `CIFAR10`."""
    root: PathText
    """Folder of torchvision's data sets."""
    arguments: Arguments = Field(default_factory=dict)
    """Further arguments of the class, such as `train: true` or `split: train`."""
    heldout_arguments: Arguments | None = None
    """Arguments for the held-out images; if null, they are split off the others."""
    skip_unreadable: bool = False
    """Replace an unreadable image by another one; the report lists those left out."""

    def without_place(self) -> Self:
        """Reduce the root to its name, which reveals nothing about the machine."""
        return self.model_copy(update={"root": PurePath(self.root).name or "."})


class Npz(Settings):
    """A file of NumPy arrays; compressed images are unpacked to the temporary folder."""

    kind: Literal["npz"]
    """`images`: uint8, shape (N, H, W) or (N, H, W, 1 or 3). `labels`: integers from 0, shape (N,).
    `classes` (optional): their names."""
    path: PathText
    """The file."""

    def without_place(self) -> Self:
        """Reduce the path to the file's name, which reveals nothing about the machine."""
        return self.model_copy(update={"path": PurePath(self.path).name or "."})


class Parquet(EncodedImages):
    """A Parquet file, or a folder of Parquet files in Hugging Face's layout.

    `train` and `heldout` may be patterns, such as `data/train-*`.
    """

    kind: Literal["parquet"]
    """Reads encoded images and their labels."""
    path: PathText
    """The file or the folder."""
    image_column: Annotated[str, Field(min_length=1)] = "image"
    """Column of image files: bytes, or a struct with a field `bytes`."""
    label_column: Annotated[str, Field(min_length=1)] = "label"
    """Column of labels: integers or names."""


def _kind(source: object) -> str:
    kind = source.get("kind") if isinstance(source, Mapping) else getattr(source, "kind", "bundled")
    return f"{UNION_TAG}{kind}"


Source = Annotated[
    Annotated[Bundled, Tag(f"{UNION_TAG}bundled")]
    | Annotated[ImageFolder, Tag(f"{UNION_TAG}imagefolder")]
    | Annotated[TorchvisionData, Tag(f"{UNION_TAG}torchvision")]
    | Annotated[Npz, Tag(f"{UNION_TAG}npz")]
    | Annotated[Parquet, Tag(f"{UNION_TAG}parquet")],
    Discriminator(
        _kind,
        custom_error_type="kind",
        custom_error_message="digits, printed_digits, photographs, or keys and values with the "
        "kind imagefolder, torchvision, npz or parquet",
    ),
]


class DataSettings(Settings):
    """The source of images, and how many are used."""

    source: Source
    """`digits`: scikit-learn's handwritten digits. `printed_digits`: digits in the fonts that
    matplotlib ships, turned, stretched and shaded at random. `photographs`: random crops of
    scikit-image's photographs; the class is the photograph. Or keys and values that describe your
    own images."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)]
    """Number of images for training, stratified by class."""
    heldout_images: Count
    """Number of other images that measure final loss and accuracy, stratified by class. A few of
    them, `training.epoch_heldout_images`, are evaluated after every epoch."""
    image_size_px: Annotated[int, Field(ge=16, le=1024)] = 32
    """Height and width of the images, resized before any normalization."""
    balance: Literal["proportional", "one_of_each", "equal"] = "proportional"
    """How images are chosen. `proportional`: each class has its share of the source.
    `one_of_each`: likewise, but with at least one training and one held-out image of each class.
    `equal`: the same number of each class, or all images of a class that has too few."""
    seed: Seed = 0
    """Decides the choice of images, their order and the position of the crops."""

    def without_place(self) -> Self:
        """Remove the path: the same images elsewhere are the same data."""
        if isinstance(self.source, str):
            return self
        return self.model_copy(update={"source": self.source.without_place()})
