"""Kernel density estimates of a layer's weights at one epoch, arm by arm."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.interactivity import ANY_EPOCH, Shown, frames
from normreport.figures.page import Key, arm_keys, page, panel_title
from normreport.figures.runs import (
    arms_in_order,
    arms_of,
    axis_notes,
    comparable_rows,
    last_epoch,
    mean_over_seeds,
    no_run_reached,
    nothing_to_draw,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    THIN,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
    tint,
)
from normreport.text.formatting import format_compact, format_number, format_percent
from normreport.text.labels import model_label, start_label
from normreport.text.language import N_, gettext

KIND = Kind(
    order=(30, 1),
    table="densities",
    per=("start", "model", "layer"),
    is_of_density_epoch=True,
    in_article=True,
)

_VALUES = [N_("density"), N_("change")]
_MOST_POINTS = 200
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
    arms : list of str
        The arms that have runs, in the order of the experiment.
    epoch : int
        The epoch that is drawn.
    limits : dict of str to tuple of float
        The limits of the axes `weight`, `density` and `change`, from all starts of the layer.
    complete : pandas.DataFrame
        The rows of the start at every epoch and point of the grid.
    runs : pandas.DataFrame
        `complete` on a grid of at most 200 points.
    trained : pandas.DataFrame
        `runs` at the epoch that is drawn.
    before : pandas.DataFrame
        Each seed's curve at epoch 0, averaged over the arms; empty if epoch 0 is drawn.
    means : pandas.DataFrame
        Each arm's mean curve over its seeds.
    """

    place: Mapping[str, str]
    start: str
    arms: list[str]
    epoch: int
    limits: Mapping[str, tuple[float, float]]
    complete: pd.DataFrame
    runs: pd.DataFrame
    trained: pd.DataFrame
    before: pd.DataFrame
    means: pd.DataFrame

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

    @property
    def data(self) -> pd.DataFrame:
        """What is drawn.

        Columns `normalization` ("all" at epoch 0), `seed` ("mean" for the mean over seeds),
        `epoch`, `weight`, `density`, `change` (of the density since the run's epoch 0).
        """
        parts = [
            self.before.assign(normalization="all", epoch=0),
            self.trained,
            self.means.assign(seed="mean"),
        ]
        data = pd.concat(parts, ignore_index=True)
        columns = ["normalization", "seed", "epoch", "weight", *_VALUES]
        return data[columns].astype({"seed": str})


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Select the curves of one layer and start, and average them.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `weight`, `density`,
        `bandwidth` (in units of the weights); of all starts of the layer, which share the axes.
    settings : FigureSettings
        `model`, `start`, `layer` and `density_epoch` (by default the last epoch of the layer).

    Returns
    -------
    Prepared
        The curves.
    """
    model, start, layer = settings.required("model", "start", "layer")
    comparable = comparable_rows(source, model=model, layer=layer)
    epoch = settings.density_epoch
    if epoch is None:
        epoch = last_epoch(comparable)
    comparable = _with_change(comparable)
    complete = rows_of(comparable, start=start)
    runs = _thinned(complete)
    # A run that ended before the last epoch counts as missing.
    ends = runs[runs["epoch"].isin({0, epoch})]
    means = mean_over_seeds(ends, _VALUES, by=["epoch", "weight"])
    before = runs[(runs["epoch"] == 0) & (epoch > 0)]
    visible = comparable[comparable["density"] >= _VISIBLE * comparable["density"].max()]
    return Prepared(
        place={"model": model_label(model), "start": start_label(start), "layer": layer},
        start=start,
        arms=arms_of(complete, arms_in_order(source)),
        epoch=epoch,
        limits={
            "weight": shared_limits(visible["weight"]),
            "density": shared_limits(comparable["density"], floor=0.0),
            "change": shared_limits(comparable["change"]),
        },
        complete=complete,
        runs=runs,
        trained=runs[runs["epoch"] == epoch],
        before=before.groupby(["seed", "weight"], as_index=False)[_VALUES].mean(),
        means=means[means["epoch"] == epoch],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one colour per arm, and epoch 0 in grey."""
    styles = arm_styles(prepared.arms)
    with house_style():
        reached = set(prepared.trained["normalization"])
        keys = arm_keys({arm: styles[arm] for arm in prepared.arms if arm in reached})
        if len(prepared.before):
            keys.append(Key(gettext("epoch 0"), _EPOCH_0))
        runs = {prepared.start: prepared.complete}
        notes = run_notes(runs, prepared.arms, prepared.epoch) + axis_notes(prepared.trained)
        sheet = page(prepared.title, keys, notes, body=4.3)
        panels = sheet.panels(2, 1, head=0.08, gap=(0.0, 0.28), shares=(0.74, 0.26))
        panel_title(panels[1], gettext("change since epoch 0"), MUTED)
        panels[1].set_xlabel(gettext("weight"))
        for value, ax in zip(_VALUES, panels, strict=True):
            _draw_panel(ax, prepared, value)
    return Canvas(figure=sheet.figure, frames=_frames(prepared))


