"""The distribution of the values that enter the network, arm by arm."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, TrainingImages, Words
from normreport.figures.page import Key, balanced_columns, log_axis, page, panel_title
from normreport.figures.runs import in_order
from normreport.figures.style import (
    Marks,
    arm_styles,
    house_style,
    mark,
    shared_limits,
)
from normreport.normalizations import Images, Inputs, Normalization, batches, normalize
from normreport.text.formatting import format_compact, format_number
from normreport.text.language import N_, gettext

KIND = Kind(order=(10, 2), arms="all")

BINS = 64  # of a histogram
_CHANNELS: dict[str, tuple[str, Marks]] = {
    "r": (N_("red"), {"color": "#c8452f", "linewidth": 1.3}),
    "g": (N_("green"), {"color": "#4a9a3c", "linewidth": 1.2, "linestyle": (0.0, (4.0, 2.0))}),
    "b": (N_("blue"), {"color": "#2b5cb8", "linewidth": 1.1, "linestyle": (0.0, (1.3, 1.7))}),
}
_LOG_FROM = 50.0  # ratio of the largest share to the median share


@dataclass(frozen=True)
class Prepared:
    """The histograms of the input values.

    Attributes
    ----------
    histograms : pandas.DataFrame
        As :func:`input_histograms` returns them.
    """

    histograms: pd.DataFrame

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("Values that enter the network")

    @property
    def arms(self) -> list[str]:
        """The arms of the experiment."""
        return in_order(self.histograms["normalization"])

    @property
    def data(self) -> pd.DataFrame:
        """The histograms, with `share_percent` instead of `share`."""
        edges = self.histograms[["normalization", "channel", "left", "right"]]
        return edges.assign(share_percent=100 * self.histograms["share"])

    @property
    def is_by_decades(self) -> bool:
        """Whether the shares differ so much that they need a logarithmic axis."""
        shares = self.data["share_percent"]
        shares = shares[shares > 0]
        return bool(len(shares)) and bool(shares.max() > _LOG_FROM * shares.median())


def prepare(source: TrainingImages, settings: FigureSettings) -> Prepared:
    """Count the input values of every arm, see :func:`input_histograms`.

    Parameters
    ----------
    source : TrainingImages
        All training images.
    settings : FigureSettings
        `normalizations`.

    Returns
    -------
    Prepared
        The histograms.
    """
    arms = {arm: settings.applied(arm) for arm in settings.normalizations}
    return Prepared(input_histograms(source.images, arms))


def input_histograms(images: Images, arms: Mapping[str, Normalization]) -> pd.DataFrame:
    """Compute a histogram of every arm and channel, on the arm's own range.

    Parameters
    ----------
    images : numpy.ndarray
        uint8 of shape (N, H, W, 3).
    arms : mapping of str to Normalization
        The normalization of each arm. They are applied to one batch of images at a time, and
        twice: once for the range, and once to count.

    Returns
    -------
    pandas.DataFrame
        Columns `normalization`, `channel` ("r", "g" or "b"), `left`, `right` (a bin's edges) and
        `share`; one row per bin, from left to right. The shares of a channel sum to 1.
    """
    tables = []
    for arm, applied in arms.items():
        extremes = [(values.min(), values.max()) for values in _inputs(images, applied)]
        low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
        edges = np.linspace(float(low), float(high), BINS + 1)
        counts = np.sum([_counts(values, edges) for values in _inputs(images, applied)], axis=0)
        for channel, counted in zip("rgb", counts, strict=True):
            columns = {"left": edges[:-1], "right": edges[1:], "share": counted / counted.sum()}
            tables.append(pd.DataFrame({"normalization": arm, "channel": channel, **columns}))
    return pd.concat(tables, ignore_index=True)


def _inputs(images: Images, normalization: Normalization) -> Iterator[Inputs]:
    """Normalize the images, batch by batch."""
    for batch in batches(len(images), images.shape[1]):
        yield normalize(images[batch], normalization, images)


def _counts(inputs: Inputs, edges: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Count every channel's values per bin, shape (3, bins)."""
    return np.array([np.histogram(inputs[..., channel], bins=edges)[0] for channel in range(3)])


def draw(prepared: Prepared) -> Canvas:
    """Draw one panel per arm, in the arm's own units."""
    arms = prepared.arms
    columns = balanced_columns(len(arms))
    with house_style():
        keys = [Key(gettext(name), style) for name, style in _CHANNELS.values()]
        rows = -(-len(arms) // columns)
        sheet = page(prepared.title, keys, [], body=2.6 if rows == 1 else 2.0 * rows)
        panels = sheet.panels(len(arms), columns, head=0.26, gap=(0.2, 0.66))
        for i, (arm, ax) in enumerate(zip(arms, panels, strict=True)):
            if i % columns == 0:
                ax.set_ylabel(gettext("share of values (%%)"))
            _draw_panel(ax, prepared, arm)
    return Canvas(figure=sheet.figure)


def _draw_panel(ax: Axes, prepared: Prepared, arm: str) -> None:
    """Draw the histogram of every channel of an arm."""
    data, style = prepared.data, arm_styles(prepared.arms)[arm]
    panel_title(ax, style.label, style.color)
    ax.tick_params(labelbottom=True)
    ax.set_xlabel(gettext("input value"))
    bins = data[data["normalization"] == arm]
    ax.set_xlim(shared_limits(bins["left"], bins["right"], margin=0.02))
    ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    if prepared.is_by_decades:
        log_axis(ax.yaxis, data["share_percent"], unit="%")
    else:
        ax.set_ylim(shared_limits(data["share_percent"], floor=0.0))
        ax.yaxis.set_major_formatter("{x:g}%")
    for channel, (name, look) in _CHANNELS.items():
        own = bins[bins["channel"] == channel]
        edges = [*own["left"], *own["right"].iloc[-1:]]
        of = mark(arm=arm, line=gettext(name))
        ax.stairs(own["share_percent"], edges, baseline=None, **look, **of)


def describe(prepared: Prepared) -> Words:
    """Say how to read the axes, and give the range of every arm."""
    method = gettext(
        "Distribution of the input values per channel, one panel per arm: the horizontal axis has "
        "the arm's own units, the vertical axis is shared and gives the percentage of a channel's "
        "values in each bin."
    )
    if prepared.is_by_decades:
        method += " " + gettext("The vertical axis goes by decades.")
    alt = gettext("%(title)s: histogram per arm and channel.", title=prepared.title)
    observation = _observation(prepared.data, prepared.arms)
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _observation(data: pd.DataFrame, arms: list[str]) -> str:
    """Give each arm's range, and its mean and standard deviation as the bins show them."""
    texts = []
    for arm in arms:
        bins = data[data["normalization"] == arm]
        filled = bins[bins["share_percent"] > 0]
        middle = (bins["left"] + bins["right"]) / 2
        mean = np.average(middle, weights=bins["share_percent"])
        std = np.sqrt(np.average((middle - mean) ** 2, weights=bins["share_percent"]))
        texts.append(
            gettext(
                "%(arm)s %(low)s to %(high)s, mean %(mean)s, standard deviation %(std)s",
                arm=arm,
                low=format_compact(filled["left"].min()),
                high=format_compact(filled["right"].max()),
                mean=format_number(mean),
                std=format_number(std),
            )
        )
    return gettext("The filled bins span: %(spans)s.", spans="; ".join(texts))
