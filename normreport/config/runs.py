"""One run of the experiment, and its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Run:
    """One training: model x start x normalization x seed."""

    model: str
    start: str
    normalization: str
    seed: int

    @property
    def id(self) -> str:
        """The run's name, which is also its path: ``vgg16/scratch/unit/seed0``."""
        return run_id(vars(self))


def run_id(run: Mapping[str, Any]) -> str:
    """Return the name of the run with these four keys: ``vgg16/scratch/unit/seed0``."""
    return f"{run['model']}/{run['start']}/{run['normalization']}/seed{run['seed']}"
