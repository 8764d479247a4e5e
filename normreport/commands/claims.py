"""List every claim, and with results its verdict."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from normreport.claims import CLAIMS
from normreport.errors import StorageError
from normreport.io import files
from normreport.text.formatting import number


def run(*, results: Path | None) -> None:
    """Print each claim with statement and rule, then verdict, effect and interval."""
    judged = {} if results is None else _judged(results)
    for claim in CLAIMS:
        words = claim.localized()
        print(f"{claim.id}  {words['topic']} ({claim.kind})")
        _indented(words["statement"])
        margin = f"margin {number(claim.margin, 2)}"
        _indented(f"Statistic: {words['statistic']} ({words['unit']}; {margin}).")
        _indented(f"Rule: {words['rule']}.")
        if claim.id in judged:
            _indented(_verdict(judged[claim.id]))
        print()


def _judged(results: Path) -> dict[str, dict[str, Any]]:
    found = files.read_json(results)
    if not isinstance(found, dict) or "claims" not in found:
        raise StorageError(
            f"{results}: holds no claims. Expected a report's results.json; give that one."
        )
    return {claim["id"]: claim for claim in found["claims"]}


def _verdict(claim: dict[str, Any]) -> str:
    parts = [f"Verdict: {claim['verdict']}"]
    if claim["reason"]:
        parts.append(claim["reason"])
    elif claim["pilot"]:
        parts.append(f"pilot, {claim['seeds']} seeds")
    parts += claim["flags"]
    counts = ", ".join(f"{count} {verdict.lower()}" for verdict, count in claim["counts"].items())
    parts.append(f"cases: {counts}")
    for name in ("least_favourable", "most_favourable"):
        case = claim[name]
        if case:
            effect = case["effect"]
            where = " ".join(case["place"][key] for key in ("model", "start", "layer", "contrast"))
            bounds = (
                f" [{number(effect['low'])}, {number(effect['high'])}]"
                if effect["low"] is not None
                else ""
            )
            parts.append(
                f"{name.replace('_', ' ')} case {number(effect['mean'])}{bounds} ({where.strip()})"
            )
    return "; ".join(parts) + "."


def _indented(text: str) -> None:
    print(textwrap.fill(text, width=98, initial_indent="    ", subsequent_indent="    "))
