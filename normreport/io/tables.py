"""Tables in Parquet and CSV files.

Stages exchange Parquet files, whose page checksums detect truncation and changed bytes. CSV is for
tables that people read, and for tables whose digest a manifest records. Both restore floats bit
for bit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike
from pyarrow import csv, parquet

from normreport.io.atomic import atomic
from normreport.io.files import read_text, unreadable

# Columns of names: the name of a layer may look like a number.
LABELS = ("model", "start", "normalization", "layer", "status")
Filters: TypeAlias = Sequence[Sequence[tuple[str, str, Any]]]


def write_table(path: Path, columns: Mapping[str, ArrayLike] | pd.DataFrame) -> None:
    """Write columns of equal length as Parquet; a single value fills its column. NaN is null.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    # Remove pandas' metadata, whose version would change the bytes.
    frame = pd.DataFrame(columns)
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    with atomic(path) as temporary:
        parquet.write_table(table, temporary, write_page_checksum=True)


def read_tables(
    paths: Sequence[Path],
    columns: Sequence[str] | None = None,
    filters: Filters | None = None,
    categories: Sequence[str] = (),
) -> pd.DataFrame:
    """Read CSV or Parquet files with the same columns, and concatenate their rows.

    Parameters
    ----------
    paths
        The files.
    columns
        The columns to return; all by default.
    filters
        The rows to return: those for which every (column, operator, value) of one of the lists is
        true, as for :func:`pyarrow.parquet.read_table`; all by default.
    categories
        The columns of names in Parquet files to return as sorted categories, which take a byte for
        each row.

    Raises
    ------
    StorageError
        If a file is missing or damaged.
    """
    chosen = parquet.filters_to_expression(filters) if filters else None
    needed = {name for group in filters or () for name, _, _ in group}.union(columns or ())
    tables = []
    for path in paths:
        if path.suffix == ".parquet":
            table = _read_parquet(path, sorted(needed) if columns else None, categories)
        else:
            table = _read_csv(path)
        table = table if chosen is None else table.filter(chosen)
        tables.append(table.select(columns) if columns else table)
    # A column without a value has no type in its file.
    whole = pa.concat_tables(tables, promote_options="permissive")
    frame: pd.DataFrame = whole.unify_dictionaries().to_pandas()
    for name in categories:
        # An empty table has no type for its names.
        column = frame[name].astype("category")
        frame[name] = column.cat.reorder_categories(sorted(column.cat.categories))
    return frame


def _read_parquet(path: Path, columns: Sequence[str] | None, categories: Sequence[str]) -> pa.Table:
    try:
        with parquet.ParquetFile(
            path, page_checksum_verification=True, read_dictionary=categories
        ) as file:
            return file.read(columns, use_threads=False)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error


def _read_csv(path: Path) -> pa.Table:
    try:
        text = read_text(path)
        if not text.endswith("\n") or text.count('"') % 2:
            raise ValueError("it is truncated")
        return csv.read_csv(
            pa.py_buffer(text.encode()),
            csv.ReadOptions(use_threads=False),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(LABELS, pa.string()), strings_can_be_null=True
            ),
        )
    except (ValueError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
