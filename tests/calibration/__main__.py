"""Write docs/calibration.md: how often the verdicts are wrong, and how often right."""

from __future__ import annotations

import sys
from pathlib import Path

from normreport.io.files import write_text
from normreport.statistics.inference import FAMILY_ERROR
from tests.calibration.simulation import (
    CASES,
    EFFECTS,
    FAMILY,
    SCATTER,
    SEEDS,
    families,
    initial_weights,
)

STUDIES = 1000
TABLES = 200  # whole tables take longer

DOCUMENT = """\
# How often the verdicts are wrong

Made by `make calibration`, from simulated studies whose truth is known, with the code that judges
the report. Percentages with exact 95% intervals; an error is too frequent where its interval lies
above the nominal one.

A study has the {claims} claims of the primary family whose numbers are means over seeds, with
{cases} independent cases each. A run scatters like a Gaussian around the true effect, by
{scatter:g} margins. Each line rests on {studies:,} studies.

## Single cases

| interval | true effect | seeds | wrong verdict, % | nominal, % | right verdict, % |
|---|---|---|---|---|---|
{case_rows}

At the margin, where each of the two verdicts is wrong, a case errs as often as its level says, with
every number of seeds; elsewhere less often. (F9, one of the claims with a 95% interval, is refuted
far beyond its margin only.)

## Claims, judged together

Studies with any wrong verdict, before and after Holm's correction, and claims that end with the
right verdict.

| true effect | seeds | any wrong before, % | any wrong, % | nominal, % | right claims, % |
|---|---|---|---|---|---|
{family_rows}

Three seeds are conservative where it counts. With two degrees of freedom Student's t asks for an
effect of several times its scatter; a claim asks for it in every case, or beyond the correction
for their number; and Holm's method asks for more. What three seeds decide is seldom wrong, but most
true claims stay inconclusive: that they do not decide says little. An exact sign-flip test cannot
reach 5% under six seeds at all, which is why fewer are called a pilot.

## Arms that do nothing (F6)

Networks that differ by their random weights alone: whole tables of distances, {tables} studies of
one layer. In the first lines the claim that the normalization drives the arms apart is false; in
the last the distances grow by the margin itself, and either verdict is wrong.

| distances | seeds | supported, % | refuted, % | nominal error, % |
|---|---|---|---|---|
{table_rows}

A pair of runs belongs to two seeds. Averages per seed would share their pairs, and an interval of
them would be too narrow; the jackknife's pseudo-values, which stand in their place, are not.
"""


def rate(found):
    """Write a share in percent with its interval."""
    if not found.trials:
        return "none is right"
    low, high = found.interval
    return f"{100 * found.count / found.trials:.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def table(rows):
    """Write rows of cells."""
    return "\n".join(f"| {' | '.join(map(str, row))} |" for row in rows)


def document():
    """Simulate, and fill in the tables."""
    judged = {
        (name, seeds): families(effect, seeds=seeds, studies=STUDIES)
        for name, effect in EFFECTS.items()
        for seeds in SEEDS
    }
    case_rows = [
        (f"{case.level:.0%}", name, seeds, rate(case.wrong), f"{100 * case.nominal:.1f}",
         rate(case.right))
        for (name, seeds), found in judged.items()
        for case in found.cases
    ]  # fmt: skip
    family_rows = [
        (name, seeds, rate(found.alone), rate(found.wrong), f"{100 * FAMILY_ERROR:.1f}",
         rate(found.right))
        for (name, seeds), found in judged.items()
    ]  # fmt: skip
    table_rows = [
        (name, seeds, *map(rate, initial_weights(seeds=seeds, studies=TABLES, growth=growth)),
         nominal)
        for name, growth, nominal in (
            ("do not grow", 1.0, "5.0, of supported"),
            ("grow by the margin", 1.25, "5.0, of each"),
        )
        for seeds in SEEDS
    ]  # fmt: skip
    return DOCUMENT.format(
        claims=len(FAMILY),
        cases=CASES,
        scatter=SCATTER,
        studies=STUDIES,
        tables=TABLES,
        case_rows=table(case_rows),
        family_rows=table(family_rows),
        table_rows=table(table_rows),
    )


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), document())
