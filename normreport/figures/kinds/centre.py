"""The width of the densities' centre, network against network."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, page, panel_title
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
    last_epoch,
    mean_over_seeds,
    merged_order,
    run_notes,
    seeds_phrase,
)
from normreport.figures.style import (
    GRID,
    INK,
    MUTED,
    RULE,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    row_labels,
    shared_limits,
    text_width,
    tint,
)
from normreport.text.formatting import format_number, join_with_and
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import N_, gettext

KIND = Kind(
    order=(100, 1),
    table="measures",
    columns=("n", "p25", "p75", "iqr_ratio"),
    epochs="ends",
    highlights_contrast=True,
)

_VALUES = {"iqr_ratio": N_("c = IQR / (1.349 std)"), "iqr": N_("interquartile range")}
_PLACE = ["model", "start", "layer"]
_BEFORE: Marks = {"color": MUTED, "marker": "|", "markersize": 9, "linestyle": "none"}
_MEAN: Marks = {**_BEFORE, "color": INK, "markersize": 15, "markeredgewidth": 1.6}
_SPREAD = 0.6  # the share of a row that its arms take
_MOST_ROWS = 4  # of a model
_BAND = 0.42  # half the height of a row's band of chance


@dataclass(frozen=True)
class Prepared:
    """The width of the centre of every kept layer.

    Attributes
    ----------
    arms, starts : list of str
        Those of the experiment.
    last : int
        The last epoch.
    measures : pandas.DataFrame
        The rows that it was computed from, see :func:`prepare`.
    chances : mapping of tuple to float
        For each (model, layer), the half width of the range of c by chance, see `data`.
    colored : list of str
        The arms that are drawn in colour.
    data : pandas.DataFrame
        The marks: columns `model`, `start`, `layer`, `normalization` ("all" for marks of all runs)
        and `seed` ("mean" and "epoch 0" for means; "smallest" and "largest" for the range of an
        arm's runs, or of all arms' means), `iqr_ratio` and `iqr` at the last epoch, and `chance`:
        95% of samples of a normal distribution have a c within this distance of 1.
    """

    arms: list[str]
    starts: list[str]
    last: int
    measures: pd.DataFrame
    chances: Mapping[tuple[str, str], float]
    colored: list[str]
    data: pd.DataFrame

    def lift(self, arm: str) -> float:
        """Return how far below the middle of a row the marks of an arm stand."""
        return _SPREAD * ((self.colored.index(arm) + 0.5) / len(self.colored) - 0.5)

    @property
    def shown(self) -> list[tuple[str, str]]:
        """Model and layer of each row: of many layers, some from the first to the last."""
        shown = []
        for model in dict.fromkeys(model for model, _ in self.chances):
            layers = [place for place in self.chances if place[0] == model]
            number = min(len(layers), _MOST_ROWS)
            places = np.linspace(0, len(layers) - 1, number).round().astype(int)
            shown += [layers[place] for place in places]
        return shown

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("Width of the densities\u2019 centre at epoch %(epoch)s", epoch=self.last)


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Select the last epoch of all runs, and average them.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `iqr_ratio` (c, which
        is 1 for a normal distribution), `p25`, `p75`, `std` and `n` (weights of the layer).
    settings : FigureSettings
        The figure shows the whole experiment.

    Returns
    -------
    Prepared
        The marks.
    """
    last = last_epoch(source)
    rows = source.assign(iqr=source["p75"] - source["p25"]).dropna(subset=["iqr_ratio"])
    runs = rows[rows["epoch"] == last]
    before = rows[rows["epoch"] == 0].groupby(_PLACE, sort=False)[list(_VALUES)].mean()
    arms = arms_in_order(source)
    colored = arms_in_color(arms, settings.contrast)
    data = pd.concat(
        [
            *_marks_of_arms(rows, last, arms, colored),
            _complete_means(source, runs).reset_index().assign(normalization=ALL_ARMS, seed="mean"),
            before.reset_index().assign(normalization=ALL_ARMS, seed="epoch 0"),
        ],
        ignore_index=True,
    )
    weights = source.groupby(["model", "layer"], sort=False)["n"].first().reset_index()
    chances = {
        (model, layer): _chance(n)
        for model, layer, n in zip(weights["model"], weights["layer"], weights["n"], strict=True)
    }
    data["chance"] = [chances[place] for place in zip(data["model"], data["layer"], strict=True)]
    columns = [*_PLACE, "normalization", "seed", *_VALUES, "chance"]
    return Prepared(
        arms=arms,
        starts=merged_order(source, "start", within=["model"]),
        last=last,
        measures=source,
        chances=chances,
        colored=colored,
        data=data[columns].astype({"seed": str}),
    )


