"""Kernel density estimates of a layer's weights at one epoch, arm by arm."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, product
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Densities, Words
from normreport.figures.interactivity import ANY_EPOCH, FEWER_LEVELS, LEVELS, Shown, frames
from normreport.figures.page import Key, Page, arm_keys, balanced_columns, page, panel_title
from normreport.figures.ranges import (
    ALL_ARMS,
    are_many,
    arms_by_panel,
    average_epoch_0,
    describe_lines,
    describe_panels,
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
    axis_notes,
    mean_over_seeds,
    no_run_reached,
    run_notes,
)
from normreport.figures.style import (
    MUTED,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
)
from normreport.text.formatting import format_compact, format_number, format_percent
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext

KIND = Kind(
    order=(30, 1),
    table="densities",
    columns=("weight", "density", "bandwidth"),
    per=("start", "model", "layer"),
    is_of_density_epoch=True,
    in_article=True,
)

_VALUES = [N_("density"), N_("change")]
_BY = ["epoch", "weight"]
_MOST_POINTS = 200
_POINTS_OF_ALL = 480  # if each arm has its own panels
_VISIBLE = 0.005  # of the highest peak: a lower curve cannot be told apart from the axis
_EPOCH_0: Marks = {"color": MUTED, "linestyle": (0.0, (3.0, 1.5)), "linewidth": 0.8}


@dataclass(frozen=True)
class Prepared:
    """The curves of one layer and start.

    Attributes
    ----------
    place : mapping of str to str
        The labels of `model`, `start` and `layer`.
    start : str
        The start, as in the configuration.
    groups : list of list of str
        The arms that have runs, in the order of the experiment, by the panels that show them.
    epoch : int
        The epoch that is drawn.
    limits : dict of str to tuple of float
        The limits of the axes `weight`, `density` and `change`, from all starts of the layer.
    complete : pandas.DataFrame
        The rows of the start at every epoch and point of the grid.
    runs : pandas.DataFrame
        `complete` on a grid of at most 200 points, or of fewer if each arm has its own panels.
    trained : pandas.DataFrame
        `runs` at the epoch that is drawn.
    before : pandas.DataFrame
        Each seed's curve at epoch 0, averaged over the arms, or of many seeds their mean; empty if
        epoch 0 is drawn.
    lines : pandas.DataFrame
        `runs`, or of many seeds their ranges; of many arms also the range of their means.
    means : pandas.DataFrame
        Each arm's mean curve over its seeds, at every epoch.
    """

    place: Mapping[str, str]
    start: str
    groups: list[list[str]]
    epoch: int
    limits: Mapping[str, tuple[float, float]]
    complete: pd.DataFrame
    runs: pd.DataFrame
    trained: pd.DataFrame
    before: pd.DataFrame
    lines: pd.DataFrame
    means: pd.DataFrame

    @property
    def arms(self) -> list[str]:
        """The arms that have runs, in the order of the experiment."""
        return list(chain.from_iterable(self.groups))

    @property
    def name(self) -> str:
        """Model, start and layer."""
        return "{model}, {start}, {layer}".format_map(self.place)

    @property
    def any_title(self) -> str:
        """The title, with a placeholder for the epoch."""
        return gettext(
            "%(name)s: density of the weights at epoch %(epoch)s", name=self.name, epoch=ANY_EPOCH
        )

    @property
    def title(self) -> str:
        """The title."""
        return self.any_title.replace(ANY_EPOCH, str(self.epoch))

    def at_epoch(self, curves: pd.DataFrame) -> pd.DataFrame:
        """Return those of the curves that are drawn."""
        return curves[curves["epoch"] == self.epoch]

    @property
    def data(self) -> pd.DataFrame:
        """What is drawn.

        Columns `normalization` ("all" at epoch 0 and for the range of the arms' means), `seed`
        ("mean" for the mean over seeds; "smallest" and "largest" for a range), `epoch`, `weight`,
        `density`, `change` (of the density since the run's epoch 0).
        """
        parts = [
            self.before.assign(normalization=ALL_ARMS, epoch=0),
            self.at_epoch(self.lines),
            self.at_epoch(self.means).assign(seed="mean"),
        ]
        data = pd.concat(parts, ignore_index=True)
        columns = ["normalization", "seed", "epoch", "weight", *_VALUES]
        return data[columns].astype({"seed": str})


def prepare(source: Densities, settings: FigureSettings) -> Prepared:
    """Select the curves of one layer and start, and average them.

    Parameters
    ----------
    source : Densities
        The densities of the layer and start, and the axes of all starts.
    settings : FigureSettings
        `model`, `start`, `layer` and `density_epoch` (by default the last epoch of the layer).

    Returns
    -------
    Prepared
        The curves.
    """
    model, start, layer = settings.required("model", "start", "layer")
    complete = _with_change(source.rows(model=model, layer=layer, start=start))
    epoch = source.last_epoch if settings.density_epoch is None else settings.density_epoch
    arms = arms_in_order(complete)
    groups = arms_by_panel(arms)
    runs = _thinned(complete, _MOST_POINTS if len(groups) == 1 else _POINTS_OF_ALL // len(arms))
    # A run that ended before the last epoch counts as missing.
    means = mean_over_seeds(runs, _VALUES, by=_BY)
    lines = runs_or_ranges(runs, _VALUES, by=_BY)
    if len(groups) > 1:
        lines = pd.concat([lines, range_of_means(means, _VALUES, by=_BY)], ignore_index=True)
    changes = [change for axes in source.axes for change in axes.changes]
    return Prepared(
        place={"model": model_label(model), "start": start_label(start), "layer": layer},
        start=start,
        groups=groups,
        epoch=epoch,
        limits={
            "weight": shared_limits(source.visible_weights(_VISIBLE, of_own_peak=False)),
            "density": shared_limits([source.highest], floor=0.0),
            "change": shared_limits(changes),
        },
        complete=complete,
        runs=runs,
        trained=runs[runs["epoch"] == epoch],
        before=average_epoch_0(
            runs[(runs["epoch"] == 0) & (epoch > 0)], _VALUES, ["weight"], many=are_many(runs)
        ),
        lines=lines,
        means=means,
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one colour per arm, and epoch 0 in grey; many arms have panels of their own."""
    groups = prepared.groups
    values: dict[str, Shown] = {}
    with house_style():
        notes = run_notes({prepared.start: prepared.complete}, prepared.arms, prepared.epoch)
        sheet = _page(prepared, notes + axis_notes(prepared.trained))
        panels = _panels(sheet) if len(groups) == 1 else _panels_by_arm(sheet, prepared)
        for i, (group, value) in enumerate(product(groups, _VALUES)):
            name = value if len(groups) == 1 else f"{value}, {group[0]}"
            _draw_panel(panels[i], prepared, group, value, name)
            values[name] = Shown(i, "", change=value == "change")
            values[range_name(name)] = Shown(i, range_name(value))
    return Canvas(figure=sheet.figure, frames=_frames(prepared, values))


def _page(prepared: Prepared, notes: Sequence[str]) -> Page:
    """Begin the figure, with a key for what it shows."""
    groups = prepared.groups
    if len(groups) == 1:
        reached = set(prepared.trained["normalization"])
        styles = arm_styles(prepared.arms)
        keys = arm_keys({arm: style for arm, style in styles.items() if arm in reached})
        body = 4.3
    else:
        keys = []
        body = 0.3 + 2.1 * math.ceil(len(groups) / balanced_columns(len(groups)))
    keys += range_keys(prepared.lines)
    if len(prepared.before):
        keys.append(Key(gettext("epoch 0"), _EPOCH_0))
    return page(prepared.title, keys, notes, body=body)


def _panels(sheet: Page) -> list[Axes]:
    """Add a panel for the densities, and one for their change."""
    panels = sheet.panels(2, 1, head=0.08, gap=(0.0, 0.28), shares=(0.74, 0.26))
    panel_title(panels[1], gettext("change since epoch 0"), MUTED)
    panels[1].set_xlabel(gettext("weight"))
    for ax, value in zip(panels, _VALUES, strict=True):
        ax.set_ylabel(gettext(value))
    return panels


def _panels_by_arm(sheet: Page, prepared: Prepared) -> list[Axes]:
    """Add a panel for the density of every arm, and one below it for its change."""
    groups, styles = prepared.groups, arm_styles(prepared.arms)
    columns = balanced_columns(len(groups))
    rows = math.ceil(len(groups) / columns)
    shares = [share / rows for _ in range(rows) for share in (0.6, 0.4)]
    grid = sheet.panels(2 * rows * columns, columns, head=0.24, gap=(0.14, 0.3), shares=shares)
    panels = []
    for i, (arm,) in enumerate(groups):
        row, column = divmod(i, columns)
        cell = [grid[(2 * row + below) * columns + column] for below in (0, 1)]
        panel_title(cell[0], styles[arm].label, styles[arm].color)
        if column == 0:
            for ax, value in zip(cell, _VALUES, strict=True):
                ax.set_ylabel(gettext(value))
        if i + columns >= len(groups):
            cell[1].set_xlabel(gettext("weight"))
            cell[1].tick_params(labelbottom=True)
        panels += cell
    for ax in grid:
        if ax not in panels:
            ax.remove()
    return panels


def _draw_panel(ax: Axes, prepared: Prepared, group: Sequence[str], value: str, name: str) -> None:
    """Draw the density, or its change, of every run and arm."""
    styles = arm_styles(prepared.arms)
    shown = {arm: styles[arm] for arm in group} | {ALL_ARMS: style_of_all()}
    ax.set_xlim(prepared.limits["weight"])
    ax.set_ylim(prepared.limits[value])
    bins = 8 if value == "density" and len(prepared.groups) == 1 else 4
    ax.yaxis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
    if len(prepared.groups) > 1:
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    lines, means = (prepared.at_epoch(curves) for curves in (prepared.lines, prepared.means))
    draw_runs(ax, lines, shown, x="weight", y=value, value=name)
    for seed, curve in prepared.before.groupby("seed", sort=False):
        of = mark(seed=seed, line=gettext("epoch 0"))
        ax.plot(curve["weight"], curve[value], **_EPOCH_0, **of)
    for arm, curve in means[means["normalization"].isin(group)].groupby(
        "normalization", sort=False
    ):
        of = mark(arm=arm, seed="mean", value=name)
        ax.plot(curve["weight"], curve[value], **mean_line(styles[str(arm)]), **of)
    if lines[lines["normalization"].isin(group)].empty:
        empty_panel(ax, no_run_reached(prepared.epoch, prepared.name))


def _frames(prepared: Prepared, values: Mapping[str, Shown]) -> dict[str, Any] | None:
    """Give the density of what is drawn at every epoch."""
    curves = run_curves(prepared.lines, prepared.means, x="weight", y="density", of="")
    for value in _VALUES:
        curves |= range_curves(prepared.lines, x="weight", y=value, of=value)
    levels = FEWER_LEVELS if are_many(prepared.runs) else LEVELS
    return frames(curves, prepared.epoch, prepared.any_title, values, levels)


def describe(prepared: Prepared) -> Words:
    """Say how to read the curves, and how far the arms and the seeds lie apart."""
    observation = _observation(prepared.trained, prepared.at_epoch(prepared.means))
    alt = gettext("%(title)s, one curve per arm.", title=prepared.title)
    return Words(caption=observation, method=_reading(prepared), alt=f"{alt} {observation}")


def _reading(prepared: Prepared) -> str:
    """Say what is drawn, and how to read it."""
    text = gettext(
        "Kernel density estimates of the weights of %(layer)s (%(model)s, %(start)s) at epoch "
        "%(epoch)s. %(lines)s; every curve has the bandwidth %(bandwidth)s, and all starts share "
        "the axes. The lower panels show, on a larger scale, how each density has changed since "
        "epoch 0.",
        **prepared.place,
        epoch=prepared.epoch,
        lines=describe_lines(prepared.runs),
        bandwidth=format_compact(float(prepared.complete["bandwidth"].iloc[0])),
    )
    if len(prepared.groups) > 1:
        text += " " + describe_panels()
    if prepared.epoch == 0:
        return text
    if are_many(prepared.runs):
        grey = gettext("The dashed grey line is the mean of all runs at epoch 0.")
    else:
        grey = gettext(
            "Dashed grey lines are each seed's weights at epoch 0, averaged over the arms."
        )
    return f"{text} {grey}"


def _with_change(table: pd.DataFrame) -> pd.DataFrame:
    """Add what each run's density has gained since its own epoch 0."""
    curves = table.groupby(["normalization", "seed", "weight"], sort=False)["density"]
    return table.assign(change=table["density"] - curves.transform("first"))


def _thinned(table: pd.DataFrame, most: int) -> pd.DataFrame:
    """Keep at most so many points of the common grid."""
    grid = np.unique(table["weight"])
    if len(grid) <= most:
        return table
    kept = grid[np.linspace(0, len(grid) - 1, most).round().astype(int)]
    return table[table["weight"].isin(kept)]


def _observation(trained: pd.DataFrame, means: pd.DataFrame) -> str:
    """Say how far the arms' means lie apart, and how far the seeds of one arm do."""
    if means.empty:
        return gettext("No arm has all its runs at this epoch, so there is no mean to compare.")
    arms = means.pivot(index="weight", columns="normalization", values="density")
    peak = float(arms.max().max())
    between = max(
        ((float((arms[a] - arms[b]).abs().max()), a, b) for a, b in combinations(arms, 2)),
        default=None,
    )
    within = 0.0
    for _, runs in trained.groupby("normalization"):
        seeds = runs.pivot(index="weight", columns="seed", values="density")
        within = max(within, float((seeds.max(axis=1) - seeds.min(axis=1)).max()))
    if between is None:
        text = gettext(
            "The mean density of %(arm)s peaks at %(peak)s.",
            arm=arms.columns[0],
            peak=format_number(peak),
        )
    else:
        gap, a, b = between
        text = gettext(
            "The arms' means differ by at most %(share)s of the highest peak (%(one)s against "
            "%(other)s).",
            share=format_percent(gap / peak),
            one=a,
            other=b,
        )
    if trained.groupby("normalization")["seed"].nunique().max() < 2:
        return text
    apart = gettext(
        "Seeds of one arm differ by up to %(share)s of that peak.",
        share=format_percent(within / peak),
    )
    return f"{text} {apart}"
