"""Wasserstein distances between runs: the effect of the arm, and that of the seed."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.collections import PathCollection
from seaborn import swarmplot

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import columns_of_starts, log_axis, page, panel_title
from normreport.figures.runs import (
    arms_in_order,
    in_order,
    last_epoch,
    rows_of,
    run_notes,
)
from normreport.figures.style import (
    INK,
    MUTED,
    Marks,
    empty_panel,
    house_style,
    label,
    mark,
    text_width,
    tint,
)
from normreport.text.formatting import format_number, join_with_and
from normreport.text.labels import layer_label, model_label, network_label, start_title
from normreport.text.language import N_, gettext, ngettext

KIND = Kind(
    order=(50, 1),
    table="products",
    columns=("product",),
    epochs="ends",
    per=("model",),
    splits_layers=True,
)

_MATCHED = N_("other arm, same seed")
_INDEPENDENT = N_("other arm, other seed")
_REPLICATE = N_("same arm, other seed")
_PAIRINGS = (_MATCHED, _INDEPENDENT, _REPLICATE)
_OBSERVATIONS = {
    _MATCHED: N_("%(end)s for arms of one seed"),
    _INDEPENDENT: N_("%(end)s for arms of different seeds"),
    _REPLICATE: N_("%(end)s for seeds of one arm"),
}
# Dark enough for the smallest points. seaborn would draw them above the bars of the means.
_POINT: Marks = {"color": tint(INK, 0.7), "edgecolor": "face", "zorder": 2}
_DIAMETERS = (2.6, 2.2, 1.9, 1.6, 1.4, 1.2, 1.0, 0.8)  # in 1/72 inch, the preferred one first
_HALF_ROW = 0.399  # seaborn moves points that do not fit to 0.4 from the middle of their row
_COLUMNS = [
    "layer",
    "start",
    "pair",
    "normalization_a",
    "seed_a",
    "normalization_b",
    "seed_b",
    "w2_over_sigma0",
    "mean",
]
_PLACE = ["start", "layer", "epoch"]
_NOTE: Marks = {"size": 8, "color": MUTED, "va": "center"}
_BESIDE = ("axes fraction", "data")
_MOST_POINTS = 120  # of one pairing in one panel
_POINTS_OF_ALL = 1500  # of all panels


@dataclass(frozen=True)
class Prepared:
    """The distances between the runs of one model.

    Attributes
    ----------
    model : str
        The networks that the figure shows.
    layer : str, optional
        The only layer; None if the figure shows all kept layers.
    layers, starts : list of str
        A row and a column of panels for each; empty without pairs.
    last_epoch : int
        The last epoch of any pair, which the figure shows.
    pairs : pandas.DataFrame
        One row per pair of runs and epoch, with `pair`: which of arm and seed the two runs share.
    data : pandas.DataFrame
        Columns `layer`, `start`, `pair`, `normalization_a`, `seed_a`, `normalization_b`,
        `seed_b`, `w2_over_sigma0`, and `mean` over all pairs of this kind, drawn or not.
    most : int
        The number of pairs that are drawn of each kind in each panel.
    """

    model: str
    layer: str | None
    layers: list[str]
    starts: list[str]
    last_epoch: int
    pairs: pd.DataFrame
    data: pd.DataFrame
    most: int = _MOST_POINTS

    @property
    def final_pairs(self) -> pd.DataFrame:
        """All pairs at the last epoch."""
        return self.pairs[self.pairs["epoch"] == self.last_epoch]

    @property
    def title(self) -> str:
        """The title."""
        return gettext(
            "%(model)s: distance between runs at epoch %(epoch)s",
            model=network_label(self.model, self.layer),
            epoch=self.last_epoch,
        )


def prepare(source: pd.DataFrame, settings: FigureSettings) -> Prepared:
    """Group the pairs of runs by what the two runs share, and thin them to what is drawn.

    Parameters
    ----------
    source : pandas.DataFrame
        Columns `model`, `start`, `layer`, `epoch`, `normalization_a`, `seed_a`,
        `normalization_b`, `seed_b`, `product`; one row per unordered pair of runs, and per run
        with itself.
    settings : FigureSettings
        `model` selects the rows, and `layer` if it is not None.
    """
    (model,) = settings.required("model")
    layer = {"layer": settings.layer} if settings.layer else {}
    pairs = _distances(rows_of(source, model=model, **layer))
    if pairs.empty:
        return Prepared(model, settings.layer, [], [], 0, pairs, pd.DataFrame(columns=_COLUMNS))
    starts, layers, last = in_order(pairs["start"]), in_order(pairs["layer"]), last_epoch(pairs)
    same_seed = pairs["seed_a"] == pairs["seed_b"]
    same_arm = pairs["normalization_a"] == pairs["normalization_b"]
    pairings = np.select([~same_arm & same_seed, ~same_arm], [_MATCHED, _INDEPENDENT], _REPLICATE)
    pairs = pairs.assign(pair=pairings)
    final = pairs[pairs["epoch"] == last]
    means = final.groupby(["layer", "start", "pair"])["w2_over_sigma0"].transform("mean")
    final = final.assign(mean=means)
    rows = len(layers) * len(starts) * len(_PAIRINGS)
    most = min(_MOST_POINTS, max(2, _POINTS_OF_ALL // rows))
    drawn = [
        _thinned(rows_of(final, layer=layer, start=start, pair=pairing), most)
        for layer in layers
        for start in starts
        for pairing in _PAIRINGS
    ]
    data = pd.concat(drawn, ignore_index=True)[_COLUMNS]
    return Prepared(model, settings.layer, layers, starts, last, pairs, data, most)


def _distances(products: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs of two runs with `w2_over_sigma0`, where it is defined.

    With q for the quantile function of a run, W2^2 of runs a and b is
    ``<q_a, q_a> + <q_b, q_b> - 2 <q_a, q_b>``.
    """
    is_self = (products["normalization_a"] == products["normalization_b"]) & (
        products["seed_a"] == products["seed_b"]
    )
    norms = products[is_self].set_index([*_PLACE, "normalization_a", "seed_a"])["product"]
    pairs = products[~is_self].dropna(subset=["product"])
    squares = -2 * pairs["product"].to_numpy(dtype=float)
    for side in "ab":
        runs = pd.MultiIndex.from_frame(pairs[[*_PLACE, f"normalization_{side}", f"seed_{side}"]])
        squares += norms.reindex(runs).to_numpy(dtype=float)
    # Rounding may leave the square of a distance of 0 below 0.
    return pairs.assign(w2_over_sigma0=np.sqrt(np.maximum(squares, 0.0)))


