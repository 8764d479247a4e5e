"""Parquet files with encoded images, as in Hugging Face data sets."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from PIL import Image
from pyarrow import parquet

from normreport.config.data import Parquet
from normreport.errors import DataError, UnreadableImageError, nearest
from normreport.sources.decoding import decode_image
from normreport.sources.pool import ImagePool, SourceImages, Unused, valid_name
from normreport.sources.splits import TRAIN, WAY_OUT, heldout_kind, read_name

SUFFIXES = (".parquet", ".parq", ".pq")
HIDDEN = (".", "_")  # first characters of the files that Spark and Dask keep for themselves


def list_images(source: Parquet, seed: int) -> SourceImages:
    """Read the labels of all rows, but not the images.

    Raises
    ------
    DataError
        If the file does not exist, is not Parquet, lacks a column, a label is invalid, the files
        name their labels differently, or their names do not tell the splits clearly.
    """
    splits, unused = find_splits(source)
    labels = {
        split: [_read_labels(path, source) for path in paths] for split, paths in splits.items()
    }
    classes = _unite_classes([each for split in labels.values() for each in split], source)
    numbers = {name: i for i, name in enumerate(classes)}
    pools = {}
    for split, files in labels.items():
        rows = _RowReader(splits[split], source)
        values = [numbers[value] for each in files for value in each.values]
        pools[split] = ImagePool.stratified(np.array(values, dtype=np.int64), rows.read, seed)
    return SourceImages(
        name=source.path,
        classes=tuple(str(name) for name in classes),
        train=pools["train"],
        heldout=pools.get("heldout"),
        unused=unused,
    )


def find_splits(source: Parquet) -> tuple[dict[str, list[Path]], tuple[Unused, ...]]:
    """List the files of ``train`` and, if there are any, of ``heldout``; and those not used.

    Raises
    ------
    DataError
        If there is no file, or their names do not tell the splits clearly.
    """
    top = Path(source.path)
    paths = _list_files(top)
    if not paths or not top.exists():
        raise DataError(
            f"{top}: expected a Parquet file or a folder with Parquet files, found none. Correct "
            "the path, which is relative to the folder where snakemake runs."
        )
    if source.train is not None:
        splits = {"train": _matching_files(source, "train", source.train)}
        if source.heldout is not None:
            splits["heldout"] = _matching_files(source, "heldout", source.heldout)
            if both := {*splits["train"]} & {*splits["heldout"]}:
                raise DataError(
                    f"{min(both)}: expected each file in one split, found it in train "
                    f"({source.train!r}) and heldout ({source.heldout!r}). Correct them."
                )
    else:
        splits = _splits_by_name(top, paths)
    used = {path for files in splits.values() for path in files}
    # The shards of a split have numbers.
    others = (valid_name(str(path.relative_to(top))) for path in paths if path not in used)
    names = (re.sub(r"\d+", "*", other) for other in others)
    return splits, tuple(Unused(name, count) for name, count in sorted(Counter(names).items()))


def _list_files(path: Path) -> list[Path]:
    """Return the file, or all Parquet files at any depth below a folder, which may end alike."""
    if not path.is_dir():
        return [path]
    return sorted(
        found
        for found in path.rglob("*")
        if found.suffix.lower() in SUFFIXES
        and not any(part.startswith(HIDDEN) for part in found.relative_to(path).parts)
        and found.is_file()
    )


def _matching_files(source: Parquet, key: str, pattern: str) -> list[Path]:
    top = Path(source.path)
    found = [top] if pattern == "." else sorted(top.glob(pattern))
    paths = [path for each in found for path in _list_files(each)]
    if not paths:
        raise DataError(
            f"{top}: {key}: expected Parquet files that match {pattern!r}, found none. Correct "
            "the source's path or key."
        )
    return paths


def _splits_by_name(top: Path, paths: Sequence[Path]) -> dict[str, list[Path]]:
    by_kind: dict[str, list[Path]] = {}
    for path in paths:
        # The innermost name decides: validation/train-0.parquet holds training images.
        kinds = (read_name(part).kind for part in reversed(path.relative_to(top).parts))
        by_kind.setdefault(next(filter(None, kinds), ""), []).append(path)
    heldout = heldout_kind(by_kind)
    if heldout and TRAIN in by_kind:
        return {"train": by_kind[TRAIN], "heldout": by_kind[heldout]}
    if len(by_kind) > 1 and heldout:
        found = ", ".join(repr(str(files[0].relative_to(top))) for files in by_kind.values())
        raise DataError(
            f"{top}: expected files of training images and of held-out images, such as "
            f"train.parquet and val.parquet, or files that are all alike, found {found}. {WAY_OUT}"
        )
    return {"train": list(paths)}


def _open_file(path: Path) -> parquet.ParquetFile:
    try:
        return parquet.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise _unreadable(path, error) from error


@dataclass(frozen=True)
class _Labels:
    """The labels of one file: names, or numbers if the file does not name them.

    Attributes
    ----------
    path
        The file.
    values
        One name or number for each row.
    names
        All names that the file lists, in the order of the numbers; None without a list.
    """

    path: Path
    values: list[Any]
    names: list[str] | None


def _read_labels(path: Path, source: Parquet) -> _Labels:
    column = source.label_column
    partition = _read_partition(path, source)
    with _open_file(path) as file:
        columns = {*file.schema_arrow.names}
        _check_column(path, "image_column", source.image_column, columns)
        _check_column(path, "label_column", column, columns | partition.keys())
        if column not in columns:
            return _Labels(path, [partition[column]] * file.metadata.num_rows, None)
        try:
            values = file.read([column])[column].to_pylist()
        except (OSError, pa.ArrowException, UnicodeDecodeError) as error:
            raise _unreadable(path, error) from error
        names = _read_class_names(file.schema_arrow, path, column)
    kinds = {type(value) for value in values}
    if values and kinds not in ({int}, {str}):
        raise DataError(
            f"{path}: column {column!r}: expected one whole number or name for each image, found "
            f"{', '.join(sorted(kind.__name__ for kind in kinds))}. Correct the column, or set "
            "label_column to another."
        )
    if names is None:
        return _Labels(path, values, names)
    known: dict[Any, str] = dict(enumerate(names)) if kinds == {int} else {n: n for n in names}
    for value in values:
        if value not in known:
            hidden = " Data sets hide the labels of some splits as -1." if value == -1 else ""
            raise DataError(
                f"{path}: column {column!r}: expected one of the {len(names)} classes that the "
                f"file names, found {value!r}.{hidden} Correct the column, or set the source's "
                "train and heldout to other files."
            )
    return _Labels(path, [known[value] for value in values], names)


def _check_column(path: Path, key: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise DataError(
            f"{path}: {key} is {name!r}, but there is no such column. {nearest(name, known)}"
        )


def _read_partition(path: Path, source: Parquet) -> dict[str, str]:
    """Return the columns that Spark and Dask write into the names of folders: ``label=cat``."""
    folders = path.relative_to(source.path).parts[:-1]
    pairs = [folder.split("=", 1) for folder in folders if "=" in folder]
    return {unquote(key): unquote(value) for key, value in pairs}


def _read_class_names(schema: pa.Schema, path: Path, column: str) -> list[str] | None:
    """Return the class names in Hugging Face's metadata of a file, or None."""
    text = (schema.metadata or {}).get(b"huggingface", b"{}")
    try:
        names = json.loads(text)["info"]["features"][column]["names"]
        if isinstance(names, Mapping):  # {"0": "cat", "1": "dog"}
            names = [names[str(i)] for i in range(len(names))]
    except (ValueError, KeyError, TypeError):
        return None
    if not isinstance(names, list):
        return None
    names = [str(name) for name in names]
    if len({*names}) < len(names):
        twice = next(name for name, count in Counter(names).items() if count > 1)
        raise DataError(
            f"{path}: column {column!r}: expected class names that differ, found {twice!r} twice. "
            "Correct the metadata, or remove it to use numbers."
        )
    return names


