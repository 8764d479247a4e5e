"""The distribution of the values that enter the network, arm by arm."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing, TrainingImages
from normreport.figures.input_histograms import input_histograms
from normreport.figures.page import Key, balanced_columns, log_axis, page, panel_title
from normreport.figures.runs import in_order
from normreport.figures.style import (
    Marks,
    arm_styles,
    house_style,
    mark,
    shared_limits,
)
from normreport.text.formatting import compact, number
from normreport.text.language import N_, gettext

_CHANNELS: dict[str, tuple[str, Marks]] = {
    "r": (N_("red"), {"color": "#c8452f", "linewidth": 1.3}),
    "g": (N_("green"), {"color": "#4a9a3c", "linewidth": 1.2, "linestyle": (0.0, (4.0, 2.0))}),
    "b": (N_("blue"), {"color": "#2b5cb8", "linewidth": 1.1, "linestyle": (0.0, (1.3, 1.7))}),
}
_LOG_FROM = 50.0  # ratio of the largest share to the median one


KIND = Kind(order=(10, 2), arms="all")


def arguments(source: TrainingImages, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"histograms": input_histograms(source.images, settings.normalizations)}


def draw(histograms: pd.DataFrame) -> Drawing:
    """Draw the histogram of the input values: one panel per arm in the arm's own units.

    Parameters
    ----------
    histograms : pandas.DataFrame
        Columns `normalization`, `channel` ("r", "g" or "b"), `left`, `right` (a bin's edges) and
        `share` (of the channel's values); one row per bin, from left to right.

    Returns
    -------
    Drawing
        `data` has the same columns, in percent: `share_percent` for `share`.
    """
    arms = in_order(histograms["normalization"])
    styles = arm_styles(arms)
    data = histograms[["normalization", "channel", "left", "right"]].assign(
        share_percent=100 * histograms["share"]
    )
    shares = data["share_percent"][data["share_percent"] > 0]
    by_decades = bool(len(shares)) and shares.max() > _LOG_FROM * shares.median()
    title = gettext("Values that enter the network")
    columns = balanced_columns(len(arms))
    with house_style():
        keys = [Key(gettext(name), style) for name, style in _CHANNELS.values()]
        rows = -(-len(arms) // columns)
        sheet = page(title, keys, [], body=2.6 if rows == 1 else 2.0 * rows)
        panels = sheet.panels(len(arms), columns, head=0.26, gap=(0.2, 0.66))
        for i, (arm, ax) in enumerate(zip(arms, panels, strict=True)):
            panel_title(ax, styles[arm].label, styles[arm].color)
            ax.tick_params(labelbottom=True)
            ax.set_xlabel(gettext("input value"))
            if i % columns == 0:
                ax.set_ylabel(gettext("share of values (%%)"))
            bins = data[data["normalization"] == arm]
            ax.set_xlim(shared_limits(bins["left"], bins["right"], margin=0.02))
            ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
            if by_decades:
                log_axis(ax.yaxis, data["share_percent"], unit="%")
            else:
                ax.set_ylim(shared_limits(data["share_percent"], floor=0.0))
                ax.yaxis.set_major_formatter("{x:g}%")
            for channel, (name, style) in _CHANNELS.items():
                part = bins[bins["channel"] == channel]
                edges = [*part["left"], *part["right"].iloc[-1:]]
                of = mark(arm=arm, line=gettext(name))
                ax.stairs(part["share_percent"], edges, baseline=None, **style, **of)

    reading = gettext(
        "Distribution of the input values per channel, one panel per arm: the horizontal axis has "
        "the arm's own units, the vertical axis is shared and gives the percentage of a channel's "
        "values in each bin."
    )
    if by_decades:
        reading += " " + gettext("The vertical axis goes by decades.")
    seen = _observation(data, arms)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{reading} {seen}",
        alt=gettext("%(title)s: histogram per arm and channel.", title=title) + f" {seen}",
    )


def _observation(data: pd.DataFrame, arms: list[str]) -> str:
    """Give each arm's range, and its mean and standard deviation as the bins show them."""
    texts = []
    for arm in arms:
        bins = data[data["normalization"] == arm]
        filled = bins[bins["share_percent"] > 0]
        middle = (bins["left"] + bins["right"]) / 2
        mean = np.average(middle, weights=bins["share_percent"])
        std = np.sqrt(np.average((middle - mean) ** 2, weights=bins["share_percent"]))
        texts.append(
            gettext(
                "%(arm)s %(low)s to %(high)s, mean %(mean)s, standard deviation %(std)s",
                arm=arm,
                low=compact(filled["left"].min()),
                high=compact(filled["right"].max()),
                mean=number(mean),
                std=number(std),
            )
        )
    return gettext("The filled bins span: %(spans)s.", spans="; ".join(texts))
