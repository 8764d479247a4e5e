"""Tables in Parquet and CSV files.

Stages exchange Parquet files, whose page checksums detect truncation and changed bytes. CSV is for
tables that people read, and for tables whose digest a manifest records. Both restore floats bit
for bit.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from normreport.io.atomic import atomic
from normreport.io.files import read_text, unreadable


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Parquet. Missing values are null.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    # Remove pandas' metadata, whose version would change the bytes.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    with atomic(path) as temporary:
        parquet.write_table(table, temporary, write_page_checksum=True)


def read_tables(paths: Sequence[Path]) -> pd.DataFrame:
    """Read CSV or Parquet files with the same columns, and concatenate their rows.

    Raises
    ------
    StorageError
        If a file is missing or damaged.
    """
    tables = [
        _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path) for path in paths
    ]
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def _read_parquet(path: Path) -> pd.DataFrame:
    try:
        table = parquet.read_table(path, page_checksum_verification=True)
    except (OSError, pa.ArrowException) as error:
        raise unreadable(path, error) from error
    frame: pd.DataFrame = table.to_pandas()
    return frame


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        text = read_text(path)
        if not text.endswith("\n"):
            raise ValueError("it is truncated")
        return pd.read_csv(io.StringIO(text))
    except ValueError as error:
        raise unreadable(path, error) from error
