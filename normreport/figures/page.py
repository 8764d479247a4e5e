"""The layout of a figure: title, key, panels and notes, in inches."""

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator, NullLocator

from normreport.figures.interactivity import EPOCHS
from normreport.figures.style import (
    INK,
    MUTED,
    WIDTH,
    ArmStyle,
    Marks,
    fit_text,
    label,
    mark,
    mean_line,
    shorten,
    text_width,
)
from normreport.text.formatting import format_compact
from normreport.text.language import gettext

_EDGE = 0.04
_TITLE = 0.22
_TITLE_SIZE = 10.0
_KEY_ROW = 0.19
_KEY_SIZE = 8.5
_KEY_SAMPLE = 0.30
_KEY_GAP = 0.20
_NOTE_ROW = 0.155
_NOTE_SIZE = 8.0
_MOST_COLUMNS = 4


class Key(NamedTuple):
    """One entry of the key: a label and how its sample line looks (`Line2D` keywords)."""

    label: str
    style: Marks


def arm_keys(styles: Mapping[str, ArmStyle]) -> list[Key]:
    """Return a key entry for the mean line of every arm."""
    return [Key(style.label, mean_line(style)) for style in styles.values()]


@dataclass(frozen=True)
class Page:
    """A figure that has its title, key and notes, and room for panels.

    Attributes
    ----------
    figure : matplotlib.figure.Figure
        The figure.
    bottom, height : float
        The lower edge and the height of the room for the panels, in inches.
    """

    figure: Figure
    bottom: float
    height: float

    def panels(
        self,
        count: int,
        columns: int,
        *,
        left: float = 0.62,
        right: float = 0.14,
        head: float = 0.22,
        foot: float = 0.40,
        gap: tuple[float, float] = (0.14, 0.46),
        shares: Sequence[float] = (),
        column_shares: Sequence[float] = (),
    ) -> list[Axes]:
        """Add panels, row by row.

        Parameters
        ----------
        count, columns : int
            How many panels there are, and how many stand side by side.
        left, right, head, foot : float
            Inches around the grid for labels; `head` is above the first row.
        gap : tuple of float
            Inches between columns and between rows.
        shares, column_shares : sequence of float
            The rows' shares of the height and the columns' shares of the width. Each add up to 1;
            equal by default.

        Returns
        -------
        list of matplotlib.axes.Axes
            `count` panels. Only the outer panels have tick labels, because axes are shared.
        """
        rows = math.ceil(count / columns)
        width = WIDTH - left - right - gap[0] * (columns - 1)
        widths = [share * width for share in column_shares or [1 / columns] * columns]
        height = self.height - head - foot - gap[1] * (rows - 1)
        heights = [share * height for share in shares or [1 / rows] * rows]
        total = self.figure.get_figheight()
        axes = []
        for i in range(count):
            row, column = divmod(i, columns)
            x = left + sum(widths[:column]) + gap[0] * column
            below = heights[row + 1 :]
            y = self.bottom + foot + sum(below) + gap[1] * len(below)
            box = (x / WIDTH, y / total, widths[column] / WIDTH, heights[row] / total)
            ax = self.figure.add_axes(box)
            ax.tick_params(labelleft=column == 0, labelbottom=i + columns >= count)
            axes.append(ax)
        return axes


def balanced_columns(count: int) -> int:
    """Return how many of `count` panels stand side by side: 8 become 4 + 4, and 5 become 3 + 2."""
    return math.ceil(count / math.ceil(count / _MOST_COLUMNS))


def columns_of_starts(starts: int) -> int:
    """Return how many panels stand side by side if each row shows one layer: at most three."""
    return max(n for n in range(1, 4) if starts % n == 0)


