"""Quantiles of the kept layers' weights against those of a normal distribution."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.interactivity import ANY_EPOCH, Shown, frames
from normreport.figures.page import Key, Page, arm_keys, columns_of_starts, page, panel_title
from normreport.figures.runs import (
    arms_in_order,
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    row_of_largest,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    GRID,
    MUTED,
    RULE,
    THIN,
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
    tint,
)
from normreport.text.formatting import format_number
from normreport.text.labels import layer_label, model_label, start_label
from normreport.text.language import gettext, ngettext

KIND = Kind(order=(90, 2), table="quantiles", per=("model",), in_article=True)

_VALUES = ["quantile", "departure"]
_COLUMNS = ["layer", "start", "normalization", "seed", "epoch", "score", *_VALUES, "chance"]
_EPOCH_0: Marks = {"color": MUTED, "linestyle": (0.0, (3.0, 1.5)), "linewidth": 0.8}
_ALL_ARMS = "all"


@dataclass(frozen=True)
class Prepared:
    """The quantiles of one model.

    Attributes
    ----------
    model : str
        The networks that the figure shows.
    arms : list of str
        All arms of the experiment, in order.
    places : list of tuple of str
        The layer and the start of each panel.
    columns : int
        The number of panels in a row; the panels of a row are of one layer.
    runs : pandas.DataFrame
        The rows of `quantiles` for this model, with `departure` and `chance`.
    last_epoch : int
        The last epoch of any run.
    data : pandas.DataFrame
        Columns `layer`, `start`, `normalization` ("all" at epoch 0), `seed` ("mean" for the mean
        over seeds), `epoch`, `score`, `quantile`, `departure` (quantile minus score), and
        `chance`: 95% of samples of a normal distribution have a smaller absolute departure.
    """

    model: str
    arms: list[str]
    places: list[tuple[str, str]]
    columns: int
    runs: pd.DataFrame
    last_epoch: int
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title, with `ANY_EPOCH` in place of the epoch."""
        return gettext(
            "%(model)s: quantiles of the weights against the normal at epoch %(epoch)s",
            model=model_label(self.model),
            epoch=ANY_EPOCH,
        )


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Compute how far each quantile lies above that of a normal distribution.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `n` (weights of the
        layer), `score` (a standard normal quantile) and `quantile` (of the standardized weights).
    settings : FigureSettings
        `model` selects the rows.

    Raises
    ------
    NoRowsError
        If the table has no row of the model.
    """
    (model,) = settings.required("model")
    runs = comparable_rows(source, model=model)
    runs = runs.assign(
        departure=runs["quantile"] - runs["score"], chance=_chance(runs["score"], runs["n"])
    )
    last = last_epoch(runs)
    starts = in_order(runs["start"])
    places = [(layer, start) for layer in in_order(runs["layer"]) for start in starts]
    curves = [
        _curves(rows_of(runs, layer=layer, start=start), last).assign(layer=layer, start=start)
        for layer, start in places
    ]
    return Prepared(
        model=model,
        arms=arms_in_order(source),
        places=places,
        columns=columns_of_starts(len(starts)),
        runs=runs,
        last_epoch=last,
        data=pd.concat(curves, ignore_index=True)[_COLUMNS].astype({"seed": str}),
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw a quantile-quantile plot per layer and start, with its diagonal as a flat line."""
    styles = arm_styles(prepared.arms)
    data, runs, last = prepared.data, prepared.runs, prepared.last_epoch
    with house_style():
        sheet = _page(prepared, styles)
        panels = sheet.panels(len(prepared.places), prepared.columns, head=0.26, gap=(0.14, 0.4))
        for i, ((layer, start), ax) in enumerate(zip(prepared.places, panels, strict=True)):
            name = layer_label(layer, start)
            panel_title(ax, name)
            ax.set_xlim(shared_limits(runs["score"], margin=0.01))
            # The starts of a layer share the axis, which has room for every epoch.
            layer_runs = runs[runs["layer"] == layer]
            chance = layer_runs["chance"]
            ax.set_ylim(shared_limits(layer_runs["departure"], chance, -chance))
            ax.yaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            if i % prepared.columns == 0:
                ax.set_ylabel(gettext("quantile \u2212 normal quantile"))
            if i + prepared.columns >= len(panels):
                ax.set_xlabel(gettext("normal quantile"))
            _draw_band(ax, layer_runs[layer_runs["start"] == start])
            curves = data[(data["layer"] == layer) & (data["start"] == start)]
            if (curves["epoch"] == last).any():
                _draw_curves(ax, curves, styles, name)
            else:
                empty_panel(ax, gettext("No run reached epoch %(epoch)s.", epoch=last))
    return Canvas(figure=sheet.figure, frames=_frames(prepared))


