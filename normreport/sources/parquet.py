"""Parquet files with encoded images, as in Hugging Face data sets."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from normreport.config.data import Parquet
from normreport.errors import DataError, UnreadableImageError, nearest
from normreport.sources.decoding import decode_image
from normreport.sources.pool import ImagePool, SourceImages

HELDOUT = ("validation", "val", "eval", "test")


def list_images(source: Parquet, seed: int) -> SourceImages:
    """Read the labels of all rows, but not the images.

    Raises
    ------
    DataError
        If the file does not exist, is not Parquet, lacks a column, or a label is invalid.
    """
    splits = _split_files(list_files(Path(source.path)), Path(source.path))
    columns = {split: _read_label_column(paths, source) for split, paths in splits.items()}
    classes = _read_class_names(splits["train"][0], source) or sorted(
        set().union(*columns.values())
    )
    pools = {}
    for split, values in columns.items():
        rows = _RowReader(splits[split], source)
        labels = np.array(_to_labels(values, classes, source), dtype=np.int64)
        pools[split] = ImagePool.stratified(labels, rows.read, seed)
    return SourceImages(
        name=source.path,
        classes=tuple(str(name) for name in classes),
        train=pools["train"],
        heldout=pools.get("heldout"),
    )


def list_files(path: Path) -> list[Path]:
    """Return the file, or all Parquet files at any depth below the folder.

    Raises
    ------
    DataError
        If there is none.
    """
    paths = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not paths or not path.exists():
        raise DataError(
            f"{path}: expected a Parquet file or a folder with Parquet files, found none. Correct "
            "the path, which is relative to the folder where snakemake runs."
        )
    return paths


def _split_files(paths: Sequence[Path], top: Path) -> dict[str, list[Path]]:
    """Separate held-out files by the words in the names of files and folders."""
    by_word: dict[str, list[Path]] = {}
    for path in paths:
        words = re.split(r"[^a-z]+", str(path.relative_to(top.parent)).lower())
        word = next((w for w in reversed(words) if w in ("train", *HELDOUT)), "")
        by_word.setdefault(word, []).append(path)
    heldout = next((word for word in HELDOUT if word in by_word), None)
    if "train" not in by_word or heldout is None:
        return {"train": list(paths)}
    return {"train": by_word["train"], "heldout": by_word[heldout]}


def _open_file(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


def _read_label_column(paths: Sequence[Path], source: Parquet) -> list[Any]:
    values: list[Any] = []
    for path in paths:
        with _open_file(path) as file:
            for key in ("image_column", "label_column"):
                name = getattr(source, key)
                if name not in file.schema_arrow.names:
                    raise DataError(
                        f"{path}: {key} is {name!r}, but there is no such column. "
                        f"{nearest(name, file.schema_arrow.names)}"
                    )
            try:
                values += file.read([source.label_column])[source.label_column].to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(path, error) from error
    kinds = {type(value) for value in values}
    if kinds not in ({int}, {str}):
        raise DataError(
            f"{source.path}: column {source.label_column!r}: expected one whole number or name "
            f"for each image, found {', '.join(sorted(k.__name__ for k in kinds)) or 'no row'}. "
            "Correct the column, or set label_column to another."
        )
    return values


def _read_class_names(path: Path, source: Parquet) -> list[str] | None:
    """Return the class names in Hugging Face's metadata of the file, or None."""
    with _open_file(path) as file:
        text = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(text)["info"]["features"][source.label_column]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names]


def _to_labels(values: list[Any], classes: list[Any], source: Parquet) -> list[int]:
    known = {name: i for i, name in enumerate(classes)}
    if isinstance(values[0], int) and isinstance(classes[0], str):
        known = dict(zip(range(len(classes)), range(len(classes)), strict=True))
    for value in values:
        if value not in known:
            raise DataError(
                f"{source.path}: column {source.label_column!r}: expected one of the "
                f"{len(classes)} classes that the file names, found {value!r}. Correct the column."
            )
    return [known[value] for value in values]


class _RowReader:
    """Reads images by row, and keeps two row groups in memory.

    Threads that read consecutive rows need two groups at the end of a group.
    """

    def __init__(self, paths: Sequence[Path], source: Parquet) -> None:
        self.source, self.column = source.path, source.image_column
        self.groups: list[tuple[Path, int]] = []
        counts = []
        for path in paths:
            with _open_file(path) as file:
                for group in range(file.num_row_groups):
                    self.groups.append((path, group))
                    counts.append(file.metadata.row_group(group).num_rows)
        self.ends: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64)
        self.loaded: dict[int, Any] = {}
        self.lock = Lock()

    def read(self, row: int) -> Image.Image:
        group = int(np.searchsorted(self.ends, row, side="right"))
        path, number = self.groups[group]
        within = row - (int(self.ends[group - 1]) if group else 0)
        name = f"row {within} of row group {number} of {path.name}"
        with self.lock:
            if group not in self.loaded:
                for oldest in list(self.loaded)[:-1]:
                    del self.loaded[oldest]
                self.loaded[group] = self._read_group(path, number)
            value = self.loaded[group][within].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            why = f"column {self.column!r} has {type(content).__name__} instead of bytes"
            raise UnreadableImageError(self.source, name, why)
        return decode_image(io.BytesIO(content), source=self.source, name=name)

    def _read_group(self, path: Path, group: int) -> Any:
        with _open_file(path) as file:
            try:
                return file.read_row_group(group, [self.column])[self.column]
            except (OSError, pa.ArrowException) as error:
                raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: could not be read ({error}). Expected a complete Parquet file. Download it again."
    )