def page(
    title: str,
    keys: Sequence[Key],
    notes: Sequence[str],
    *,
    body: float,
    key_size: float = _KEY_SIZE,
) -> Page:
    """Start a figure of the common width.

    Parameters
    ----------
    title : str
        What the figure shows. One line; a long title gets a smaller font.
    keys : sequence of Key
        The entries of the key above the panels, in as many rows as needed.
    notes : sequence of str
        Sentences about missing runs, below the panels.
    body : float
        Height of the room for the panels, in inches.
    key_size : float
        Font size of the key.

    Returns
    -------
    Page
        The page, without panels.
    """
    rows = _key_rows(keys, key_size)
    # Running text is narrower than the estimate.
    wrap = int(WIDTH / text_width("x", _NOTE_SIZE) * 1.12)
    lines = textwrap.wrap(" ".join(notes), wrap)
    foot = _EDGE + len(lines) * _NOTE_ROW + (0.05 if lines else 0.0)
    height = foot + body + len(rows) * _KEY_ROW + _TITLE + _EDGE
    figure = Figure(figsize=(WIDTH, height))
    y = height - _EDGE
    title, size = fit_text(title, _TITLE_SIZE, WIDTH - 2 * _EDGE)
    _write(figure, _EDGE, y - 0.14, title, size=size, weight="bold", **mark(text="title"))
    y -= _TITLE
    for row in rows:
        y -= _KEY_ROW
        for x, key in row:
            _sample(figure, x, y + 0.09, key)
            name = shorten(key.label, key_size, WIDTH - x - _KEY_SAMPLE - 0.1)
            _write(figure, x + _KEY_SAMPLE + 0.06, y + 0.052, name, size=key_size)
    for i, line in enumerate(lines):
        _write(
            figure, _EDGE, foot - 0.05 - (i + 0.75) * _NOTE_ROW, line, size=_NOTE_SIZE, color=MUTED
        )
    return Page(figure, foot, body)


def _key_rows(keys: Sequence[Key], size: float) -> list[list[tuple[float, Key]]]:
    """Break the key into rows. Each entry comes with its distance from the left, in inches."""
    before = _KEY_SAMPLE + 0.06
    widths = [before + text_width(key.label, size) + _KEY_GAP for key in keys]
    if sum(widths) <= WIDTH:
        places = np.cumsum([_EDGE, *widths]).tolist()
        return [list(zip(places, keys, strict=False))] if keys else []
    columns = max(1, int(WIDTH / max(widths)))
    row = [_EDGE + i * WIDTH / columns for i in range(columns)]
    chunks = [keys[i : i + columns] for i in range(0, len(keys), columns)]
    return [list(zip(row, chunk, strict=False)) for chunk in chunks]


