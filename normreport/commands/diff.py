"""List the differences between two reports and their possible causes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from normreport.io.files import canonical_json
from normreport.provenance.differences import (
    Change,
    Comparison,
    Effect,
    compare_records,
    largest_difference,
)
from normreport.provenance.record import read_page


def run(*, old: Path, new: Path, json: bool) -> int:
    """Print the differences; return 1 if there are any."""
    _, old_record = read_page(old)
    _, new_record = read_page(new)
    found = compare_records(old_record, new_record)
    if json:
        print(canonical_json(_as_json(found), indent=1))
    elif found:
        print("\n".join(comparison_lines(found)))
    else:
        print("identical: configuration, data, code, versions, runs, numbers and figures")
    return int(bool(found))


def comparison_lines(found: Comparison) -> Iterable[str]:
    """Yield a comparison as lines: all causes, names of outputs, largest differences of numbers."""
    yield from _section(
        "Inputs", [f"{cause}: {_short(cause.old)} → {_short(cause.new)}" for cause in found.causes]
    )
    if not found.causes:
        yield "No recorded input differs."
    for title, effects in (
        ("Runs", found.runs), ("Verdicts", found.verdicts), ("Figures", found.figures),
    ):  # fmt: skip
        yield from _section(title, _effects(effects))
    yield from _section("Numbers", number_lines(found.numbers))


def number_lines(numbers: Iterable[Change]) -> list[str]:
    """Return one line per claim or table: the count of differences and the largest one."""
    groups: dict[str, list[Change]] = {}
    for change in numbers:
        groups.setdefault(".".join(change.name.split(".")[:2]), []).append(change)
    lines = []
    for name, group in groups.items():
        most = max(group, key=lambda change: largest_difference([change.relative]))
        amount = "" if most.relative is None else f", by at most {most.relative:.2g} relative"
        where = most.name.removeprefix(f"{name}.").removeprefix("cases.")
        lines.append(
            f"{name}: {len(group)}{amount} ({where}: {_short(most.old)} → {_short(most.new)})"
        )
    return lines


def _effects(effects: Iterable[Effect]) -> list[str]:
    """Return one line per output; causes shared by consecutive outputs are listed once."""
    lines, before = [], None
    for effect in effects:
        because = ", ".join(effect.because) or "no recorded input"
        explained = "likewise" if because == before else f"explained by: {because}"
        lines.append(f"{effect.name}: {effect.what}   [{explained}]")
        before = because
    return lines


def _section(title: str, lines: list[str]) -> Iterable[str]:
    if lines:
        yield f"{title}: {len(lines)} differ{'s' if len(lines) == 1 else ''}"
        yield from (f"  {line}" for line in lines)


def _short(value: Any) -> str:
    if isinstance(value, str) and len(value) == 64:
        return value[:10]  # a digest
    return "nothing" if value is None else str(value)


def _as_json(found: Comparison) -> dict[str, Any]:
    numbers = [asdict(change) | {"relative": change.relative} for change in found.numbers]
    return asdict(found) | {"numbers": numbers}
