"""Metadata with which the page reads numbers from a figure and moves it through the epochs."""

import base64
import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.scale import SymmetricalLogTransform
from matplotlib.ticker import FixedLocator

EPOCHS = "epochs"  # the gid of an axis over the epochs
ANY_EPOCH = "{epoch}"  # the placeholder in a title that the page fills in
LEVELS = 4000  # steps of the height of a curve: more than a screen has pixels
FEWER_LEVELS = 250  # enough for ranges and means, which are smooth


class Shown(NamedTuple):
    """What marks show: the index of their panel, whose runs, and whether the change of them."""

    panel: int
    of: str
    change: bool = False


def panels(figure: Figure) -> list[dict[str, Any]]:
    """Describe the axes of every panel of a figure.

    Returns
    -------
    list of dict
        `title`, and for `x` and `y` the axis's `name`, its two ends on the `page` (points from the
        picture's upper left corner) and in `units` of its `scale`, which is "linear", "log" (the
        decimal logarithm) or "symlog" (see `linear`: up to which value the axis is linear, and by
        how much it is stretched there), `names` of what stands at whole numbers, and `epochs`
        where these are the epochs.
    """
    height = 72 * figure.get_figheight()
    shown = [ax for ax in figure.axes if ax.axison]
    found = []
    for ax in shown:
        column = [other for other in shown if other.bbox.x0 == ax.bbox.x0]
        row = [other for other in shown if other.bbox.y0 == ax.bbox.y0]
        found.append(
            {
                "title": _title(ax, column),
                "x": _axis(ax.xaxis, (ax.bbox.x0, ax.bbox.x1), column),
                "y": _axis(ax.yaxis, (height - ax.bbox.y0, height - ax.bbox.y1), row),
            }
        )
    return found


def _title(ax: Axes, column: list[Axes]) -> str:
    """Return the title of a panel, or of the nearest panel above it that has one."""
    above = [other for other in column if other.bbox.y0 >= ax.bbox.y0 and other.get_label()]
    return str(min(above, key=lambda other: other.bbox.y0).get_label()) if above else ""


def _axis(axis: Axis, page: tuple[float, float], neighbours: list[Axes]) -> dict[str, Any]:
    """Describe an axis. If neighbours share it, one of them has its name."""
    which = "x" if axis is axis.axes.xaxis else "y"
    alike = [getattr(ax, f"{which}axis") for ax in (axis.axes, *neighbours)]
    names = [other.get_label_text() for other in alike]
    transform = axis.get_transform()
    described = {
        "name": next(filter(None, names), ""),
        "page": [round(end, 2) for end in page],
        "units": [_rounded(end) for end in transform.transform(axis.get_view_interval())],
        "scale": axis.get_scale(),
    }
    if isinstance(transform, SymmetricalLogTransform):
        stretch = transform.linscale / (1 - 1 / transform.base)
        described["linear"] = [_rounded(transform.linthresh), _rounded(stretch)]
    if any(other.get_gid() == EPOCHS for other in alike):
        described["epochs"] = True
    if described["scale"] == "linear" and (places := _places(axis)):
        described["names"] = places
    return described


def _places(axis: Axis) -> dict[str, str]:
    """Return the tick labels of an axis of names, by position; minor ticks have all of them."""
    for ticker in (axis.minor, axis.major):
        if isinstance(ticker.locator, FixedLocator) and ticker.formatter is not None:
            places = list(ticker.locator())
            names = ticker.formatter.format_ticks(places)
            return {f"{at:g}": name for at, name in zip(places, names, strict=True)}
    return {}


def _rounded(value: float, digits: int = 9) -> float:
    return float(f"{value:.{digits}g}")


def frames(
    curves: Mapping[tuple[str, str, str], pd.DataFrame],
    epoch: int,
    title: str,
    values: Mapping[str, Shown],
    levels: int = LEVELS,
) -> dict[str, Any] | None:
    """Encode the curves at every epoch, for marks that are labelled with a ``value``.

    The page moves a mark whose seed is "mean" to the mean of its arm's curves.

    Parameters
    ----------
    curves : mapping of tuple to pandas.DataFrame
        For each (of, arm, seed) a table with a row per epoch, from 0 on, and a column per point
        of a grid that all of the same ``of`` share. Heights as the axis has them: their logarithms
        where it goes by decades. The seed is "" where the curve is of all of an arm's runs, whose
        mark has none.
    epoch : int
        The epoch that is drawn.
    title : str
        The title of the figure, with `ANY_EPOCH` in place of the epoch.
    values : mapping of str to Shown
        For each ``value`` of a mark, its panel and the curves that it shows. Values without a
        curve are left out.
    levels : int
        How many steps the height of a curve has.

    Returns
    -------
    dict or None
        None if no run has a second epoch. `epoch`; `title`; the `grids`, by ``of``;
        `values`; `runs` as (of, arm, seed, number of epochs); `curves` holds for each run its first
        curve and then the change at each later epoch, as 16-bit differences between neighbours on
        the grid, deflated. `units` has two numbers by ``of``: a unit of the first and of a change.
    """
    if max((len(table) for table in curves.values()), default=0) < 2:
        return None
    grids = {of: table.columns for (of, _, _), table in curves.items()}
    parts = {
        run: (table.to_numpy()[:1], table.to_numpy()[1:] - table.to_numpy()[:1])
        for run, table in curves.items()
    }
    heights: dict[str, list[float]] = {}
    for (of, _, _), both in parts.items():
        own = [float(np.abs(part).max(initial=0.0)) for part in both]
        heights[of] = [max(pair) for pair in zip(own, heights.get(of, own), strict=True)]
    units = {of: [height / levels or 1.0 for height in both] for of, both in heights.items()}
    steps = [
        np.diff(np.rint(part / unit).astype("<i2"), axis=1, prepend=np.int16(0)).tobytes()
        for (of, _, _), both in parts.items()
        for part, unit in zip(both, units[of], strict=True)
    ]
    digits = 6 if levels == LEVELS else 4
    return {
        "epoch": epoch,
        "title": title,
        "grids": {of: [_rounded(float(at), digits) for at in grid] for of, grid in grids.items()},
        "values": {value: shown._asdict() for value, shown in values.items() if shown.of in grids},
        "runs": [[*run, len(table)] for run, table in curves.items()],
        "units": units,
        "curves": base64.b64encode(zlib.compress(b"".join(steps), 9)).decode(),
    }


def cells(name: str, grids: Mapping[int, np.ndarray], chance: np.ndarray) -> dict[str, Any]:
    """Describe the cells of a heat map.

    Parameters
    ----------
    name : str
        The name of the numbers.
    grids : mapping of int to numpy.ndarray
        For the index of each panel its rows of cells; NaN for a missing cell.
    chance : numpy.ndarray
        For each row, the distance from 0 that chance alone explains.
    """
    return {
        "name": name,
        "grids": {
            str(panel): [[None if np.isnan(v) else _rounded(v, 3) for v in row] for row in grid]
            for panel, grid in grids.items()
        },
        "chance": [_rounded(value, 3) for value in chance],
    }
