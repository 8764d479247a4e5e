"""Settings of prepare_data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Discriminator, Field, Tag

from normreport.config.base import UNION_TAG, Count, Name, Seed, Settings


def _without_zero_byte(path: str) -> str:
    if "\0" in path:
        raise ValueError("expected a path, found a text with a zero byte in it")
    return path


PathText = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_without_zero_byte)]
"""A path, from the folder that snakemake runs in."""
Arguments = Mapping[Name, Any]

Bundled = Literal["digits", "photographs"]
"""`digits`: scikit-learn's handwritten digits. `photographs`: random crops of the photographs that
scikit-image ships; the class is the photograph."""


class ImageFolder(Settings):
    """A folder with one folder per class, or with `train` and `eval` (`val`, `test`) of such."""

    kind: Literal["imagefolder"]
    """JPEG, PNG, WebP, TIFF, GIF and BMP, at any depth below the folder of their class."""
    path: PathText
    """The folder."""
    skip_unreadable: bool = False
    """Take another image instead of one that cannot be read; the report says which."""

    def without_place(self) -> Self:
        """Keep the folder's name alone, which says nothing of the machine."""
        return self.model_copy(update={"path": PurePath(self.path).name or "."})


class TorchvisionData(Settings):
    """A classification data set of torchvision; its files are not watched for edits."""

    kind: Literal["torchvision"]
    """Found under `root`, or downloaded to it by torchvision."""
    dataset: Name
    """The class in torchvision.datasets, such as `CIFAR10`."""
    root: PathText
    """The folder of torchvision's data sets."""
    arguments: Arguments = Field(default_factory=dict)
    """What else the class is called with, such as `train: true` or `split: train`."""
    heldout_arguments: Arguments | None = None
    """What it is called with for the held-out images; if null they are split from the others."""
    skip_unreadable: bool = False
    """Take another image instead of one that cannot be read; the report says which."""

    def without_place(self) -> Self:
        """Keep the root's name alone, which says nothing of the machine."""
        return self.model_copy(update={"root": PurePath(self.root).name or "."})


class Npz(Settings):
    """A file of NumPy arrays; compressed images are unpacked into the folder of temporary files."""

    kind: Literal["npz"]
    """`images`, uint8 (N, H, W) or (N, H, W, 1 or 3); `labels`, whole numbers from 0, (N,); if
    wanted `classes`, their names."""
    path: PathText
    """The file."""

    def without_place(self) -> Self:
        """Keep the file's name alone, which says nothing of the machine."""
        return self.model_copy(update={"path": PurePath(self.path).name or "."})


class Parquet(Settings):
    """A Parquet file, or a folder of such as Hugging Face has them."""

    kind: Literal["parquet"]
    """Files named `train...` and `validation...` (`val`, `eval`, `test`) are kept apart."""
    path: PathText
    """The file or the folder."""
    image_column: Annotated[str, Field(min_length=1)] = "image"
    """An image file's bytes, or a struct with them under `bytes`."""
    label_column: Annotated[str, Field(min_length=1)] = "label"
    """Whole numbers or names."""
    skip_unreadable: bool = False
    """Take another image instead of one that cannot be read; the report says which."""

    def without_place(self) -> Self:
        """Keep the last part of the path alone, which says nothing of the machine."""
        return self.model_copy(update={"path": PurePath(self.path).name or "."})


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
        custom_error_message="digits, photographs, or keys and values of which kind is "
        "imagefolder, torchvision, npz or parquet",
    ),
]


class DataSettings(Settings):
    """Where images come from and how many are kept."""

    source: Source
    """`digits`: scikit-learn's handwritten digits. `photographs`: random crops of the photographs
    that scikit-image ships; the class is the photograph. Or keys and values: one's own images."""
    train_images: Annotated[int, Field(ge=2, le=100_000_000)]
    """How many images are prepared for training, stratified by class."""
    heldout_images: Count
    """How many other images measure loss and accuracy after each epoch, stratified by class."""
    image_size_px: Annotated[int, Field(ge=16, le=1024)] = 32
    """Height and width that every image is resized to, before any normalization."""
    seed: Seed = 0
    """Chooses images, their order and the place of the crops."""

    def without_place(self) -> Self:
        """Leave out where the images lie: the same ones elsewhere are the same data."""
        if isinstance(self.source, str):
            return self
        return self.model_copy(update={"source": self.source.without_place()})
