"""The distribution of a layer's weights over the epochs, as a row of violins."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Densities, Words
from normreport.figures.page import arm_body, arm_panels, balanced_columns, page, stop_line
from normreport.figures.runs import (
    arms_in_order,
    axis_notes,
    largest_change,
    mean_over_seeds,
    no_change,
    no_run,
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
from normreport.text.formatting import format_change, format_number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext, ngettext

KIND = Kind(
    order=(30, 3),
    table="densities",
    columns=("weight", "density"),
    per=("start", "model", "layer"),
)

_POINTS = 40  # per side of a violin
_HALF_WIDTH = 0.47  # of the space between two epochs, for the widest violin
_LEAST_WIDTH = 0.16  # inches per violin: narrower ones would blur into stripes
_BESIDE = 0.7  # inches of a row that are not panels
_VISIBLE = 0.01  # of its own peak: a violin ends there
_COLUMNS = ["normalization", "epoch", "weight", "density", "half_width", "median"]


@dataclass(frozen=True)
class Prepared:
    """The violins of one layer.

    Attributes
    ----------
    model, start, layer : str
        The networks and the layer that the figure shows.
    arms : list of str
        The arms that have runs, in the order of the experiment.
    runs : pandas.DataFrame
        The rows of `densities` for this model, start and layer.
    means : pandas.DataFrame
        Columns `normalization`, `epoch`, `weight`, `density`: the mean over seeds at every epoch.
    last_epoch : int
        The last epoch of any start.
    epochs : numpy.ndarray
        The epochs that have a violin, shape (violins,).
    step : float
        The smallest distance between two of them.
    scale : float
        Half width in epochs per unit of density, which all starts share.
    limits : tuple of float
        Limits of the weights, which all starts share.
    data : pandas.DataFrame
        Columns `normalization`, `epoch`, `weight`, `density` (the mean over seeds), `half_width`
        (in epochs) and `median` (of the weights); 40 rows per violin.
    """

    model: str
    start: str
    layer: str
    arms: list[str]
    runs: pd.DataFrame
    means: pd.DataFrame
    last_epoch: int
    epochs: npt.NDArray[np.int_]
    step: float
    scale: float
    limits: tuple[float, float]
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        name = f"{model_label(self.model)}, {start_label(self.start)}, {self.layer}"
        return gettext("%(name)s: distribution of the weights over the epochs", name=name)


def prepare(source: Densities, settings: FigureSettings) -> Prepared:
    """Average a layer's densities over the seeds of each arm, and turn them into violins.

    If there are more epochs than fit, prepare the first, the last and evenly spaced ones between.

    Parameters
    ----------
    source : Densities
        The densities of the layer and start. All starts of the layer share the limits and the
        scale of the widths.
    settings : FigureSettings
        `model`, `start` and `layer` select the rows.

    Raises
    ------
    NoRowsError
        If the weights do not vary.
    """
    model, start, layer = settings.required("model", "start", "layer")
    runs = source.rows(model=model, layer=layer, start=start)
    arms = arms_in_order(runs)
    last = source.last_epoch
    means = mean_over_seeds(runs, ["density"], by=["epoch", "weight"])
    epochs = _epochs(last, len(arms))
    step = float(np.diff(epochs).min(initial=last or 1))
    scale = _HALF_WIDTH * step / source.highest
    violins = [
        _violin(curve["weight"].to_numpy(), curve["density"].to_numpy(), scale).assign(
            normalization=curve["normalization"].iloc[0], epoch=curve["epoch"].iloc[0]
        )
        for _, curve in means[means["epoch"].isin(epochs)].groupby(
            ["normalization", "epoch"], sort=False
        )
    ]
    none = pd.DataFrame([], columns=_COLUMNS)
    return Prepared(
        model=model,
        start=start,
        layer=layer,
        arms=arms,
        runs=runs,
        means=means,
        last_epoch=last,
        epochs=epochs,
        step=step,
        scale=scale,
        limits=shared_limits(source.visible_weights(_VISIBLE, of_own_peak=True)),
        data=pd.concat(violins or [none], ignore_index=True)[_COLUMNS],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw a row of violins per arm, all on the same axes."""
    arms, last = prepared.arms, prepared.last_epoch
    styles = arm_styles(arms)
    with house_style():
        final = prepared.runs[prepared.runs["epoch"] == last]
        notes = run_notes({prepared.start: prepared.runs}, arms, last) + axis_notes(final)
        sheet = page(prepared.title, [], notes, body=arm_body(len(arms)))
        panels = arm_panels(
            sheet, styles, last=last, limits=prepared.limits, unit=gettext("weight")
        )
        for arm, ax in panels.items():
            violins = prepared.data[prepared.data["normalization"] == arm]
            if violins.empty:
                place = model_label(prepared.model), start_label(prepared.start)
                empty_panel(ax, no_run(arm, *place))
                continue
            ax.set_xlim(-0.55 * prepared.step, last + 0.55 * prepared.step)
            _draw_violins(ax, violins, arm, styles[arm].color, prepared.scale)
            means = prepared.means[prepared.means["normalization"] == arm]
            stop_line(ax, int(means["epoch"].max()), last)
    return Canvas(figure=sheet.figure, last=last)