def draw(prepared: Prepared) -> Canvas:
    """Draw one panel per layer and start, with a row of points per kind of pair."""
    if prepared.pairs.empty:
        return _empty_canvas(prepared)
    places = [(layer, start) for layer in prepared.layers for start in prepared.starts]
    columns = columns_of_starts(len(prepared.starts))
    with house_style():
        body = 0.2 + 1.35 * len(places) / columns
        sheet = page(prepared.title, [], _notes(prepared), body=body)
        names = [gettext(pairing) for pairing in _PAIRINGS]
        left = max(text_width(name, 8) for name in names) + 0.22
        numbers = [format_number(mean) for mean in prepared.data["mean"].unique()]
        right = max((text_width(number, 8) for number in numbers), default=0.4) + 0.1
        panels = sheet.panels(
            len(places), columns, left=left, right=right, head=0.26, gap=(right + 0.08, 0.42)
        )
        for i, ((layer, start), ax) in enumerate(zip(places, panels, strict=True)):
            pairs = rows_of(prepared.data, layer=layer, start=start)
            # On a logarithmic axis, seaborn would round the distances: the scale is set later.
            _draw_swarms(ax, pairs)
            panel_title(ax, layer_label(layer, start))
            log_axis(ax.xaxis, prepared.data["w2_over_sigma0"])
            ax.grid(visible=True, axis="x")
            ax.grid(visible=False, axis="y")
            ax.set_ylim(len(names) - 0.5, -0.5)
            ax.set_yticks(range(len(names)), names)
            ax.spines["left"].set_visible(False)
            is_lowest = i + columns >= len(panels)
            ax.set(xlabel="W2 / \u03c3\u2080" if is_lowest else "", ylabel="")
            if pairs.empty:
                reason = gettext(
                    "No pair of runs reached epoch %(epoch)s.", epoch=prepared.last_epoch
                )
                empty_panel(ax, reason)
            else:
                _draw_means(ax, pairs)
        _fit_swarms(panels)
    return Canvas(figure=sheet.figure)


def describe(prepared: Prepared) -> Words:
    """Explain the points, and give the mean distance of each kind of pair."""
    if prepared.pairs.empty:
        reason = _no_pair(prepared.model)
        return Words(caption=reason, alt=reason)
    final = prepared.final_pairs
    explanation = ngettext(
        "Wasserstein-2 distance between the weights of two runs of %(model)s at epoch %(epoch)s, "
        "over the weights' standard deviation at epoch 0 (\u03c3\u2080). A point is a pair of runs "
        "(%(num)s seed); a bar and its number are the mean of all pairs of a kind. The panels "
        "share a logarithmic axis.",
        "Wasserstein-2 distance between the weights of two runs of %(model)s at epoch %(epoch)s, "
        "over the weights' standard deviation at epoch 0 (\u03c3\u2080). A point is a pair of runs "
        "(%(num)s seeds); a bar and its number are the mean of all pairs of a kind. The panels "
        "share a logarithmic axis.",
        len(set(final["seed_a"]) | set(final["seed_b"])),
        model=model_label(prepared.model),
        epoch=prepared.last_epoch,
    )
    if len(prepared.data) < len(final):
        explanation += " " + gettext(
            "At most %(most)s pairs of each kind are drawn, evenly spaced by rank.",
            most=prepared.most,
        )
    observation = _observation(prepared)
    alt = gettext("%(title)s, by kind of pair.", title=prepared.title)
    return Words(caption=observation, method=explanation, alt=f"{alt} {observation}")