def _draw_panel(ax: Axes, prepared: Prepared, value: str) -> None:
    """Draw the density, or its change, of every run and arm."""
    styles = arm_styles(prepared.arms)
    ax.set_ylabel(gettext(value))
    ax.set_xlim(prepared.limits["weight"])
    ax.set_ylim(prepared.limits[value])
    bins = 8 if value == "density" else 4
    ax.yaxis.set_major_locator(MaxNLocator(bins, steps=[1, 2, 5, 10]))
    for (arm, seed), curve in prepared.trained.groupby(["normalization", "seed"], sort=False):
        of = mark(arm=arm, seed=seed, value=value)
        color = tint(styles[str(arm)].color, 0.45)
        ax.plot(curve["weight"], curve[value], color=color, linewidth=THIN, **of)
    for seed, curve in prepared.before.groupby("seed", sort=False):
        of = mark(seed=seed, line=gettext("epoch 0"))
        ax.plot(curve["weight"], curve[value], **_EPOCH_0, **of)
    for arm, curve in prepared.means.groupby("normalization", sort=False):
        of = mark(arm=arm, seed="mean", value=value)
        ax.plot(curve["weight"], curve[value], **mean_line(styles[str(arm)]), **of)
    if prepared.trained.empty:
        empty_panel(ax, no_run_reached(prepared.epoch, prepared.name))


def _frames(prepared: Prepared) -> dict[str, Any] | None:
    """Give the density of every run at every epoch."""
    runs = prepared.runs.groupby(["normalization", "seed"], sort=False)
    curves = {
        ("", str(arm), str(seed)): run.pivot(index="epoch", columns="weight", values="density")
        for (arm, seed), run in runs
    }
    shown = {"density": Shown(0, ""), "change": Shown(1, "", change=True)}
    return frames(curves, prepared.epoch, prepared.any_title, shown)


def describe(prepared: Prepared) -> Words:
    """Say how to read the curves, and how far the arms and the seeds lie apart."""
    observation = _observation(prepared.trained, prepared.means)
    alt = gettext("%(title)s, one curve per arm.", title=prepared.title)
    if prepared.runs.empty:
        return Words(caption=nothing_to_draw(prepared.title), alt=f"{alt} {observation}")
    return Words(caption=observation, method=_reading(prepared), alt=f"{alt} {observation}")


def _reading(prepared: Prepared) -> str:
    """Say what is drawn, and how to read it."""
    text = gettext(
        "Kernel density estimates of the weights of %(layer)s (%(model)s, %(start)s) at epoch "
        "%(epoch)s. Thin lines are single runs, bold lines an arm's mean over %(seeds)s; every "
        "curve has the bandwidth %(bandwidth)s, and all starts share the axes. Below, on a larger "
        "scale, what training added to each run's density.",
        **prepared.place,
        epoch=prepared.epoch,
        seeds=seeds_phrase(prepared.runs),
        bandwidth=format_compact(float(prepared.complete["bandwidth"].iloc[0])),
    )
    if prepared.epoch == 0:
        return text
    grey = gettext("Dashed grey lines are each seed's weights at epoch 0, averaged over the arms.")
    return f"{text} {grey}"


def _with_change(table: pd.DataFrame) -> pd.DataFrame:
    """Add what each run's density has gained since its own epoch 0."""
    keys = ["start", "normalization", "seed", "weight"]
    before = table.loc[table["epoch"] == 0, [*keys, "density"]]
    merged = table.merge(before, on=keys, suffixes=("", "_before"))
    return merged.assign(change=merged["density"] - merged["density_before"])


def _thinned(table: pd.DataFrame) -> pd.DataFrame:
    """Keep at most 200 points of the common grid."""
    grid = np.unique(table["weight"])
    if len(grid) <= _MOST_POINTS:
        return table
    kept = grid[np.linspace(0, len(grid) - 1, _MOST_POINTS).round().astype(int)]
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
