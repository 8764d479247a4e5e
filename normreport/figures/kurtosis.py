"""Excess kurtosis of every measured layer at every epoch, in one view."""

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.ticker import FixedLocator

from normreport.figures.drawing import Drawing
from normreport.figures.page import epoch_axis, page, panel_title
from normreport.figures.prose import compact, number
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    SHADE,
    Marks,
    empty_panel,
    house_style,
    label,
    text_width,
)
from normreport.labels import model_label, start_label

_VALUE = "excess_kurtosis"
_LIGHT_TAILS, _HEAVY_TAILS, _NORMAL = (
    np.array(to_rgb(c)) for c in ("#08427a", "#b5400a", "#ffffff")
)
_CHANCE = 1.96 * math.sqrt(24)  # times n^(-1/2): the kurtosis of n normal numbers, Fisher (1930)
_SHARE = 0.9  # of all values, which the scale tells apart
_ROW = (0.088, 0.19)  # inches, of a layer: at least, at most
_NAME_SIZE = 7.0
_MOST_COLUMNS = 3
_SCALE = 0.5  # inches at the foot, for the colours' scale


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

    title = f"{model_label(model)}: excess kurtosis of every measured layer at every epoch"
    columns = min(len(starts), _MOST_COLUMNS)
    rows = -(-len(starts) // columns)
    step = min(max(3.4 / len(names), _ROW[0]), _ROW[1])
    with house_style():
        notes = run_notes(runs, arms, last, means="A mean ends where the first of its runs does.")
        height = rows * (step * len(names) + 0.3) + 0.4
        sheet = page(title, [], notes, body=height + _SCALE)
        left = max(text_width(name, _NAME_SIZE) for name in names) + 0.14
        panels = sheet.panels(len(starts), columns, left=left, head=0.26, foot=0.4 + _SCALE)
        for i, (start, ax) in enumerate(zip(starts, panels, strict=True)):
            panel_title(ax, start_label(start))
            ax.set_ylim(len(names) + 0.5, 0.5)
            epoch_axis(ax, last)
            ax.set_xlim(-0.5, last + 0.5)
            _name_layers(ax, names, step)
            if i + columns >= len(starts):
                ax.set_xlabel("epoch")
            ax.grid(visible=False)
            drawn = data[data["start"] == start]
            if drawn.empty:
                empty_panel(ax, f"No run of {model_label(model)}, {start_label(start)}.")
                continue
            grid = np.full((len(names), last + 1), np.nan)
            grid[drawn["index"] - 1, drawn["epoch"]] = drawn[_VALUE]
            extent = (-0.5, last + 0.5, len(names) + 0.5, 0.5)
            ax.imshow(_colours(grid / limit), interpolation="none", aspect="auto", extent=extent)
        (scale,) = sheet.panels(1, 1, left=left, head=height + 0.08, foot=0.24, right=2.2)
        _draw_scale(scale, limit)

    seen = _observation(data, last)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=(
            f"Excess kurtosis of the weights of every measured layer of {model_label(model)} in "
            f"network order, epoch by epoch, as the mean over the runs of a start "
            f"({seeds_phrase(shown)} per arm). A normal distribution is in the middle of the "
            f"scale, heavier tails are to the right, lighter ones to the left. Colours end at "
            f"\u00b1{compact(limit)}; {clipped:,} of {len(data):,} values lie beyond. {seen}"
        ),
        alt=f"{title}, one panel per start. {seen}",
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


def _colours(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.uint8]:
    """Mix white with blue below and red above 0, linearly up to \u00b11; missing ones are grey."""
    strength = np.abs(shares.clip(-1, 1))[..., None]
    end = np.where(shares[..., None] < 0, _LIGHT_TAILS, _HEAVY_TAILS)
    mixed = np.where(np.isnan(strength), to_rgb(SHADE), _NORMAL + strength * (end - _NORMAL))
    return np.asarray((255 * mixed).round(), dtype=np.uint8)


def _name_layers(ax: Axes, names: list[str], step: float) -> None:
    """Write as many layers' names as there is room for."""
    every = math.ceil(0.11 / step)
    ax.set_yticks(range(1, len(names) + 1, every), names[::every], size=_NAME_SIZE)


def _draw_scale(ax: Axes, limit: float) -> None:
    ax.imshow(
        _colours(np.linspace(-1, 1, 41)[None, :]),
        interpolation="none",
        aspect="auto",
        extent=(-limit, limit, 0, 1),
    )
    ax.grid(visible=False)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ticks = [-limit, -limit / 2, 0, limit / 2, limit]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.set_xticklabels([compact(tick) for tick in ticks])
    style: Marks = {"va": "center", "color": MUTED, "size": 8.5}
    label(ax, "excess kurtosis", (1, 0.5), offset=(8, 0), **style)


def _observation(data: pd.DataFrame, last: int) -> str:
    """Count the layers that chance explains at the end, and name the farthest."""
    final = data[data["epoch"] == last]
    sentences = []
    for start, rows in final.groupby("start", sort=False):
        most = rows.loc[rows[_VALUE].abs().idxmax()]
        near = int((rows[_VALUE].abs() <= rows["chance"]).sum())
        sentences.append(
            f"{start_label(str(start)).capitalize()}, {near} of {len(rows)} layers are at epoch "
            f"{last} as near to 0 as 95% of samples of as many normal numbers; the farthest from "
            f"0 is {most['layer']} with {number(most[_VALUE])}."
        )
    return " ".join(sentences) or "No start has all its runs at the last epoch."
