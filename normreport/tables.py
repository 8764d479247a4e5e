"""Reading tables of many runs as one."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from normreport.files import read_text, unreadable


def read_tables(paths: Sequence[Path]) -> pd.DataFrame:
    """Read CSV files with the same columns and put them under each other.

    Floats are read exactly as they were written.

    Raises
    ------
    StorageError
        If a file is missing or damaged.
    """
    tables = []
    for path in paths:
        try:
            text = read_text(path)
            if not text.endswith("\n"):
                raise ValueError("it is cut short")
            tables.append(pd.read_csv(io.StringIO(text)))
        except ValueError as error:
            raise unreadable(path, error) from error
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)
