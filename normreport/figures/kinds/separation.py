"""Wasserstein distances between runs: what the arm does, and what the seed does."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing
from normreport.figures.page import log_axis, page, panel_title
from normreport.figures.runs import in_order, last_epoch, rows_of, run_notes
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
from normreport.text.formatting import listing, number
from normreport.text.labels import model_label, start_label, start_title
from normreport.text.language import N_, gettext, ngettext

_MATCHED = N_("other arm, same seed")
_INDEPENDENT = N_("other arm, other seed")
_REPLICATE = N_("same arm, other seed")
_KINDS = (_MATCHED, _INDEPENDENT, _REPLICATE)
_AT_THE_END = {
    _MATCHED: N_("%(end)s for arms of one seed"),
    _INDEPENDENT: N_("%(end)s for arms of different seeds"),
    _REPLICATE: N_("%(end)s for seeds of one arm"),
}
_POINT: Marks = {
    "marker": "o",
    "markersize": 2.6,
    "markeredgewidth": 0,
    "color": tint(INK, 0.5),
    "linestyle": "none",
}
_COLUMNS = [
    "layer",
    "start",
    "pair",
    "normalization_a",
    "seed_a",
    "normalization_b",
    "seed_b",
    "w1_over_sigma0",
    "mean",
]
_NOTE: Marks = {"size": 8, "color": MUTED, "va": "center"}
_BESIDE = ("axes fraction", "data")
_MOST_POINTS = 120  # of one kind in one panel
_GOLDEN = 0.618034  # steps of this share of a row spread any number of points evenly


KIND = Kind(order=(50, 1), table="distances", per=("model",))


def arguments(source: pd.DataFrame, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    return {"distances": source, "model": settings.model}


def draw(distances: pd.DataFrame, *, model: str) -> Drawing:
    """Draw the distances between all pairs of runs at the last epoch, by kind of pair.

    Parameters
    ----------
    distances : pandas.DataFrame
        Columns `model`, `start`, `layer`, `epoch`, `normalization_a`, `seed_a`,
        `normalization_b`, `seed_b`, `w1_over_sigma0`; one row per unordered pair of runs.
    model : str
        Which rows to draw.

    Returns
    -------
    Drawing
        `data` has the columns `layer`, `start`, `pair` (its kind), `normalization_a`, `seed_a`,
        `normalization_b`, `seed_b`, `w1_over_sigma0`, and `mean` (of all pairs of the kind, also
        where only some are drawn).
    """
    shown = rows_of(distances, model=model)
    if shown.empty:
        return _no_pair(model)
    starts = in_order(shown["start"])
    layers = in_order(shown["layer"])
    last = last_epoch(shown)
    same_seed = shown["seed_a"] == shown["seed_b"]
    same_arm = shown["normalization_a"] == shown["normalization_b"]
    kinds = np.select([~same_arm & same_seed, ~same_arm], [_MATCHED, _INDEPENDENT], _REPLICATE)
    shown = shown.assign(pair=kinds)
    final = shown[shown["epoch"] == last]
    keys = _COLUMNS[:3]
    final = final.assign(mean=final.groupby(keys)["w1_over_sigma0"].transform("mean"))
    data = pd.concat(
        [
            _thinned(rows_of(final, layer=layer, start=start, pair=kind))
            for layer in layers
            for start in starts
            for kind in _KINDS
        ],
        ignore_index=True,
    )
    data = data[_COLUMNS]

    title = gettext(
        "%(model)s: distance between runs at epoch %(epoch)s", model=model_label(model), epoch=last
    )
    with house_style():
        sheet = page(title, [], _missing(shown, starts, last), body=0.2 + 1.35 * len(layers))
        words = [gettext(kind) for kind in _KINDS]
        left = max(text_width(text, 8) for text in words) + 0.22
        panels = sheet.panels(
            len(layers) * len(starts), len(starts), left=left, right=0.5, head=0.26,
            gap=(0.58, 0.42),
        )  # fmt: skip
        for i, ax in enumerate(panels):
            start = starts[i % len(starts)]
            layer = layers[i // len(starts)]
            panel_title(ax, f"{layer}, {start_label(start)}")
            log_axis(ax.xaxis, data["w1_over_sigma0"])
            ax.grid(visible=True, axis="x")
            ax.grid(visible=False, axis="y")
            ax.set_ylim(len(_KINDS) - 0.5, -0.5)
            ax.set_yticks(range(len(words)), words)
            ax.spines["left"].set_visible(False)
            if i + len(starts) >= len(panels):
                ax.set_xlabel("W1 / \u03c3\u2080")
            drawn = rows_of(data, layer=layer, start=start)
            if drawn.empty:
                empty_panel(ax, gettext("No pair of runs reached epoch %(epoch)s.", epoch=last))
            else:
                _strips(ax, drawn)

    seen = _observation(shown, starts, last)
    reading = ngettext(
        "Wasserstein-1 distance between the weights of two runs of %(model)s at epoch %(epoch)s, "
        "over the weights' standard deviation at epoch 0 (\u03c3\u2080). Points are pairs of runs "
        "of %(num)s seed, bars and numbers the mean of all pairs of a kind; the panels share a "
        "logarithmic axis.",
        "Wasserstein-1 distance between the weights of two runs of %(model)s at epoch %(epoch)s, "
        "over the weights' standard deviation at epoch 0 (\u03c3\u2080). Points are pairs of runs "
        "of %(num)s seeds, bars and numbers the mean of all pairs of a kind; the panels share a "
        "logarithmic axis.",
        len(set(final["seed_a"]) | set(final["seed_b"])),
        model=model_label(model),
        epoch=last,
    )
    if len(data) < len(final):
        reading += " " + gettext(
            "Of each kind %(most)s at most are drawn, evenly by rank.", most=_MOST_POINTS
        )
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=f"{reading} {seen}",
        alt=gettext("%(title)s, by kind of pair.", title=title) + f" {seen}",
    )


def _no_pair(model: str) -> Drawing:
    """Say that there is nothing to compare, as with a single run."""
    name = model_label(model)
    reason = gettext("There is no pair of runs of %(model)s to compare.", model=name)
    with house_style():
        sheet = page(gettext("%(model)s: distance between runs", model=name), [], [], body=1.2)
        (ax,) = sheet.panels(1, 1, head=0.08, foot=0.04, left=0.04)
        empty_panel(ax, reason)
        ax.set(xticks=[], yticks=[])
    return Drawing(
        figure=sheet.figure, data=pd.DataFrame(columns=_COLUMNS), caption=reason, alt=reason
    )


def _thinned(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep at most so many pairs, evenly by rank and with both extremes."""
    pairs = pairs.sort_values("w1_over_sigma0", kind="stable")
    if len(pairs) <= _MOST_POINTS:
        return pairs
    return pairs.iloc[np.linspace(0, len(pairs) - 1, _MOST_POINTS).round().astype(int)]


