"""List the claims, with their verdicts if there are results."""

from __future__ import annotations

import textwrap
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from normreport.claims.registry import CLAIMS
from normreport.config.results import CaseResult, ClaimResult
from normreport.errors import StorageError
from normreport.io import files
from normreport.text.effects import format_interval, format_margin

WIDTH = 98


def run(*, results: Path | None) -> None:
    """Print each claim with its statement and rule; with results, also its verdict."""
    judged = {} if results is None else _read_claims(results)
    for claim in CLAIMS:
        words = claim.localized()
        print(f"{claim.id}  {words.topic} ({claim.kind})")
        _print_indented(words.statement)
        margin = f"margin {format_margin(claim.test.margin, claim.shown)}"
        _print_indented(f"Statistic: {words.statistic} ({words.unit}; {margin}).")
        _print_indented(f"Rule: {words.rule}.")
        if claim.id in judged:
            _print_indented(_describe_verdict(judged[claim.id]))
        print()


def _read_claims(results: Path) -> dict[str, ClaimResult]:
    content = files.read_json(results)
    if not isinstance(content, dict) or "claims" not in content:
        raise StorageError(
            f"{results}: has no claims. Expected the results.json of a report; give that file."
        )
    try:
        claims = TypeAdapter(list[ClaimResult]).validate_python(content["claims"])
    except ValidationError as error:
        raise StorageError(
            f"{results}: its claims do not match this version of normreport "
            f"({error.error_count()} errors). Build the report again, or use the version that "
            "made it."
        ) from error
    return {claim.id: claim for claim in claims}


def _describe_verdict(claim: ClaimResult) -> str:
    parts = [f"Verdict: {claim.verdict}"]
    if claim.reason:
        parts.append(claim.reason)
    elif claim.pilot:
        parts.append(f"pilot, {claim.seeds} seeds")
    parts += claim.flags
    counts = ", ".join(f"{count} {verdict.lower()}" for verdict, count in claim.counts.items())
    parts.append(f"cases: {counts}")
    if claim.least_favourable:
        parts.append(f"least favourable case {_describe_case(claim.least_favourable, claim)}")
    if claim.most_favourable:
        parts.append(f"most favourable case {_describe_case(claim.most_favourable, claim)}")
    return "; ".join(parts) + "."


def _describe_case(case: CaseResult, claim: ClaimResult) -> str:
    """Write the effect of a case, with its interval and its place."""
    assert case.effect is not None
    assert case.place is not None
    effect = format_interval(case.effect.mean, case.effect.low, case.effect.high, claim.shown)
    place = " ".join(filter(None, case.place.columns().values()))
    return f"{effect} ({place})"


def _print_indented(text: str) -> None:
    print(textwrap.fill(text, width=WIDTH, initial_indent="    ", subsequent_indent="    "))
