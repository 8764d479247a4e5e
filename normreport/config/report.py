"""Settings of the figures and of the article."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from normreport.config.base import COLOR, LayerName, Name, Settings
from normreport.config.figure_kinds import KINDS
from normreport.config.training import Start

Line = Annotated[str, Field(min_length=1, max_length=300)]

Text = Annotated[str, Field(min_length=1, max_length=10_000)]
LANGUAGE = r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})*$"
Color = Annotated[str, Field(pattern=COLOR)]


class ReportSettings(Settings):
    """What the article says of itself."""

    language: Annotated[str, Field(pattern=LANGUAGE)] = "en"
    """English, or the language of a catalogue: `de` is templates/languages/de.po."""
    title: Line = "Does input normalization change what a network's weights look like?"
    """Title of the article."""
    authors: tuple[Line, ...] = ()
    """Names under the title."""
    abstract: Text | None = None
    """Own words above the computed abstract, paragraphs between empty lines; ours if null."""
    introduction: Text | None = None
    """Own words in place of the question and the intuition, likewise."""
    logo: Annotated[str, Field(min_length=1)] | None = None
    """Path of a picture above the title: SVG, PNG, JPEG or WebP, at most 300,000 bytes."""
    logo_alt: Annotated[str, Field(max_length=300)] = ""
    """What the logo says, for who cannot see it; empty if it only decorates."""
    accent: Color = "#0b5cad"
    """Colour of the rule above the title, such as "#0b5cad"."""
    templates: Annotated[str, Field(min_length=1)] | None = None
    """Folder of own templates and style sheets: a file there replaces ours of the same name."""
    density_epoch: Annotated[int, Field(ge=0)] | None = None
    """The epoch of the density figures; the last one if null."""

    def template_folders(self, ours: Path) -> list[Path]:
        """List the user's own folder of templates, if there is one, before ours."""
        return [Path(self.templates), ours] if self.templates else [ours]


class FigureSettings(Settings):
    """What one figure shows."""

    kind: Name
    """A module of ``normreport.figures``."""
    model: Name | None = None
    """None where a figure is of no one model, here and below."""
    start: Start | None = None
    """The start that is drawn; the other one only shares its axes."""
    layer: LayerName | None = None
    """The layer."""
    density_epoch: int | None = None
    """For densities: the epoch, the last one if None."""
    normalizations: tuple[Name, ...] = ()
    """For figures of the input and of seeds alone: the arms."""

    def shows(self, *, model: str, start: str) -> bool:
        """Whether runs of a model and start are drawn, or images of the input beside them."""
        own = KINDS[self.kind].start or self.start
        return self.model in (None, model) and own in (None, start)


class RenderSettings(Settings):
    """What the templates need besides results and figures."""

    language: str = "en"
    """Of the article."""
    title: Line
    """Title of the article."""
    authors: tuple[Line, ...]
    """Names under the title."""
    abstract: Text | None = None
    """Own words above the computed abstract."""
    introduction: Text | None = None
    """Own words in place of the question and the intuition."""
    logo_alt: str = ""
    """What the logo says, if there is one."""
    accent: Color = "#0b5cad"
    """Colour of the rule above the title."""
    with_pdf: bool
    """Whether a PDF lies beside the HTML."""
