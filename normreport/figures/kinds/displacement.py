"""How far every measured layer has moved from its start, layer by layer."""

import math
from collections.abc import Iterator
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import Key, log_axis, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    mean_over_seeds,
    no_run_reached,
    rows_of,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    MUTED,
    WIDTH,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    text_width,
    tint,
)
from normreport.text.formatting import percent
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import gettext

_RIGHT = 0.30  # inches, for half the name of the last layer
_NAME_SIZE = 8.0
_SPREAD = 0.56  # of the room of one layer, over which the arms stand side by side


KIND = Kind(order=(40, 1), table="layers", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"layers": source, "model": settings.model}


def draw(layers: pd.DataFrame, *, model: str) -> Drawing:
    """Draw the displacement of every measured layer at the last epoch: one panel per start.

    Parameters
    ----------
    layers : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `epoch`, `layer`, `displacement` (the
        norm of w_T - w_0 over that of w_0). The order of the rows is that of the network.
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `start`, `normalization`, `seed` ("mean" for the mean over seeds),
        `index` (of the layer, from 1), `layer`, `displacement`, and `x`, where it stands.
    """
    arms = in_order(layers["normalization"])
    starts = in_order(layers["start"])
    styles = arm_styles(arms)
    shown = comparable_rows(layers, model=model)
    last = last_epoch(shown)
    names = in_order(layers["layer"][layers["model"] == model])
    runs = {start: rows_of(shown, start=start) for start in starts}
    parts = []
    for start, table in runs.items():
        means = mean_over_seeds(table, ["displacement"], by=["epoch", "layer"])
        parts += [table.assign(start=start), means.assign(start=start, seed="mean")]
    data = pd.concat(parts, ignore_index=True).astype({"seed": str})
    data = data[data["epoch"] == last]
    data["index"] = data["layer"].map({name: i + 1 for i, name in enumerate(names)})
    offsets = {arm: _SPREAD * ((i + 0.5) / len(arms) - 0.5) for i, arm in enumerate(arms)}
    data["x"] = data["index"] + data["normalization"].map(offsets)
    data = data[["start", "normalization", "seed", "index", "layer", "displacement", "x"]]

    roles = {_role(name) for name in names}
    title = gettext(
        "%(model)s: relative displacement of every measured layer at epoch %(epoch)s",
        model=model_label(model),
        epoch=last,
    )
    with house_style():
        keys = [
            Key(
                style.label,
                {
                    "color": style.color,
                    "linewidth": 1.2,
                    "marker": style.marker,
                    "markersize": 3.5,
                    "markeredgewidth": 0,
                },
            )
            for style in styles.values()
        ]
        sheet = page(title, keys, run_notes(runs, arms, last), body=0.55 + 2.1 * len(starts))
        panels = sheet.panels(len(starts), 1, right=_RIGHT, head=0.26, foot=0.55, gap=(0, 0.32))
        for start, ax in zip(starts, panels, strict=True):
            panel_title(ax, start_label(start))
            ax.set_ylabel(gettext("displacement (%%)"))
            ax.set_xlim(0.4, len(names) + 0.6)
            log_axis(ax.yaxis, 100 * data["displacement"], unit="%")
            drawn = data[data["start"] == start]
            if drawn.empty:
                empty_panel(ax, no_run_reached(last, model_label(model), start_label(start)))
                continue
            for arm, style in styles.items():
                rows = drawn[drawn["normalization"] == arm]
                for seed, points in rows.groupby("seed", sort=False):
                    look: Marks = {"color": style.color, "linewidth": 1.2, "zorder": 1.9}
                    pieces = _lines(points, roles) if seed == "mean" else [points]
                    if seed != "mean":
                        look = {"linestyle": "none", "marker": style.marker, "markersize": 2.6}
                        look |= {"markeredgewidth": 0, "color": tint(style.color, 0.65)}
                    for piece in pieces:
                        percent_moved = 100 * piece["displacement"]
                        ax.plot(piece["x"], percent_moved, **look, **mark(arm=arm, seed=seed))
        _name_layers(panels, names)

    reading = gettext(
        "Relative displacement of each measured layer of %(model)s at epoch %(epoch)s: the norm "
        "of the change of its weights since epoch 0, in percent of their norm at epoch 0. Layers "
        "stand in network order; points are single runs, lines an arm's mean over %(seeds)s; the "
        "panels share a logarithmic axis.",
        model=model_label(model),
        epoch=last,
        seeds=seeds_phrase(shown),
    )
    if len(roles) > 1:
        reading += " " + gettext("The lines go from block to block, one for each layer of a block.")
    seen = _observation(data, starts)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{reading} {seen}",
        alt=gettext("%(title)s, one panel per start.", title=title) + f" {seen}",
    )


def _role(layer: str) -> str:
    """Name a layer's place in its block: what follows the block's own name, features.2."""
    return ".".join(layer.split(".")[2:])


def _lines(means: pd.DataFrame, roles: set[str]) -> Iterator[pd.DataFrame]:
    """Join the layers of one role, from block to block, as long as the blocks are neighbours."""
    for _, rows in means.groupby(means["layer"].map(_role), sort=False):
        # A block has no more layers than there are roles.
        yield from (part for _, part in rows.groupby((rows["index"].diff() > len(roles)).cumsum()))


def _name_layers(panels: list[Axes], names: list[str]) -> None:
    """Write the layers' numbers below the panels, and as many names as there is room for."""
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


def _observation(data: pd.DataFrame, starts: list[str]) -> str:
    """Give, for each start, the layer that moves most and the median of all layers."""
    means = data[data["seed"] == "mean"]
    sentences = []
    for start in starts:
        rows = means[means["start"] == start]
        if rows.empty:
            continue
        most = rows.loc[rows["displacement"].idxmax()]
        sentences.append(
            gettext(
                "%(start)s, the median over layers and arms is %(median)s and the largest mean "
                "%(largest)s (%(layer)s, %(arm)s).",
                start=start_title(start),
                median=percent(rows["displacement"].median()),
                largest=percent(most["displacement"]),
                layer=most["layer"],
                arm=most["normalization"],
            )
        )
    return " ".join(sentences) or gettext("No arm has all its runs at this epoch.")
