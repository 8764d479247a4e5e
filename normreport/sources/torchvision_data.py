"""torchvision's classification data sets, by class name."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from torchvision import datasets

from normreport.config.data import TorchvisionData
from normreport.errors import DataError, UnreadableImageError, nearest
from normreport.sources.decoding import error_reason
from normreport.sources.pool import ImagePool, SourceImages
from normreport.sources.splits import read_name

# Parameters that normreport sets; users may set the others.
RESERVED = {
    "root",
    "download",
    "transform",
    "target_transform",
    "transforms",
    "loader",
    "is_valid_file",
}


def list_images(source: TorchvisionData, seed: int) -> SourceImages:
    """Open the data set; torchvision downloads it if its root lacks it.

    Raises
    ------
    DataError
        If torchvision has no such data set, it rejects the arguments, the download fails, or it
        does not consist of images with one class each.
    """
    data = _open_dataset(source, source.arguments)
    train = _pool(source, data, seed)
    heldout = None
    if source.heldout_arguments is not None:
        heldout_data = _open_dataset(source, source.heldout_arguments)
        names = [getattr(each, "classes", None) for each in (data, heldout_data)]
        if names[0] != names[1]:
            raise _unsuitable(source, "other classes in the held-out images")
        heldout = _pool(source, heldout_data, seed)
    named = getattr(data, "classes", None) or range(int(train.labels.max(initial=0)) + 1)
    # Some classes have several names.
    classes = [", ".join(name) if isinstance(name, tuple) else str(name) for name in named]
    if all(read_name(name).kind and not read_name(name).rest for name in classes):
        raise _unsuitable(source, f"the splits {', '.join(map(repr, classes))} in place of classes")
    for pool in (train, heldout or train):
        if pool.labels.min(initial=0) < 0 or pool.labels.max(initial=0) >= len(classes):
            raise _unsuitable(source, f"labels beyond its {len(classes)} classes")
    return SourceImages(f"torchvision's {source.dataset}", tuple(classes), train, heldout)


def _open_dataset(source: TorchvisionData, arguments: Mapping[str, Any]) -> Any:
    known = [name for name in datasets.__all__ if inspect.isclass(getattr(datasets, name))]
    if source.dataset not in known:
        raise DataError(
            f"torchvision has no data set {source.dataset!r}. {nearest(source.dataset, known)}"
        )
    kind = getattr(datasets, source.dataset)
    parameters = inspect.signature(kind).parameters
    allowed = [name for name in parameters if name not in RESERVED]
    for name in arguments:
        if name not in allowed:
            raise DataError(
                f"torchvision's {source.dataset}: the argument {name!r} cannot be set. "
                f"{nearest(name, allowed)}"
            )
    options = dict(arguments) | ({"root": source.root} if "root" in parameters else {})
    try:
        try:
            return kind(**options)
        except (OSError, RuntimeError):
            if "download" not in parameters:
                raise
            return kind(**options, download=True)
    except Exception as error:  # each of torchvision's classes raises its own
        raise DataError(
            f"torchvision's {source.dataset}: could neither be opened in {source.root!r} nor "
            f"downloaded ({error or type(error).__name__}). Check the arguments and the internet "
            "connection, or put the files there."
        ) from error


def _pool(source: TorchvisionData, data: Any, seed: int) -> ImagePool:
    # A data set may use a shared random generator, so images are read one at a time.
    lock = Lock()

    def read(i: int) -> Image.Image:
        with lock:
            try:
                image = data[i][0]
            except Exception as error:  # decoders raise many types
                name = f"torchvision's {source.dataset}"
                raise UnreadableImageError(name, f"image {i}", error_reason(error)) from error
        if not isinstance(image, Image.Image):
            raise _unsuitable(source, f"{type(image).__name__} instead of an image")
        return image

    return ImagePool.stratified(_labels(source, data), read, seed)


def _labels(source: TorchvisionData, data: Any) -> NDArray[np.int64]:
    # Most data sets have an attribute with the labels; the others must be read image by image.
    attributes = (getattr(data, name, None) for name in ("targets", "labels", "_labels"))
    stored = next((labels for labels in attributes if labels is not None), None)
    try:
        labels = np.asarray([data[i][1] for i in range(len(data))] if stored is None else stored)
    except (ValueError, TypeError) as error:
        raise _unsuitable(source, f"labels that are not numbers ({error})") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise _unsuitable(source, f"labels of type {labels.dtype} and shape {labels.shape}")
    return labels.astype(np.int64)


def _unsuitable(source: TorchvisionData, found: str) -> DataError:
    return DataError(
        f"torchvision's {source.dataset}: expected a data set of images with one class each, "
        f"found {found}. Choose another, or use the kind imagefolder for folders of images."
    )
