"""How far every measured layer has moved from its start, layer by layer."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, log_axis, page, panel_title
from normreport.figures.ranges import (
    ALL_ARMS,
    HIGH,
    LOW,
    are_many,
    arm_name,
    arms_in_color,
    describe_colors,
    range_keys,
    range_label,
    range_of_means,
    runs_or_ranges,
)
from normreport.figures.runs import (
    arms_in_order,
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run_reached,
    row_of_largest,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    RULE,
    WIDTH,
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    text_width,
    tint,
)
from normreport.text.formatting import format_percent
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import gettext

KIND = Kind(
    order=(40, 1),
    table="layers",
    columns=("displacement",),
    epochs="ends",
    per=("model",),
    highlights_contrast=True,
    in_article=True,
)

_RIGHT = 0.30  # inches, for half the name of the last layer
_NAME_SIZE = 8.0
_BY = ["start", "epoch", "layer"]
_SPREAD = 0.56  # the share of a layer's room that its arms take, side by side


@dataclass(frozen=True)
class Prepared:
    """The displacement of every measured layer of one model.

    Attributes
    ----------
    model : str
        The label of the model.
    arms : list of str
        The arms of the experiment.
    last : int
        The last epoch.
    names : list of str
        The layers in network order, without those whose initial weights are all 0.
    colored : list of str
        The arms that are drawn in colour.
    shown : pandas.DataFrame
        The rows of all runs with a displacement.
    runs : mapping of str to pandas.DataFrame
        For each start, the rows of its runs.
    means : mapping of str to pandas.DataFrame
        For each start, the mean of each arm.
    at_zero : frozenset of str
        The starts whose initial weights are all 0.
    data : pandas.DataFrame
        The marks: columns `start`, `normalization` ("all" for the range of the arms' means),
        `seed` ("mean" for the mean over seeds; "smallest" and "largest" for a range), `index` (of
        the layer, from 1), `layer`, `displacement`, and `x`, where the mark stands.
    """

    model: str
    arms: list[str]
    last: int
    names: list[str]
    colored: list[str]
    shown: pd.DataFrame
    runs: Mapping[str, pd.DataFrame]
    means: Mapping[str, pd.DataFrame]
    at_zero: frozenset[str]
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext(
            "%(model)s: relative displacement of every measured layer at epoch %(epoch)s",
            model=self.model,
            epoch=self.last,
        )

    @property
    def roles(self) -> set[str]:
        """The places that the layers have in their blocks."""
        return {_role(name) for name in self.names}


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Select the last epoch of one model, average it, and place the marks.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `epoch`, `layer`, `displacement` (the
        norm of w_T - w_0 over that of w_0). The order of the rows is that of the network.
    settings : FigureSettings
        `model`.

    Returns
    -------
    Prepared
        The marks.
    """
    (model,) = settings.required("model")
    arms = arms_in_order(source)
    moved = source.dropna(subset=["displacement"])
    shown = comparable_rows(moved, model=model, reason=_zero_weights())
    last = last_epoch(shown)
    names = in_order(shown["layer"])
    starts = in_order(source["start"])
    runs = {start: rows_of(shown, start=start) for start in starts}
    all_rows = rows_of(source, model=model)
    colored = arms_in_color(arms, settings.contrast)
    of_runs = runs_or_ranges(shown[shown["normalization"].isin(colored)], ["displacement"], by=_BY)
    means = {
        start: mean_over_seeds(table, ["displacement"], by=["epoch", "layer"]).assign(start=start)
        for start, table in runs.items()
    }
    parts = []
    for start, rows in means.items():
        of_color = rows[rows["normalization"].isin(colored)]
        parts += [rows_of(of_runs, start=start), of_color.assign(seed="mean")]
        if arms != colored:
            parts.append(range_of_means(rows, ["displacement"], by=_BY))
    data = pd.concat(parts, ignore_index=True).astype({"seed": str})
    data = data[data["epoch"] == last]
    data["index"] = data["layer"].map({name: i + 1 for i, name in enumerate(names)})
    offsets = {arm: _SPREAD * ((i + 0.5) / len(colored) - 0.5) for i, arm in enumerate(colored)}
    data["x"] = data["index"] + data["normalization"].map(offsets | {ALL_ARMS: 0.0})
    return Prepared(
        model=model_label(model),
        arms=arms,
        last=last,
        names=names,
        colored=colored,
        shown=shown,
        runs=runs,
        means=means,
        at_zero=frozenset(all_rows["start"]) - frozenset(shown["start"]),
        data=data[["start", "normalization", "seed", "index", "layer", "displacement", "x"]],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one panel per start, on a shared logarithmic axis."""
    looks = arm_styles(prepared.arms)
    styles = {arm: looks[arm] for arm in prepared.colored}
    data, runs, last = prepared.data, prepared.runs, prepared.last
    with house_style():
        keys = [Key(style.label, {**_points(style), "linewidth": 1.2}) for style in styles.values()]
        keys += range_keys(data)
        body = 0.55 + 2.1 * len(runs)
        sheet = page(prepared.title, keys, run_notes(runs, prepared.arms, last), body=body)
        panels = sheet.panels(len(runs), 1, right=_RIGHT, head=0.26, foot=0.55, gap=(0, 0.32))
        for start, ax in zip(runs, panels, strict=True):
            panel_title(ax, start_label(start))
            ax.set_ylabel(gettext("displacement (%%)"))
            ax.set_xlim(0.4, len(prepared.names) + 0.6)
            log_axis(ax.yaxis, 100 * data["displacement"], unit="%")
            drawn = data[data["start"] == start]
            if drawn.empty:
                place = prepared.model, start_label(start)
                is_zero = start in prepared.at_zero
                empty_panel(ax, _zero_weights() if is_zero else no_run_reached(last, *place))
            _draw_ranges(ax, drawn, ALL_ARMS, tint(RULE, 0.6), _room(ax, prepared))
            for arm, style in styles.items():
                _draw_arm(ax, drawn[drawn["normalization"] == arm], arm, style, prepared.roles)
        _name_layers(panels, prepared.names)
    return Canvas(figure=sheet.figure)


def _zero_weights() -> str:
    """Say why there is no displacement."""
    return gettext("All initial weights are 0, so there is no relative displacement.")


def _points(style: ArmStyle) -> Marks:
    """How the key shows an arm: its line with a point."""
    return {
        "color": style.color,
        "marker": style.marker,
        "markersize": 3.5,
        "markeredgewidth": 0,
    }


def _draw_arm(ax: Axes, rows: pd.DataFrame, arm: str, style: ArmStyle, roles: set[str]) -> None:
    """Draw an arm's runs as points, and its mean as lines."""
    line: Marks = {"color": style.color, "linewidth": 1.2, "zorder": 1.9}
    points: Marks = {"linestyle": "none", "marker": style.marker, "markersize": 2.6}
    points |= {"markeredgewidth": 0, "color": tint(style.color, 0.65)}
    _draw_ranges(ax, rows, arm, tint(style.color, 0.5), 2.4)
    for seed, marks in rows[~rows["seed"].isin([LOW, HIGH])].groupby("seed", sort=False):
        is_mean = seed == "mean"
        for piece in _lines(marks, roles) if is_mean else [marks]:
            look = line if is_mean else points
            ax.plot(piece["x"], 100 * piece["displacement"], **look, **mark(arm=arm, seed=seed))


def _draw_ranges(ax: Axes, rows: pd.DataFrame, arm: str, color: str, width: float) -> None:
    """Draw the range of an arm's runs, or of all arms' means, as a bar for each layer."""
    own = rows[rows["normalization"] == arm].set_index("x")
    low, high = (100 * own.loc[own["seed"] == end, "displacement"] for end in (LOW, HIGH))
    if low.empty:
        return
    x, gap = low.index.to_numpy(dtype=float), np.full(len(low), np.nan)
    heights = [low.to_numpy(), high.reindex(low.index).to_numpy(), gap]
    bars = [np.column_stack(ends).ravel() for ends in ([x, x, gap], heights)]
    look: Marks = {"color": color, "linewidth": width, "zorder": 1.8}
    ax.plot(*bars, **look, **mark(arm=arm_name(arm), line=range_label(arm)))


def _role(layer: str) -> str:
    """Return a layer's place in its block: what follows the block's name, such as features.2."""
    return ".".join(layer.split(".")[2:])


def _room(ax: Axes, prepared: Prepared) -> float:
    """Return the width of the bar of all arms, in points."""
    return min(12.0, 0.6 * 72 * ax.get_position().width * WIDTH / len(prepared.names))


def _lines(means: pd.DataFrame, roles: set[str]) -> Iterator[pd.DataFrame]:
    """Split an arm's means into lines: layers of one role in neighbouring blocks are joined."""
    for _, rows in means.groupby(means["layer"].map(_role), sort=False):
        # A block has no more layers than there are roles.
        yield from (part for _, part in rows.groupby((rows["index"].diff() > len(roles)).cumsum()))


def _name_layers(panels: list[Axes], names: list[str]) -> None:
    """Write the layers' numbers below the panels, and as many names as fit."""
    ax = panels[-1]
    room = ax.get_position().width * WIDTH / len(names)
    longest = max(text_width(name, _NAME_SIZE) for name in names)
    step = math.ceil((longest + 0.08) / room)
    named = [
        i for i in range(0, len(names), step) if longest / 2 < (len(names) - i) * room + _RIGHT
    ]
    numbered = range(len(names)) if room > 0.16 else named
    for panel in panels:
        panel.set_xticks([i + 1 for i in numbered], [str(i + 1) for i in numbered])
        panel.set_xticks(range(1, len(names) + 1), names, minor=True)
        panel.tick_params(axis="x", which="minor", length=1.5, width=0.5, labelbottom=False)
    for i in named:
        at, inside = (i + 1, 0), ("data", "axes fraction")
        style = {"ha": "center", "size": _NAME_SIZE, "color": MUTED}
        label(ax, names[i], at, inside=inside, offset=(0, -21), **style)
    ax.set_xlabel(gettext("measured layer in network order"), labelpad=13)


def describe(prepared: Prepared) -> Words:
    """Say what a displacement is, and which layers move most."""
    method = gettext(
        "Relative displacement of each measured layer of %(model)s at epoch %(epoch)s: the norm "
        "of the change of its weights since epoch 0, in percent of their norm at epoch 0. Layers "
        "stand in network order; %(marks)s; the panels share a logarithmic axis.",
        model=prepared.model,
        epoch=prepared.last,
        marks=_marks(prepared),
    )
    method = " ".join([method, *describe_colors(prepared.arms, prepared.colored)])
    if len(prepared.roles) > 1:
        method += " " + gettext("The lines go from block to block, one for each layer of a block.")
    alt = gettext("%(title)s, one panel per start.", title=prepared.title)
    observation = _observation(prepared)
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _marks(prepared: Prepared) -> str:
    """Say what points, bars and lines are."""
    shown = prepared.shown[prepared.shown["normalization"].isin(prepared.colored)]
    if are_many(shown):
        return gettext(
            "bars are the range of an arm's runs, and lines are its mean over %(seeds)s",
            seeds=seeds_phrase(shown),
        )
    return gettext(
        "points are single runs, lines an arm's mean over %(seeds)s", seeds=seeds_phrase(shown)
    )


def _observation(prepared: Prepared) -> str:
    """Give, for each start, the layer that moves most and the median of all layers."""
    sentences = []
    for start, means in prepared.means.items():
        rows = means[means["epoch"] == prepared.last]
        if rows.empty:
            continue
        most = row_of_largest(rows, rows["displacement"])
        sentences.append(
            gettext(
                "%(start)s, the median over layers and arms is %(median)s and the largest mean "
                "%(largest)s (%(layer)s, %(arm)s).",
                start=start_title(start),
                median=format_percent(rows["displacement"].median()),
                largest=format_percent(most["displacement"]),
                layer=most["layer"],
                arm=most["normalization"],
            )
        )
    return " ".join(sentences) or gettext("No arm has all its runs at this epoch.")
