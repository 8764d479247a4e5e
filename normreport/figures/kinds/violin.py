"""The distribution of a layer's weights over the epochs, as a row of violins."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import arm_body, arm_panels, balanced_columns, page, stop_line
from normreport.figures.runs import (
    comparable_rows,
    in_order,
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
    PAPER,
    WIDTH,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    shared_limits,
)
from normreport.text.formatting import change, number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext, ngettext

_POINTS = 40  # on each side of a violin
_HALF_WIDTH = 0.47  # of the room of a violin, of the widest one
_ROOM = 0.16  # inches, of a violin at least: narrower ones would blur into stripes
_BESIDE = 0.7  # inches of a row that are not panels
_VISIBLE = 0.01  # of its own peak: where a violin ends


KIND = Kind(order=(30, 3), table="densities", per=("start", "model", "layer"))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {
        "densities": source,
        "model": settings.model,
        "start": settings.start,
        "layer": settings.layer,
    }


def draw(densities: pd.DataFrame, *, model: str, start: str, layer: str) -> Drawing:
    """Draw a row of violins: one panel per arm, all of the same scale and epochs.

    Of more epochs than there is room for, as many are drawn as fit, evenly from first to last.

    Parameters
    ----------
    densities : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `weight`, `density`.
        All starts of the model's layer share the limits and the scale of the widths.
    model, start, layer : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `normalization`, `epoch`, `weight`, `density` (mean over seeds),
        `half_width` (epochs) and `median` (of the weights); one violin per epoch that is drawn.
    """
    arms = in_order(densities["normalization"])
    styles = arm_styles(arms)
    comparable = comparable_rows(densities, model=model, layer=layer)
    runs = rows_of(comparable, start=start)
    last = last_epoch(comparable)
    peak = float(comparable["density"].max())
    means = mean_over_seeds(runs, ["density"], by=["epoch", "weight"])
    epochs = _epochs(last, len(arms))
    step = float(np.diff(epochs).min(initial=last or 1))
    scale = _HALF_WIDTH * step / peak
    drawn_means = means[means["epoch"].isin(epochs)]
    violins = [
        _violin(curve["weight"].to_numpy(), curve["density"].to_numpy(), scale).assign(
            normalization=arm, epoch=epoch
        )
        for (arm, epoch), curve in drawn_means.groupby(["normalization", "epoch"], sort=False)
    ]
    columns = ["normalization", "epoch", "weight", "density", "half_width", "median"]
    data = pd.concat(violins or [pd.DataFrame([], columns=columns)], ignore_index=True)[columns]

    name = f"{model_label(model)}, {start_label(start)}, {layer}"
    title = gettext("%(name)s: distribution of the weights over the epochs", name=name)
    with house_style():
        sheet = page(title, [], run_notes({start: runs}, arms, last), body=arm_body(len(arms)))
        curves = comparable.groupby(["start", "normalization", "seed", "epoch"])["density"]
        visible = comparable["density"] >= _VISIBLE * curves.transform("max")
        limits = shared_limits(comparable["weight"][visible])
        panels = arm_panels(sheet, styles, last=last, limits=limits, unit=gettext("weight"))
        for arm, ax in panels.items():
            drawn = data[data["normalization"] == arm]
            if drawn.empty:
                empty_panel(ax, no_run(arm, model_label(model), start_label(start)))
                continue
            ax.set_xlim(-0.55 * step, last + 0.55 * step)
            body: Marks = {"facecolor": styles[arm].color, "linewidth": 0}
            tick: Marks = {"color": PAPER, "linewidth": 1.0}
            for epoch, violin in drawn.groupby("epoch", sort=False):
                outline, median = _paths(violin, epoch)
                of = mark(arm=arm, epoch=epoch, per_epoch=f"{1 / scale:.6g}")
                ax.add_patch(PathPatch(outline, **body, **of))
                of = mark(arm=arm, epoch=epoch, line=gettext("median"), neutral=True)
                ax.plot(*median, **tick, **of)
            stop_line(ax, int(means["epoch"][means["normalization"] == arm].max()), last)

    seen = _observation(means)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=ngettext(
            "Violins of the weights of %(layer)s (%(model)s, %(start)s), at %(drawn)s of %(num)s "
            "epoch: the wider, the more weights have that value; the white tick is the median. "
            "Each is the mean density over %(seeds)s; all panels and starts share the axes and the "
            "scale of the widths.",
            "Violins of the weights of %(layer)s (%(model)s, %(start)s), at %(drawn)s of %(num)s "
            "epochs: the wider, the more weights have that value; the white tick is the median. "
            "Each is the mean density over %(seeds)s; all panels and starts share the axes and the "
            "scale of the widths.",
            last + 1,
            layer=layer,
            model=model_label(model),
            start=start_label(start),
            drawn=len(epochs),
            seeds=seeds_phrase(runs),
        )
        + f" {seen}"
        if len(runs)
        else nothing_to_draw(title),
        alt=gettext("%(title)s, one panel of violins per arm.", title=title) + f" {seen}",
        last=last,
    )


def _epochs(last: int, arms: int) -> np.ndarray:
    """Choose the epochs that there is room for, the first and the last among them.

    Evenly where at least half of that room can be filled so: an uneven gap looks like an effect.
    """
    if not last:
        return np.zeros(1, dtype=int)
    steps = int((WIDTH - _BESIDE) / balanced_columns(arms) / _ROOM) - 1
    least = math.ceil(last / steps)
    even = next((step for step in range(least, 2 * least + 1) if last % step == 0), None)
    return np.linspace(0, last, last // (even or least) + 1).round().astype(int)


def _violin(weight: np.ndarray, density: np.ndarray, scale: float) -> pd.DataFrame:
    """Resample a density between its visible ends, and find its median."""
    ends = np.flatnonzero(density >= _VISIBLE * density.max())[[0, -1]]
    levels = np.linspace(weight[ends[0]], weight[ends[1]], _POINTS)
    resampled = np.interp(levels, weight, density)
    mass = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2 * np.diff(weight))])
    return pd.DataFrame(
        {
            "weight": levels,
            "density": resampled,
            "half_width": scale * resampled,
            "median": np.interp(mass[-1] / 2, mass, weight),
        }
    )


def _paths(violin: pd.DataFrame, epoch: int) -> tuple[Path, tuple[list[float], list[float]]]:
    """Outline of a violin, and the ends of the tick at its median: two x and two y."""
    x = violin["half_width"].to_numpy()
    y = violin["weight"].to_numpy()
    right = np.column_stack([epoch + x, y])
    left = np.column_stack([epoch - x, y])[::-1]
    median = float(violin["median"].iloc[0])
    tick = 0.75 * float(np.interp(median, y, x))
    outline = Path(np.vstack([right, left, right[:1]]), closed=True)
    return outline, ([epoch - tick, epoch + tick], [median, median])


def _observation(means: pd.DataFrame) -> str:
    """Name the arm whose peak changes most, and by how much."""
    by_arm = means.groupby("normalization", sort=False)
    peaks = {str(arm): curves.groupby("epoch")["density"].max() for arm, curves in by_arm}
    most = largest_change(peaks)
    if most is None:
        return no_change()
    return gettext(
        "The peak density changes most in %(arm)s: from %(first)s at epoch 0 to %(final)s at epoch "
        "%(epoch)s (%(change)s).",
        arm=most.arm,
        first=number(most.first),
        final=number(most.final),
        epoch=most.epoch,
        change=change(most.share),
    )
