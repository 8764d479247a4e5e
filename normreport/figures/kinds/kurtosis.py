"""Excess kurtosis of every measured layer at every epoch, in one view."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path
from matplotlib.ticker import FixedLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.interactivity import cells
from normreport.figures.page import epoch_axis, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run,
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
    text_width,
    tint,
)
from normreport.text.formatting import compact, number
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import gettext, ngettext

_VALUE = "excess_kurtosis"
_LIGHT_TAILS, _HEAVY_TAILS = "#08427a", "#b5400a"
_STEPS = 10  # of the colours on each side of 0
_MISSING = _STEPS + 1
_CHANCE = 1.96 * math.sqrt(24)  # times n^(-1/2): the kurtosis of n normal numbers, Fisher (1930)
_SHARE = 0.9  # of all values, which the scale tells apart
_ROW = (0.11, 0.19)  # inches, of a layer: at least, at most
_NAME_SIZE = 7.0
_CELL_SIZE = 6.5
_FOOT = 0.85  # of a cell's height, where the line of those below 0 is, beneath their number
_MOST_COLUMNS = 3
_SCALE = 0.5  # inches at the foot, for the colours' scale


KIND = Kind(order=(110, 1), table="layers", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"layers": source, "model": settings.model}


def draw(layers: pd.DataFrame, *, model: str) -> Drawing:
    """Draw the excess kurtosis of every measured layer and epoch as colours: one panel per start.

    Parameters
    ----------
    layers : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `epoch`, `layer`, `n` (weights),
        `excess_kurtosis`. The order of the rows is that of the network.
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `start`, `index` (of the layer, from 1), `layer`, `epoch`,
        `excess_kurtosis` (the mean over all runs of the start, where none is missing) and
        `chance`, within which 95% of samples of as many normal numbers lie.
    """
    shown = comparable_rows(layers, model=model)
    arms = in_order(layers["normalization"])
    starts = in_order(layers["start"])
    names = in_order(shown.sort_values("epoch", kind="stable")["layer"])
    last = last_epoch(shown)
    runs = {start: rows_of(shown, start=start) for start in starts}
    data = pd.concat(
        [_mean_over_runs(table).assign(start=start) for start, table in runs.items()],
        ignore_index=True,
    )
    data["index"] = data["layer"].map({name: i + 1 for i, name in enumerate(names)})
    data["chance"] = _CHANCE / np.sqrt(data["layer"].map(shown.groupby("layer")["n"].first()))
    data = data[["start", "index", "layer", "epoch", _VALUE, "chance"]]
    limit = _limit(data[_VALUE])
    clipped = int((data[_VALUE].abs() > limit).sum())

    title = gettext(
        "%(model)s: excess kurtosis of every measured layer at every epoch",
        model=model_label(model),
    )
    name = gettext("excess kurtosis")
    columns = min(len(starts), _MOST_COLUMNS)
    rows = -(-len(starts) // columns)
    step = min(max(3.4 / len(names), _ROW[0]), _ROW[1])
    with house_style():
        means = gettext("A mean ends where the first of its runs does.")
        notes = run_notes(runs, arms, last, means=means)
        height = rows * (step * len(names) + 0.3) + 0.4
        sheet = page(title, [], notes, body=height + _SCALE)
        left = max(text_width(layer, _NAME_SIZE) for layer in names) + 0.14
        panels = sheet.panels(
            len(starts), columns, left=left, right=0.42, head=0.26, foot=0.4 + _SCALE,
            gap=(0.46, 0.46),
        )  # fmt: skip
        grids = {}
        for i, (start, ax) in enumerate(zip(starts, panels, strict=True)):
            panel_title(ax, start_label(start))
            ax.set_ylim(len(names) + 0.5, 0.5)
            epoch_axis(ax, last)
            ax.set_xlim(-0.5, last + 0.5)
            ax.set_yticks(range(1, len(names) + 1), names, size=_NAME_SIZE)
            if i + columns >= len(starts):
                ax.set_xlabel(gettext("epoch"))
            ax.grid(visible=False)
            drawn = data[data["start"] == start]
            if drawn.empty:
                empty_panel(ax, no_run(model_label(model), start_label(start)))
                continue
            grid = np.full((len(names), last + 1), np.nan)
            grid[drawn["index"] - 1, drawn["epoch"]] = drawn[_VALUE]
            grids[i] = grid
            _colour(
                ax, grid / limit, x=np.arange(last + 2) - 0.5, y=np.arange(len(names) + 1) + 0.5
            )
            _write_numbers(ax, drawn, limit, last)
        (scale,) = sheet.panels(1, 1, left=left, head=height + 0.08, foot=0.24, right=2.2)
        _draw_scale(scale, limit, name)

    seen = _observation(data, last)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "Excess kurtosis of the weights of every measured layer of %(model)s in network order, "
            "epoch by epoch, as the mean over the runs of a start (%(seeds)s per arm). A normal "
            "distribution is in the middle of the scale, heavier tails are to the right, lighter "
            "ones, with a line at the foot of their cells, to the left. Colours end at "
            "\u00b1%(limit)s; %(beyond)s of %(values)s values lie beyond. The numbers beside a "
            "panel are those of epoch %(epoch)s.",
            model=model_label(model),
            seeds=seeds_phrase(shown),
            limit=compact(limit),
            beyond=f"{clipped:,}",
            values=f"{len(data):,}",
            epoch=last,
        )
        + f" {seen}",
        alt=gettext("%(title)s, one panel per start.", title=title) + f" {seen}",
        last=last,
        cells=cells(name, grids, data.groupby("index")["chance"].first().to_numpy()),
    )


def _mean_over_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Average over seeds, then over arms, wherever all runs have a value."""
    means = mean_over_seeds(table.dropna(subset=[_VALUE]), [_VALUE], by=["epoch", "layer"])
    groups = means.groupby(["epoch", "layer"], sort=False)[_VALUE]
    whole = groups.mean()[groups.size() == table["normalization"].nunique()]
    return whole.reset_index()


