"""One run of the experiment, and its name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Run:
    """One training: model x start x normalization x seed."""

    model: str
    start: str
    normalization: str
    seed: int

    @property
    def id(self) -> str:
        """The name of the run, which is also its path: ``vgg16/scratch/unit/seed0``."""
        return f"{self.model}/{self.start}/{self.normalization}/seed{self.seed}"
