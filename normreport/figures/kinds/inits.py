"""How far the standard deviations of random inits lie apart, and how far those of the runs do."""

from typing import Any

import numpy as np
import pandas as pd

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.init_law import init_band
from normreport.figures.page import Key, log_axis, page
from normreport.figures.runs import in_order, last_epoch
from normreport.figures.style import (
    GRID,
    INK,
    MUTED,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    text_width,
)
from normreport.statistics.initialization import init_std_range
from normreport.text.formatting import percent
from normreport.text.labels import model_label
from normreport.text.language import N_, gettext, ngettext

# What is compared, as the table has it.
_LAW = "random inits, 95%"
_FIRST = N_("seeds, epoch 0")
_SEEDS = N_("seeds, last epoch")
_ARMS = N_("arms of one seed, last epoch")
_LINES = {_FIRST: -0.24, _SEEDS: 0.0, _ARMS: 0.24}  # within a layer's row
_LIMIT: Marks = {"color": GRID, "linewidth": 9}
_BAR: Marks = {**_LIMIT, "linewidth": 26, "zorder": 0}
_POINT: Marks = {"linestyle": "none", "markersize": 4, "markeredgewidth": 0}
_BEFORE: Marks = {**_POINT, "marker": "D", "color": INK}
_BETWEEN: Marks = {**_POINT, "marker": "x", "color": MUTED, "markeredgewidth": 1.0}
_COLUMNS = [
    "model",
    "layer",
    "weights",
    "std_at_init",
    "standard_error_percent",
    "inits",
    "limit_percent",
    "compared",
    "of",
    "range_percent",
]


KIND = Kind(order=(80, 1), table="measures", only_start="scratch")

# How many inits the article's plot compares, where the experiment has a single one.
PUBLISHED_PIPELINES = 3


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"measures": source, "limits": init_limits(source)}


def init_limits(scratch: pd.DataFrame) -> pd.DataFrame:
    """How far the stds of random inits lie apart, for every layer that is drawn by the law."""
    seeds = scratch["seed"].nunique()
    inits = seeds if seeds > 1 else PUBLISHED_PIPELINES
    rows = []
    for (model, layer), runs in scratch.groupby(["model", "layer"], sort=False):
        if init_band(runs) is not None:
            n, sigma = int(runs["n"].iloc[0]), float(runs["kaiming_std"].iloc[0])
            rows.append((model, layer, n, sigma, inits, 100 * init_std_range(n, inits)))
    columns = ["model", "layer", "weights", "std_at_init", "inits", "limit_percent"]
    return pd.DataFrame(rows, columns=columns)


