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
    simulate_families,
    simulate_initial_weights,
)

STUDIES = 1000
TABLES = 200  # fewer, because a whole table takes longer

DOCUMENT = """\
# How often the verdicts are wrong

`make calibration` writes this page. It simulates studies whose truth is known and judges them
with the code of the report. Each percentage has an exact 95% interval. An error is too frequent
if its interval lies above the nominal rate.

A study has the {claims} claims of the primary family whose numbers are means over seeds, with
{cases} independent cases each. Runs follow a Gaussian distribution around the true effect, with a
standard deviation of {scatter:g} margins. Each row rests on {studies:,} studies.

## Single cases

| interval | true effect | seeds | wrong verdict, % | nominal, % | right verdict, % |
|---|---|---|---|---|---|
{case_rows}

At the margin both verdicts are wrong. There a case errs at its nominal rate, with any number of
seeds. Elsewhere it errs less often. F9, one of the claims with a 95% interval, is refuted only
far beyond its margin.

## Claims judged together

The share of studies with any wrong verdict, before and after Holm's correction, and the share of
claims with the right verdict after it.

| true effect | seeds | any wrong before, % | any wrong, % | nominal, % | right claims, % |
|---|---|---|---|---|---|
{family_rows}

Verdicts from three seeds are seldom wrong, but most true claims stay inconclusive. With two
degrees of freedom, Student's t needs an effect of several standard deviations. A claim needs it
in every case, or beyond Bonferroni's correction, and then beyond Holm's. An inconclusive verdict
from three seeds therefore says little. An exact sign-flip test cannot reach 5% with fewer than
six seeds; such verdicts are marked as a pilot.

## Arms without an effect (F6)

These networks differ only by their random weights. The table rests on whole tables of distances,
{tables} studies of one layer. In the first rows, the claim that normalization drives the arms
apart is false. In the last rows, the distances grow by exactly the margin, and either verdict is
wrong.

| distances | seeds | supported, % | refuted, % | nominal error, % |
|---|---|---|---|---|
{table_rows}

A pair of runs belongs to two seeds. Averages per seed would share pairs, and their interval would
be too narrow. The jackknife's pseudo-values avoid this.
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
        (name, seeds): simulate_families(effect, seeds=seeds, studies=STUDIES)
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
        (name, seeds, rate(supported), rate(refuted), nominal)
        for name, growth, nominal in (
            ("do not grow", 1.0, "5.0, of supported"),
            ("grow by the margin", 1.25, "5.0, of each"),
        )
        for seeds in SEEDS
        for supported, refuted in [
            simulate_initial_weights(seeds=seeds, studies=TABLES, growth=growth)
        ]
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
