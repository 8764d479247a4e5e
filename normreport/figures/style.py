"""The look of every figure: colours and labels of the arms, settings, limits of axes."""

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from unicodedata import east_asian_width

import matplotlib
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb

from normreport.config.report import ArmLook
from normreport.text.language import N_, gettext

Marks = dict[str, Any]  # keyword arguments for matplotlib

# Neutral colours. A style sheet of the page may select them, see `svg.to_svg`.
INK = "#1f1f1f"
MUTED = "#5c5c5c"
RULE = "#9a9a9a"
GRID = "#e6e6e6"
SHADE = "#f2f2f2"
PAPER = "#ffffff"

WIDTH = 7.2  # inches
FONTS = "'Helvetica Neue', Helvetica, Arial, 'Liberation Sans', 'DejaVu Sans', sans-serif"
THIN = 0.6  # points: one seed
BOLD = 1.8  # points: the mean of an arm
_ROW_LABEL = 2.3  # inches: the longest name of a row
_NOTE_SIZES = (8.5, 7.5, 6.5)  # points, of the words in an empty panel
_SMALLEST = 0.65  # share of its size that a long title keeps

_HOUSE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": RULE,
    "axes.facecolor": "none",
    "axes.formatter.limits": (-7, 7),
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.labelcolor": INK,
    "axes.labelpad": 3.0,
    "axes.labelsize": 9,
    "axes.linewidth": 0.6,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.dpi": 72,
    "figure.facecolor": PAPER,
    "font.family": ["sans-serif"],
    # Matplotlib ships this font, so a layout does not depend on those of the machine. The SVG names
    # `FONTS`.
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "grid.color": GRID,
    "grid.linewidth": 0.5,
    "lines.dash_capstyle": "butt",
    "lines.scale_dashes": False,
    "lines.solid_capstyle": "butt",
    "path.simplify": False,  # the page reads numbers from the corners of a curve
    "savefig.dpi": 72,
    "svg.fonttype": "none",
    "svg.hashsalt": "normreport",
    "text.color": INK,
    "text.parse_math": False,  # a dollar sign in the name of a layer stays one
    "xtick.color": RULE,
    "xtick.labelcolor": INK,
    "xtick.labelsize": 8,
    "xtick.major.pad": 2.5,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.color": RULE,
    "ytick.labelcolor": INK,
    "ytick.labelsize": 8,
    "ytick.left": False,
    "ytick.major.pad": 2.5,
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw with the settings of this report, and ignore the user's matplotlibrc."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_HOUSE)
        yield


class ArmStyle(NamedTuple):
    """How one arm looks in every figure: dashes and marker tell arms apart without colour."""

    color: str
    dashes: tuple[float, tuple[float, ...]]  # offset, (on, off, ...) in points; () is solid
    marker: str
    label: str


_SOLID: tuple[float, ...] = ()
_DASHED = (4.5, 2.0)
_DOTTED = (1.3, 1.7)
_DASH_DOT = (6.0, 1.6, 1.3, 1.6)
_LONG = (8.0, 2.5)
_DASH_DOT_DOT = (6.0, 1.5, 1.2, 1.5, 1.2, 1.5)

