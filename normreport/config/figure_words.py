"""The words of a figure, as they stand in ``results/figures/<id>.json``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import Field

from normreport.config.base import LayerName, Name, Settings
from normreport.config.figure_kinds import figure_kinds
from normreport.config.report import FigureSettings
from normreport.config.training import Start

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A SHA-256, in hexadecimal."""

SUPPLEMENT = "S"
"""Begins the number of a figure in the supplement."""


class Subject(Protocol):
    """What a figure shows; None stands for all models, starts or layers."""

    @property
    def kind(self) -> str:
        """The kind of figure."""

    @property
    def model(self) -> str | None:
        """The model."""

    @property
    def start(self) -> str | None:
        """The start."""

    @property
    def layer(self) -> str | None:
        """The layer."""


class MadeFrom(Settings):
    """What decided the bytes of a figure."""

    settings: FigureSettings
    """What the figure shows."""
    inputs: Digest
    """One digest of all input files."""
    code: Digest
    """The digest of the source files that draw the figure."""


class FigureWords(Settings):
    """Caption and alt text of one figure, and what the figure was made from."""

    id: str
    """The name of the figure and its files, such as ``density-vgg16-scratch-features.0``."""
    kind: Name
    """The kind of figure."""
    model: Name | None
    """The model; None if the figure shows all models."""
    start: Start | None
    """The start; None if the figure shows all starts."""
    layer: LayerName | None
    """The layer; None if the figure shows several layers."""
    caption: str
    """What to see, the numbers of seeds if they differ, and the runs that failed."""
    method: str = ""
    """What is drawn, and how it is made."""
    alt: str
    """Alt text."""
    made_from: MadeFrom
    """Settings, and digests of inputs and code."""


def number_figures(figures: Sequence[Subject]) -> list[str]:
    """Count the figures of the article as 1, 2, ... and those of the supplement as S1, S2, ...

    Parameters
    ----------
    figures
        The figures in their order.
    """
    kinds = figure_kinds()
    shown: set[tuple[str, str | None]] = set()
    numbers = []
    for figure in figures:
        subject = (figure.kind, figure.start)
        wanted = kinds[figure.kind].in_article if figure.kind in kinds else False
        if wanted in (True, figure.start) and subject not in shown:
            shown.add(subject)
            numbers.append(f"{len(shown)}")
        else:
            numbers.append(f"{SUPPLEMENT}{len(numbers) - len(shown) + 1}")
    return numbers