def _marks_of_arms(
    measures: pd.DataFrame, last: int, arms: list[str], colored: list[str]
) -> Iterator[pd.DataFrame]:
    """Yield the runs of the arms in colour or their ranges, and of many arms all arms' range."""
    own = measures[measures["normalization"].isin(colored)]
    marks = runs_or_ranges(own, list(_VALUES), by=[*_PLACE, "epoch"])
    yield marks[marks["epoch"] == last]
    if measures.empty:
        return
    means = pd.concat(
        [
            mean_over_seeds(table, list(_VALUES), by=[*_PLACE, "epoch"])
            for _, table in measures.groupby(_PLACE, sort=False)
        ]
    )
    means = means[means["epoch"] == last]
    if are_many(own):
        yield means[means["normalization"].isin(colored)].assign(seed="mean")
    if arms != colored:
        yield range_of_means(means, list(_VALUES), by=_PLACE)


def _complete_means(measures: pd.DataFrame, runs: pd.DataFrame) -> pd.DataFrame:
    """Average the runs of each layer and start that have all reached the last epoch."""
    sizes = measures[measures["epoch"] == 0].groupby(_PLACE, sort=False).size()
    if "runs" in measures:  # some runs failed: a mean needs them, too
        sizes = measures.groupby(_PLACE, sort=False)["runs"].first()
    groups = runs.groupby(_PLACE, sort=False)[list(_VALUES)]
    return groups.mean()[groups.size() == sizes.reindex(groups.size().index)]


