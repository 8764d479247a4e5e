"""Tables of many rows: written so that damage shows, read as one.

What stages hand on lies in Parquet files with a checksum of every page: a file that is cut short
or has a byte changed cannot be read, and numbers come back bit for bit. CSV is for what people
read beside the report, and for what a run's manifest has a digest of.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from normreport.io.files import atomic, read_text, unreadable


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    """Write rows as Parquet; a missing value is null.

    Raises
    ------
    StorageError
        If the file cannot be written.
    """
    frame = pd.DataFrame.from_records(list(rows), columns=list(columns))
    # Without what pandas would add of itself: its version is not part of a table.
    table = pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    with atomic(path) as temporary:
        parquet.write_table(table, temporary, write_page_checksum=True)


def read_tables(paths: Sequence[Path]) -> pd.DataFrame:
    """Read CSV or Parquet files with the same columns and put them under each other.

    Floats are read exactly as they were written.

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
    return table.to_pandas()


def _read_csv(path: Path) -> pd.DataFrame:
    try:
        text = read_text(path)
        if not text.endswith("\n"):
            raise ValueError("it is cut short")
        return pd.read_csv(io.StringIO(text))
    except ValueError as error:
        raise unreadable(path, error) from error