def _unite_classes(files: Sequence[_Labels], source: Parquet) -> list[Any]:
    """Return the classes of all files, in the order in which the files name them.

    Numbers may mean another class in each file, so the files must all name them, or none.
    """
    filled = [each for each in files if each.values]
    numbered = [each for each in filled if isinstance(each.values[0], int)]
    texts = [each for each in filled if isinstance(each.values[0], str)]
    if not filled:
        raise DataError(f"{source.path}: expected images, found no row. Add some.")
    if numbered and texts:
        raise DataError(
            f"{numbered[0].path}: column {source.label_column!r}: expected class names, as in "
            f"{texts[0].path}, found numbers without names. Write the same metadata of Hugging "
            "Face, or names, into all files."
        )
    listed = dict.fromkeys(name for each in files for name in each.names or ())
    values = {value for each in filled for value in each.values}
    return [*listed, *sorted(values - listed.keys())] if texts else sorted(values)


class _RowReader:
    """Reads images by row, and keeps two row groups in memory.

    Threads that read consecutive rows need two groups at the end of a group.
    """

    def __init__(self, paths: Sequence[Path], source: Parquet) -> None:
        self.source, self.column, self.top = source.path, source.image_column, Path(source.path)
        self.max_megapixels = source.max_megapixels
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
        shown = path.name if path == self.top else path.relative_to(self.top)
        name = valid_name(f"row {within} of row group {number} of {shown}")
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
        return decode_image(
            io.BytesIO(content), source=self.source, name=name, max_megapixels=self.max_megapixels
        )

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
