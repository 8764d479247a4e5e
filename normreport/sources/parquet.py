"""Parquet files with the bytes of images, as Hugging Face keeps data sets."""

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
from normreport.sources.decoding import decoded
from normreport.sources.pool import Pool, Splits

HELDOUT = ("validation", "val", "eval", "test")


def find(source: Parquet, seed: int) -> Splits:
    """Read the labels of every row; the images stay where they are.

    Raises
    ------
    DataError
        If there is no such file, it is no Parquet, or lacks a column.
    """
    splits = _split(files(Path(source.path)), Path(source.path))
    columns = {split: _labels(paths, source) for split, paths in splits.items()}
    classes = _classes(splits["train"][0], source) or sorted(set().union(*columns.values()))
    pools = {}
    for split, values in columns.items():
        rows = _Rows(splits[split], source)
        labels = np.array(_numbers(values, classes, source), dtype=np.int64)
        pools[split] = Pool.stratified(labels, rows.image, seed)
    return Splits(
        name=source.path,
        classes=tuple(str(name) for name in classes),
        train=pools["train"],
        heldout=pools.get("heldout"),
    )


def files(path: Path) -> list[Path]:
    """Give the file, or every Parquet file at any depth below the folder."""
    found = sorted(path.rglob("*.parquet")) if path.is_dir() else [path]
    if not found or not path.exists():
        raise DataError(
            f"{path}: expected a Parquet file, or a folder with such, found none. Mend the path, "
            "which is taken from the folder that snakemake runs in."
        )
    return found


def _split(paths: Sequence[Path], top: Path) -> dict[str, list[Path]]:
    """Keep held-out files apart, by the words in their names and those of their folders."""
    by_word: dict[str, list[Path]] = {}
    for path in paths:
        words = re.split(r"[^a-z]+", str(path.relative_to(top.parent)).lower())
        word = next((w for w in reversed(words) if w in ("train", *HELDOUT)), "")
        by_word.setdefault(word, []).append(path)
    heldout = next((word for word in HELDOUT if word in by_word), None)
    if "train" not in by_word or heldout is None:
        return {"train": list(paths)}
    return {"train": by_word["train"], "heldout": by_word[heldout]}


def _opened(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _broken(path, error) from error


def _labels(paths: Sequence[Path], source: Parquet) -> list[Any]:
    values: list[Any] = []
    for path in paths:
        with _opened(path) as file:
            for key in ("image_column", "label_column"):
                name = getattr(source, key)
                if name not in file.schema_arrow.names:
                    raise DataError(
                        f"{path}: there is no column {name!r}, which {key} asks for. "
                        f"{nearest(name, file.schema_arrow.names)}"
                    )
            try:
                values += file.read([source.label_column])[source.label_column].to_pylist()
            except (OSError, pa.ArrowException) as error:
                raise _broken(path, error) from error
    kinds = {type(value) for value in values}
    if kinds not in ({int}, {str}):
        raise DataError(
            f"{source.path}: column {source.label_column!r}: expected whole numbers or names, one "
            f"for each image, found {', '.join(sorted(k.__name__ for k in kinds)) or 'no row'}."
            " Mend the column, or name another by label_column."
        )
    return values


def _classes(path: Path, source: Parquet) -> list[str] | None:
    """Names of the classes, where Hugging Face's description of the file has them."""
    with _opened(path) as file:
        text = (file.schema_arrow.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(text)["info"]["features"][source.label_column]["names"]
    except (ValueError, KeyError, TypeError):
        return None
    return [str(name) for name in names]


def _numbers(values: list[Any], classes: list[Any], source: Parquet) -> list[int]:
    known = {name: i for i, name in enumerate(classes)}
    if isinstance(values[0], int) and isinstance(classes[0], str):
        known = dict(zip(range(len(classes)), range(len(classes)), strict=True))
    for value in values:
        if value not in known:
            raise DataError(
                f"{source.path}: column {source.label_column!r}: expected one of the "
                f"{len(classes)} classes that the file names, found {value!r}. Mend the column."
            )
    return [known[value] for value in values]


class _Rows:
    """Images by their row, of which two row groups at a time are in memory.

    Two, as threads that read in the order of the rows are on both sides of a group's end.
    """

    def __init__(self, paths: Sequence[Path], source: Parquet) -> None:
        self.source, self.column = source.path, source.image_column
        self.groups: list[tuple[Path, int]] = []
        counts = []
        for path in paths:
            with _opened(path) as file:
                for group in range(file.num_row_groups):
                    self.groups.append((path, group))
                    counts.append(file.metadata.row_group(group).num_rows)
        self.ends: NDArray[np.int64] = np.cumsum(counts, dtype=np.int64)
        self.loaded: dict[int, Any] = {}
        self.lock = Lock()

    def image(self, row: int) -> Image.Image:
        group = int(np.searchsorted(self.ends, row, side="right"))
        path, number = self.groups[group]
        within = row - (int(self.ends[group - 1]) if group else 0)
        name = f"row {within} of row group {number} of {path.name}"
        with self.lock:
            if group not in self.loaded:
                for oldest in list(self.loaded)[:-1]:
                    del self.loaded[oldest]
                self.loaded[group] = self._read(path, number)
            value = self.loaded[group][within].as_py()
        content = value.get("bytes") if isinstance(value, dict) else value
        if not isinstance(content, bytes):
            why = f"column {self.column!r} holds {type(content).__name__} instead of its bytes"
            raise UnreadableImageError(self.source, name, why)
        return decoded(io.BytesIO(content), source=self.source, name=name)

    def _read(self, path: Path, group: int) -> Any:
        with _opened(path) as file:
            try:
                return file.read_row_group(group, [self.column])[self.column]
            except (OSError, pa.ArrowException) as error:
                raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(
        f"{path}: could not be read ({error}). Expected a whole Parquet file. Fetch it again."
    )