def draw(prepared: Prepared) -> Canvas:
    """Draw one row per layer: the relative width on the left, the absolute width on the right."""
    starts, layers = prepared.starts, prepared.shown
    with house_style():
        body = 0.2 + len(starts) * (0.34 * len(layers) + 0.5)
        sheet = page(prepared.title, _keys(prepared), _notes(prepared), body=body)
        names = row_labels([f"{model_label(model)}, {layer}" for model, layer in layers], 9)
        left = max(text_width(name, 9) for name in names) + 0.1
        panels = sheet.panels(
            2 * len(starts), 2, left=left, right=0.12, head=0.26, gap=(0.3, 0.5), foot=0.42
        )
        for i, ax in enumerate(panels):
            start, value = starts[i // 2], list(_VALUES)[i % 2]
            panel_title(ax, start_label(start) if i % 2 == 0 else "", INK)
            _draw_axes(ax, prepared, value, names)
            if i // 2 == len(starts) - 1:
                ax.set_xlabel(gettext(_VALUES[value]))
            if value == "iqr_ratio":
                _draw_chances(ax, [prepared.chances[layer] for layer in layers])
            _draw_marks(ax, prepared, start, value)
    return Canvas(figure=sheet.figure)


def _keys(prepared: Prepared) -> list[Key]:
    """Give the key: the arms, the means and the band of chance."""
    keys = [
        Key(
            style.label,
            {
                "color": style.color,
                "marker": style.marker,
                "linestyle": "none",
                "markersize": 4,
                "markeredgewidth": 0,
            },
        )
        for arm, style in arm_styles(prepared.arms).items()
        if arm in prepared.colored
    ]
    keys += range_keys(prepared.data)
    keys.append(Key(gettext("mean of all runs"), _MEAN))
    keys.append(Key(gettext("mean at epoch 0"), _BEFORE))
    keys.append(Key(gettext("95%% of normal samples"), {"color": GRID, "linewidth": 8}))
    return keys


def _notes(prepared: Prepared) -> list[str]:
    """Name what each model lacks, see `runs.run_notes`."""
    return [
        gettext("%(model)s: %(note)s", model=model_label(str(model)), note=note)
        for model, table in prepared.measures.groupby("model", sort=False)
        for note in run_notes(
            {
                start: table[table["start"] == start]
                for start in prepared.starts
                if (table["start"] == start).any()
            },
            prepared.arms,
            prepared.last,
            means="",
        )
        if note
    ]


def _draw_axes(ax: Axes, prepared: Prepared, value: str, names: list[str]) -> None:
    """Set the limits, name the rows and draw the grid."""
    farthest = max(prepared.chances.values())
    marked = [1 - farthest, 1 + farthest] if value == "iqr_ratio" else [0.0]
    ax.set_xlim(shared_limits(prepared.data[value], marked))
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.set_yticks(range(len(names)), names)
    ax.grid(visible=False, axis="y")
    ax.grid(visible=True, axis="x")
    ax.spines["left"].set_visible(False)


def _draw_chances(ax: Axes, chances: Sequence[float]) -> None:
    """Draw the value of a normal distribution, and the band of chance of every row."""
    ax.axvline(1, color=RULE, linewidth=0.9)
    for y, chance in enumerate(chances):
        band = ([1 - chance, 1 + chance], y - _BAND, y + _BAND)
        ax.fill_between(*band, color=GRID, linewidth=0, zorder=0.5)


def _draw_marks(ax: Axes, prepared: Prepared, start: str, value: str) -> None:
    """Draw every run and the means of a start."""
    drawn = prepared.data[prepared.data["start"] == start]
    if drawn.empty or not (drawn["seed"] != "epoch 0").any():
        reason = gettext(
            "No run, %(start)s, reached epoch %(epoch)s.",
            start=start_label(start),
            epoch=prepared.last,
        )
        empty_panel(ax, reason)
        return
    for y, (model, layer) in enumerate(prepared.shown):
        own = drawn[(drawn["model"] == model) & (drawn["layer"] == layer)]
        if own.empty:
            at, inside = (0.5, y), ("axes fraction", "data")
            label(ax, gettext("no run"), at, inside=inside, ha="center", va="center", color=MUTED)
        for (arm, seed), row in own.groupby(["normalization", "seed"], sort=False):
            x = float(row[value].iloc[0])
            if seed == LOW:
                is_end = (own["normalization"] == arm) & (own["seed"] == HIGH)
                _draw_range(ax, prepared, str(arm), (x, float(own.loc[is_end, value].iloc[0])), y)
            elif seed != HIGH:
                _draw_mark(ax, prepared, str(arm), str(seed), x, y)


def _draw_mark(ax: Axes, prepared: Prepared, arm: str, seed: str, x: float, y: int) -> None:
    """Draw a run, the mean of an arm's runs, or a mean of all runs."""
    if arm == ALL_ARMS:
        is_mean = seed == "mean"
        line = gettext("mean") if is_mean else gettext("epoch 0")
        ax.plot(x, y, **_MEAN if is_mean else _BEFORE, **mark(line=line))
        return
    style = arm_styles(prepared.arms)[arm]
    ax.plot(
        x,
        y + prepared.lift(arm),
        linestyle="none",
        marker=style.marker,
        markersize=3,
        markeredgewidth=0,
        color=tint(style.color, 0.75),
        **mark(arm=arm, seed=seed),
    )


def _draw_range(
    ax: Axes, prepared: Prepared, arm: str, ends: tuple[float, float], y: float
) -> None:
    """Draw the range of an arm's runs, or that of all arms' means."""
    if arm == ALL_ARMS:
        look: Marks = {"color": tint(RULE, 0.6), "linewidth": 9, "zorder": 1}
    else:
        y += prepared.lift(arm)
        color = tint(arm_styles(prepared.arms)[arm].color, 0.4)
        look = {"color": color, "linewidth": 2.2, "zorder": 1.9}
    ax.plot(ends, [y, y], **look, **mark(arm=arm_name(arm), line=range_label(arm)))


def describe(prepared: Prepared) -> Words:
    """Say what the marks and the band are, and give the means of the first layers."""
    method = gettext(
        "How wide the densities are in their centre at epoch %(epoch)s, for %(layers)s. "
        "Left, the interquartile range relative to that of a normal distribution of the same "
        "standard deviation (the line at 1), with the band that holds 95%% of samples of as "
        "many normal numbers; right, the interquartile range itself. %(marks)s",
        epoch=prepared.last,
        layers=_layers(prepared),
        marks=_marks(prepared),
    )
    method = " ".join([method, *describe_colors(prepared.arms, prepared.colored)])
    alt = gettext("%(title)s, relative and absolute, one row per layer.", title=prepared.title)
    observation = _observation(prepared.data, prepared.starts, list(prepared.chances))
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _layers(prepared: Prepared) -> str:
    """Say which layers the figure shows."""
    shown = len(prepared.shown)
    if shown == len(prepared.chances):
        return gettext("every kept layer")
    return gettext(
        "%(shown)s of %(num)s kept layers (of each network some, from the first to the last; the "
        "data of the figure contain all layers)",
        shown=shown,
        num=len(prepared.chances),
    )


def _marks(prepared: Prepared) -> str:
    """Say what points and lines are."""
    measures = prepared.measures
    own = measures[measures["normalization"].isin(prepared.colored)]
    if not are_many(own):
        return gettext("Points are single runs.")
    return gettext(
        "Each point is the mean of an arm over %(seeds)s, and its line is the range of its runs.",
        seeds=seeds_phrase(own),
    )


def _chance(n: int) -> float:
    """Return the half width of the 95% range of c over samples of n normal numbers.

    From the asymptotic variance ``(1 / (4 phi(z)^2) - 2 z^2) / (4 z^2) / n``, where z is the upper
    quartile. The second term comes from dividing by the sample's own std.
    """
    normal = NormalDist()
    z = normal.inv_cdf(0.75)
    variance = (1 / (4 * normal.pdf(z) ** 2) - 2 * z**2) / (4 * z**2) / n
    return normal.inv_cdf(0.975) * math.sqrt(variance)


def _observation(data: pd.DataFrame, starts: list[str], layers: list[tuple[str, str]]) -> str:
    """Give the mean of every network's first kept layer."""
    first = dict(reversed(layers))
    means = {
        (row["start"], row["model"], row["layer"]): row
        for row in data[data["seed"] == "mean"].to_dict("records")
    }
    sentences = []
    for start in starts:
        texts = [
            gettext(
                "%(ratio)s (interquartile range %(range)s) in %(model)s",
                ratio=format_number(row["iqr_ratio"]),
                range=format_number(row["iqr"]),
                model=model_label(model),
            )
            for model, layer in reversed(first.items())
            if (row := means.get((start, model, layer)))
        ]
        if texts:
            sentences.append(
                gettext(
                    "%(start)s, the first kept layer has on average c = %(values)s.",
                    start=start_title(start),
                    values=join_with_and(texts),
                )
            )
    return " ".join(sentences) or gettext("No start has all its runs at this epoch.")
