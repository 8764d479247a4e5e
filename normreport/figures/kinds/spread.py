"""The standard deviation of a layer's weights over the epochs, run by run."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.init_law import init_band
from normreport.figures.page import Key, Page, arm_body, arm_keys, arm_panels, epoch_axis, page
from normreport.figures.ranges import (
    ALL_ARMS,
    are_many,
    arms_by_panel,
    describe_lines,
    describe_panels,
    draw_runs,
    range_keys,
    range_of_means,
    runs_or_ranges,
    style_of_all,
)
from normreport.figures.runs import (
    arms_in_order,
    arms_of,
    comparable_rows,
    last_epoch,
    mean_over_seeds,
    no_run,
    nothing_to_draw,
    rows_of,
    run_notes,
    seeds_phrase,
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
from normreport.text.formatting import format_change, format_extremes, format_number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

KIND = Kind(
    order=(30, 4),
    table="measures",
    columns=("std", "n", "kaiming_std"),
    per=("start", "model", "layer"),
    in_article="scratch",
)

_TICKS: Any = {"nbins": 8, "steps": [1, 2, 5, 10]}
_SHOWN: Any = {"x": "epoch", "y": "std", "strength": 0.5}


@dataclass(frozen=True)
class Prepared:
    """The standard deviations of one layer.

    Attributes
    ----------
    model, start, layer : str
        The networks and the layer that the figure shows.
    arms : list of str
        The arms that have runs, in the order of the experiment.
    runs : pandas.DataFrame
        Columns `normalization`, `seed`, `epoch`, `std`: one row per run and epoch.
    lines : pandas.DataFrame
        `runs`, or of many seeds their ranges; of many arms also the range of their means.
    means : pandas.DataFrame
        Columns `normalization`, `epoch`, `std`: the mean over seeds.
    last_epoch : int
        The last epoch of any start.
    reference : float
        The mean standard deviation of all runs at epoch 0; NaN without runs.
    init_band : tuple of float or None
        The range that 95% of random inits have. None if no run starts from scratch, or another law
        drew the weights.
    limits : tuple of float
        Limits of the standard deviation, which all starts share.
    data : pandas.DataFrame
        Columns `normalization` ("all" for the range of the arms' means), `seed` ("mean" for the
        mean over seeds; "smallest" and "largest" for a range), `epoch`, `std`,
        `percent_of_epoch_0` (of `reference`, if that is not 0).
    """

    model: str
    start: str
    layer: str
    arms: list[str]
    runs: pd.DataFrame
    lines: pd.DataFrame
    means: pd.DataFrame
    last_epoch: int
    reference: float
    init_band: tuple[float, float] | None
    limits: tuple[float, float]
    data: pd.DataFrame

    @property
    def is_by_arm(self) -> bool:
        """Whether each arm has its own panel."""
        return len(arms_by_panel(self.arms)) > 1

    @property
    def name(self) -> str:
        """Model, start and layer."""
        return f"{model_label(self.model)}, {start_label(self.start)}, {self.layer}"

    @property
    def title(self) -> str:
        """The title."""
        return gettext("%(name)s: standard deviation of the weights", name=self.name)


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Collect the standard deviation of every run, and average it over the seeds of each arm.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `std`, and for the
        scratch start `n` (weights) and `kaiming_std`. All starts of the layer share the limits.
    settings : FigureSettings
        `model`, `start` and `layer` select the rows.

    Raises
    ------
    NoRowsError
        If the table has no row of the model and layer.
    """
    model, start, layer = settings.required("model", "start", "layer")
    # A single weight has no standard deviation.
    comparable = comparable_rows(source.dropna(subset=["std"]), model=model, layer=layer)
    selected = rows_of(comparable, start=start)
    runs = selected[["normalization", "seed", "epoch", "std"]]
    means = mean_over_seeds(selected, ["std"])
    arms = arms_of(selected, arms_in_order(source))
    lines = runs_or_ranges(runs, ["std"])
    if len(arms_by_panel(arms)) > 1:
        lines = pd.concat([lines, range_of_means(means, ["std"])], ignore_index=True)
    reference = float(runs.loc[runs["epoch"] == 0, "std"].mean())
    scratch = rows_of(comparable, start="scratch")
    band = init_band(scratch) if len(scratch) else None
    data = pd.concat([lines, means.assign(seed="mean")], ignore_index=True).astype({"seed": str})
    if reference > 0:
        data["percent_of_epoch_0"] = 100 * data["std"] / reference
    return Prepared(
        model=model,
        start=start,
        layer=layer,
        arms=arms,
        runs=runs,
        lines=lines,
        means=means,
        last_epoch=last_epoch(comparable),
        reference=reference,
        init_band=band,
        limits=shared_limits(comparable["std"], band or []),
        data=data,
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw every run as a thin line and the mean of each arm as a bold one."""
    styles = arm_styles(prepared.arms)
    with house_style():
        sheet = _page(prepared, styles)
        if prepared.is_by_arm:
            _draw_by_arm(sheet, prepared, styles)
        else:
            _draw_together(sheet, prepared, styles)
    return Canvas(figure=sheet.figure, last=prepared.last_epoch)


def _draw_together(sheet: Page, prepared: Prepared, styles: dict[str, ArmStyle]) -> None:
    """Draw all arms in one panel, with the ends of the runs at the right."""
    arms, runs, last = prepared.arms, prepared.runs, prepared.last_epoch
    left = 0.32 + _tick_label_width(prepared.limits)
    (ax,) = sheet.panels(1, 1, head=0.08, left=left, right=0.78)
    ax.set_ylim(prepared.limits)
    ax.yaxis.set_major_locator(MaxNLocator(**_TICKS))
    epoch_axis(ax, last)
    ax.set_xlabel(gettext("epoch"))
    ax.set_ylabel(gettext("standard deviation"))
    # Right of the last epoch, every arm has its own column for the end markers of its runs.
    # Otherwise they would hide each other: the runs of one seed start alike.
    column_width = 0.018 * (last + 1)
    if not are_many(runs):
        ax.set_xlim(right=ax.get_xlim()[1] + column_width * (len(arms) + 0.5))
        ax.xaxis.set_label_coords(last / 2, -0.085, transform=ax.get_xaxis_transform())
    _draw_init_band(ax, prepared)
    columns = {arm: last + 0.5 + column_width * (i + 1) for i, arm in enumerate(arms)}
    draw_runs(ax, prepared.lines, styles, **_SHOWN, mark_end=partial(_mark_end, ax, last, columns))
    _draw_means(ax, prepared, styles)
    if runs.empty:
        empty_panel(ax, no_run(prepared.name))
    elif prepared.reference > 0:
        _add_percent_axis(ax, prepared.reference)


def _draw_by_arm(sheet: Page, prepared: Prepared, styles: dict[str, ArmStyle]) -> None:
    """Draw a panel for each arm."""
    unit = gettext("standard deviation")
    last = prepared.last_epoch
    panels = arm_panels(sheet, styles, last=last, limits=prepared.limits, unit=unit)
    for arm, ax in panels.items():
        ax.yaxis.set_major_locator(MaxNLocator(**{**_TICKS, "nbins": 5}))
        shown = {arm: styles[arm], ALL_ARMS: style_of_all()}
        _draw_init_band(ax, prepared)
        draw_runs(ax, prepared.lines, shown, **_SHOWN)
        _draw_means(ax, prepared, shown)


def _draw_init_band(ax: Axes, prepared: Prepared) -> None:
    """Draw the range that random inits have, if it is known."""
    if prepared.init_band is not None:
        ax.axhspan(*prepared.init_band, color=GRID, linewidth=0, zorder=0)


def _draw_means(ax: Axes, prepared: Prepared, styles: Mapping[str, ArmStyle]) -> None:
    """Draw the means of the arms that have a style."""
    means = prepared.means[prepared.means["normalization"].isin(styles)]
    for arm, mean in means.groupby("normalization", sort=False):
        attributes = mark(arm=arm, seed="mean")
        ax.plot(mean["epoch"], mean["std"], **mean_line(styles[str(arm)]), **attributes)


def describe(prepared: Prepared) -> Words:
    """Explain the lines and axes, and give the final means and the largest change."""
    title = prepared.title
    observation = _observation(prepared)
    if are_many(prepared.runs):
        alt = gettext("%(title)s over the epochs, mean and range of each arm.", title=title)
    else:
        alt = gettext("%(title)s over the epochs, one line per run.", title=title)
    if prepared.runs.empty:
        return Words(caption=nothing_to_draw(title), alt=f"{alt} {observation}")
    return Words(caption=observation, method=_explanation(prepared), alt=f"{alt} {observation}")


def _page(prepared: Prepared, styles: dict[str, ArmStyle]) -> Page:
    """Begin the figure, with a key for what it shows and notes on missing runs."""
    drawn = set(prepared.runs["normalization"])
    named = [] if prepared.is_by_arm else [arm for arm in prepared.arms if arm in drawn]
    keys = arm_keys({arm: styles[arm] for arm in named}) + range_keys(prepared.lines)
    if prepared.init_band is not None:
        keys.append(Key(gettext("95%% of random inits"), {"color": GRID, "linewidth": 8}))
    notes = run_notes({prepared.start: prepared.runs}, prepared.arms, prepared.last_epoch)
    body = arm_body(len(prepared.arms)) if prepared.is_by_arm else 3.3
    return page(prepared.title, keys, notes, body=body)


def _tick_label_width(limits: tuple[float, float]) -> float:
    """Estimate the width of the axis's numbers in inches: a small change takes many digits."""
    ticks = MaxNLocator(**_TICKS).tick_values(*limits)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    return text_width(f"{limits[1]:.{decimals}f}", 8)


def _mark_end(
    ax: Axes, last: int, columns: Mapping[str, float], run: pd.DataFrame, style: ArmStyle
) -> None:
    """Mark the end of a run: in its arm's column, or with a cross where it diverged."""
    arm, seed = run["normalization"].iloc[-1], run["seed"].iloc[-1]
    end = int(run["epoch"].iloc[-1])
    is_complete = end == last
    ax.plot(
        columns[arm] if is_complete else end,
        run["std"].iloc[-1],
        marker=style.marker if is_complete else "x",
        markersize=3.2 if is_complete else 5,
        color=style.color,
        markeredgewidth=0 if is_complete else 1.2,
        linestyle="none",
        **mark(arm=arm, seed=seed, epoch=end),
    )


def _add_percent_axis(ax: Axes, reference: float) -> None:
    """Repeat the y axis at the right, relative to a reference."""
    low, high = ax.get_ylim()
    right = ax.twinx()
    right.set_ylim(100 * low / reference, 100 * high / reference)
    right.set_ylabel(gettext("%% of the mean at epoch 0"), rotation=270, va="bottom")
    right.grid(visible=False)
    right.spines[:].set_visible(False)
    right.yaxis.set_major_locator(MaxNLocator(**_TICKS))
    for axes in (ax, right):  # `twinx` turns tick marks on again
        axes.tick_params(axis="y", left=False, right=False)


def _explanation(prepared: Prepared) -> str:
    """Say what the figure shows, and how to read it."""
    text = gettext(
        "Standard deviation of the weights of %(layer)s (%(model)s, %(start)s) at every epoch.",
        model=model_label(prepared.model),
        start=start_label(prepared.start),
        layer=prepared.layer,
    )
    text = f"{text} {_lines_and_axes(prepared)}"
    if prepared.init_band is None:
        return text
    low, high = map(format_number, prepared.init_band)
    band = gettext(
        "The grey band is the 95%% range that the random initialization alone gives (%(low)s to "
        "%(high)s).",
        low=low,
        high=high,
    )
    return f"{text} {band}"


def _lines_and_axes(prepared: Prepared) -> str:
    """Say what the lines are, and what the axes are relative to."""
    if prepared.is_by_arm:
        axes = gettext("All panels and starts share the axes.")
        return f"{describe_lines(prepared.runs)}. {describe_panels()} {axes}"
    if are_many(prepared.runs):
        lines = f"{describe_lines(prepared.runs)}."
    else:
        lines = gettext(
            "Thin lines are single runs, with a marker for each at the right; bold lines are an "
            "arm's mean over %(seeds)s.",
            seeds=seeds_phrase(prepared.runs),
        )
    axes = gettext(
        "The right-hand axis is relative to the mean of all runs at epoch 0 (%(reference)s); all "
        "starts share the axis of weights.",
        reference=format_number(prepared.reference),
    )
    return f"{lines} {axes}"


def _observation(prepared: Prepared) -> str:
    """Give the arms' final means, and the largest change of any run."""
    sentences = []
    final = prepared.means[prepared.means["epoch"] == prepared.last_epoch]
    if len(final):
        means = dict(zip(final["normalization"], final["std"], strict=True))
        sentences.append(
            gettext(
                "At epoch %(epoch)s the arms' means are %(span)s.",
                epoch=prepared.last_epoch,
                span=format_extremes(means),
            )
        )
    changes = []
    for (arm, seed), run in prepared.runs.groupby(["normalization", "seed"], sort=False):
        std = run["std"].to_numpy()
        if len(std) > 1 and std[0] > 0:
            share = float(std[-1] / std[0] - 1)
            changes.append((abs(share), share, arm, seed, run["epoch"].iloc[-1]))
    if changes:
        _, share, arm, seed, epoch = max(changes)
        sentences.append(
            gettext(
                "The largest change of a run is %(change)s (%(arm)s, seed %(seed)s, epoch 0 to "
                "%(epoch)s).",
                change=format_change(share),
                arm=arm,
                seed=seed,
                epoch=epoch,
            )
        )
    return " ".join(sentences) or gettext("No run goes beyond epoch 0.")
