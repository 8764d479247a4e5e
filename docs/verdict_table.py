"""Write the verdicts of a report as a Markdown table, for a page of the documentation.

python docs/verdict_table.py results/report/results.json
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from normreport.config.json_files import read_model
from normreport.config.results import CaseResult, ClaimResult, Results
from normreport.text.effects import format_interval
from normreport.text.labels import model_label, verdict_label


def verdict_table(results: Results) -> str:
    """Return one row per claim: its verdict, that of each network, and the deciding case."""
    return "\n".join(_lines(results)) + "\n"


def _lines(results: Results) -> Iterator[str]:
    yield "| claim | verdict | by network | least favourable case |"
    yield "|---|---|---|---|"
    for claim in results.claims:
        networks = ", ".join(
            f"{model_label(model)} {verdict_label(one.verdict)}"
            for model, one in claim.by_model.items()
        )
        case = _describe(claim.least_favourable, claim) if claim.least_favourable else claim.reason
        verdict = verdict_label(claim.verdict)
        # One network needs no verdict of its own.
        by_network = networks if len(claim.by_model) > 1 else ""
        yield f"| {claim.id}: {claim.topic} | {verdict} | {by_network} | {case or ''} |"


def _describe(case: CaseResult, claim: ClaimResult) -> str:
    """Write the effect of a case, and the place where it was measured."""
    assert case.effect is not None
    assert case.place is not None
    effect = format_interval(case.effect.mean, case.effect.low, case.effect.high, claim.shown)
    place = ", ".join(filter(None, case.place.columns().values()))
    return f"{effect} ({place})"


if __name__ == "__main__":
    print(verdict_table(read_model(Results, Path(sys.argv[1]))), end="")
