"""Quantiles of the kept layers' weights against those of a normal distribution."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
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
from normreport.figures.interactivity import ANY_EPOCH, FEWER_LEVELS, LEVELS, Shown, frames
from normreport.figures.page import Key, Page, arm_keys, columns_of_starts, page, panel_title
from normreport.figures.ranges import (
    ALL_ARMS,
    are_many,
    arms_in_color,
    average_epoch_0,
    describe_colors,
    describe_lines,
    draw_runs,
    range_curves,
    range_keys,
    range_name,
    range_of_means,
    run_curves,
    runs_or_ranges,
    style_of_all,
)
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
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
)
from normreport.text.formatting import format_number
from normreport.text.labels import layer_label, network_label, start_label
from normreport.text.language import gettext, ngettext

KIND = Kind(
    order=(90, 2),
    table="quantiles",
    columns=("n", "score", "quantile"),
    per=("model",),
    splits_layers=True,
    highlights_contrast=True,
    in_article=True,
)

_VALUES = ["quantile", "departure", "chance"]
_BY = ["epoch", "score"]
_COLUMNS = ["layer", "start", "normalization", "seed", *_BY, *_VALUES]
_EPOCH_0: Marks = {"color": MUTED, "linestyle": (0.0, (3.0, 1.5)), "linewidth": 0.8}


@dataclass(frozen=True)
class Prepared:
    """The quantiles of one model.

    Attributes
    ----------
    model : str
        The networks that the figure shows.
    layer : str, optional
        The only layer; None if the figure shows all kept layers.
    arms : list of str
        All arms of the experiment, in order.
    places : list of tuple of str
        The layer and the start of each panel.
    columns : int
        The number of panels in a row; the panels of a row are of one layer.
    runs : pandas.DataFrame
        The rows of `quantiles` for this model, with `departure` and `chance`.
    colored : list of str
        The arms that are drawn in colour.
    before : pandas.DataFrame
        Each seed at epoch 0, averaged over the arms, or of many seeds their mean; empty if epoch 0
        is drawn.
    lines : pandas.DataFrame
        The rows of the runs in colour, or of many seeds their ranges; of many arms also the range
        of all arms' means.
    means : pandas.DataFrame
        The mean of each arm at every epoch; those of the arms in colour are drawn.
    last_epoch : int
        The last epoch of any run.
    """

    model: str
    layer: str | None
    arms: list[str]
    places: list[tuple[str, str]]
    columns: int
    runs: pd.DataFrame
    colored: list[str]
    before: pd.DataFrame
    lines: pd.DataFrame
    means: pd.DataFrame
    last_epoch: int

    @property
    def data(self) -> pd.DataFrame:
        """What is drawn.

        Columns `layer`, `start`, `normalization` ("all" at epoch 0 and for the range of the arms'
        means), `seed` ("mean" for the mean over seeds; "smallest" and "largest" for a range),
        `epoch`, `score`, `quantile`, `departure` (quantile minus score), and `chance`: 95% of
        samples of a normal distribution have a smaller absolute departure.
        """
        curves = [
            self.before.assign(normalization=ALL_ARMS, epoch=0),
            self.at_end(self.lines),
            self.at_end(self.of_color(self.means)).assign(seed="mean"),
        ]
        parts = [
            rows_of(table, layer=layer, start=start)
            for layer, start in self.places
            for table in curves
        ]
        return pd.concat(parts, ignore_index=True)[_COLUMNS].astype({"seed": str})

    def of_color(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the arms that are drawn in colour."""
        return table[table["normalization"].isin(self.colored)]

    def at_end(self, curves: pd.DataFrame) -> pd.DataFrame:
        """Return the curves of the last epoch, which are drawn."""
        return curves[curves["epoch"] == self.last_epoch]

    @property
    def title(self) -> str:
        """The title, with `ANY_EPOCH` in place of the epoch."""
        return gettext(
            "%(model)s: quantiles of the weights against the normal at epoch %(epoch)s",
            model=network_label(self.model, self.layer),
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
        `model` selects the rows, and `layer` if it is not None.

    Raises
    ------
    NoRowsError
        If the table has no row of the model.
    """
    (model,) = settings.required("model")
    runs = comparable_rows(source, model=model, layer=settings.layer)
    runs = runs.assign(
        departure=runs["quantile"] - runs["score"], chance=_chance(runs["score"], runs["n"])
    )
    last = last_epoch(runs)
    starts = in_order(runs["start"])
    places = [(layer, start) for layer in in_order(runs["layer"]) for start in starts]
    arms = arms_in_order(source)
    colored = arms_in_color(arms, settings.contrast)
    means = _by_place(runs, places, partial(mean_over_seeds, values=_VALUES, by=_BY))
    lines = runs_or_ranges(
        runs[runs["normalization"].isin(colored)], _VALUES, by=["layer", "start", *_BY]
    )
    if arms != colored:
        lines = pd.concat([lines, range_of_means(means, _VALUES, by=["layer", "start", *_BY])])
    averaged = partial(average_epoch_0, values=_VALUES, by=["score"], many=are_many(runs))
    before = _by_place(runs[runs["epoch"] == 0], places, averaged)
    return Prepared(
        model=model,
        layer=settings.layer,
        arms=arms,
        places=places,
        columns=columns_of_starts(len(starts)),
        runs=runs,
        colored=colored,
        before=before[:0] if last == 0 else before,
        lines=lines,
        means=means,
        last_epoch=last,
    )


def _by_place(
    table: pd.DataFrame,
    places: Sequence[tuple[str, str]],
    compute: Callable[[pd.DataFrame], pd.DataFrame],
) -> pd.DataFrame:
    """Compute a table for each layer and start, and concatenate them in the order of the panels."""
    parts = [
        compute(rows_of(table, layer=layer, start=start)).assign(layer=layer, start=start)
        for layer, start in places
    ]
    return pd.concat(parts, ignore_index=True)


def draw(prepared: Prepared) -> Canvas:
    """Draw a quantile-quantile plot per layer and start, with its diagonal as a flat line."""
    styles = arm_styles(prepared.arms)
    runs, last = prepared.runs, prepared.last_epoch
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
            is_empty = not _draw_curves(ax, prepared, (layer, start), styles)
            if is_empty:
                empty_panel(ax, gettext("No run reached epoch %(epoch)s.", epoch=last))
    return Canvas(figure=sheet.figure, frames=_frames(prepared))


def describe(prepared: Prepared) -> Words:
    """Explain the plots, and name the largest departure."""
    last = prepared.last_epoch
    observation = _observation(prepared)
    method = gettext(
        "Quantile-quantile plots of the weights of %(network)s at epoch %(epoch)s, a panel "
        "per layer and start. The weights are standardized by their own mean and standard "
        "deviation; the vertical axis is their quantile minus the normal quantile. A curve that "
        "rises from left to right has heavier tails than a normal distribution. %(lines)s At each "
        "quantile, the grey band holds 95%% of normal samples of the same size. The panels of a "
        "layer share their axes.",
        network=network_label(prepared.model, prepared.layer),
        epoch=last,
        lines=_lines_sentence(prepared),
    )
    method = " ".join([method, *describe_colors(prepared.arms, prepared.colored)])
    title = prepared.title.replace(ANY_EPOCH, str(last))
    alt = gettext("%(title)s, one panel per layer and start.", title=title)
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _lines_sentence(prepared: Prepared) -> str:
    """Say what the lines are."""
    runs = prepared.of_color(prepared.runs)
    if not are_many(prepared.runs):
        return gettext(
            "Thin lines are single runs, bold lines an arm\u2019s mean over %(seeds)s, dashed grey "
            "lines each seed at epoch 0.",
            seeds=seeds_phrase(runs),
        )
    before = gettext("The dashed grey line is the mean of all runs at epoch 0.")
    return f"{describe_lines(runs)}. {before}"


def _page(prepared: Prepared, styles: Mapping[str, ArmStyle]) -> Page:
    """Begin the figure, with a key for what it shows and notes on missing runs."""
    last = prepared.last_epoch
    drawn = set(prepared.at_end(prepared.lines)["normalization"])
    keys = arm_keys({arm: style for arm, style in styles.items() if arm in drawn})
    keys += range_keys(prepared.lines)
    keys.append(Key(gettext("95%% of normal samples"), {"color": GRID, "linewidth": 8}))
    if len(prepared.before):
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
    z, rows = np.unique(scores.to_numpy(dtype=float), return_inverse=True)
    p = np.array([normal.cdf(score) for score in z])
    phi = np.array([normal.pdf(score) for score in z])
    variance = (p * (1 - p) / phi**2 - 1 - z**2 / 2)[rows] / n.to_numpy(dtype=float)
    return np.asarray(normal.inv_cdf(0.975) * np.sqrt(variance))


def _draw_band(ax: Axes, runs: pd.DataFrame) -> None:
    """Draw the range that normal samples have, and the line of a normal distribution."""
    band = runs.drop_duplicates("score")
    chance = band["chance"].to_numpy()
    ax.fill_between(band["score"], -chance, chance, color=GRID, linewidth=0)
    ax.axhline(0, color=RULE, linewidth=0.8)


def _draw_curves(
    ax: Axes, prepared: Prepared, place: tuple[str, str], styles: Mapping[str, ArmStyle]
) -> bool:
    """Draw the curves of a layer and start, and return whether there is any at the last epoch."""
    before, lines, means = (
        rows_of(curves, layer=place[0], start=place[1])
        for curves in (
            prepared.before,
            prepared.at_end(prepared.lines),
            prepared.at_end(prepared.of_color(prepared.means)),
        )
    )
    if lines.empty:
        return False
    name = layer_label(*place)
    for seed, curve in before.groupby("seed", sort=False):
        of = mark(seed=seed, line=gettext("epoch 0"))
        ax.plot(curve["score"], curve["departure"], **_EPOCH_0, **of)
    shown = {**styles, ALL_ARMS: style_of_all()}
    draw_runs(ax, lines, shown, x="score", y="departure", value=name)
    for arm, curve in means.groupby("normalization", sort=False):
        of = mark(arm=arm, seed="mean", value=name)
        ax.plot(curve["score"], curve["departure"], **mean_line(styles[str(arm)]), **of)
    return True


def _frames(prepared: Prepared) -> Mapping[str, Any] | None:
    """Return every curve at every epoch, for the page."""
    curves: dict[tuple[str, str, str], pd.DataFrame] = {}
    means = prepared.of_color(prepared.means)
    for (layer, start), lines in prepared.lines.groupby(["layer", "start"], sort=False):
        name = layer_label(str(layer), str(start))
        own = rows_of(means, layer=str(layer), start=str(start))
        curves |= run_curves(lines, own, x="score", y="departure", of=name)
        curves |= range_curves(lines, x="score", y="departure", of=name)
    values = {
        each: Shown(panel, each)
        for panel, place in enumerate(prepared.places)
        for each in (layer_label(*place), range_name(layer_label(*place)))
    }
    levels = FEWER_LEVELS if are_many(prepared.runs) else LEVELS
    return frames(curves, prepared.last_epoch, prepared.title, values, levels)


def _observation(prepared: Prepared) -> str:
    """Name the largest departure of a mean, and count the means beyond chance."""
    means = prepared.at_end(prepared.means)
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
