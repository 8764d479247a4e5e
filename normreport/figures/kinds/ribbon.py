"""Percentiles of a layer's weights over the epochs, as nested bands."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, arm_body, arm_panels, page, stop_line
from normreport.figures.runs import (
    arms_in_order,
    arms_of,
    comparable_rows,
    largest_change,
    last_epoch,
    mean_over_seeds,
    no_change,
    no_run,
    nothing_to_draw,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    INK,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    shared_limits,
    tint,
)
from normreport.text.formatting import format_change, format_number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

KIND = Kind(
    order=(30, 2),
    table="measures",
    columns=("p01", "p05", "p25", "p50", "p75", "p95", "p99"),
    per=("start", "model", "layer"),
)

_BANDS = (("p01", "p99", 0.20), ("p05", "p95", 0.42), ("p25", "p75", 0.75))  # edges, tint
_PERCENTILES = ["p01", "p05", "p25", "p50", "p75", "p95", "p99"]
_MEDIAN: Marks = {"color": INK, "linewidth": 0.9}


@dataclass(frozen=True)
class Prepared:
    """The percentiles of one layer.

    Attributes
    ----------
    model, start, layer : str
        The networks and the layer that the figure shows.
    arms : list of str
        The arms that have runs, in the order of the experiment.
    runs : pandas.DataFrame
        The rows of `measures` for this model, start and layer.
    last_epoch : int
        The last epoch of any start.
    limits : tuple of float
        Limits of the weights, which all starts share.
    data : pandas.DataFrame
        Columns `normalization`, `epoch` and the percentiles, averaged over seeds.
    """

    model: str
    start: str
    layer: str
    arms: list[str]
    runs: pd.DataFrame
    last_epoch: int
    limits: tuple[float, float]
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        name = f"{model_label(self.model)}, {start_label(self.start)}, {self.layer}"
        return gettext("%(name)s: percentiles of the weights over the epochs", name=name)


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Average the percentiles of a layer over the seeds of each arm.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `p01`, `p05`, `p25`,
        `p50`, `p75`, `p95`, `p99`. All starts of the model's layer share the limits.
    settings : FigureSettings
        `model`, `start` and `layer` select the rows.

    Raises
    ------
    NoRowsError
        If the table has no row of the model and layer.
    """
    model, start, layer = settings.required("model", "start", "layer")
    comparable = comparable_rows(source, model=model, layer=layer)
    runs = rows_of(comparable, start=start)
    return Prepared(
        model=model,
        start=start,
        layer=layer,
        arms=arms_of(runs, arms_in_order(source)),
        runs=runs,
        last_epoch=last_epoch(comparable),
        limits=shared_limits(comparable["p01"], comparable["p99"]),
        data=mean_over_seeds(runs, _PERCENTILES),
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one panel per arm, epochs from left to right."""
    arms, last = prepared.arms, prepared.last_epoch
    styles = arm_styles(arms)
    with house_style():
        keys = [
            Key(_band_label(low, high), {"color": tint(INK, strength / 1.4), "linewidth": 8})
            for low, high, strength in _BANDS
        ]
        keys.append(Key(gettext("median"), _MEDIAN))
        notes = run_notes({prepared.start: prepared.runs}, arms, last)
        sheet = page(prepared.title, keys, notes, body=arm_body(len(arms)))
        panels = arm_panels(
            sheet, styles, last=last, limits=prepared.limits, unit=gettext("weight")
        )
        for arm, ax in panels.items():
            percentiles = prepared.data[prepared.data["normalization"] == arm]
            if percentiles.empty:
                place = model_label(prepared.model), start_label(prepared.start)
                empty_panel(ax, no_run(arm, *place))
                continue
            _draw_bands(ax, percentiles, arm, styles[arm].color)
            stop_line(ax, int(percentiles["epoch"].max()), last)
    return Canvas(figure=sheet.figure, last=last)


def describe(prepared: Prepared) -> Words:
    """Explain the bands, and name the arm whose outer band changes most."""
    title = prepared.title
    observation = _observation(prepared.data)
    alt = gettext("%(title)s, one panel per arm.", title=title)
    if prepared.runs.empty:
        return Words(caption=nothing_to_draw(title), alt=f"{alt} {observation}")
    explanation = gettext(
        "Percentiles of the weights of %(layer)s (%(model)s, %(start)s) at every epoch, "
        "averaged over %(seeds)s. The bands hold 98%%, 90%% and 50%% of the weights; the line "
        "is the median. All panels and starts share the axes.",
        layer=prepared.layer,
        model=model_label(prepared.model),
        start=start_label(prepared.start),
        seeds=seeds_phrase(prepared.runs),
    )
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _band_label(low: str, high: str) -> str:
    return gettext("percentiles %(low)s to %(high)s", low=int(low[1:]), high=int(high[1:]))


def _draw_bands(ax: Axes, percentiles: pd.DataFrame, arm: str, color: str) -> None:
    """Fill an arm's bands, and draw its median over them."""
    for low, high, strength in _BANDS:
        epochs, bottom, top = _drawable(percentiles, low, high)
        outline = np.append(epochs, epochs[::-1]), np.append(bottom, top[::-1])
        attributes = mark(arm=arm, line=_band_label(low, high))
        ax.fill(*outline, color=tint(color, strength), linewidth=0, **attributes)
    epochs, median = _drawable(percentiles, "p50")
    attributes = mark(arm=arm, line=gettext("median"), neutral=True)
    ax.plot(epochs, median, **_MEDIAN, **attributes)


def _drawable(percentiles: pd.DataFrame, *columns: str) -> list[npt.NDArray[np.generic]]:
    """Return epochs and columns as arrays; a single epoch becomes a bar, as a line needs two."""
    if len(percentiles) > 1:
        return [percentiles[column].to_numpy() for column in ("epoch", *columns)]
    epoch = float(percentiles["epoch"].iloc[0])
    return [
        np.array([epoch - 0.3, epoch + 0.3]),
        *(np.repeat(percentiles[column].to_numpy(), 2) for column in columns),
    ]


def _observation(data: pd.DataFrame) -> str:
    """Name the arm whose outer band changes most, and by how much."""
    by_arm = data.set_index("epoch").groupby("normalization", sort=False)
    widths = {str(arm): rows["p99"] - rows["p01"] for arm, rows in by_arm}
    widest = largest_change(widths)
    if widest is None:
        return no_change(widths)
    return gettext(
        "The outer band changes most in %(arm)s: from a width of %(first)s at epoch 0 to "
        "%(final)s at epoch %(epoch)s (%(change)s).",
        arm=widest.arm,
        first=format_number(widest.first),
        final=format_number(widest.final),
        epoch=widest.epoch,
        change=format_change(widest.share),
    )
