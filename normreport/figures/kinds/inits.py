"""How far the standard deviations of random inits lie apart, and how far those of the runs do."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.init_law import init_band
from normreport.figures.page import Key, log_axis, page
from normreport.figures.ranges import arms_in_color, name_colors
from normreport.figures.runs import (
    arms_in_order,
    last_epoch,
    row_of_largest,
)
from normreport.figures.style import (
    GRID,
    INK,
    MUTED,
    RULE,
    ArmStyle,
    Marks,
    arm_styles,
    empty_panel,
    house_style,
    label,
    mark,
    row_labels,
    text_width,
)
from normreport.statistics.initialization import init_std_range
from normreport.text.formatting import format_percent
from normreport.text.labels import model_label
from normreport.text.language import N_, gettext, ngettext

KIND = Kind(
    order=(80, 1),
    table="measures",
    columns=("std", "n", "kaiming_std"),
    epochs="ends",
    only_start="scratch",
    highlights_contrast=True,
)

# The article compares three pipelines: the number of inits if there is a single seed.
_PUBLISHED_PIPELINES = 3
# The values of the column `compared`.
_LAW = "random inits, 95%"
_FIRST = N_("seeds, epoch 0")
_SEEDS = N_("seeds, last epoch")
_ARMS = N_("arms of one seed, last epoch")
_OFFSETS = {_FIRST: -0.24, _SEEDS: 0.0, _ARMS: 0.24}  # within a layer's row
_KEY_BAR: Marks = {"color": GRID, "linewidth": 9}
_BAR: Marks = {**_KEY_BAR, "linewidth": 26, "zorder": 0}
_POINT: Marks = {"linestyle": "none", "markersize": 4, "markeredgewidth": 0}
_FIRST_POINT: Marks = {**_POINT, "marker": "D", "color": INK}
_ARMS_POINT: Marks = {**_POINT, "marker": "x", "color": MUTED, "markeredgewidth": 1.0}
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


@dataclass(frozen=True)
class Prepared:
    """The ranges of the standard deviation, in theory and observed.

    Attributes
    ----------
    arms : list of str
        All arms of the experiment, in order.
    colored : list of str
        The arms that are drawn in colour.
    layers : pandas.DataFrame
        One row per layer with a known law: columns `model`, `layer`, `weights` (their number),
        `std_at_init` (of the law), `inits` (their number: the most seeds that an arm of the model
        has), `limit_percent` (the 95% point of their range, in percent of `std_at_init`) and
        `standard_error_percent` (of one init's standard deviation).
    last_epoch : int
        The last epoch of any run.
    data : pandas.DataFrame
        The columns of `layers`, and `compared` (which runs, or the law), `of` (the arm or seed
        that the runs share) and `range_percent`: the largest minus the smallest standard
        deviation of the runs, or the limit. Where an arm has fewer seeds, `inits` is their number
        and `limit_percent` that of as many inits.
    """

    arms: list[str]
    colored: list[str]
    layers: pd.DataFrame
    last_epoch: int
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title."""
        return gettext("Standard deviation of the weights: what random inits alone give")

    @property
    def has_fewer_seeds(self) -> bool:
        """Whether some arm has fewer seeds than its model's bar stands for."""
        most = self.data.groupby(["model", "layer"])["inits"].transform("max")
        return bool((self.data["inits"] < most).any())

    @property
    def ranges(self) -> pd.DataFrame:
        """The rows of `data` that compare runs."""
        return self.data[self.data["compared"] != _LAW]


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Compare the ranges over groups of runs with the range over random inits.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `normalization`, `seed`, `layer`, `epoch`, `std`, `n` (weights) and
        `kaiming_std`; only runs that start from scratch.
    settings : FigureSettings
        `contrast`, if there are many arms. The figure shows all models and layers.
    """
    last = last_epoch(source)
    layers = _limits(source)
    rows = []
    for layer in layers.to_dict("records"):
        law = {"compared": _LAW, "of": "law", "range_percent": layer["limit_percent"]}
        rows += [{**layer, **values} for values in [law, *_ranges(source, layer, last)]]
    arms = arms_in_order(source)
    return Prepared(
        arms=arms,
        colored=arms_in_color(arms, settings.contrast),
        layers=layers,
        last_epoch=last,
        data=pd.DataFrame(rows, columns=_COLUMNS),
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one row per layer: a bar for random inits, and a point per group of runs."""
    styles = _styles(prepared)
    layers, ranges = prepared.layers, prepared.ranges
    rows = max(1, len(layers))
    places = list(zip(layers["model"], layers["layer"], strict=True))
    names = row_labels([f"{model_label(model)}, {layer}" for model, layer in places], 9)
    with house_style():
        sheet = page(prepared.title, _keys(styles), [], body=0.55 + 0.58 * rows)
        left = max([text_width(name, 9) for name in names], default=0.5) + 0.12
        (ax,) = sheet.panels(1, 1, left=left, right=0.62, head=0.1, foot=0.42)
        log_axis(ax.xaxis, prepared.data["range_percent"], unit="%")
        ax.set_xlabel(gettext("range of the standard deviation, %% of that at the init"))
        ax.grid(visible=True, axis="x")
        ax.grid(visible=False, axis="y")
        ax.set_ylim(rows - 0.5, -0.5)
        ax.set_yticks(range(len(names)), names)
        ax.spines["left"].set_visible(False)
        if layers.empty:
            empty_panel(ax, _no_law())
        for y, limit in enumerate(layers["limit_percent"]):
            model, layer = places[y]
            ax.plot([ax.get_xlim()[0], limit], [y, y], **_BAR)
            at, inside = (1, y), ("axes fraction", "data")
            label(ax, format_percent(limit / 100, 2), at, inside=inside, offset=(5, 0),
                  va="center", size=8)  # fmt: skip
            is_here = (ranges["model"] == model) & (ranges["layer"] == layer)
            _draw_points(ax, ranges[is_here], y, styles)
    return Canvas(figure=sheet.figure)


def describe(prepared: Prepared) -> Words:
    """Explain the bars and points, and count the points beyond their bar."""
    explanation = gettext(
        "The range (largest minus smallest) of the standard deviation of a layer\u2019s weights "
        "over runs from scratch, in percent of that of the initial distribution."
    )
    alt = gettext("%(title)s, one row per layer.", title=prepared.title)
    if prepared.layers.empty:
        return Words(caption=_no_law(), method=explanation, alt=f"{alt} {_no_law()}")
    low, high = prepared.layers["inits"].min(), prepared.layers["inits"].max()
    bars = gettext(
        "Grey bars end at the numbers at the right: 95%% of the ranges of %(inits)s independent "
        "inits are smaller (exact for Gaussian weights).",
        inits=high if low == high else gettext("%(low)s to %(high)s", low=low, high=high),
    )
    if prepared.has_fewer_seeds:
        bars += " " + gettext("An arm with fewer seeds is counted by the bar of as many inits.")
    points = gettext(
        "Points are the ranges over the seeds of an arm, at epoch 0 and at epoch %(epoch)s, and "
        "over the arms of one seed, which share their init, at epoch %(epoch)s.",
        epoch=prepared.last_epoch,
    )
    observation = _observation(prepared.ranges)
    method = " ".join([explanation, bars, points, *name_colors(prepared.arms, prepared.colored)])
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _no_law() -> str:
    return gettext("No run starts from weights of a known law.")


def _limits(scratch: pd.DataFrame) -> pd.DataFrame:
    """Return the table `layers` of `Prepared`."""
    rows = []
    for (model, layer), runs in scratch.groupby(["model", "layer"], sort=False):
        if init_band(runs) is not None:
            seeds = int(runs.groupby("normalization")["seed"].nunique().max())
            inits = seeds if seeds > 1 else _PUBLISHED_PIPELINES
            n, sigma = int(runs["n"].iloc[0]), float(runs["kaiming_std"].iloc[0])
            rows.append((model, layer, n, sigma, inits, 100 * init_std_range(n, inits)))
    columns = ["model", "layer", "weights", "std_at_init", "inits", "limit_percent"]
    limits = pd.DataFrame(rows, columns=columns)
    return limits.assign(standard_error_percent=100 / np.sqrt(2 * (limits["weights"] - 1)))


def _ranges(
    measures: pd.DataFrame, layer: Mapping[Hashable, Any], last: int
) -> list[dict[str, Any]]:
    """Return the ranges of a layer's standard deviation over groups of two or more runs.

    A group that lost a run since epoch 0 has no range.
    """
    is_here = (measures["model"] == layer["model"]) & (measures["layer"] == layer["layer"])
    runs = measures[is_here]
    ranges = []
    for compared, epoch, shared in (
        (_FIRST, 0, "normalization"),
        (_SEEDS, last, "normalization"),
        (_ARMS, last, "seed"),
    ):
        members = runs[runs["epoch"] == 0].groupby(shared, sort=False).size()
        groups = runs[runs["epoch"] == epoch].groupby(shared, sort=False)["std"]
        for name, std in groups:
            if len(std) == members[name] > 1:
                size = 100 * (std.max() - std.min()) / layer["std_at_init"]
                row = {"compared": compared, "of": str(name), "range_percent": size}
                if shared == "normalization":
                    row["inits"] = len(std)
                    row["limit_percent"] = 100 * init_std_range(layer["weights"], len(std))
                ranges.append(row)
    return ranges


def _styles(prepared: Prepared) -> dict[str, ArmStyle]:
    """Return the style of every arm; those without a colour share one."""
    styles = arm_styles(prepared.arms)
    other = ArmStyle(RULE, (0.0, ()), "o", gettext("another arm"))
    return {arm: styles[arm] if arm in prepared.colored else other for arm in prepared.arms}


def _keys(styles: Mapping[str, ArmStyle]) -> list[Key]:
    """Return an entry for the bars and one for each kind of point."""
    return [
        Key(gettext("95%% of random inits"), _KEY_BAR),
        Key(gettext(_FIRST), _FIRST_POINT),
        *(
            Key(gettext("seeds of %(arm)s", arm=style.label), _seeds_point(style))
            for style in dict.fromkeys(styles.values())
        ),
        Key(gettext("arms of one seed"), _ARMS_POINT),
    ]


def _seeds_point(style: ArmStyle) -> Marks:
    return {**_POINT, "marker": style.marker, "color": style.color}


def _draw_points(ax: Axes, ranges: pd.DataFrame, y: int, styles: Mapping[str, ArmStyle]) -> None:
    """Draw the ranges of a layer's groups of runs, a line of points for each comparison."""
    points = {_FIRST: _FIRST_POINT, _ARMS: _ARMS_POINT}
    for compared, of, percent in zip(
        ranges["compared"], ranges["of"], ranges["range_percent"], strict=True
    ):
        point = points.get(compared) or _seeds_point(styles[of])
        attributes = mark(line=f"{gettext(compared)}, {of}")
        ax.plot(percent, y + _OFFSETS[compared], **point, **attributes)


def _observation(ranges: pd.DataFrame) -> str:
    """Count what lies beyond the limit, and give the widest range of each comparison."""
    texts = []
    for compared, rows in ranges.groupby("compared", sort=False):
        widest = row_of_largest(rows, rows["range_percent"])
        texts.append(
            ngettext(
                "%(compared)s, %(beyond)s of %(num)s range (%(most)s, %(model)s, %(layer)s)",
                "%(compared)s, %(beyond)s of %(num)s ranges (at most %(most)s, %(model)s, "
                "%(layer)s)",
                len(rows),
                compared=gettext(str(compared)),
                beyond=int((rows["range_percent"] > rows["limit_percent"]).sum()),
                most=format_percent(widest["range_percent"] / 100, 2),
                model=model_label(widest["model"]),
                layer=widest["layer"],
            )
        )
    if not texts:
        return gettext("There are no two runs to compare.")
    return gettext("Beyond the bar are: %(ranges)s.", ranges="; ".join(texts))
