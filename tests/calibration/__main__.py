"""Write docs/calibration.md: how often the verdicts are wrong, and how often right."""

from __future__ import annotations

import sys
from pathlib import Path

from normreport.io.files import write_text
from normreport.statistics.inference import FAMILY_ERROR
from normreport.statistics.verdict import Verdict
from tests.calibration.simulation import (
    ABOUT_SHIFTS,
    CASES,
    CORRELATION,
    DECLARED,
    EFFECTS,
    FAMILY,
    SCATTER,
    SEEDS,
    simulate_families,
    simulate_shifts,
)

STUDIES = 300
SHIFTED = 150  # fewer, because a table of products takes longer

DOCUMENT = """\
# How often the verdicts are wrong

`make calibration` writes this page. It simulates studies whose truth is known and judges them
with the code of the report. Each percentage has an exact 95% interval. An error is too frequent
if its interval lies above the nominal rate.

A study has the {claims} claims of the primary family, with {cases} cases each: two networks and two
layers. Runs follow a Gaussian distribution around the true effect, with a standard deviation of
{scatter:g} margins. The layers of a network are correlated ({correlation:g}, the median of two real
builds). Each row rests on {studies:,} studies.

## Single cases

| interval | true effect | seeds | wrong verdict, % | nominal, % | right verdict, % |
|---|---|---|---|---|---|
{case_rows}

At the margin both verdicts are wrong. There a case errs at its nominal rate, with any number of
seeds. Elsewhere it errs less often. F9, one of the claims with a 95% interval, is refuted only
far beyond its margin.

## Claims judged together

The share of studies with any wrong verdict, before and after Holm's correction, and the share of
claims with the right verdict after it. If the effect is absent in one network and twice the margin
in the other, the right verdict is MIXED.

| true effect | seeds | any wrong before, % | any wrong, % | nominal, % | right claims, % |
|---|---|---|---|---|---|
{family_rows}

Verdicts are seldom wrong, but with three or six seeds most true claims stay inconclusive. Every
case must decide by itself, and the claim must then survive Holm's correction. With few degrees of
freedom, Student's t needs an effect of several standard deviations for that. An exact sign-flip
test cannot reach 5% with fewer than six seeds; such verdicts are marked as a pilot.

Until version 0.2 a claim was refuted if one case refuted it, and nothing was MIXED. The same
simulation, with independent cases, then gave the right verdict in these shares of claims:

| true effect | 3 seeds | 6 seeds | 10 seeds |
|---|---|---|---|
{earlier_rows}

## Claims of a study

This table repeats the simulation for {declared} claims that a configuration declares, a third each
of ratios, differences and shifts.

| true effect | seeds | any wrong before, % | any wrong, % | nominal, % | right claims, % |
|---|---|---|---|---|---|
{declared_rows}

## Shifts between arms (F1, F4, F6)

These studies have one layer, arms that differ by a known shift, and seeds that lie
{between_seeds:.0%} of the initial standard deviation apart. The claims are judged from whole
tables of products, {shifted} studies per row. At the margin either verdict is wrong.

| claim | shift | seeds | supported, % | refuted, % | nominal error, % |
|---|---|---|---|---|---|
{shift_rows}

The jackknife's pseudo-values give one number per seed, although every pair of seeds enters the
estimate.
"""

# Percent of right claims in the simulation of version 0.2.
EARLIER = {
    "none": (2.9, 74.2, 100.0),
    "half the margin": (0.9, 6.7, 36.4),
    "twice the margin": (2.0, 31.3, 95.4),
}
BETWEEN_SEEDS = 0.1
# The shifts at which each claim is simulated, in initial standard deviations, and which verdicts
# are wrong there. F6 compares the shift with half the distance between seeds.
SHIFTS = {
    "F1": ((0.0, "refuted"), (0.02, "both"), (0.04, "supported")),
    "F4": ((0.0, "supported"), (0.04, "both"), (0.08, "refuted")),
    "F6": ((0.0, "supported"), (BETWEEN_SEEDS / 2, "both"), (BETWEEN_SEEDS, "refuted")),
}


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
    declared_rows = [
        (name, seeds, rate(found.alone), rate(found.wrong), f"{100 * FAMILY_ERROR:.1f}",
         rate(found.right))
        for name in ("none", "at the margin", "twice the margin")
        for seeds in SEEDS
        for found in [
            simulate_families(EFFECTS[name], seeds=seeds, studies=STUDIES, family=DECLARED)
        ]
    ]  # fmt: skip
    shift_rows = [
        (claim, f"{shift:.0%}", seeds, rate(found[Verdict.SUPPORTED]), rate(found[Verdict.REFUTED]),
         f"{100 * ABOUT_SHIFTS[claim].test.alpha:.1f}, {wrong}")
        for claim, shifts in SHIFTS.items()
        for shift, wrong in shifts
        for seeds in SEEDS
        for found in [
            simulate_shifts(ABOUT_SHIFTS[claim], shift=shift, seeds=seeds, studies=SHIFTED,
                            between_seeds=BETWEEN_SEEDS)
        ]
    ]  # fmt: skip
    return DOCUMENT.format(
        claims=len(FAMILY),
        declared=len(DECLARED),
        declared_rows=table(declared_rows),
        cases=CASES,
        scatter=SCATTER,
        correlation=CORRELATION,
        studies=STUDIES,
        shifted=SHIFTED,
        between_seeds=BETWEEN_SEEDS,
        case_rows=table(case_rows),
        family_rows=table(family_rows),
        earlier_rows=table((name, *numbers) for name, numbers in EARLIER.items()),
        shift_rows=table(shift_rows),
    )


if __name__ == "__main__":
    write_text(Path(sys.argv[1]), document())
