"""Excess kurtosis of every measured layer at every epoch, in one view."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.interactivity import cells
from normreport.figures.page import epoch_axis, page, panel_title
from normreport.figures.runs import (
    arms_in_order,
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run,
    row_of_largest,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    INK,
    MUTED,
    PAPER,
    SHADE,
    WIDTH,
    Marks,
    empty_panel,
    house_style,
    label,
    row_labels,
    text_width,
    tint,
)
from normreport.text.formatting import format_compact, format_number
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import gettext, ngettext

KIND = Kind(order=(110, 1), table="layers", columns=("n", "excess_kurtosis"), per=("model",))

_VALUE = "excess_kurtosis"
_COLUMNS = ["start", "index", "layer", "epoch", _VALUE, "chance"]
_LIGHT_TAILS, _HEAVY_TAILS = "#08427a", "#b5400a"
_STEPS = 10  # of the colours on each side of 0
_MISSING = _STEPS + 1
_CHANCE = 1.96 * math.sqrt(24)  # times n^(-1/2): the kurtosis of n normal numbers, Fisher (1930)
_SHARE = 0.9  # of all values lie within the scale
_LEAST_HEIGHT, _MOST_HEIGHT = 0.11, 0.19  # inches, of a layer's row
_NAME_SIZE = 7.0
_CELL_SIZE = 6.5
_FOOT = 0.85  # of a cell's height: where the line of a cell below 0 is, beneath the number
_MOST_COLUMNS = 3
_SCALE = 0.5  # inches at the foot, for the scale of the colours


@dataclass(frozen=True)
class Prepared:
    """The excess kurtosis of one model's layers.

    Attributes
    ----------
    model : str
        The networks that the figure shows.
    arms, starts : list of str
        All arms and starts of the experiment, in order; a start has a panel.
    layers : list of str
        The measured layers, in the order of the network.
    runs : pandas.DataFrame
        The rows of the table `layers` for this model.
    last_epoch : int
        The last epoch of any run.
    limit : float
        The absolute value at which the colours end.
    data : pandas.DataFrame
        Columns `start`, `index` (of the layer, from 1), `layer`, `epoch`, `excess_kurtosis` (the
        mean over all runs of the start, if none is missing) and `chance`: 95% of samples of as
        many normal numbers have a smaller absolute value.
    """

    model: str
    arms: list[str]
    starts: list[str]
    layers: list[str]
    runs: pd.DataFrame
    last_epoch: int
    limit: float
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        return gettext(
            "%(model)s: excess kurtosis of every measured layer at every epoch",
            model=model_label(self.model),
        )

    def grid(self, start: str) -> npt.NDArray[np.float64]:
        """Return a start's values, shape (layers, epochs), NaN if a run is missing."""
        grid = np.full((len(self.layers), self.last_epoch + 1), np.nan)
        rows = self.data[self.data["start"] == start]
        grid[rows["index"] - 1, rows["epoch"]] = rows[_VALUE]
        return grid


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Average the excess kurtosis over the runs of each start, and choose the colour scale.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `epoch`, `layer`, `n` (weights),
        `excess_kurtosis`. The rows are in the order of the network.
    settings : FigureSettings
        `model` selects the rows.

    Raises
    ------
    NoRowsError
        If the table has no row of the model.
    """
    (model,) = settings.required("model")
    runs = comparable_rows(source, model=model)
    starts = in_order(source["start"])
    layers = in_order(runs.sort_values("epoch", kind="stable")["layer"])
    means = [_mean_over_runs(rows_of(runs, start=start)).assign(start=start) for start in starts]
    data = pd.concat(means, ignore_index=True)
    data["index"] = data["layer"].map({layer: i for i, layer in enumerate(layers, start=1)})
    data["chance"] = _CHANCE / np.sqrt(data["layer"].map(runs.groupby("layer")["n"].first()))
    return Prepared(
        model=model,
        arms=arms_in_order(source),
        starts=starts,
        layers=layers,
        runs=runs,
        last_epoch=last_epoch(runs),
        limit=_limit(data[_VALUE]),
        data=data[_COLUMNS],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one panel per start, with a row of coloured cells per layer."""
    starts, layers = prepared.starts, prepared.layers
    name = gettext("excess kurtosis")
    columns = min(len(starts), _MOST_COLUMNS)
    rows = math.ceil(len(starts) / columns)
    row_height = min(max(3.4 / len(layers), _LEAST_HEIGHT), _MOST_HEIGHT)
    height = rows * (row_height * len(layers) + 0.3) + 0.4
    grids = {}
    with house_style():
        sheet = page(prepared.title, [], _notes(prepared), body=height + _SCALE)
        names = row_labels(layers, _NAME_SIZE)
        left = max(text_width(name, _NAME_SIZE) for name in names) + 0.14
        panels = sheet.panels(
            len(starts), columns, left=left, right=0.42, head=0.26, foot=0.4 + _SCALE,
            gap=(0.46, 0.46),
        )  # fmt: skip
        for i, (start, ax) in enumerate(zip(starts, panels, strict=True)):
            panel_title(ax, start_label(start))
            _set_axes(ax, names, prepared.last_epoch)
            if i + columns >= len(starts):
                ax.set_xlabel(gettext("epoch"))
            values = prepared.data[prepared.data["start"] == start]
            if values.empty:
                empty_panel(ax, no_run(model_label(prepared.model), start_label(start)))
                continue
            grids[i] = prepared.grid(start)
            x = np.arange(prepared.last_epoch + 2) - 0.5
            y = np.arange(len(layers) + 1) + 0.5
            _draw_cells(ax, grids[i] / prepared.limit, x=x, y=y)
            _write_numbers(ax, values, prepared.limit, prepared.last_epoch)
        (scale,) = sheet.panels(1, 1, left=left, head=height + 0.08, foot=0.24, right=2.2)
        _draw_scale(scale, prepared.limit, name)
    chance = prepared.data.groupby("index")["chance"].first().to_numpy()
    return Canvas(figure=sheet.figure, last=prepared.last_epoch, cells=cells(name, grids, chance))


