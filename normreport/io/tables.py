"""Tables in Parquet and CSV files.

Stages exchange Parquet files, whose page checksums detect truncation and changed bytes. CSV is for
tables that people read, and for tables whose digest a manifest records. Both restore floats bit
for bit.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pandas as pd
import pyarrow as pa
from numpy.typing import ArrayLike
from pyarrow import parquet

from normreport.io.atomic import atomic
from normreport.io.files import read_text, unreadable

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

    Raises
    ------
    StorageError
        If a file is missing or damaged.
    """
    tables = [
        (_read_parquet if path.suffix == ".parquet" else _read_csv)(path, columns, filters)
        for path in paths
    ]
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def _read_parquet(
    path: Path, columns: Sequence[str] | None, filters: Filters | None
) -> pd.DataFrame:
    try:
        table = parquet.read_table(
            path, columns=columns, filters=filters, page_checksum_verification=True
        )
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _read_csv(path: Path, columns: Sequence[str] | None, filters: Filters | None) -> pd.DataFrame:
    try:
        text = read_text(path)
        if not text.endswith("\n"):
            raise ValueError("it is truncated")
        frame = pd.read_csv(io.StringIO(text))
    except ValueError as error:
        raise unreadable(path, error) from error
    if filters:
        chosen = parquet.filters_to_expression(filters)
        frame = pa.Table.from_pandas(frame, preserve_index=False).filter(chosen).to_pandas()
    return frame[list(columns)] if columns else frame