def _write(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    figure.text(x, y, text, transform=figure.dpi_scale_trans, va="baseline", **style)


def _sample(figure: Figure, x: float, y: float, key: Key) -> None:
    """Draw a sample line, with its marker in the middle."""
    middle = x + _KEY_SAMPLE / 2
    figure.add_artist(
        Line2D(
            [x, middle, x + _KEY_SAMPLE],
            [y, y, y],
            transform=figure.dpi_scale_trans,
            markevery=[1],
            **key.style,
        )
    )


def panel_title(ax: Axes, text: str, color: str = INK, size: float = 9) -> None:
    """Write the title of a panel above its left edge, and label the panel for screen readers."""
    ax.set_label(text)
    shown, size = fit_text(text, size, ax.get_position().width * WIDTH)
    label(ax, shown, (0, 1), offset=(0, 5), size=size, weight="bold", color=color)


def arm_panels(
    sheet: Page,
    styles: Mapping[str, ArmStyle],
    *,
    last: int,
    limits: tuple[float, float],
    unit: str,
) -> dict[str, Axes]:
    """Add one panel over the epochs for every arm, side by side, on the same axes.

    Parameters
    ----------
    sheet : Page
        The page that gets the panels; `arm_body` gives the height that it needs.
    styles : mapping of str to ArmStyle
        The arms in their order.
    last : int
        The last epoch.
    limits : tuple of float
        The limits of the y axis.
    unit : str
        The label of the y axis.

    Returns
    -------
    dict of str to matplotlib.axes.Axes
        The panels by arm.
    """
    columns = balanced_columns(len(styles))
    panels = dict(zip(styles, sheet.panels(len(styles), columns, head=0.26), strict=True))
    for i, (arm, ax) in enumerate(panels.items()):
        panel_title(ax, styles[arm].label, styles[arm].color)
        ax.set_ylim(limits)
        epoch_axis(ax, last)
        if i % columns == 0:
            ax.set_ylabel(unit)
        if i + columns >= len(panels):
            ax.set_xlabel(gettext("epoch"))
    return panels


def arm_body(count: int) -> float:
    """Return the height of the panels of `count` arms, in inches."""
    rows = math.ceil(count / balanced_columns(count))
    return 2.7 if rows == 1 else 2.0 * rows


def stop_line(ax: Axes, end: int, last: int) -> None:
    """Mark the last epoch that all runs of an arm reached, unless it is the last of all."""
    if end == last:
        return
    ax.axvline(end + 0.5, color=MUTED, linewidth=0.8, linestyle=(0, (1.3, 1.7)))
    text = gettext("a run diverged")
    room = ax.get_position().width * WIDTH * (last - end) / (last + 1)
    if text_width(text, 8) < room:
        at, inside = (end + 0.5, 1.0), ("data", "axes fraction")
        label(ax, text, at, inside=inside, offset=(4, -9), size=8, color=MUTED)


def epoch_axis(ax: Axes, last: int) -> None:
    """Scale the x axis from epoch 0 to the last epoch, with half an epoch on each side."""
    ax.set_xlim(-0.5 - 0.01 * last, last + 0.5 + 0.01 * last)
    wide = ax.get_position().width > 0.4
    steps = {"steps": [1, 2, 5, 10], "integer": True, "min_n_ticks": 1}
    ax.xaxis.set_major_locator(MaxNLocator(8 if wide else 4, **steps))
    ax.xaxis.set_gid(EPOCHS)


def log_axis(axis: Axis, values: npt.ArrayLike, *, unit: str = "") -> None:
    """Make an axis logarithmic over `values`, with plain numbers as labels.

    Zeros stand at the foot of the axis, below the smallest positive value.

    Parameters
    ----------
    axis : matplotlib.axis.Axis
        ``ax.xaxis`` or ``ax.yaxis``. Its limits are set, too.
    values : array_like
        All values that must fit: not negative, may be empty.
    unit : str
        Written after each label, such as "%".
    """
    pooled = np.ravel(np.asarray(values, dtype=float))
    positive = pooled[pooled > 0]
    low, high = (positive.min(), positive.max()) if positive.size else (0.1, 1.0)
    low, high = low / 1.25, high * 1.25
    ticks = [tick for tick in _decade_ticks(low, high) if low <= tick <= high]
    zero = bool((pooled == 0).any())
    horizontal = axis is axis.axes.xaxis
    set_scale = axis.axes.set_xscale if horizontal else axis.axes.set_yscale
    set_limits = axis.axes.set_xlim if horizontal else axis.axes.set_ylim
    if zero:
        # Linear from 0 to the smallest value, which takes half a decade.
        set_scale("symlog", linthresh=low, linscale=0.5)
        set_limits(-0.15 * low, high)
        ticks = [0.0, *ticks]
    else:
        set_scale("log")
        set_limits(low, high)
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([format_compact(tick) + unit for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def _decade_ticks(low: float, high: float) -> list[float]:
    """Return about six decades; over less than two decades, also the multiples 2 and 5."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    decades = range(first, last + 1)
    if high / low < 100:
        return [factor * 10.0**decade for decade in decades for factor in (1, 2, 5)]
    step = math.ceil(len(decades) / 7)
    return [10.0**decade for decade in decades if decade % step == 0]
