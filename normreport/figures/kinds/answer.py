"""The answer in one picture: what another arm and what another seed change at the end."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, MaxNLocator, NullFormatter

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.contrast_effects import (
    DELTA,
    SEED,
    ContrastEffects,
    absence,
    contrast_effects,
    numbers_of,
    observe,
)
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, columns_of_starts, page, panel_title
from normreport.figures.runs import rows_of
from normreport.figures.style import (
    INK,
    MUTED,
    Marks,
    empty_panel,
    fit_text,
    house_style,
    label,
)
from normreport.text.formatting import format_compact, format_number
from normreport.text.labels import model_label, start_title
from normreport.text.language import gettext

KIND = Kind(order=(5, 1), table="products", arms="contrast", in_article=True)

_BARS: dict[str, Marks] = {DELTA: {"color": "#b5400a"}, SEED: {"color": "#8f9aa6"}}
_ROW = 0.42  # inches per layer
_THICK = 0.34  # of a bar, as a share of a row
_NAMES = 1.4  # inches, for the names of the layers
_NUMBER = 8.5


def prepare(source: pd.DataFrame, settings: FigureSettings) -> ContrastEffects:
    """Compute both effects for every layer and start at the last epoch."""
    effects = contrast_effects(source, settings)
    return replace(effects, data=effects.final)


def draw(prepared: ContrastEffects) -> Canvas:
    """Draw a panel per start, with a row per layer and a bar per effect."""
    final = prepared.data
    columns = columns_of_starts(len(prepared.starts))
    rows = -(-len(prepared.starts) // columns)
    body = rows * (0.62 + _ROW * len(prepared.layers))
    with house_style():
        sheet = page(gettext("What changes the weights?"), _keys(prepared), [], body=body)
        panels = sheet.panels(
            len(prepared.starts), columns, left=_NAMES, right=0.1, foot=0.36, gap=(0.24, 0.62)
        )
        largest = max(final[[DELTA, SEED]].to_numpy().ravel(), default=1.0) or 1.0
        for i, (start, ax) in enumerate(zip(prepared.starts, panels, strict=True)):
            panel_title(ax, start_title(start))
            _axes(ax, prepared.layers, largest, names=i % columns == 0)
            effects = rows_of(final, start=start)
            if effects.empty:
                empty_panel(ax, absence(prepared.arms))
            else:
                _draw_bars(ax, prepared.layers, effects)
    return Canvas(figure=sheet.figure)


def _keys(prepared: ContrastEffects) -> list[Key]:
    one, other = prepared.arms
    switched = gettext("switching from %(one)s to %(other)s", one=one, other=other)
    thick: Marks = {"linewidth": 7, "solid_capstyle": "butt"}
    return [
        Key(switched, _BARS[DELTA] | thick),
        Key(gettext("training again with another seed"), _BARS[SEED] | thick),
    ]


def _axes(ax: Axes, layers: Sequence[tuple[str, str]], largest: float, *, names: bool) -> None:
    """Scale the axes, which all panels share, and name the layers."""
    ax.set_xlim(0, 1.24 * largest)
    ax.set_ylim(len(layers) - 0.45, -0.55)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{format_compact(value)}%")
    ax.yaxis.set_major_locator(FixedLocator([]))
    ax.yaxis.set_major_formatter(NullFormatter())
    ax.grid(axis="y", visible=False)
    ax.set_xlabel(gettext("shift of the distribution, %% of its width"))
    if names:
        for row, (model, layer) in enumerate(layers):
            at: Marks = {"inside": ("axes fraction", "data"), "ha": "right", "va": "center"}
            for text, lift, color in ((model_label(model), 6, INK), (layer, -5, MUTED)):
                shown, size = fit_text(text, 9, _NAMES - 0.12)
                label(ax, shown, (0, row), offset=(-6, lift), size=size, color=color, **at)


def _draw_bars(ax: Axes, layers: Sequence[tuple[str, str]], effects: pd.DataFrame) -> None:
    """Draw both bars of every layer, each with its number."""
    for row, (model, layer) in enumerate(layers):
        for _, values in rows_of(effects, model=model, layer=layer).iterrows():
            for place, (column, style) in zip((-0.5, 0.5), _BARS.items(), strict=True):
                value, at = float(values[column]), row + place * _THICK
                ax.barh([at], [value], height=_THICK * 0.92, **style)
                text = f"{format_number(value, 2)}%"
                color = style["color"] if column == DELTA else MUTED
                label(
                    ax, text, (value, at), inside=("data", "data"), offset=(4, 0),
                    size=_NUMBER, va="center", color=color,
                )  # fmt: skip


def describe(prepared: ContrastEffects) -> Words:
    """Compare the effects, and explain both."""
    final = prepared.data
    width = gettext("Width: the standard deviation of the layer\u2019s weights before training.")
    explanation = gettext(
        "Switching: the part of the shift from %(one)s to %(other)s that repeats from seed to "
        "seed (\u03b4). "
        "Another seed: the typical Wasserstein distance (W2) between two seeds of one "
        "arm.",
        one=prepared.arms[0],
        other=prepared.arms[1],
    )
    alt = gettext("Bars of both shifts, a panel per start and a row per layer.")
    if final.empty:
        reason = absence(prepared.arms)
        return Words(caption=f"{reason} {width}", method=explanation, alt=f"{alt} {reason}")
    observation = observe(prepared)
    return Words(
        caption=f"{observation} {width}",
        method=explanation,
        alt=" ".join([alt, observation, *numbers_of(final)]),
    )