def _limit(values: pd.Series) -> float:
    """Where colours end: at most a tenth of the values lie beyond, and it is a round number."""
    wanted = float(values.abs().quantile(_SHARE)) if len(values) else 0.0
    if not wanted:
        return 1.0
    decade = 10.0 ** math.floor(math.log10(wanted))
    return next(round(step * decade, 12) for step in (1, 2, 5, 10) if step * decade >= wanted)


def _colour(
    ax: Axes,
    shares: npt.NDArray[np.float64],
    *,
    x: npt.NDArray[np.floating],
    y: npt.NDArray[np.floating],
) -> None:
    """Fill cells by their share of the limit, as one shape per step of the colours.

    Blue below and red above 0, linearly up to \u00b11; grey where there is no number. `x` and `y`
    are the edges of columns and rows. Shapes, unlike an image, can follow a page into the dark.
    Cells below 0 have a line at their foot, which tells them apart on paper without colour.
    """
    steps = np.where(np.isnan(shares), _MISSING, np.rint(_STEPS * shares.clip(-1, 1)))
    for step in np.unique(steps):
        end = _LIGHT_TAILS if step < 0 else _HEAVY_TAILS
        color = SHADE if step == _MISSING else tint(end, abs(step) / _STEPS)
        outlines = [
            Path([(x[i], y[row]), (x[j], y[row]), (x[j], y[row + 1]), (x[i], y[row + 1]), (0, 0)],
                 closed=True)
            for row, equal in enumerate(steps == step)
            for i, j in _stretches(equal)
        ]  # fmt: skip
        # A hairline in their own colour, as renderers leave a gap between neighbours.
        look: Marks = {"facecolor": color, "edgecolor": color, "linewidth": 0.2}
        ax.add_patch(PathPatch(Path.make_compound_path(*outlines), **look))
    below = y[:-1] + _FOOT * np.diff(y)
    dark = steps <= -_STEPS / 2
    for cells_below, color in ((steps < 0) & ~dark, _LIGHT_TAILS), (dark, PAPER):
        lines = [
            ([x[i], x[j], np.nan], [below[row]] * 3)
            for row, equal in enumerate(cells_below)
            for i, j in _stretches(equal)
        ]
        if lines:
            ax.plot(*np.concatenate(lines, axis=1), color=color, linewidth=0.6)


def _stretches(equal: npt.NDArray[np.bool_]) -> npt.NDArray[np.intp]:
    """Return begin and end of each run of neighbours, shape (stretches, 2)."""
    return np.flatnonzero(np.diff(equal, prepend=False, append=False)).reshape(-1, 2)


def _write_numbers(ax: Axes, drawn: pd.DataFrame, limit: float, last: int) -> None:
    """Write the last epoch's numbers beside the panel, and all into their cells where they fit."""
    decimals = max(0, 2 - math.floor(math.log10(limit)))
    written = [
        f"{value + 0.0:.{decimals}f}".replace("-", "\u2212")
        for value in drawn[_VALUE].round(decimals)
    ]
    drawn = drawn.assign(written=written)
    style: Marks = {"va": "center_baseline", "size": _CELL_SIZE}
    for row in drawn[drawn["epoch"] == last].itertuples():
        at, inside = (1, row.index), ("axes fraction", "data")
        label(ax, row.written, at, inside=inside, offset=(4, 0), **style)
    widest = max(text_width(text, _CELL_SIZE) for text in written)
    if ax.get_position().width * WIDTH / (last + 1) < widest + 0.03:
        return
    for row in drawn.itertuples():
        color = INK if abs(row.excess_kurtosis) < limit / 2 else PAPER
        at, inside = (row.epoch, row.index), ("data", "data")
        label(ax, row.written, at, inside=inside, ha="center", color=color, **style)


def _draw_scale(ax: Axes, limit: float, name: str) -> None:
    steps = np.arange(-_STEPS, _STEPS + 1)
    edges = limit * np.linspace(-1, 1, len(steps) + 1)
    _colour(ax, steps[None, :] / _STEPS, x=edges, y=np.array([0.0, 1.0]))
    ax.set(xlim=(-limit, limit), ylim=(1, 0))
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ticks = [-limit, -limit / 2, 0, limit / 2, limit]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_xticklabels([compact(tick) for tick in ticks])
    style: Marks = {"va": "center", "color": MUTED, "size": 8.5}
    label(ax, name, (1, 0.5), offset=(8, 0), **style)


def _observation(data: pd.DataFrame, last: int) -> str:
    """Count the layers that chance explains at the end, and name the farthest."""
    final = data[data["epoch"] == last]
    sentences = []
    for start, rows in final.groupby("start", sort=False):
        most = rows.loc[rows[_VALUE].abs().idxmax()]
        near = int((rows[_VALUE].abs() <= rows["chance"]).sum())
        sentences.append(
            ngettext(
                "%(start)s, %(near)s of %(num)s layer is at epoch %(epoch)s as near to 0 as 95%% "
                "of samples of as many normal numbers; the farthest from 0 is %(layer)s with "
                "%(value)s.",
                "%(start)s, %(near)s of %(num)s layers are at epoch %(epoch)s as near to 0 as "
                "95%% of samples of as many normal numbers; the farthest from 0 is %(layer)s with "
                "%(value)s.",
                len(rows),
                start=start_title(str(start)),
                near=near,
                epoch=last,
                layer=most["layer"],
                value=number(most[_VALUE]),
            )
        )
    return " ".join(sentences) or gettext("No start has all its runs at the last epoch.")