def describe(prepared: Prepared) -> Words:
    """Explain the violins, and name the arm whose peak changes most."""
    title = prepared.title
    observation = _observation(prepared.means)
    alt = gettext("%(title)s, one panel of violins per arm.", title=title)
    explanation = ngettext(
        "Violins of the weights of %(layer)s (%(model)s, %(start)s), at %(drawn)s of %(num)s "
        "epoch. A violin is wider where more weights have that value; the white tick is the "
        "median. Each violin is the mean density over %(seeds)s. All panels and starts share the "
        "axes and the scale of the widths.",
        "Violins of the weights of %(layer)s (%(model)s, %(start)s), at %(drawn)s of %(num)s "
        "epochs. A violin is wider where more weights have that value; the white tick is the "
        "median. Each violin is the mean density over %(seeds)s. All panels and starts share the "
        "axes and the scale of the widths.",
        prepared.last_epoch + 1,
        layer=prepared.layer,
        model=model_label(prepared.model),
        start=start_label(prepared.start),
        drawn=len(prepared.epochs),
        seeds=seeds_phrase(prepared.runs),
    )
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _epochs(last: int, arms: int) -> npt.NDArray[np.int_]:
    """Choose as many epochs as fit, including the first and the last.

    They are evenly spaced if that fills at least half of the room: an uneven gap looks like an
    effect.
    """
    if not last:
        return np.zeros(1, dtype=int)
    steps = int((WIDTH - _BESIDE) / balanced_columns(arms) / _LEAST_WIDTH) - 1
    least = math.ceil(last / steps)
    even = next((step for step in range(least, 2 * least + 1) if last % step == 0), None)
    return np.linspace(0, last, last // (even or least) + 1).round().astype(int)


def _violin(
    weight: npt.NDArray[np.float64], density: npt.NDArray[np.float64], scale: float
) -> pd.DataFrame:
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


def _draw_violins(ax: Axes, violins: pd.DataFrame, arm: str, color: str, scale: float) -> None:
    """Fill an arm's violins, each with a white tick at its median."""
    body: Marks = {"facecolor": color, "linewidth": 0}
    tick: Marks = {"color": PAPER, "linewidth": 1.0}
    per_epoch = f"{1 / scale:.6g}"
    for _, violin in violins.groupby("epoch", sort=False):
        epoch = int(violin["epoch"].iloc[0])
        attributes = mark(arm=arm, epoch=epoch, per_epoch=per_epoch)
        ax.add_patch(PathPatch(_outline(violin, epoch), **body, **attributes))
        attributes = mark(arm=arm, epoch=epoch, line=gettext("median"), neutral=True)
        ax.plot(*_median_tick(violin, epoch), **tick, **attributes)


def _outline(violin: pd.DataFrame, epoch: int) -> Path:
    """Return the closed outline of a violin, symmetric about its epoch."""
    half_width, weight = violin["half_width"].to_numpy(), violin["weight"].to_numpy()
    right = np.column_stack([epoch + half_width, weight])
    left = np.column_stack([epoch - half_width, weight])[::-1]
    return Path(np.vstack([right, left, right[:1]]), closed=True)


def _median_tick(violin: pd.DataFrame, epoch: int) -> tuple[list[float], list[float]]:
    """Return the x and the y of the two ends of the tick at a violin's median."""
    median = float(violin["median"].iloc[0])
    half_width = 0.75 * float(np.interp(median, violin["weight"], violin["half_width"]))
    return [epoch - half_width, epoch + half_width], [median, median]


def _observation(means: pd.DataFrame) -> str:
    """Name the arm whose peak changes most, and by how much."""
    by_arm = means.groupby("normalization", sort=False)
    peaks = {str(arm): curves.groupby("epoch")["density"].max() for arm, curves in by_arm}
    steepest = largest_change(peaks)
    if steepest is None:
        return no_change(peaks)
    return gettext(
        "The peak density changes most in %(arm)s: from %(first)s at epoch 0 to %(final)s at epoch "
        "%(epoch)s (%(change)s).",
        arm=steepest.arm,
        first=format_number(steepest.first),
        final=format_number(steepest.final),
        epoch=steepest.epoch,
        change=format_change(steepest.share),
    )
