"""Ranges, which stand for the runs of many seeds and for the means of many arms."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from normreport.config.figure_kinds import MOST_ARMS
from normreport.figures.page import Key
from normreport.figures.runs import rows_of, seed_counts, seeds_phrase
from normreport.figures.style import MUTED, RULE, THIN, ArmStyle, mark, tint
from normreport.text.formatting import join_with_and
from normreport.text.language import gettext

MOST_SEEDS = 6  # of an arm: more are drawn as a range
MOST_RUNS = 18  # of a start: more are drawn as ranges
LOW, HIGH = "smallest", "largest"  # the ends of a range, in the column `seed`
ALL_ARMS = "all"  # the range of the arms' means, in the column `normalization`
_OPACITY = 0.22  # ranges of several arms overlap
_OPAQUE = 0.45  # the range of the arms' means is narrow
_ENDS = (LOW, HIGH)


def are_many(runs: pd.DataFrame) -> bool:
    """Return whether there are so many runs that a figure shows their ranges.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns `normalization`, `seed`, and optionally `model` and `start`.
    """
    seeds = seed_counts(runs)
    places = [name for name in seeds.index.names if name != "normalization"]
    of_start = seeds.groupby(places).sum() if places else seeds.sum()
    return has_many_seeds(runs) or bool(np.any(of_start > MOST_RUNS))


def has_many_seeds(runs: pd.DataFrame) -> bool:
    """Return whether an arm has so many seeds that a figure shows their range."""
    return bool((seed_counts(runs) > MOST_SEEDS).any())


def runs_or_ranges(
    runs: pd.DataFrame, values: Sequence[str], by: Sequence[str] = ("epoch",)
) -> pd.DataFrame:
    """Return the runs or, of many seeds, the smallest and the largest value of each arm's runs.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns `normalization`, `seed`, `by` and `values`.
    values, by : sequence of str
        The columns that are drawn, and those that define the groups within an arm.

    Returns
    -------
    pandas.DataFrame
        `runs`; or the same columns with a row per group and end of its range, which the column
        `seed` names.
    """
    return range_of(runs, values, ["normalization", *by]) if are_many(runs) else runs


def average_epoch_0(
    runs: pd.DataFrame, values: Sequence[str], by: Sequence[str], *, many: bool
) -> pd.DataFrame:
    """Average each seed at epoch 0 over the arms, and many seeds as well.

    Parameters
    ----------
    runs : pandas.DataFrame
        Columns `seed`, `by` and `values`, at epoch 0.
    values, by : sequence of str
        The columns that are drawn, and those that define the points of a curve.
    many
        Whether there are so many runs that only their mean is drawn.

    Returns
    -------
    pandas.DataFrame
        Columns `seed`, `by` and `values`; the seed of the mean over seeds is ``mean``.
    """
    seeds = runs.groupby(["seed", *by], as_index=False)[list(values)].mean()
    if not many:
        return seeds
    return seeds.groupby(list(by), as_index=False)[list(values)].mean().assign(seed="mean")


def range_of_means(
    means: pd.DataFrame, values: Sequence[str], by: Sequence[str] = ("epoch",)
) -> pd.DataFrame:
    """Return the smallest and the largest mean of any arm, as `runs_or_ranges` does."""
    return range_of(means, values, by).assign(normalization=ALL_ARMS)


def range_of(table: pd.DataFrame, values: Sequence[str], by: Sequence[str]) -> pd.DataFrame:
    """Return the smallest and the largest value of each group, as `runs_or_ranges` does."""
    groups = table.groupby(list(by), sort=False)[list(values)]
    ends = [groups.min().assign(seed=LOW), groups.max().assign(seed=HIGH)]
    return pd.concat([end.reset_index() for end in ends], ignore_index=True)


def arms_by_panel(arms: Sequence[str]) -> list[list[str]]:
    """Return the arms that each panel shows in colour: all of them, or of many one each."""
    return [list(arms)] if len(arms) <= MOST_ARMS else [[arm] for arm in arms]


def arms_in_color(arms: Sequence[str], contrast: Sequence[str] | None) -> list[str]:
    """Return the arms that every panel shows in colour: all, or of many those of the contrast.

    If the arms of the contrast have no runs, return the first two.
    """
    if len(arms) <= MOST_ARMS:
        return list(arms)
    return [arm for arm in arms if arm in (contrast or ())] or list(arms[:2])


def style_of_all() -> ArmStyle:
    """Return the style of the range of the arms' means."""
    return ArmStyle(RULE, (0.0, ()), "", gettext("range of all arms' means"))


def range_keys(lines: pd.DataFrame) -> list[Key]:
    """Return the key of the ranges that there are."""
    keys = {
        False: Key(gettext("range of an arm's runs"), {"color": tint(MUTED, 0.25), "linewidth": 8}),
        True: Key(style_of_all().label, {"color": tint(RULE, 0.6), "linewidth": 8}),
    }
    ranges = lines.loc[lines["seed"].isin(_ENDS), "normalization"]
    is_of_all = set(ranges == ALL_ARMS)
    return [key for of_all, key in keys.items() if of_all in is_of_all]


