"""Histograms of the kept layers' weights, down to the single weight in the tails."""

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.interactivity import ANY_EPOCH, Shown, frames
from normreport.figures.page import Key, arm_keys, columns_of_starts, log_axis, page, panel_title
from normreport.figures.runs import (
    comparable_rows,
    in_order,
    last_epoch,
    no_run_reached,
    rows_of,
    run_notes,
    seeds_phrase,
    sum_over_seeds,
)
from normreport.figures.style import (
    GRID,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
)
from normreport.text.formatting import percent
from normreport.text.labels import layer_label, model_label
from normreport.text.language import gettext

_BIN = ["left", "right"]
_OUTLINE = 1.1  # points: a mean line's width would hide steps


KIND = Kind(order=(90, 1), table="histograms", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"histograms": source, "model": settings.model}


def draw(histograms: pd.DataFrame, *, model: str) -> Drawing:
    """Draw a histogram per kept layer and start: one outline per arm, epoch 0 in grey.

    Parameters
    ----------
    histograms : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `left`, `right` (a
        bin's edges), `count` (of the run's weights in it). All runs of a layer and start share
        their bins, and every bin has a row.
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `layer`, `start`, `normalization` ("all" at epoch 0), `epoch`,
        `left`, `right`, `count` (of all seeds' weights) and `density` (the share of them in the
        bin, divided by its width).
    """
    arms = in_order(histograms["normalization"])
    styles = arm_styles(arms)
    whole = comparable_rows(histograms, model=model)
    layers, starts = in_order(whole["layer"]), in_order(whole["start"])
    last = last_epoch(whole)
    panels = [(layer, start) for layer in layers for start in starts]
    pooled = pd.concat(
        [
            _pooled(rows_of(whole, layer=layer, start=start)).assign(layer=layer, start=start)
            for layer, start in panels
        ],
        ignore_index=True,
    )
    is_before = (pooled["normalization"] == "all") & (last > 0)
    is_last = (pooled["normalization"] != "all") & (pooled["epoch"] == last)
    data = pooled.loc[
        is_before | is_last,
        ["layer", "start", "normalization", "epoch", *_BIN, "count", "density"],
    ].reset_index(drop=True)

    titled = gettext(
        "%(model)s: histograms of the weights at epoch %(epoch)s",
        model=model_label(model),
        epoch=ANY_EPOCH,
    )
    title = titled.replace(ANY_EPOCH, str(last))
    columns = columns_of_starts(len(starts))
    curves = {}
    with house_style():
        reached = set(data["normalization"])
        keys = arm_keys({arm: styles[arm] for arm in arms if arm in reached})
        if "all" in reached:
            keys.append(Key(gettext("epoch 0"), {"color": GRID, "linewidth": 8}))
        notes = run_notes(
            {start: rows_of(whole, start=start) for start in starts},
            arms,
            last,
            means=gettext("An arm has an outline only where all of its runs are there."),
        )
        body = 0.2 + 2.0 * -(-len(panels) // columns)
        sheet = page(title, keys, notes, body=body)
        axes = sheet.panels(len(panels), columns, head=0.26, gap=(0.14, 0.48))
        for i, ((layer, start), ax) in enumerate(zip(panels, axes, strict=True)):
            panel_title(ax, layer_label(layer, start))
            same = pooled[pooled["layer"] == layer]  # every epoch, as the page moves through them
            ax.set_xlim(shared_limits(same["left"], same["right"], margin=0.01))
            ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            log_axis(ax.yaxis, [0.0, *same["density"]])
            ax.tick_params(labelbottom=True)
            if i % columns == 0:
                ax.set_ylabel(gettext("density"))
            if i + columns >= len(panels):
                ax.set_xlabel(gettext("weight"))
            height = ax.yaxis.get_transform().transform
            for arm, bins in same[same["start"] == start].groupby("normalization", sort=False):
                steps = _outlines(bins)
                if arm == "all":
                    if last > 0:
                        ax.fill(steps.columns, steps.loc[0], color=GRID, linewidth=0)
                    continue
                curves[layer_label(layer, start), str(arm), ""] = steps.apply(height)
                if last in steps.index:
                    look = {**mean_line(styles[arm]), "linewidth": _OUTLINE}
                    of = mark(arm=arm, value=layer_label(layer, start))
                    ax.plot(steps.columns, steps.loc[last], **look, **of)
            here = rows_of(whole, layer=layer, start=start)
            if here.empty:
                empty_panel(ax, gettext("All weights are equal."))
            elif last_epoch(here) < last:
                empty_panel(ax, no_run_reached(last, layer_label(layer, start)))

    seen = _observation(whole[whole["epoch"] == last])
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{_reading(whole, model, last)} {seen}".rstrip(),
        alt=gettext("%(title)s, one panel per layer and start.", title=title) + f" {seen}".rstrip(),
        frames=frames(
            curves,
            last,
            titled,
            {layer_label(*place): Shown(i, layer_label(*place)) for i, place in enumerate(panels)},
        ),
    )


