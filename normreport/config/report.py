"""Settings of the figures and of the article."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from normreport.config.base import COLOR, LayerName, Name, Settings
from normreport.config.data import PathText
from normreport.config.figure_kinds import Subject
from normreport.config.training import Start
from normreport.normalizations import Normalization

Line = Annotated[str, Field(min_length=1, max_length=300)]

Text = Annotated[str, Field(min_length=1, max_length=10_000)]
LANGUAGE = r"^[a-z]{2,3}(_[A-Za-z0-9]{2,8})*$"
Section = Literal["abstract", "introduction", "experiment", "findings", "conclusion"]
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
    texts: Mapping[Section, PathText] = {}
    """Markdown files with your own text, by the section that each begins: `abstract`,
    `introduction`, `experiment`, `findings` (in a report without the article's claims) or
    `conclusion`. In them, `{{ }}` prints numbers of `results.json`."""
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


class ArmLook(Settings):
    """How figures show an arm that the configuration defines."""

    label: str
    """Its name."""
    number: int
    """Its place among these arms, which chooses dashes, a marker and, without a colour, a
    colour."""
    color: Color | None = None
    """Its colour."""


class FigureSettings(Settings):
    """What one figure shows."""

    kind: Name
    """A module of ``normreport.figures.kinds``."""
    model: Name | None = None
    """The model; None if the figure shows all models."""
    start: Start | None = None
    """The start; runs of other starts only share its axes. None if the figure shows all starts."""
    layer: LayerName | None = None
    """The layer; None if the figure shows several layers."""
    only_start: Start | None = None
    """The start of all runs that the figure shows, if its kind always shows the same one."""
    density_epoch: int | None = None
    """The epoch of a figure of densities; None for the last epoch."""
    normalizations: tuple[Name, ...] = ()
    """The normalizations that the figure applies to images, or compares."""
    inputs: Mapping[Name, Normalization] = {}
    """Those of them that the configuration defines, for a figure that applies them."""
    contrast: tuple[Name, Name] | None = None
    """The two arms that a figure averages over or highlights; None if it does not."""
    looks: Mapping[Name, ArmLook] = {}
    """The looks of all arms that the configuration defines."""

    def applied(self, arm: str) -> Normalization:
        """Return the normalization that makes the inputs of an arm."""
        return self.inputs.get(arm, arm)

    def required(self, *names: Subject) -> tuple[str, ...]:
        """Return the named settings, which the kind's declaration says are there.

        Raises
        ------
        ValueError
            If one of them is None: a bug.
        """
        values = [getattr(self, name) for name in names]
        if None in values:
            raise ValueError(f"a figure of the kind {self.kind} needs {names}, found {values}")
        return tuple(values)

    def shows(self, *, model: str, start: str) -> bool:
        """Return whether the figure shows runs of a model and a start; input images always do."""
        own_start = self.only_start or self.start
        return self.model in (None, model) and own_start in (None, start)


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
    texts: Mapping[Section, PathText] = {}
    """Markdown files with the user's own text, by section."""
    is_article: bool = True
    """Whether the report judges all claims of the article and tells its story."""
    logo_alt: str = ""
    """What the logo says, if there is one."""
    accent: Color = "#0b5cad"
    """Colour of the rule above the title."""
    with_pdf: bool
    """Whether a PDF lies beside the HTML."""
