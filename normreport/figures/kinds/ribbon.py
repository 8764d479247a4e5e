"""Percentiles of a layer's weights over the epochs, as nested bands."""

from typing import Any

import numpy as np
import pandas as pd

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import Key, arm_body, arm_panels, page, stop_line
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
    INK,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    shared_limits,
    tint,
)
from normreport.text.formatting import change, number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

_BANDS = (("p01", "p99", 0.20), ("p05", "p95", 0.42), ("p25", "p75", 0.75))
_PERCENTILES = ["p01", "p05", "p25", "p50", "p75", "p95", "p99"]
_MEDIAN: Marks = {"color": INK, "linewidth": 0.9}


KIND = Kind(order=(30, 2), table="measures", per=("start", "model", "layer"))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {
        "measures": source,
        "model": settings.model,
        "start": settings.start,
        "layer": settings.layer,
    }


def draw(measures: pd.DataFrame, *, model: str, start: str, layer: str) -> Drawing:
    """Draw the percentile ribbon of a layer: one panel per arm, epochs from left to right.

    Parameters
    ----------
    measures : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `p01`, `p05`, `p25`,
        `p50`, `p75`, `p95`, `p99`. All starts of the model's layer share the limits.
    model, start, layer : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `normalization`, `epoch` and the percentiles, averaged over seeds.
    """
    arms = in_order(measures["normalization"])
    styles = arm_styles(arms)
    comparable = comparable_rows(measures, model=model, layer=layer)
    runs = rows_of(comparable, start=start)
    last = last_epoch(comparable)
    data = mean_over_seeds(runs, _PERCENTILES)

    name = f"{model_label(model)}, {start_label(start)}, {layer}"
    title = gettext("%(name)s: percentiles of the weights over the epochs", name=name)
    with house_style():
        keys = [
            Key(
                _band(low, high),
                {"color": tint(INK, strength / 1.4), "linewidth": 8},
            )
            for low, high, strength in _BANDS
        ]
        keys.append(Key(gettext("median"), _MEDIAN))
        sheet = page(title, keys, run_notes({start: runs}, arms, last), body=arm_body(len(arms)))
        limits = shared_limits(comparable["p01"], comparable["p99"])
        panels = arm_panels(sheet, styles, last=last, limits=limits, unit=gettext("weight"))
        for arm, ax in panels.items():
            drawn = data[data["normalization"] == arm]
            if drawn.empty:
                empty_panel(ax, no_run(arm, model_label(model), start_label(start)))
                continue
            for low, high, strength in _BANDS:
                epochs, bottom, top = _widened(drawn, low, high)
                color = tint(styles[arm].color, strength)
                of = mark(arm=arm, line=_band(low, high))
                outline = np.append(epochs, epochs[::-1]), np.append(bottom, top[::-1])
                ax.fill(*outline, color=color, linewidth=0, **of)
            epochs, median = _widened(drawn, "p50")
            ax.plot(
                epochs, median, **_MEDIAN, **mark(arm=arm, line=gettext("median"), neutral=True)
            )
            stop_line(ax, int(drawn["epoch"].max()), last)

    seen = _observation(data)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "Percentiles of the weights of %(layer)s (%(model)s, %(start)s) at every epoch, "
            "averaged over %(seeds)s. The bands hold 98%%, 90%% and 50%% of the weights, the line "
            "is their median; all panels and starts share the axes.",
            layer=layer,
            model=model_label(model),
            start=start_label(start),
            seeds=seeds_phrase(runs),
        )
        + f" {seen}"
        if len(runs)
        else nothing_to_draw(title),
        alt=gettext("%(title)s, one panel per arm.", title=title) + f" {seen}",
        last=last,
    )


def _band(low: str, high: str) -> str:
    return gettext("percentiles %(low)s to %(high)s", low=int(low[1:]), high=int(high[1:]))


def _widened(drawn: pd.DataFrame, *columns: str) -> list[np.ndarray]:
    """Epochs and columns as arrays; a single epoch becomes a bar, since a line needs two."""
    if len(drawn) > 1:
        return [drawn[column].to_numpy() for column in ("epoch", *columns)]
    epoch = float(drawn["epoch"].iloc[0])
    return [
        np.array([epoch - 0.3, epoch + 0.3]),
        *(np.repeat(drawn[column].to_numpy(), 2) for column in columns),
    ]


def _observation(data: pd.DataFrame) -> str:
    """Name the arm whose outer band changes most, and by how much."""
    by_arm = data.set_index("epoch").groupby("normalization", sort=False)
    most = largest_change({str(arm): drawn["p99"] - drawn["p01"] for arm, drawn in by_arm})
    if most is None:
        return no_change()
    return gettext(
        "The outer band changes most in %(arm)s: from a width of %(first)s at epoch 0 to "
        "%(final)s at epoch %(epoch)s (%(change)s).",
        arm=most.arm,
        first=number(most.first),
        final=number(most.final),
        epoch=most.epoch,
        change=change(most.share),
    )