def _reading(runs: pd.DataFrame, model: str, epoch: int) -> str:
    """Say what is drawn, and how to read it."""
    text = gettext(
        "Histograms of the weights of %(model)s at epoch %(epoch)s, per kept layer and start: each "
        "outline holds the weights of all of an arm\u2019s runs (%(seeds)s). A layer and start has "
        "equally wide bins, which reach to the outermost weight of any of its runs at any epoch. "
        "The vertical axis goes by decades, so that a single weight in the tails is seen. The "
        "panels of a layer share their axes.",
        model=model_label(model),
        epoch=epoch,
        seeds=seeds_phrase(runs),
    )
    if (runs.groupby(["start", "normalization", "seed"])["epoch"].max() < epoch).any():
        text += " " + gettext(
            "What a run that ended early had beyond the bins of the others is in the outermost one."
        )
    if epoch > 0:
        text += " " + gettext("The grey area holds the weights of all arms at epoch 0.")
    return text


def _pooled(runs: pd.DataFrame) -> pd.DataFrame:
    """Put together the weights of each arm's runs, and those of all arms ("all") at epoch 0."""
    arms = sum_over_seeds(runs, ["count"], by=["epoch", *_BIN])
    before = runs[runs["epoch"] == 0].groupby(_BIN, as_index=False)["count"].sum()
    parts = [arms, before.assign(normalization="all", epoch=0)]
    table = pd.concat(parts, ignore_index=True)
    n = table.groupby(["normalization", "epoch"])["count"].transform("sum")
    return table.assign(density=table["count"] / n / (table["right"] - table["left"]))


def _outlines(bins: pd.DataFrame) -> pd.DataFrame:
    """Return the corners of an arm's histograms: a row per epoch, from foot to foot."""
    wide = bins.pivot(index="epoch", columns="left", values="density")
    corners = np.pad(wide.to_numpy().repeat(2, axis=1), ((0, 0), (1, 1)))
    edges = np.append(wide.columns, bins["right"].max())
    return pd.DataFrame(corners, index=wide.index, columns=edges.repeat(2))


def _observation(runs: pd.DataFrame) -> str:
    """Say where the histograms of two arms differ most, and how much those of two seeds do there.

    Nothing where no two arms have a seed in common.
    """
    found = []
    for (layer, start), here in runs.groupby(["layer", "start"], sort=False):
        wide = here.pivot(index="left", columns=["normalization", "seed"], values="count")
        shares = wide / wide.sum()
        arms, seeds = [], []
        for one, other in combinations(shares, 2):
            apart = float((shares[one] - shares[other]).abs().sum()) / 2
            if one[1] == other[1]:
                arms.append(apart)
            if one[0] == other[0]:
                seeds.append(apart)
        if arms:
            found.append((max(arms), max(seeds, default=None), layer_label(layer, start)))
    if not found:
        return ""
    by_arm, by_seed, place = max(found, key=lambda one: one[0])
    text = gettext(
        "The histograms of two runs with the same seed in different arms differ most in %(place)s, "
        "by %(share)s of the weights.",
        place=place,
        share=percent(by_arm),
    )
    if by_seed is None:
        return text
    apart_by_seed = gettext(
        "Those of two seeds of one arm differ by up to %(share)s there.", share=percent(by_seed)
    )
    return f"{text} {apart_by_seed}"