# The hues of Okabe and Ito with different lightness (raw, unit, imagenet: L* 44, 28 and 59).
# All but the light ones have a contrast of 3:1 on white. Deuteranopes can tell every pair apart.
_ARMS = {
    "raw": ("#b5400a", _SOLID, "o", N_("raw (0-255)")),
    "unit": ("#08427a", _DASHED, "s", N_("unit (/255)")),
    "imagenet": ("#12a088", _DOTTED, "^", N_("imagenet (mean/std)")),
    "placebo": ("#3f97da", _DASH_DOT, "D", N_("placebo (\u00d7 1/255)")),
    "double": ("#8466d6", _LONG, "v", N_("double (/255 twice)")),
    "minmax": ("#c08600", _DASH_DOT_DOT, "P", N_("minmax (per image)")),
    "standardize": ("#4f2a1b", _DASHED, "X", N_("standardize (per image)")),
    "dataset": ("#b93c8f", _DASH_DOT, "<", N_("dataset (own mean/std)")),
    "std_only": ("#1c5a62", _LONG, ">", N_("std_only (/std)")),
    "mean_only": ("#6f7f1e", _DOTTED, "p", N_("mean_only (-mean)")),
    "published_none": ("#3b27a6", _SOLID, "o", N_("published none")),
    "published_minmax": ("#757575", _DASHED, "s", N_("published minmax")),
    "published_meanstd": ("#74123f", _DOTTED, "^", N_("published mean/std")),
}
# For arms that the configuration defines. Found by a search for colours that are far apart, also
# from those of raw, unit, imagenet and placebo, with normal, deuteranopic and protanopic vision
# (simulated as by Machado et al. 2009). The order puts the most different ones first.
_SPARE = (
    ("#e86b06", _DASH_DOT_DOT, "h"),
    ("#144e53", _LONG, "D"),
    ("#1578fa", _DASH_DOT, "v"),
    ("#480408", _DASHED, "P"),
    ("#2aa256", _DOTTED, "X"),
    ("#1f129e", _SOLID, "<"),
    ("#307b97", _DASH_DOT_DOT, ">"),
    ("#6f2304", _LONG, "p"),
    ("#2c6740", _DASH_DOT, "*"),
    ("#02213d", _DASHED, "d"),
    ("#3b5cb8", _DOTTED, "8"),
    ("#0609f9", _SOLID, "H"),
)
_own_looks: dict[str, ArmLook] = {}


def use_looks(looks: Mapping[str, ArmLook]) -> None:
    """Draw the arms that the configuration defines with these looks, until the next call."""
    _own_looks.clear()
    _own_looks.update(looks)


def arm_styles(arms: Sequence[str]) -> dict[str, ArmStyle]:
    """Return the style of every arm; the style of a known arm never depends on the others.

    Parameters
    ----------
    arms : sequence of str
        The arms of the experiment in their order. An arm that is neither built in nor among the
        looks of :func:`use_looks` takes a spare style in turn.

    Returns
    -------
    dict of str to ArmStyle
        In the order of `arms`.
    """
    unknown = [arm for arm in arms if arm not in _ARMS]
    styles = {}
    for arm in arms:
        if arm in _ARMS:
            color, dashes, marker, name = _ARMS[arm]
            label = gettext(name)
        else:
            look = _own_looks.get(arm, ArmLook(label=arm, number=unknown.index(arm)))
            color, dashes, marker = _SPARE[look.number % len(_SPARE)]
            color, label = look.color or color, look.label
        styles[arm] = ArmStyle(color, (0.0, dashes), marker, label)
    return styles


def mean_line(style: ArmStyle) -> Marks:
    """Return the keyword arguments that draw the bold line of an arm's mean."""
    return {"color": style.color, "linestyle": style.dashes, "linewidth": BOLD}


def mark(**of: object) -> Marks:
    """Return the keyword argument that labels a mark, such as ``arm="raw", seed=0``.

    Pass it to a drawing method of matplotlib. `svg.to_svg` writes the labels into the SVG, where
    the controls of the page find them.
    """
    return {"gid": json.dumps({name: str(value) for name, value in of.items()})}


def tint(color: str, strength: float) -> str:
    """Mix a colour with white. The result is opaque, so all renderers show the same colour."""
    red, green, blue = (1 - strength * (1 - channel) for channel in to_rgb(color))
    return to_hex((red, green, blue))


def text_width(text: str, size: float) -> float:
    """Estimate the width of a text in inches.

    An estimate, because the reader's font may differ from the fonts of this machine, and the
    figure must not depend on either.
    """
    return 0.55 * size * sum(map(_relative_width, text)) / 72