def draw_runs(
    ax: Axes,
    lines: pd.DataFrame,
    styles: Mapping[str, ArmStyle],
    *,
    x: str,
    y: str,
    value: str | None = None,
    strength: float = 0.45,
    mark_end: Callable[[pd.DataFrame, ArmStyle], None] | None = None,
) -> None:
    """Draw a thin line for each run, and fill each range.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The panel.
    lines : pandas.DataFrame
        What `runs_or_ranges` and `range_of_means` return; arms without a style are left out.
    styles : mapping of str to ArmStyle
        The styles of the arms, and of `ALL_ARMS`.
    x, y : str
        The columns that are drawn.
    value : str, optional
        What the marks show, see `interactivity.frames`.
    strength : float
        The strength of the lines' colours.
    mark_end : callable, optional
        Is called with the rows and the style of each run, after its line.
    """
    for (arm, seed), line in lines.groupby(["normalization", "seed"], sort=False):
        if arm not in styles or seed == HIGH:
            continue
        color = styles[str(arm)].color
        if seed != LOW:
            of = {} if value is None else {"value": value}
            attributes = mark(arm=arm, seed=seed, **of)
            color = tint(color, strength)
            ax.plot(line[x], line[y], color=color, linewidth=THIN, **attributes)
            if mark_end is not None:
                mark_end(line, styles[str(arm)])
            continue
        edge = rows_of(lines, normalization=str(arm), seed=HIGH)
        outline = [*line[x], *edge[x][::-1]], [*line[y], *edge[y][::-1]]
        fill_range(ax, outline, str(arm), color, value)


def fill_range(
    ax: Axes,
    outline: tuple[ArrayLike, ArrayLike],
    arm: str,
    color: str,
    value: str | None,
) -> None:
    """Fill the outline of a range, given as x and y; `value` as in `draw_runs`."""
    is_of_all = arm == ALL_ARMS
    opacity = _OPAQUE if is_of_all else _OPACITY
    of = {} if value is None else {"value": range_name(value)}
    ax.fill(
        *outline,
        facecolor=(color, opacity),
        edgecolor=(color, 2 * opacity),
        linewidth=0 if is_of_all else THIN,
        **mark(arm=arm_name(arm), line=range_label(arm), **of),
    )


def range_name(value: str) -> str:
    """Return what the ranges of a value are called, see `interactivity.frames`."""
    return f"{value} range"


def arm_name(arm: str) -> str:
    """Return the name of an arm, or of all of them."""
    return gettext("all arms") if arm == ALL_ARMS else arm


def run_curves(
    lines: pd.DataFrame, means: pd.DataFrame, *, x: str, y: str, of: str
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Return every run's curve at every epoch or, of many seeds, every arm's mean.

    For `interactivity.frames`: from the curves of its runs, the page computes the mean of an arm.
    """
    runs = lines[~lines["seed"].isin(_ENDS)]
    if runs.empty:
        runs = means.assign(seed="mean")
    return {
        (of, str(arm), str(seed)): run.pivot(index="epoch", columns=x, values=y)
        for (arm, seed), run in runs.groupby(["normalization", "seed"], sort=False)
    }


def range_label(arm: str) -> str:
    """Return what the range of an arm, or of all of them, is called."""
    return gettext("range of the means") if arm == ALL_ARMS else gettext("range of the runs")


def range_curves(
    lines: pd.DataFrame, *, x: str, y: str, of: str
) -> dict[tuple[str, str, str], pd.DataFrame]:
    """Return the outline of every range at every epoch, for `interactivity.frames`.

    A row goes along the lower edge and back along the upper one.
    """
    curves = {}
    for arm, rows in lines[lines["seed"].isin(_ENDS)].groupby("normalization", sort=False):
        low, high = (
            rows[rows["seed"] == end].pivot(index="epoch", columns=x, values=y) for end in _ENDS
        )
        outline = pd.concat([low, high.iloc[:, ::-1]], axis=1)
        curves[range_name(of), arm_name(str(arm)), ""] = outline
    return curves


def describe_lines(runs: pd.DataFrame) -> str:
    """Say what the lines and ranges of arms are, without a full stop."""
    if are_many(runs):
        return gettext(
            "Each bold line is the mean of an arm over %(seeds)s, and its band is the range of its "
            "runs",
            seeds=seeds_phrase(runs),
        )
    return gettext(
        "Thin lines are single runs, bold lines an arm's mean over %(seeds)s",
        seeds=seeds_phrase(runs),
    )


def name_colors(arms: Sequence[str], colored: Sequence[str]) -> list[str]:
    """Say which arms have a colour, if not all have: no or one sentence."""
    if len(colored) == len(arms):
        return []
    names = join_with_and(colored)
    return [
        gettext(
            "Of the %(num)s arms, only %(names)s are drawn in colour.", num=len(arms), names=names
        )
    ]


def describe_colors(arms: Sequence[str], colored: Sequence[str]) -> list[str]:
    """Say which arms have a colour and what is grey, if not all have: no or two sentences."""
    sentences = name_colors(arms, colored)
    if sentences:
        sentences.append(gettext("Darker grey marks the range of the means of all arms."))
    return sentences


def describe_panels() -> str:
    """Say what the panels show if each arm has its own."""
    return gettext("Each panel shows one arm; its grey band is the range of all arms' means.")
