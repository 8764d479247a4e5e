"""How wide the densities are in their centre, network against network."""

import math
from statistics import NormalDist
from typing import Any

import pandas as pd
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import Key, page, panel_title
from normreport.figures.runs import in_order, last_epoch, run_notes
from normreport.figures.style import (
    GRID,
    INK,
    MUTED,
    RULE,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    shared_limits,
    text_width,
    tint,
)
from normreport.text.formatting import listing, number
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import N_, gettext

_VALUES = {"iqr_ratio": N_("c = IQR / (1.349 std)"), "iqr": N_("interquartile range")}
_BEFORE: Marks = {"color": MUTED, "marker": "|", "markersize": 9, "linestyle": "none"}
_MEAN: Marks = {**_BEFORE, "color": INK, "markersize": 15, "markeredgewidth": 1.6}
_SPREAD = 0.6  # of a row, over which the arms lie
_BAND = 0.42  # of a row, on each side: how high its band of chance is


KIND = Kind(order=(100, 1), table="measures")


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"measures": source}


def draw(measures: pd.DataFrame) -> Drawing:
    """Draw the centre's relative and absolute width of every kept layer, run by run.

    Parameters
    ----------
    measures : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `iqr_ratio` (c, which
        is 1 for a normal distribution), `p25`, `p75`, `std` and `n` (weights of the layer).

    Returns
    -------
    Drawing
        `data` has the columns `model`, `start`, `layer`, `normalization` and `seed` ("mean" and
        "epoch 0" for the means over all runs), `iqr_ratio` and `iqr`, at the last epoch, and
        `chance`, within which distance of 1 lies c of 95% of samples of a normal distribution.
    """
    arms = in_order(measures["normalization"])
    starts = in_order(measures["start"])
    styles = arm_styles(arms)
    last = last_epoch(measures)
    whole = measures.assign(iqr=measures["p75"] - measures["p25"]).dropna(subset=["iqr_ratio"])
    keys = ["model", "start", "layer"]
    runs = whole[whole["epoch"] == last]
    sizes = measures[measures["epoch"] == 0].groupby(keys, sort=False).size()
    if "seeds" in measures:  # some runs failed: a mean needs every arm with every seed
        sizes[:] = len(arms) * measures["seeds"].iloc[0]
    groups = runs.groupby(keys, sort=False)[list(_VALUES)]
    complete = groups.mean()[groups.size() == sizes.reindex(groups.size().index)]
    before = whole[whole["epoch"] == 0].groupby(keys, sort=False)[list(_VALUES)].mean()
    data = pd.concat(
        [
            runs,
            complete.reset_index().assign(normalization="all", seed="mean"),
            before.reset_index().assign(normalization="all", seed="epoch 0"),
        ],
        ignore_index=True,
    )
    weights = measures.groupby(["model", "layer"], sort=False)["n"].first()
    chances = {place: _chance(n) for place, n in weights.items()}
    data["chance"] = [chances[place] for place in zip(data["model"], data["layer"], strict=True)]
    data = data[[*keys, "normalization", "seed", *_VALUES, "chance"]].astype({"seed": str})

    layers = list(chances)
    names = [f"{model_label(model)}, {layer}" for model, layer in layers]
    title = gettext("Width of the densities\u2019 centre at epoch %(epoch)s", epoch=last)
    with house_style():
        marks = [
            Key(style.label, {"color": style.color, "marker": style.marker, "linestyle": "none",
                              "markersize": 4, "markeredgewidth": 0})
            for style in styles.values()
        ]  # fmt: skip
        marks.append(Key(gettext("mean of all runs"), _MEAN))
        marks.append(Key(gettext("mean at epoch 0"), _BEFORE))
        marks.append(Key(gettext("95%% of normal samples"), {"color": GRID, "linewidth": 8}))
        notes = [
            gettext("%(model)s: %(note)s", model=model_label(model), note=note)
            for model, table in measures.groupby("model", sort=False)
            for note in run_notes(
                {start: table[table["start"] == start] for start in starts if
                 (table["start"] == start).any()},
                arms, last, means="",
            )
            if note
        ]  # fmt: skip
        body = 0.2 + len(starts) * (0.34 * len(layers) + 0.5)
        sheet = page(title, marks, notes, body=body)
        left = max(text_width(name, 9) for name in names) + 0.1
        panels = sheet.panels(
            2 * len(starts), 2, left=left, right=0.12, head=0.26, gap=(0.3, 0.5), foot=0.42
        )
        for i, ax in enumerate(panels):
            start, (value, unit) = starts[i // 2], list(_VALUES.items())[i % 2]
            panel_title(ax, start_label(start) if i % 2 == 0 else "", INK)
            farthest = max(chances.values())
            marked = [1 - farthest, 1 + farthest] if value == "iqr_ratio" else [0.0]
            ax.set_xlim(shared_limits(data[value], marked))
            ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
            ax.set_ylim(len(layers) - 0.5, -0.5)
            ax.set_yticks(range(len(layers)), names)
            ax.grid(visible=False, axis="y")
            ax.grid(visible=True, axis="x")
            ax.spines["left"].set_visible(False)
            if i // 2 == len(starts) - 1:
                ax.set_xlabel(gettext(unit))
            if value == "iqr_ratio":
                ax.axvline(1, color=RULE, linewidth=0.9)
                for y, chance in enumerate(chances.values()):
                    band = ([1 - chance, 1 + chance], y - _BAND, y + _BAND)
                    ax.fill_between(*band, color=GRID, linewidth=0, zorder=0.5)
            drawn = data[data["start"] == start]
            if drawn.empty or not (drawn["seed"] != "epoch 0").any():
                empty_panel(
                    ax,
                    gettext(
                        "No run, %(start)s, reached epoch %(epoch)s.",
                        start=start_label(start),
                        epoch=last,
                    ),
                )
                continue
            for y, (model, layer) in enumerate(layers):
                own = drawn[(drawn["model"] == model) & (drawn["layer"] == layer)]
                for row in own.to_dict("records"):
                    if row["normalization"] == "all":
                        mean = row["seed"] == "mean"
                        line = gettext("mean") if mean else gettext("epoch 0")
                        ax.plot(row[value], y, **(_MEAN if mean else _BEFORE), **mark(line=line))
                        continue
                    style = styles[row["normalization"]]
                    place = (arms.index(row["normalization"]) + 0.5) / len(arms) - 0.5
                    ax.plot(
                        row[value],
                        y + _SPREAD * place,
                        linestyle="none",
                        marker=style.marker,
                        markersize=3,
                        markeredgewidth=0,
                        color=tint(style.color, 0.75),
                        **mark(arm=row["normalization"], seed=row["seed"]),
                    )

    seen = _observation(data, starts, layers)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "How wide the densities are in their centre at epoch %(epoch)s, for every kept layer. "
            "Left, the interquartile range relative to that of a normal distribution of the same "
            "standard deviation (the line at 1), with the band that holds 95%% of samples of as "
            "many normal numbers; right, the interquartile range itself. Points are single runs.",
            epoch=last,
        )
        + f" {seen}",
        alt=gettext("%(title)s, relative and absolute, one row per layer.", title=title)
        + f" {seen}",
    )