def describe(prepared: Prepared) -> Words:
    """Explain the plots, and name the largest departure."""
    last = prepared.last_epoch
    observation = _observation(prepared.data, last)
    explanation = gettext(
        "Quantile-quantile plots of the weights of %(model)s at epoch %(epoch)s, per kept "
        "layer and start. The weights are standardized by their own mean and standard "
        "deviation; the vertical axis is their quantile minus the normal quantile. A curve that "
        "rises from left to right has heavier tails than a normal distribution. Thin lines are "
        "single runs, bold lines an arm\u2019s mean over %(seeds)s, dashed grey lines each seed "
        "at epoch 0. At each quantile, the grey band holds 95%% of normal samples of the same "
        "size. The panels of a layer share their axes.",
        model=model_label(prepared.model),
        epoch=last,
        seeds=seeds_phrase(prepared.runs),
    )
    title = prepared.title.replace(ANY_EPOCH, str(last))
    alt = gettext("%(title)s, one panel per layer and start.", title=title)
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _page(prepared: Prepared, styles: Mapping[str, ArmStyle]) -> Page:
    """Begin the figure, with a key for what it shows and notes on missing runs."""
    last = prepared.last_epoch
    drawn = set(prepared.data["normalization"])
    keys = arm_keys({arm: style for arm, style in styles.items() if arm in drawn})
    keys.append(Key(gettext("95%% of normal samples"), {"color": GRID, "linewidth": 8}))
    if _ALL_ARMS in drawn:
        keys.append(Key(gettext("epoch 0"), _EPOCH_0))
    by_start = {start: rows_of(prepared.runs, start=start) for _, start in prepared.places}
    notes = run_notes(by_start, prepared.arms, last)
    rows = math.ceil(len(prepared.places) / prepared.columns)
    return page(prepared.title.replace(ANY_EPOCH, str(last)), keys, notes, body=0.2 + 1.95 * rows)


def _chance(scores: pd.Series, n: pd.Series) -> npt.NDArray[np.float64]:
    """Return the half width of the 95% range of a normal sample's standardized quantiles.

    From the asymptotic variance ``p (1 - p) / phi(z)^2 - 1 - z^2 / 2`` over n. Standardizing by
    the sample's own mean and standard deviation takes away the last two terms.
    """
    normal = NormalDist()
    z = scores.to_numpy(dtype=float)
    p = np.array([normal.cdf(score) for score in z])
    phi = np.array([normal.pdf(score) for score in z])
    variance = (p * (1 - p) / phi**2 - 1 - z**2 / 2) / n.to_numpy(dtype=float)
    return np.asarray(normal.inv_cdf(0.975) * np.sqrt(variance))


def _curves(runs: pd.DataFrame, last: int) -> pd.DataFrame:
    """Collect a panel's curves: each seed at epoch 0, each run and each arm's mean at the last."""
    values = [*_VALUES, "chance"]
    ends = runs[runs["epoch"].isin({0, last})]
    means = mean_over_seeds(ends, values, by=["epoch", "score"])
    first = ends[(ends["epoch"] == 0) & (last > 0)]
    first = first.groupby(["seed", "score"], as_index=False)[values].mean()
    return pd.concat(
        [
            first.assign(normalization=_ALL_ARMS, epoch=0),
            ends[ends["epoch"] == last],
            means[means["epoch"] == last].assign(seed="mean"),
        ]
    )


def _draw_band(ax: Axes, runs: pd.DataFrame) -> None:
    """Draw the range that normal samples have, and the line of a normal distribution."""
    band = runs.drop_duplicates("score")
    chance = band["chance"].to_numpy()
    ax.fill_between(band["score"], -chance, chance, color=GRID, linewidth=0)
    ax.axhline(0, color=RULE, linewidth=0.8)


def _draw_curves(ax: Axes, curves: pd.DataFrame, styles: Mapping[str, ArmStyle], name: str) -> None:
    """Draw a panel's curves: runs thin, the arms' means bold, seeds at epoch 0 dashed."""
    for (arm, seed), curve in curves.groupby(["normalization", "seed"], sort=False):
        attributes = mark(arm=arm, seed=seed, value=name)
        if arm == _ALL_ARMS:
            line, attributes = _EPOCH_0, mark(seed=seed, line=gettext("epoch 0"))
        elif seed == "mean":
            line = mean_line(styles[str(arm)])
        else:
            line = {"color": tint(styles[str(arm)].color, 0.45), "linewidth": THIN}
        ax.plot(curve["score"], curve["departure"], **line, **attributes)


def _frames(prepared: Prepared) -> Mapping[str, Any] | None:
    """Return every run's curve at every epoch, for the page."""
    keys = ["layer", "start", "normalization", "seed"]
    curves = {
        (layer_label(str(layer), str(start)), str(arm), str(seed)): run.pivot(
            index="epoch", columns="score", values="departure"
        )
        for (layer, start, arm, seed), run in prepared.runs.groupby(keys, sort=False)
    }
    names = [layer_label(*place) for place in prepared.places]
    values = {name: Shown(panel, name) for panel, name in enumerate(names)}
    return frames(curves, prepared.last_epoch, prepared.title, values)


def _observation(data: pd.DataFrame, last: int) -> str:
    """Name the largest departure of a mean, and count the means beyond chance."""
    means = data[(data["seed"] == "mean") & (data["epoch"] == last)]
    if means.empty:
        return gettext("No arm has all its runs at this epoch, so there is no mean to compare.")
    farthest = row_of_largest(means, means["departure"].abs())
    is_beyond = means["departure"].abs() > means["chance"]
    shares = is_beyond.groupby([means["layer"], means["start"], means["normalization"]]).mean()
    departure = gettext(
        "The largest departure of a mean is in %(layer)s, %(start)s, %(arm)s: %(quantile)s where "
        "a normal distribution has %(normal)s.",
        layer=farthest["layer"],
        start=start_label(farthest["start"]),
        arm=farthest["normalization"],
        quantile=format_number(farthest["quantile"]),
        normal=format_number(farthest["score"]),
    )
    outside = ngettext(
        "Of %(num)s mean, %(outside)s lies outside the band at more than one quantile in twenty.",
        "Of %(num)s means, %(outside)s lie outside the band at more than one quantile in twenty.",
        len(shares),
        outside=int((shares > 0.05).sum()),
    )
    return f"{departure} {outside}"
