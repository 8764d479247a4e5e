"""Tables of results in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

Results = dict[str, Any]
"""Numbers and names, as JSON holds them."""


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Write a table, its columns after the first aligned to the right."""
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)], *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines) + "\n"
