"""List the runs and the sweeps of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.commands.check import read_config


def run(*, config: Sequence[Path]) -> None:
    """Print one line per run: its id, model, start, normalization and seed; then the sweeps."""
    chosen = read_config(config)
    runs = list(chosen.runs())
    width = max(len(run.id) for run in runs)
    print(f"{'id':<{width}}  model, start, normalization, seed")
    for run in runs:
        print(f"{run.id:<{width}}  {run.model}, {run.start}, {run.normalization}, {run.seed}")
    sweeps = list(chosen.sweeps())
    if sweeps:
        print("\nlearning-rate sweeps before the runs: candidate rates; seeds of the trial runs")
    for sweep in sweeps:
        name = f"{sweep.model}/{sweep.start}/{sweep.normalization}"
        candidates, seeds = (", ".join(map(str, all_)) for all_ in (sweep.candidates, sweep.seeds))
        print(f"{name:<{width}}  {candidates}; {seeds}")