def _no_pair(model: str) -> str:
    return gettext("There is no pair of runs of %(model)s to compare.", model=model_label(model))


def _empty_canvas(prepared: Prepared) -> Canvas:
    """Say in one panel that there is nothing to compare."""
    name = network_label(prepared.model, prepared.layer)
    title = gettext("%(model)s: distance between runs", model=name)
    with house_style():
        sheet = page(title, [], [], body=1.2)
        (ax,) = sheet.panels(1, 1, head=0.08, foot=0.04, left=0.04)
        empty_panel(ax, _no_pair(prepared.model))
        ax.set(xticks=[], yticks=[])
    return Canvas(figure=sheet.figure)


def _thinned(pairs: pd.DataFrame, most: int) -> pd.DataFrame:
    """Keep at most so many pairs, evenly by rank and with both extremes."""
    pairs = pairs.sort_values("w2_over_sigma0", kind="stable")
    if len(pairs) <= most:
        return pairs
    return pairs.iloc[np.linspace(0, len(pairs) - 1, most).round().astype(int)]


def _notes(prepared: Prepared) -> list[str]:
    """Name the runs that have no pair at the last epoch, because they ended before it."""
    sides = [
        prepared.pairs[["start", "epoch", f"normalization_{side}", f"seed_{side}"]].set_axis(
            ["start", "epoch", "normalization", "seed"], axis=1
        )
        for side in "ab"
    ]
    runs = pd.concat(sides).sort_values("epoch", kind="stable", ignore_index=True)
    by_start = {start: rows_of(runs, start=start) for start in prepared.starts}
    means = gettext("Means are over the pairs of runs that both continue.")
    return run_notes(by_start, arms_in_order(runs), prepared.last_epoch, means=means)


def _draw_swarms(ax: Axes, pairs: pd.DataFrame) -> None:
    """Draw a row of points per kind of pair. seaborn moves them apart at every drawing."""
    swarmplot(
        pairs,
        x="w2_over_sigma0",
        y="pair",
        order=_PAIRINGS,
        ax=ax,
        warn_thresh=1,  # no warning: `_fit_swarms` checks that the points fit
        **_POINT,
        **mark(line=gettext("a pair of runs")),
    )
    for points in list(ax.collections):
        if not len(np.asarray(points.get_offsets())):
            points.remove()


def _fit_swarms(panels: list[Axes]) -> None:
    """Choose the largest diameter at which every swarm of the figure fits into its row.

    If a row has dozens of equal distances, none is small enough: points overlap at its edges.
    """
    swarms = [
        points for ax in panels for points in ax.collections if isinstance(points, PathCollection)
    ]
    for diameter in _DIAMETERS:
        if all(_place(points, diameter) for points in swarms):
            return
    for points in swarms:
        _place(points, _DIAMETERS[-1])


def _place(points: PathCollection, diameter: float) -> bool:
    """Place the points of a swarm, and return whether all fit into their row."""
    points.set_sizes([diameter**2])
    points.draw(RendererAgg(1, 1, 72))  # seaborn places points when they are drawn
    heights = np.asarray(points.get_offsets())[:, 1]
    return bool(np.abs(heights - heights.round()).max() < _HALF_ROW)


def _draw_means(ax: Axes, pairs: pd.DataFrame) -> None:
    """Draw the mean of each kind of pair as a bar, and write it beside the panel."""
    for y, pairing in enumerate(_PAIRINGS):
        row = pairs[pairs["pair"] == pairing]
        if row.empty:
            label(ax, gettext("no such pair"), (0.02, y), inside=_BESIDE, **_NOTE)
            continue
        mean = float(row["mean"].iloc[0])
        bar: Marks = {"color": INK, "linewidth": 1.6}
        attributes = mark(line=gettext("mean of all pairs"))
        ax.plot([mean, mean], [y - 0.36, y + 0.36], **bar, **attributes)
        label(ax, format_number(mean), (1, y), inside=_BESIDE, offset=(4, 0), size=8, va="center")


def _observation(prepared: Prepared) -> str:
    """Give the mean distance of each kind of pair, at the last epoch and before training."""
    last = prepared.last_epoch
    means = prepared.pairs.groupby(["start", "pair", "epoch"])["w2_over_sigma0"].mean()
    sentences = []
    for start in prepared.starts:
        texts = []
        for pairing, words in _OBSERVATIONS.items():
            if (start, pairing, last) in means:
                text = gettext(words, end=format_number(means[start, pairing, last]))
                if (start, pairing, 0) in means:
                    text += f" ({format_number(means[start, pairing, 0])})"
                texts.append(text)
        if texts:
            values = {
                "start": start_title(start),
                "epoch": last,
                "means": join_with_and(texts),
            }
            if prepared.layer:
                sentence = gettext(
                    "%(start)s, the mean at epoch %(epoch)s (at epoch 0) is %(means)s.", **values
                )
            else:
                sentence = gettext(
                    "%(start)s, the mean over layers at epoch %(epoch)s (at epoch 0) is %(means)s.",
                    **values,
                )
            sentences.append(sentence)
    return " ".join(sentences) or gettext("There is no pair of runs at this epoch.")