def draw(measures: pd.DataFrame, *, limits: pd.DataFrame) -> Drawing:
    """Draw the range of the std over random inits, in theory and observed: one row per layer.

    Parameters
    ----------
    measures : pandas.DataFrame
        Columns `model`, `normalization`, `seed`, `layer`, `epoch`, `std`; only runs that start
        from the weights that `limits` speaks of.
    limits : pandas.DataFrame
        One row per layer whose law is known: `model`, `layer`, `weights` (how many),
        `std_at_init` (that they are drawn with), `inits` (how many are compared) and
        `limit_percent` (the 95% point of their range, in percent of `std_at_init`).

    Returns
    -------
    Drawing
        `data` has the columns of `limits`, `standard_error_percent` (of one init's std),
        `compared` (which runs, or the law), `of` (the runs' arm or seed) and `range_percent`: the
        largest minus the smallest std of the runs, or the limit.
    """
    arms = in_order(measures["normalization"])
    styles = arm_styles(arms)
    last = last_epoch(measures)
    known = limits.assign(standard_error_percent=100 / np.sqrt(2 * (limits["weights"] - 1)))
    data = pd.DataFrame(
        [
            {**layer, **compared}
            for layer in known.to_dict("records")
            for compared in [
                {"compared": _LAW, "of": "law", "range_percent": layer["limit_percent"]},
                *_ranges(measures, layer, last),
            ]
        ],
        columns=_COLUMNS,
    )
    runs = data[data["compared"] != _LAW]
    title = gettext("Standard deviation of the weights: what random inits alone give")
    with house_style():
        keys = [Key(gettext("95%% of random inits"), _LIMIT), Key(gettext(_FIRST), _BEFORE)]
        keys += [
            Key(
                gettext("seeds of %(arm)s", arm=styles[arm].label),
                {**_POINT, "marker": styles[arm].marker, "color": styles[arm].color},
            )
            for arm in arms
        ]
        keys.append(Key(gettext("arms of one seed"), _BETWEEN))
        sheet = page(title, keys, [], body=0.55 + 0.58 * max(1, len(known)))
        names = [f"{model_label(row.model)}, {row.layer}" for row in known.itertuples()]
        left = max([text_width(name, 9) for name in names], default=0.5) + 0.12
        (ax,) = sheet.panels(1, 1, left=left, right=0.62, head=0.1, foot=0.42)
        log_axis(ax.xaxis, data["range_percent"], unit="%")
        ax.set_xlabel(gettext("range of the standard deviation, %% of that at the init"))
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_ylim(max(len(known), 1) - 0.5, -0.5)
        ax.set_yticks(range(len(names)), names)
        ax.spines["left"].set_visible(False)
        if known.empty:
            empty_panel(ax, gettext("No run starts from weights of a known law."))
        for y, row in enumerate(known.itertuples()):
            ax.plot([ax.get_xlim()[0], row.limit_percent], [y, y], **_BAR)
            at, inside = (1, y), ("axes fraction", "data")
            label(ax, percent(row.limit_percent / 100, 2), at, inside=inside, offset=(5, 0),
                  va="center", size=8)  # fmt: skip
            own = runs[(runs["model"] == row.model) & (runs["layer"] == row.layer)]
            for point in own.itertuples():
                look = {_FIRST: _BEFORE, _ARMS: _BETWEEN}.get(point.compared)
                if look is None:
                    style = styles[point.of]
                    look = {**_POINT, "marker": style.marker, "color": style.color}
                of = mark(line=f"{gettext(point.compared)}, {point.of}")
                ax.plot(point.range_percent, y + _LINES[point.compared], **look, **of)

    seen = _observation(runs)
    reading = [
        gettext(
            "Largest minus smallest standard deviation of a layer\u2019s weights, in percent of "
            "the one that they are drawn with, from scratch."
        )
    ]
    if len(known):
        bars = gettext(
            "Grey bars end where 95%% of %(inits)s independent inits lie (the numbers at the "
            "right; exact for Gaussian weights).",
            inits=known["inits"].iloc[0],
        )
        reading.append(bars)
    points = gettext(
        "Points are the runs: the seeds of an arm before the first step and at epoch %(epoch)s, "
        "and the arms of one seed, which share their init, at epoch %(epoch)s.",
        epoch=last,
    )
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=" ".join([*reading, points, seen]),
        alt=gettext("%(title)s, one row per layer.", title=title) + f" {seen}",
    )


def _ranges(measures: pd.DataFrame, layer: dict[str, object], last: int) -> list[dict[str, object]]:
    """Return the ranges of a layer's std over whole groups of two or more runs."""
    rows = measures[(measures["model"] == layer["model"]) & (measures["layer"] == layer["layer"])]
    found = []
    for compared, epoch, by in (
        (_FIRST, 0, "normalization"),
        (_SEEDS, last, "normalization"),
        (_ARMS, last, "seed"),
    ):
        members = rows[rows["epoch"] == 0].groupby(by, sort=False).size()
        groups = rows[rows["epoch"] == epoch].groupby(by, sort=False)["std"]
        for name, std in groups:
            if len(std) == members[name] > 1:
                size = 100 * (std.max() - std.min()) / layer["std_at_init"]
                found.append({"compared": compared, "of": str(name), "range_percent": size})
    return found


def _observation(runs: pd.DataFrame) -> str:
    """Count what lies beyond the limit, and give the widest of each kind."""
    texts = []
    for compared, rows in runs.groupby("compared", sort=False):
        beyond = int((rows["range_percent"] > rows["limit_percent"]).sum())
        most = rows.loc[rows["range_percent"].idxmax()]
        texts.append(
            ngettext(
                "%(compared)s, %(beyond)s of %(num)s range (at most %(most)s, %(model)s, "
                "%(layer)s)",
                "%(compared)s, %(beyond)s of %(num)s ranges (at most %(most)s, %(model)s, "
                "%(layer)s)",
                len(rows),
                compared=gettext(compared),
                beyond=beyond,
                most=percent(most["range_percent"] / 100, 2),
                model=model_label(most["model"]),
                layer=most["layer"],
            )
        )
    if not texts:
        return gettext("There are no two runs to compare.")
    return gettext("Beyond the bar lie: %(ranges)s.", ranges="; ".join(texts))