def _missing(shown: pd.DataFrame, starts: list[str], last: int) -> list[str]:
    """Name the runs that have no pair at the last epoch, since they ended before it."""
    sides = [
        shown[["start", "epoch", f"normalization_{side}", f"seed_{side}"]].set_axis(
            ["start", "epoch", "normalization", "seed"], axis=1
        )
        for side in "ab"
    ]
    runs = pd.concat(sides).sort_values("epoch", kind="stable", ignore_index=True)
    arms = in_order(runs["normalization"])
    by_start = {start: rows_of(runs, start=start) for start in starts}
    means = gettext("Means are over the pairs whose runs both go on.")
    return run_notes(by_start, arms, last, means=means)


def _strips(ax: Axes, drawn: pd.DataFrame) -> None:
    """One row of points per kind of pair, its mean as a bar and as a number."""
    for y, kind in enumerate(_KINDS):
        pairs = drawn[drawn["pair"] == kind]
        if pairs.empty:
            label(ax, gettext("no such pair"), (0.02, y), inside=_BESIDE, **_NOTE)
            continue
        jitter = ((np.arange(len(pairs)) * _GOLDEN + 0.5) % 1 - 0.5) * 0.5
        of = mark(line=gettext("a pair of runs"))
        ax.plot(pairs["w1_over_sigma0"], y + jitter, **_POINT, **of)
        mean = float(pairs["mean"].iloc[0])
        bar: Marks = {"color": INK, "linewidth": 1.6}
        of = mark(line=gettext("mean of all pairs"))
        ax.plot([mean, mean], [y - 0.36, y + 0.36], **bar, **of)
        label(ax, number(mean), (1, y), inside=_BESIDE, offset=(4, 0), size=8, va="center")


def _observation(shown: pd.DataFrame, starts: list[str], last: int) -> str:
    """Give the mean distance of each kind of pair, and what it was before training."""
    means = shown.groupby(["start", "pair", "epoch"])["w1_over_sigma0"].mean()
    sentences = []
    for start in starts:
        texts = []
        for kind, words in _AT_THE_END.items():
            if (start, kind, last) in means:
                text = gettext(words, end=number(means[start, kind, last]))
                if (start, kind, 0) in means:
                    text += f" ({number(means[start, kind, 0])})"
                texts.append(text)
        if texts:
            sentences.append(
                gettext(
                    "%(start)s, the mean over layers at epoch %(epoch)s (at epoch 0) is %(means)s.",
                    start=start_title(start),
                    epoch=last,
                    means=listing(texts),
                )
            )
    return " ".join(sentences) or gettext("There is no pair of runs at this epoch.")