def describe(prepared: Prepared) -> Words:
    """Explain the colours, and count the layers whose kurtosis chance explains."""
    data, limit = prepared.data, prepared.limit
    observation = _observation(data, prepared.last_epoch)
    explanation = gettext(
        "Excess kurtosis of the weights of every measured layer of %(model)s in network order, "
        "epoch by epoch, as the mean over the runs of a start (%(seeds)s per arm). A normal "
        "distribution has 0. Positive values mean heavier tails; negative values, with a line at "
        "the foot of their cells, mean lighter tails. Colours end at \u00b1%(limit)s; %(beyond)s "
        "of %(values)s values lie beyond. The numbers beside a panel are those of epoch "
        "%(epoch)s.",
        model=model_label(prepared.model),
        seeds=seeds_phrase(prepared.runs),
        limit=format_compact(limit),
        beyond=f"{int((data[_VALUE].abs() > limit).sum()):,}",
        values=f"{len(data):,}",
        epoch=prepared.last_epoch,
    )
    alt = gettext("%(title)s, one panel per start.", title=prepared.title)
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _mean_over_runs(runs: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds, then over arms, wherever all runs have a value."""
    by_arm = mean_over_seeds(runs.dropna(subset=[_VALUE]), [_VALUE], by=["epoch", "layer"])
    groups = by_arm.groupby(["epoch", "layer"], sort=False)[_VALUE]
    arms = runs["normalization"].nunique()
    if "runs" in runs and len(runs.groupby(["normalization", "seed"])) < runs["runs"].max():
        arms = 0  # a run failed
    has_all_arms = groups.size() == arms
    return groups.mean()[has_all_arms].reset_index()


def _limit(values: pd.Series) -> float:
    """Return the value at which colours end: round, and exceeded by at most a tenth of all."""
    least = float(values.abs().quantile(_SHARE)) if len(values) else 0.0
    if not least:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(least))
    return next(round(step * decade, 12) for step in (1, 2, 5, 10) if step * decade >= least)


def _notes(prepared: Prepared) -> list[str]:
    """Name the arms without runs and the runs that ended early."""
    by_start = {start: rows_of(prepared.runs, start=start) for start in prepared.starts}
    means = gettext("A mean ends where the first of its runs does.")
    return run_notes(by_start, prepared.arms, prepared.last_epoch, means=means)


def _set_axes(ax: Axes, layers: Sequence[str], last: int) -> None:
    """Set axes with a column per epoch and a row per layer."""
    ax.set_ylim(len(layers) + 0.5, 0.5)
    epoch_axis(ax, last)
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_yticks(range(1, len(layers) + 1), layers, size=_NAME_SIZE)
    ax.grid(visible=False)


def _draw_cells(
    ax: Axes,
    shares: npt.NDArray[np.float64],
    *,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
) -> None:
    """Fill cells by their share of the limit, with one shape per step of the colours.

    Colours are blue below and red above 0, and their strength is linear up to \u00b11; a missing
    value is grey. Unlike an image, shapes can follow the page into dark mode.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The panel.
    shares : numpy.ndarray
        Shape (rows, columns), NaN for a missing value.
    x, y : numpy.ndarray
        The edges of the columns, shape (columns + 1,), and of the rows, shape (rows + 1,).
    """
    steps = np.where(np.isnan(shares), _MISSING, np.rint(_STEPS * shares.clip(-1, 1)))
    for step in np.unique(steps):
        end = _LIGHT_TAILS if step < 0 else _HEAVY_TAILS
        color = SHADE if step == _MISSING else tint(end, abs(step) / _STEPS)
        outlines = [
            Path([(x[i], y[row]), (x[j], y[row]), (x[j], y[row + 1]), (x[i], y[row + 1]), (0, 0)],
                 closed=True)
            for row, is_step in enumerate(steps == step)
            for i, j in _stretches(is_step)
        ]  # fmt: skip
        # Renderers leave a gap between neighbours: a hairline of the same colour closes it.
        fill: Marks = {"facecolor": color, "edgecolor": color, "linewidth": 0.2}
        ax.add_patch(PathPatch(Path.make_compound_path(*outlines), **fill))
    _draw_feet(ax, steps, x=x, y=y)


def _draw_feet(
    ax: Axes,
    steps: npt.NDArray[np.floating],
    *,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
) -> None:
    """Draw a line at the foot of each cell below 0: without colour, it shows the sign."""
    feet = y[:-1] + _FOOT * np.diff(y)
    is_dark = steps <= -_STEPS / 2
    for has_foot, color in ((steps < 0) & ~is_dark, _LIGHT_TAILS), (is_dark, PAPER):
        lines = [
            ([x[i], x[j], np.nan], [feet[row]] * 3)
            for row, row_has_foot in enumerate(has_foot)
            for i, j in _stretches(row_has_foot)
        ]
        if lines:
            ax.plot(*np.concatenate(lines, axis=1), color=color, linewidth=0.6)


def _stretches(flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return begin and end of each run of true neighbours, shape (stretches, 2)."""
    return np.flatnonzero(np.diff(flags, prepend=False, append=False)).reshape(-1, 2)


def _write_numbers(ax: Axes, values: pd.DataFrame, limit: float, last: int) -> None:
    """Write the last epoch's numbers beside the panel, and all into their cells if they fit."""
    decimals = max(0, 2 - math.floor(math.log10(limit)))
    texts = [
        f"{value + 0.0:.{decimals}f}".replace("-", "\u2212")
        for value in values[_VALUE].round(decimals)
    ]
    values = values.assign(text=texts)
    style: Marks = {"va": "center_baseline", "size": _CELL_SIZE}
    final = values[values["epoch"] == last]
    for text, row in zip(final["text"], final["index"], strict=True):
        label(ax, text, (1, row), inside=("axes fraction", "data"), offset=(4, 0), **style)
    widest = max(text_width(text, _CELL_SIZE) for text in texts)
    if ax.get_position().width * WIDTH / (last + 1) < widest + 0.03:
        return
    cells = zip(values["text"], values["epoch"], values["index"], values[_VALUE], strict=True)
    for text, epoch, row, value in cells:
        color = INK if abs(value) < limit / 2 else PAPER
        at, inside = (epoch, row), ("data", "data")
        label(ax, text, at, inside=inside, ha="center", color=color, **style)


def _draw_scale(ax: Axes, limit: float, name: str) -> None:
    """Draw the scale of the colours."""
    steps = np.arange(-_STEPS, _STEPS + 1)
    edges = limit * np.linspace(-1, 1, len(steps) + 1)
    _draw_cells(ax, steps[None, :] / _STEPS, x=edges, y=np.array([0.0, 1.0]))
    ax.set(xlim=(-limit, limit), ylim=(1, 0))
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ticks = [-limit, -limit / 2, 0, limit / 2, limit]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_xticklabels([format_compact(tick) for tick in ticks])
    style: Marks = {"va": "center", "color": MUTED, "size": 8.5}
    label(ax, name, (1, 0.5), offset=(8, 0), **style)


def _observation(data: pd.DataFrame, last: int) -> str:
    """Count the layers that chance explains at the end, and name the one farthest from 0."""
    final = data[data["epoch"] == last]
    sentences = []
    for start, rows in final.groupby("start", sort=False):
        farthest = row_of_largest(rows, rows[_VALUE].abs())
        sentences.append(
            ngettext(
                "%(start)s, %(near)s of %(num)s layer is within the 95%% range of normal samples "
                "of the same size at epoch %(epoch)s; the farthest from 0 is %(layer)s with "
                "%(value)s.",
                "%(start)s, %(near)s of %(num)s layers are within the 95%% range of normal "
                "samples of the same size at epoch %(epoch)s; the farthest from 0 is %(layer)s "
                "with %(value)s.",
                len(rows),
                start=start_title(str(start)),
                near=int((rows[_VALUE].abs() <= rows["chance"]).sum()),
                epoch=last,
                layer=farthest["layer"],
                value=format_number(farthest[_VALUE]),
            )
        )
    return " ".join(sentences) or gettext("No start has all its runs at the last epoch.")
