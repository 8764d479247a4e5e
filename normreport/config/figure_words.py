"""The words of a figure, as they stand in ``results/figures/<id>.json``."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from normreport.config.base import LayerName, Name, Settings
from normreport.config.report import FigureSettings
from normreport.config.training import Start

Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
"""A SHA-256, in hexadecimal."""


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
    """What is drawn, how to read it, one computed observation, and the runs that failed."""
    alt: str
    """Alt text."""
    made_from: MadeFrom
    """Settings, and digests of inputs and code."""
