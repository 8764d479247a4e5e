"""What ``pretraining.weights`` names. Imports nothing large: Snakemake asks on every start."""

from __future__ import annotations

from pathlib import Path

from normreport.errors import WeightsError


def weights_file(weights: str) -> Path | None:
    """Return the path of a checkpoint; None for the name of torchvision weights.

    A path has a dot, a slash or a tilde, and no such name has one.
    """
    return Path(weights).expanduser() if {".", "/", "~"} & {*weights} else None


def check_exists(path: Path) -> None:
    """Check that a checkpoint exists.

    Raises
    ------
    WeightsError
        If it does not.
    """
    if path.is_file():
        return
    if path.is_dir():
        raise WeightsError(f"{path}: expected a checkpoint, found a folder. Name a file in it.")
    raise WeightsError(
        f"{path}: this checkpoint does not exist. Put the file there or change pretraining.weights."
    )
