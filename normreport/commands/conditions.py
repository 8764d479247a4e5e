"""List the runs of a configuration."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from normreport.commands.check import read_config


def run(*, config: Sequence[Path]) -> None:
    """Print one line per run: its id, model, start, normalization and seed."""
    runs = list(read_config(config).runs())
    width = max(len(run.id) for run in runs)
    print(f"{'id':<{width}}  model, start, normalization, seed")
    for run in runs:
        print(f"{run.id:<{width}}  {run.model}, {run.start}, {run.normalization}, {run.seed}")