def _chance(n: int) -> float:
    """Return the half width of the 95% range of c over samples of n normal numbers.

    From the asymptotic variance ``(1 / (4 phi(z)^2) - 2 z^2) / (4 z^2)`` over n, z being the upper
    quartile; what is subtracted is what dividing by the sample's own std takes away.
    """
    normal = NormalDist()
    z = normal.inv_cdf(0.75)
    variance = (1 / (4 * normal.pdf(z) ** 2) - 2 * z**2) / (4 * z**2) / n
    return normal.inv_cdf(0.975) * math.sqrt(variance)


def _observation(data: pd.DataFrame, starts: list[str], layers: list[tuple[str, str]]) -> str:
    """Give the mean of every network's first kept layer."""
    first = dict(reversed(layers))
    means = data[data["seed"] == "mean"].set_index(["start", "model", "layer"])
    sentences = []
    for start in starts:
        texts = [
            gettext(
                "%(ratio)s (interquartile range %(range)s) in %(model)s",
                ratio=number(row["iqr_ratio"]),
                range=number(row["iqr"]),
                model=model_label(model),
            )
            for model, layer in reversed(first.items())
            if (start, model, layer) in means.index
            for row in [means.loc[(start, model, layer)]]
        ]
        if texts:
            sentences.append(
                gettext(
                    "%(start)s, the first kept layer has on average c = %(values)s.",
                    start=start_title(start),
                    values=listing(texts),
                )
            )
    return " ".join(sentences) or gettext("No start has all its runs at this epoch.")
