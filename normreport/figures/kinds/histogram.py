"""Histograms of the kept layers' weights, down to the single weight in the tails."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.interactivity import ANY_EPOCH, FEWER_LEVELS, LEVELS, Shown, frames
from normreport.figures.page import (
    Key,
    Page,
    arm_keys,
    columns_of_starts,
    log_axis,
    page,
    panel_title,
)
from normreport.figures.ranges import (
    ALL_ARMS,
    HIGH,
    LOW,
    arm_name,
    arms_in_color,
    describe_colors,
    fill_range,
    range_keys,
    range_name,
    range_of_means,
    style_of_all,
)
from normreport.figures.runs import (
    arms_in_order,
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
    ArmStyle,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
    text_width,
)
from normreport.text.formatting import format_compact, format_percent
from normreport.text.labels import layer_label, network_label
from normreport.text.language import gettext

KIND = Kind(
    order=(90, 1),
    table="histograms",
    columns=("left", "right", "count"),
    per=("model",),
    splits_layers=True,
    highlights_contrast=True,
)

_BIN = ["left", "right"]
_OUTLINE = 1.1  # points: a mean line's width would hide steps


@dataclass(frozen=True)
class Prepared:
    """The histograms of one model.

    Attributes
    ----------
    model : str
        The networks that the figure shows.
    layer : str, optional
        The only layer; None if the figure shows all kept layers.
    arms : list of str
        All arms of the experiment, in order.
    places : list of tuple of str
        The layer and the start of each panel.
    columns : int
        The number of panels in a row.
    runs : pandas.DataFrame
        The rows of `histograms` for this model.
    pooled : pandas.DataFrame
        The columns of `data`, at every epoch and for every arm.
    colored : list of str
        The arms that are drawn in colour.
    ranges : pandas.DataFrame
        Of many arms, the range over all of them at every epoch: the columns of `data`, and `seed`
        ("smallest" or "largest").
    last_epoch : int
        The last epoch of any run.
    data : pandas.DataFrame
        Columns `layer`, `start`, `normalization` ("all" at epoch 0; "all, smallest" and "all,
        largest" for the range of the arms), `epoch`, `left`, `right`, `count` (of the weights of
        all seeds) and `density` (the share of them in the bin, divided by its width).
    """

    model: str
    layer: str | None
    arms: list[str]
    places: list[tuple[str, str]]
    columns: int
    runs: pd.DataFrame
    pooled: pd.DataFrame
    colored: list[str]
    ranges: pd.DataFrame
    last_epoch: int
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title, with `ANY_EPOCH` in place of the epoch."""
        return gettext(
            "%(model)s: histograms of the weights at epoch %(epoch)s",
            model=network_label(self.model, self.layer),
            epoch=ANY_EPOCH,
        )


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Add up the histograms of each arm's runs, panel by panel.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `left`, `right` (the
        edges of a bin), `count` (of the run's weights in it). All runs of a layer and start share
        their bins, and every bin has a row.
    settings : FigureSettings
        `model` selects the rows, and `layer` if it is not None.

    Raises
    ------
    NoRowsError
        If the table has no row of the model.
    """
    (model,) = settings.required("model")
    runs = comparable_rows(source, model=model, layer=settings.layer)
    last = last_epoch(runs)
    starts = in_order(runs["start"])
    places = [(layer, start) for layer in in_order(runs["layer"]) for start in starts]
    panels = [
        _pooled(rows_of(runs, layer=layer, start=start)).assign(layer=layer, start=start)
        for layer, start in places
    ]
    pooled = pd.concat(panels, ignore_index=True)
    arms = arms_in_order(source)
    colored = arms_in_color(arms, settings.contrast)
    of_arms = pooled[(pooled["normalization"] != ALL_ARMS) & (arms != colored)]
    ranges = range_of_means(of_arms, ["count", "density"], by=["layer", "start", "epoch", *_BIN])
    is_first = (pooled["normalization"] == ALL_ARMS) & (last > 0)
    is_last = pooled["normalization"].isin(colored) & (pooled["epoch"] == last)
    ends = ranges[ranges["epoch"] == last]
    drawn = [
        pooled[is_first | is_last],
        ends.assign(normalization=ends["normalization"] + ", " + ends["seed"]),
    ]
    columns = ["layer", "start", "normalization", "epoch", *_BIN, "count", "density"]
    return Prepared(
        model=model,
        layer=settings.layer,
        arms=arms,
        places=places,
        columns=columns_of_starts(len(starts)),
        runs=runs,
        pooled=pooled,
        colored=colored,
        ranges=ranges,
        last_epoch=last,
        data=pd.concat(drawn, ignore_index=True)[columns],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw a panel per layer and start: one outline per arm, the weights at epoch 0 in grey."""
    styles = arm_styles(prepared.arms)
    last = prepared.last_epoch
    curves: dict[tuple[str, str, str], pd.DataFrame] = {}
    values: dict[str, Shown] = {}
    with house_style():
        sheet = _page(prepared, styles)
        panels = sheet.panels(
            len(prepared.places),
            prepared.columns,
            left=max(0.62, 0.36 + _tick_label_width(prepared.pooled["density"])),
            head=0.26,
            gap=(0.14, 0.48),
        )
        for i, ((layer, start), ax) in enumerate(zip(prepared.places, panels, strict=True)):
            name = layer_label(layer, start)
            panel_title(ax, name)
            layer_bins = prepared.pooled[prepared.pooled["layer"] == layer]
            _set_axes(ax, layer_bins)
            if i % prepared.columns == 0:
                ax.set_ylabel(gettext("density"))
            if i + prepared.columns >= len(panels):
                ax.set_xlabel(gettext("weight"))
            outlines = _outlines(layer_bins[layer_bins["start"] == start])
            shown = {arm: outlines[arm] for arm in outlines if arm in (*prepared.colored, ALL_ARMS)}
            _draw_outlines(ax, shown, styles, name, last)
            of_range = _range_outline(rows_of(prepared.ranges, layer=layer, start=start))
            _draw_range(ax, of_range, name, last)
            # The page moves the outlines in the coordinates of the axis.
            height = ax.yaxis.get_transform().transform
            curves |= {
                (name, arm, ""): corners.apply(height)
                for arm, corners in shown.items()
                if arm != ALL_ARMS
            }
            if len(of_range):
                curves[range_name(name), arm_name(ALL_ARMS), ""] = of_range.apply(height)
            values |= {each: Shown(i, each) for each in (name, range_name(name))}
            runs = rows_of(prepared.runs, layer=layer, start=start)
            if runs.empty:
                empty_panel(ax, gettext("All weights are equal."))
            elif last_epoch(runs) < last:
                empty_panel(ax, no_run_reached(last, name))
    # The panels of many arms are many and small.
    levels = LEVELS if prepared.arms == prepared.colored else FEWER_LEVELS // 2
    return Canvas(figure=sheet.figure, frames=frames(curves, last, prepared.title, values, levels))


def describe(prepared: Prepared) -> Words:
    """Explain the outlines, and say how far arms and seeds move them."""
    last, runs = prepared.last_epoch, prepared.runs
    title = prepared.title.replace(ANY_EPOCH, str(last))
    observation = _observation(runs[runs["epoch"] == last])
    alt = gettext("%(title)s, one panel per layer and start.", title=title)
    return Words(
        caption=observation or f"{title}.",
        method=_explanation(prepared),
        alt=f"{alt} {observation}".rstrip(),
    )


def _page(prepared: Prepared, styles: Mapping[str, ArmStyle]) -> Page:
    """Begin the figure, with a key for what it shows and notes on missing runs."""
    last = prepared.last_epoch
    drawn = set(prepared.data["normalization"])
    keys = arm_keys({arm: style for arm, style in styles.items() if arm in drawn})
    keys += range_keys(prepared.ranges)
    if ALL_ARMS in drawn:
        keys.append(Key(gettext("epoch 0"), {"color": GRID, "linewidth": 8}))
    notes = run_notes(
        {start: rows_of(prepared.runs, start=start) for _, start in prepared.places},
        prepared.arms,
        last,
        means=gettext("An arm has an outline only at epochs that all of its runs reached."),
    )
    rows = math.ceil(len(prepared.places) / prepared.columns)
    return page(prepared.title.replace(ANY_EPOCH, str(last)), keys, notes, body=0.2 + 2.0 * rows)


def _pooled(runs: pd.DataFrame) -> pd.DataFrame:
    """Add up the weights of each arm's runs, and those of all arms ("all") at epoch 0."""
    by_arm = sum_over_seeds(runs, ["count"], by=["epoch", *_BIN])
    first = runs[runs["epoch"] == 0].groupby(_BIN, as_index=False)[["count"]].sum()
    pooled = pd.concat([by_arm, first.assign(normalization=ALL_ARMS, epoch=0)], ignore_index=True)
    n = pooled.groupby(["normalization", "epoch"])["count"].transform("sum")
    return pooled.assign(density=pooled["count"] / n / (pooled["right"] - pooled["left"]))


def _outlines(bins: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the corners of each arm's outlines: a row per epoch, from foot to foot."""
    outlines = {}
    for arm, arm_bins in bins.groupby("normalization", sort=False):
        density = arm_bins.pivot(index="epoch", columns="left", values="density")
        corners = np.pad(density.to_numpy().repeat(2, axis=1), ((0, 0), (1, 1)))
        edges = np.append(density.columns, arm_bins["right"].max()).repeat(2)
        outlines[str(arm)] = pd.DataFrame(corners, index=density.index, columns=edges)
    return outlines


def _range_outline(ranges: pd.DataFrame) -> pd.DataFrame:
    """Return the outline of a range: a row per epoch, along the lower edge and back."""
    ends = _outlines(ranges.assign(normalization=ranges["seed"]))
    return pd.concat([ends[LOW], ends[HIGH].iloc[:, ::-1]], axis=1) if ends else pd.DataFrame()


def _set_axes(ax: Axes, layer_bins: pd.DataFrame) -> None:
    """Set axes that all starts of a layer share, with room for every epoch."""
    ax.set_xlim(shared_limits(layer_bins["left"], layer_bins["right"], margin=0.01))
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    log_axis(ax.yaxis, [0.0, *layer_bins["density"]])
    ax.tick_params(labelbottom=True)


def _tick_label_width(densities: pd.Series) -> float:
    """Estimate the width of the longest number on the axis of densities, in inches."""
    smallest = float(densities[densities > 0].min())
    return text_width(format_compact(10.0 ** math.ceil(math.log10(smallest))), 8)


def _draw_outlines(
    ax: Axes,
    outlines: Mapping[str, pd.DataFrame],
    styles: Mapping[str, ArmStyle],
    name: str,
    last: int,
) -> None:
    """Draw the outline of each arm at the last epoch, and fill that of all arms at epoch 0."""
    for arm, corners in outlines.items():
        if arm == ALL_ARMS:
            if last > 0:
                ax.fill(corners.columns, corners.loc[0], color=GRID, linewidth=0)
        elif last in corners.index:
            line = {**mean_line(styles[arm]), "linewidth": _OUTLINE}
            ax.plot(corners.columns, corners.loc[last], **line, **mark(arm=arm, value=name))


def _draw_range(ax: Axes, outline: pd.DataFrame, name: str, last: int) -> None:
    """Fill the range of all arms at the last epoch, if there is one."""
    if last in outline.index:
        edges = outline.columns.to_numpy(dtype=float), outline.loc[[last]].to_numpy()[0]
        fill_range(ax, edges, ALL_ARMS, style_of_all().color, name)


def _explanation(prepared: Prepared) -> str:
    """Say what the figure shows, and how to read it."""
    last, runs = prepared.last_epoch, prepared.runs
    text = gettext(
        "Histograms of the weights of %(network)s at epoch %(epoch)s, a panel per layer and start. "
        "Each outline holds the weights of all of an arm\u2019s runs (%(seeds)s). The bins of a "
        "panel are equally wide and reach the outermost weight of any run at any epoch. The "
        "vertical axis is logarithmic and shows single weights in the tails. The panels of a "
        "layer share their axes.",
        network=network_label(prepared.model, prepared.layer),
        epoch=last,
        seeds=seeds_phrase(runs),
    )
    if (runs.groupby(["start", "normalization", "seed"])["epoch"].max() < last).any():
        text += " " + gettext(
            "The outermost bins also hold the weights of runs that ended early, however large."
        )
    if last > 0:
        text += " " + gettext("The grey area holds the weights of all arms at epoch 0.")
    return " ".join([text, *describe_colors(prepared.arms, prepared.colored)])


def _observation(runs: pd.DataFrame) -> str:
    """Say where the histograms of two arms differ most, and how much those of two seeds do there.

    Empty if no two arms have a seed in common.
    """
    differences = []
    for (layer, start), rows in runs.groupby(["layer", "start"], sort=False):
        counts = rows.pivot(index="left", columns=["normalization", "seed"], values="count")
        shares = (counts / counts.sum()).to_numpy().T.copy()
        arms, seeds = (counts.columns.get_level_values(level) for level in (0, 1))
        between_arms = _largest_difference(shares, seeds)
        if between_arms is not None:
            by_seed = _largest_difference(shares, arms)
            differences.append((between_arms, by_seed, layer_label(str(layer), str(start))))
    if not differences:
        return ""
    by_arm, by_seed, place = max(differences, key=lambda difference: difference[0])
    text = gettext(
        "The histograms of two runs with the same seed in different arms differ most in %(place)s, "
        "by %(share)s of the weights.",
        place=place,
        share=format_percent(by_arm),
    )
    if by_seed is None:
        return text
    seeds_text = gettext(
        "Those of two seeds of one arm differ by up to %(share)s there.",
        share=format_percent(by_seed),
    )
    return f"{text} {seeds_text}"


def _largest_difference(shares: npt.NDArray[np.float64], groups: pd.Index) -> float | None:
    """Return the largest share of weights by which two histograms of one group differ.

    Parameters
    ----------
    shares : numpy.ndarray
        Shape (runs, bins).
    groups : pandas.Index
        The group of each run.

    Returns
    -------
    float or None
        None if no group has two runs.
    """
    largest = None
    for own in (shares[groups == group] for group in groups.unique()):
        for i in range(len(own) - 1):
            moved = float(np.abs(own[i + 1 :] - own[i]).sum(axis=1).max()) / 2
            largest = moved if largest is None else max(moved, largest)
    return largest
