"""One figure, made by the module of its kind in three steps: prepare, draw, describe."""

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias, cast

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from numpy.typing import NDArray

from normreport.config.figure_kinds import Kind
from normreport.config.manifests import DensityAxes
from normreport.config.report import FigureSettings
from normreport.figures.page import page
from normreport.figures.runs import NoRowsError, comparable_rows, rows_of
from normreport.figures.style import empty_panel, house_style, use_looks
from normreport.text.labels import model_label, start_label


@dataclass(frozen=True)
class TrainingImages:
    """The training images, for the kinds of figure that show the input.

    Attributes
    ----------
    images : numpy.ndarray
        uint8 of shape (N, H, W, 3), ordered so that the first images are of different classes.
    labels : numpy.ndarray
        Integers of shape (N,).
    classes : sequence of str
        The name of each label.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.integer[Any]]
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Densities:
    """The densities of one layer and start, and the axes that all starts share.

    Attributes
    ----------
    table : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `weight`, `density` and
        `bandwidth`; empty if the weights do not vary.
    axes : sequence of DensityAxes
        Those of every start.
    """

    table: pd.DataFrame
    axes: Sequence[DensityAxes]

    @property
    def last_epoch(self) -> int:
        """The last epoch of any start whose weights vary."""
        return max(axes.last_epoch for axes in self.axes if axes.weights)

    @property
    def highest(self) -> float:
        """The highest density of any start."""
        return max(max(axes.densities) for axes in self.axes if axes.weights)

    def visible_weights(self, share: float, *, of_own_peak: bool) -> list[float]:
        """Return the points of the grids where some density is visible.

        Parameters
        ----------
        share : float
            The share of a peak from which on a density is visible.
        of_own_peak : bool
            Whether that is the peak of the same curve, or the highest of all.
        """
        highest = 1.0 if of_own_peak else self.highest
        return [
            weight
            for axes in self.axes
            for weight, height in zip(
                axes.weights, axes.shares if of_own_peak else axes.densities, strict=True
            )
            if height >= share * highest
        ]

    def rows(self, *, model: str, layer: str, start: str) -> pd.DataFrame:
        """Return the rows of a layer and start.

        Raises
        ------
        NoRowsError
            If the weights do not vary.
        """
        return comparable_rows(rows_of(self.table, start=start), model=model, layer=layer)


Source: TypeAlias = pd.DataFrame | Densities | TrainingImages
"""What a kind of figure is prepared from: its table, densities, or the training images."""


@dataclass(frozen=True, kw_only=True)
class Canvas:
    """A matplotlib figure, and the values that the page needs to make it interactive.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure, drawn in the house style.
    frames : mapping, optional
        The curves at every epoch, see `interactivity.frames`.
    last : int, optional
        The last epoch, if the figure shows several epochs side by side.
    cells : mapping, optional
        The numbers of a heat map, see `interactivity.cells`.
    """

    figure: Figure
    frames: Mapping[str, Any] | None = None
    last: int | None = None
    cells: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Words:
    """What a figure says in words, as plain text.

    Attributes
    ----------
    caption : str
        What to see, with its numbers.
    alt : str
        For a screen reader, with the key numbers.
    method : str
        What is drawn, and how it is made.
    """

    caption: str
    alt: str
    method: str = ""


@dataclass(frozen=True, kw_only=True)
class Drawing(Canvas, Words):
    """A canvas with its words and its numbers.

    Attributes
    ----------
    data : pandas.DataFrame
        Exactly what is drawn, tidy, without missing values.
    """

    data: pd.DataFrame


class Prepared(Protocol):
    """What a kind of figure draws and describes: tables and numbers, nothing of matplotlib."""

    @property
    def data(self) -> pd.DataFrame:
        """The table beside the figure, as in :class:`Drawing`."""


class KindModule(Protocol):
    """The interface of a module in ``normreport.figures.kinds``."""

    KIND: Kind

    def prepare(self, source: Any, settings: FigureSettings) -> Any:
        """Compute what is drawn and described from a :data:`Source`."""

    def draw(self, prepared: Any) -> Canvas:
        """Draw it."""

    def describe(self, prepared: Any) -> Words:
        """Write its caption and its alt text."""


def kind_module(kind: str) -> KindModule:
    """Import the module of one kind, and no other."""
    return cast(KindModule, importlib.import_module(f"normreport.figures.kinds.{kind}"))


def make_drawing(source: Source, settings: FigureSettings) -> Drawing:
    """Make one figure.

    Parameters
    ----------
    source : pandas.DataFrame, Densities or TrainingImages
        The table that the kind declares, of all runs that share the figure's axes; or densities of
        its own runs, or the images.
        If some runs failed, the column `seeds` says how many seeds an arm should have, and `runs`
        how many runs a model and start should have.
    settings : FigureSettings
        Which kind to draw, and what it shows.

    Returns
    -------
    Drawing
        The figure with its words and its numbers.
    """
    module = kind_module(settings.kind)
    use_looks(settings.looks)
    try:
        prepared = module.prepare(source, settings)
    except NoRowsError as error:
        return _empty_drawing(settings, str(error))
    return draw_prepared(module, prepared)


def _empty_drawing(settings: FigureSettings, reason: str) -> Drawing:
    """Write why there is nothing to draw, in place of a figure of a model or a layer."""
    place = [
        *([model_label(settings.model)] if settings.model else []),
        *([start_label(settings.start)] if settings.start else []),
        *([settings.layer] if settings.layer else []),
    ]
    title = ", ".join(place)
    with house_style():
        sheet = page(title, [], [], body=1.2)
        (ax,) = sheet.panels(1, 1, left=0.06, head=0.06, foot=0.06)
        ax.set_axis_off()
        empty_panel(ax, reason)
    caption = f"{title}. {reason}"
    return Drawing(
        figure=sheet.figure, caption=caption, alt=caption, data=pd.DataFrame(columns=["layer"])
    )


def draw_prepared(module: KindModule, prepared: Prepared) -> Drawing:
    """Draw and describe what the module of a kind has prepared."""
    return Drawing(
        data=prepared.data, **vars(module.draw(prepared)), **vars(module.describe(prepared))
    )
