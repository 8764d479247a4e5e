"""The standard deviation of a layer's weights over the epochs, run by run."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.init_law import init_band
from normreport.figures.page import Key, arm_keys, epoch_axis, page
from normreport.figures.runs import (
    comparable_rows,
    in_order,
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
    THIN,
    arm_styles,
    empty_panel,
    house_style,
    mark,
    mean_line,
    shared_limits,
    text_width,
    tint,
)
from normreport.text.formatting import change, extremes, number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

_TICKS: Any = {"nbins": 8, "steps": [1, 2, 5, 10]}


KIND = Kind(order=(30, 4), table="measures", per=("start", "model", "layer"))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    scratch = source[source["start"] == "scratch"]
    return {
        "measures": source,
        "model": settings.model,
        "start": settings.start,
        "layer": settings.layer,
        "init_band": init_band(scratch) if len(scratch) else None,
    }


def draw(
    measures: pd.DataFrame,
    *,
    model: str,
    start: str,
    layer: str,
    init_band: tuple[float, float] | None = None,
) -> Drawing:
    """Draw the standard deviation at every epoch: every run thin, the arms' means bold.

    Parameters
    ----------
    measures : pandas.DataFrame
        Columns `model`, `start`, `normalization`, `seed`, `layer`, `epoch`, `std`. All starts of
        the model's layer share the limits.
    model, start, layer : str
        Which rows to draw.
    init_band : tuple of float, optional
        The 95% range of the standard deviation that the random initialization alone gives. It
        counts for the limits: give it to the figures of all starts, or of none.

    Returns
    -------
    Drawing
        `data` has the columns `normalization`, `seed` ("mean" for the mean over seeds), `epoch`,
        `std`, `percent_of_epoch_0` (of the mean over all runs at epoch 0).
    """
    arms = in_order(measures["normalization"])
    styles = arm_styles(arms)
    comparable = comparable_rows(measures, model=model, layer=layer)
    whole = rows_of(comparable, start=start)
    runs = whole[["normalization", "seed", "epoch", "std"]]
    last = last_epoch(comparable)
    means = mean_over_seeds(whole, ["std"])
    reference = float(runs.loc[runs["epoch"] == 0, "std"].mean())

    place = {"model": model_label(model), "start": start_label(start), "layer": layer}
    name = "{model}, {start}, {layer}".format_map(place)
    title = gettext("%(name)s: standard deviation of the weights", name=name)
    with house_style():
        present = set(runs["normalization"])
        keys = arm_keys({arm: styles[arm] for arm in arms if arm in present})
        if init_band is not None:
            keys.append(Key(gettext("95%% of random inits"), {"color": GRID, "linewidth": 8}))
        sheet = page(title, keys, run_notes({start: runs}, arms, last), body=3.3)
        limits = shared_limits(comparable["std"], init_band or [])
        (ax,) = sheet.panels(1, 1, head=0.08, left=0.32 + _label_width(limits), right=0.78)
        ax.set_ylim(limits)
        ax.yaxis.set_major_locator(MaxNLocator(**_TICKS))
        epoch_axis(ax, last)
        # Beyond the last epoch every arm has a column of its own for its runs' end markers:
        # runs of one seed start alike and would otherwise hide each other.
        column = 0.018 * (last + 1)
        ax.set_xlim(right=ax.get_xlim()[1] + column * (len(arms) + 0.5))
        ax.set_xlabel(gettext("epoch"))
        ax.xaxis.set_label_coords(last / 2, -0.085, transform=ax.get_xaxis_transform())
        ax.set_ylabel(gettext("standard deviation"))
        if init_band is not None:
            ax.axhspan(*init_band, color=GRID, linewidth=0, zorder=0)
        for (arm, seed), run in runs.groupby(["normalization", "seed"], sort=False):
            style = styles[arm]
            of = mark(arm=arm, seed=seed)
            ax.plot(run["epoch"], run["std"], color=tint(style.color, 0.5), linewidth=THIN, **of)
            end = int(run["epoch"].iloc[-1])
            x = last + 0.5 + column * (arms.index(arm) + 1) if end == last else end
            ax.plot(
                x,
                run["std"].iloc[-1],
                marker=style.marker if end == last else "x",
                markersize=3.2 if end == last else 5,
                color=style.color,
                markeredgewidth=0 if end == last else 1.2,
                linestyle="none",
                **mark(arm=arm, seed=seed, epoch=end),
            )
        for arm, mean in means.groupby("normalization", sort=False):
            of = mark(arm=arm, seed="mean")
            ax.plot(mean["epoch"], mean["std"], **mean_line(styles[arm]), **of)
        if runs.empty:
            empty_panel(ax, no_run(name))
        else:
            _percent_axis(ax, reference)

    data = pd.concat([runs, means.assign(seed="mean")], ignore_index=True).astype({"seed": str})
    data["percent_of_epoch_0"] = 100 * data["std"] / reference
    seen = _observation(runs, means, last)
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{_reading(runs, place, reference, init_band)} {seen}"
        if len(runs)
        else nothing_to_draw(title),
        alt=gettext("%(title)s over the epochs, one line per run.", title=title) + f" {seen}",
        last=last,
    )


def _reading(
    runs: pd.DataFrame,
    place: Mapping[str, str],
    reference: float,
    init_band: tuple[float, float] | None,
) -> str:
    """Say what is drawn, and how to read it."""
    text = gettext(
        "Standard deviation of the weights of %(layer)s (%(model)s, %(start)s) at every epoch. "
        "Thin lines are single runs, with a marker for each at the right; bold lines are an arm's "
        "mean over %(seeds)s. The right-hand axis is relative to the mean of all runs at epoch 0 "
        "(%(reference)s); all starts share the axis of weights.",
        **place,
        seeds=seeds_phrase(runs),
        reference=number(reference),
    )
    if init_band is None:
        return text
    low, high = map(number, init_band)
    band = gettext(
        "The grey band is the 95%% range that the random initialization alone gives (%(low)s to "
        "%(high)s).",
        low=low,
        high=high,
    )
    return f"{text} {band}"


def _label_width(limits: tuple[float, float]) -> float:
    """Estimate the width of the axis's numbers in inches: a small change takes many digits."""
    ticks = MaxNLocator(**_TICKS).tick_values(*limits)
    decimals = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    return text_width(f"{limits[1]:.{decimals}f}", 8)


