"""Any classification data set of torchvision, by the name of its class."""

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
from normreport.sources.decoding import reason
from normreport.sources.pool import Pool, Splits

# What this program decides; the rest of a class's parameters are the user's.
OURS = {
    "root",
    "download",
    "transform",
    "target_transform",
    "transforms",
    "loader",
    "is_valid_file",
}


def find(source: TorchvisionData, seed: int) -> Splits:
    """Open the data set in its root; torchvision downloads it if it is not there.

    Raises
    ------
    DataError
        If torchvision has no such data set, it takes no such arguments, is neither there nor to be
        downloaded, or is not one of images and classes.
    """
    data = _opened(source, source.arguments)
    other = source.heldout_arguments
    train = _pool(source, data, seed)
    heldout = None if other is None else _pool(source, _opened(source, other), seed)
    named = getattr(data, "classes", None) or range(int(train.labels.max(initial=0)) + 1)
    # Some classes have several names.
    classes = [", ".join(name) if isinstance(name, tuple) else str(name) for name in named]
    for pool in (train, heldout or train):
        if pool.labels.min(initial=0) < 0 or pool.labels.max(initial=0) >= len(classes):
            raise _unfit(source, f"labels beyond the {len(classes)} classes that it names")
    return Splits(f"torchvision's {source.dataset}", tuple(classes), train, heldout)


def _opened(source: TorchvisionData, arguments: Mapping[str, Any]) -> Any:
    known = [name for name in datasets.__all__ if inspect.isclass(getattr(datasets, name))]
    if source.dataset not in known:
        raise DataError(
            f"torchvision has no data set {source.dataset!r}. {nearest(source.dataset, known)}"
        )
    kind = getattr(datasets, source.dataset)
    parameters = inspect.signature(kind).parameters
    theirs = [name for name in parameters if name not in OURS]
    for name in arguments:
        if name not in theirs:
            raise DataError(
                f"torchvision's {source.dataset} takes no argument {name!r} here. "
                f"{nearest(name, theirs)}"
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
            f"torchvision's {source.dataset}: could be neither opened in {source.root!r} nor "
            f"downloaded there ({error or type(error).__name__}). Expected its files there, or a "
            "network and arguments that it takes. Mend them, or put the files there."
        ) from error


def _pool(source: TorchvisionData, data: Any, seed: int) -> Pool:
    # A data set may draw from a generator that all share, so that one image is read at a time.
    lock = Lock()

    def read(i: int) -> Image.Image:
        with lock:
            try:
                image = data[i][0]
            except Exception as error:  # decoders raise whatever they stumble over
                name = f"torchvision's {source.dataset}"
                raise UnreadableImageError(name, f"image {i}", reason(error)) from error
        if not isinstance(image, Image.Image):
            raise _unfit(source, f"{type(image).__name__} where images must be")
        return image

    return Pool.stratified(_labels(source, data), read, seed)


def _labels(source: TorchvisionData, data: Any) -> NDArray[np.int64]:
    # Most have them at hand; of the others every image must be read.
    at_hand = (getattr(data, name, None) for name in ("targets", "labels", "_labels"))
    found = next((labels for labels in at_hand if labels is not None), None)
    try:
        labels = np.asarray([data[i][1] for i in range(len(data))] if found is None else found)
    except (ValueError, TypeError) as error:
        raise _unfit(source, f"labels that are no numbers ({error})") from error
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise _unfit(source, f"labels of type {labels.dtype} and shape {labels.shape}")
    return labels.astype(np.int64)


def _unfit(source: TorchvisionData, found: str) -> DataError:
    return DataError(
        f"torchvision's {source.dataset}: expected a data set of images with one class each, "
        f"found {found}. Name another."
    )