def _relative_width(character: str) -> float:
    """Estimate the width of a character, relative to the mean of lower-case letters."""
    if east_asian_width(character) in "WF":
        return 1.85
    if character in "MW":
        return 1.75
    return 1.3 if character.isupper() else 1.0


def shorten(text: str, size: float, room: float) -> str:
    """Cut out the middle of a text that is longer than `room` inches; both ends identify it."""
    if text_width(text, size) <= room * (1 + 1e-9):
        return text
    kept = max(2, int(len(text) * room / text_width(text, size)) - 1)
    return f"{text[: kept - kept // 2]}\u2026{text[-(kept // 2) :]}"


def row_labels(names: Sequence[str], size: float, room: float = _ROW_LABEL) -> list[str]:
    """Shorten the names of a figure's rows to `room` inches, which leaves enough for the panels."""
    return [shorten(name, size, room) for name in names]


def fit_text(text: str, size: float, room: float) -> tuple[str, float]:
    """Fit a title into `room` inches: in a smaller font, then shortened.

    Returns
    -------
    tuple of str and float
        The text and its font size.
    """
    smaller = max(fitting(text, size, room), _SMALLEST * size)
    return shorten(text, smaller, room), smaller


def fitting(text: str, size: float, room: float) -> float:
    """Return the largest font size, up to `size`, at which a text fits into `room` inches."""
    return min(size, size * room / max(text_width(text, size), 1e-9))


def shared_limits(
    *values: npt.ArrayLike, margin: float = 0.04, floor: float | None = None
) -> tuple[float, float]:
    """Compute the limits of an axis that several panels or figures share.

    Parameters
    ----------
    *values : array_like
        Everything that must fit, of any shape; may be empty.
    margin : float
        Share of the range that is added on each side.
    floor : float, optional
        The lower limit; by default a margin below the smallest value.

    Returns
    -------
    tuple of float
        Lower and upper limit, never equal; (0, 1) if there is no value.
    """
    pooled = np.concatenate([np.ravel(np.asarray(each, dtype=float)) for each in values])
    if pooled.size == 0:
        return 0.0, 1.0
    low = float(pooled.min()) if floor is None else floor
    high = float(pooled.max())
    pad = margin * (high - low) or abs(high) * margin or 1.0
    return (low if floor is not None else low - pad), high + pad


def label(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    *,
    inside: tuple[str, str] = ("axes fraction", "axes fraction"),
    offset: tuple[float, float] = (0.0, 0.0),
    **style: Any,
) -> None:
    """Write a text at a point of a panel; it may extend beyond the panel.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The panel.
    text : str
        One line. Renderers place several lines by the fonts of this machine.
    at : tuple of float
        The point, in the coordinates `inside`.
    inside : tuple of str
        The coordinate systems of `at` for x and y: "data" or "axes fraction".
    offset : tuple of float
        Distance to the right and upwards from the point, in points.
    **style
        Keywords of `matplotlib.text.Text`.
    """
    ax.annotate(
        text,
        at,
        xycoords=inside,
        xytext=offset,
        textcoords="offset points",
        annotation_clip=False,
        **style,
    )


def empty_panel(ax: Axes, reason: str) -> None:
    """Write into a panel why it is empty.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        The panel. It keeps its limits and tick labels, which other panels share.
    reason : str
        A sentence or two, wrapped to the panel's width.
    """
    ax.set_facecolor(SHADE)
    ax.grid(visible=False)
    room = 0.92 * ax.get_position().width * WIDTH
    height = 72 * ax.bbox.height / ax.figure.dpi  # in points
    for size in _NOTE_SIZES:
        lines = textwrap.wrap(reason, max(8, int(room / text_width("x", size))))
        if 1.4 * size * len(lines) <= height:
            break
    for i, line in enumerate(lines):
        y = 1.4 * size * ((len(lines) - 1) / 2 - i)
        style: Marks = {"ha": "center", "va": "center", "color": MUTED, "size": size}
        label(ax, line, (0.5, 0.5), offset=(0, y), **style)