def _percent_axis(ax: Axes, reference: float) -> None:
    """Repeat the y axis at the right, relative to a reference."""
    low, high = ax.get_ylim()
    right = ax.twinx()
    right.set_ylim(100 * low / reference, 100 * high / reference)
    right.set_ylabel(gettext("%% of the mean at epoch 0"), rotation=270, va="bottom")
    right.grid(visible=False)
    right.spines[:].set_visible(False)
    right.yaxis.set_major_locator(MaxNLocator(**_TICKS))
    for axes in (ax, right):  # twins bring their tick marks back
        axes.tick_params(axis="y", left=False, right=False)


def _observation(runs: pd.DataFrame, means: pd.DataFrame, last: int) -> str:
    """Give the arms' final means, and the largest change of any run."""
    final = means[means["epoch"] == last]
    changes = []
    for (arm, seed), run in runs.groupby(["normalization", "seed"], sort=False):
        std = run["std"].to_numpy()
        if len(std) > 1:
            share = float(std[-1] / std[0] - 1)
            changes.append((abs(share), share, arm, seed, run["epoch"].iloc[-1]))
    sentences = []
    if len(final):
        values = dict(zip(final["normalization"], final["std"], strict=True))
        sentences.append(
            gettext(
                "At epoch %(epoch)s the arms' means are %(span)s.",
                epoch=last,
                span=extremes(values),
            )
        )
    if changes:
        _, share, arm, seed, epoch = max(changes)
        sentences.append(
            gettext(
                "The largest change of a run is %(change)s (%(arm)s, seed %(seed)s, epoch 0 to "
                "%(epoch)s).",
                change=change(share),
                arm=arm,
                seed=seed,
                epoch=epoch,
            )
        )
    return " ".join(sentences) or gettext("No run goes beyond epoch 0.")
