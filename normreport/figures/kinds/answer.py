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
    DELTA_HIGH,
    DELTA_LOW,
    SEED,
    ContrastEffects,
    absence,
    contrast_effects,
    count_cases,
    count_shown,
    name_largest,
    numbers_of,
)
from normreport.figures.drawing import Canvas, Words
from normreport.figures.page import Key, page, panel_title
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
from normreport.text.language import N_, gettext

KIND = Kind(
    order=(5, 1),
    table="products",
    columns=("product",),
    epochs="ends",
    arms="contrast",
    in_article=True,
)

_BARS: dict[str, Marks] = {DELTA: {"color": "#b5400a"}, SEED: {"color": "#8f9aa6"}}
_ROW = 0.44  # inches per layer
_THICK = 0.36  # of a bar, as a share of a row
_NAMES = 1.75  # inches, for the names of the layers
_SIZE = 11.0  # of all words: the page shows the figure beside the text, at half of its width
_TITLES = {
    "pretrained": N_("From pretrained weights"),
    "scratch": N_("From random weights"),
}


def prepare(source: pd.DataFrame, settings: FigureSettings) -> ContrastEffects:
    """Compute both effects for every layer and start at the last epoch."""
    effects = contrast_effects(source, settings)
    return replace(effects, data=effects.final)


def draw(prepared: ContrastEffects) -> Canvas:
    """Draw a panel per start, with a row per layer and a bar per effect."""
    final = prepared.data
    count = len(prepared.starts)
    rows = [
        [(model, layer) for model, layer, of in prepared.places if of == start] or prepared.shown
        for start in prepared.starts
    ]
    total = sum(map(len, rows))
    body = count * 0.34 + _ROW * total + 0.5
    with house_style():
        title = gettext("What changes the weights?")
        sheet = page(title, _keys(prepared), [], body=body, key_size=_SIZE)
        panels = sheet.panels(
            count,
            1,
            left=_NAMES,
            right=0.1,
            head=0.34,
            foot=0.46,
            gap=(0.0, 0.34),
            shares=[len(own) / total for own in rows],
        )
        ends = prepared.drawn[[DELTA, DELTA_HIGH, SEED]].to_numpy().ravel()
        largest = max(ends, default=1.0) or 1.0
        for start, layers, ax in zip(prepared.starts, rows, panels, strict=True):
            words = gettext(_TITLES[start]) if start in _TITLES else start_title(start)
            panel_title(ax, words, size=_SIZE)
            _axes(ax, layers, largest)
            effects = rows_of(final, start=start)
            if effects.empty:
                empty_panel(ax, absence(prepared.arms))
            else:
                _draw_bars(ax, layers, effects)
        panels[-1].set_xlabel(gettext("shift of the distribution, %% of its width"), size=_SIZE)
    return Canvas(figure=sheet.figure)


def _keys(prepared: ContrastEffects) -> list[Key]:
    one, other = prepared.arms
    switched = gettext("switching from %(one)s to %(other)s", one=one, other=other)
    thick: Marks = {"linewidth": 7, "solid_capstyle": "butt"}
    return [
        Key(switched, _BARS[DELTA] | thick),
        Key(gettext("another random seed"), _BARS[SEED] | thick),
    ]


def _axes(ax: Axes, layers: Sequence[tuple[str, str]], largest: float) -> None:
    """Scale the axes, which all panels share, and name the layers."""
    ax.set_xlim(0, 1.24 * largest)
    ax.set_ylim(len(layers) - 0.45, -0.55)
    ax.tick_params(labelsize=_SIZE - 1)
    ax.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{format_compact(value)}%")
    ax.yaxis.set_major_locator(FixedLocator([]))
    ax.yaxis.set_major_formatter(NullFormatter())
    ax.grid(axis="y", visible=False)
    for row, (model, layer) in enumerate(layers):
        at: Marks = {"inside": ("axes fraction", "data"), "ha": "right", "va": "center"}
        for text, lift, color in ((model_label(model), 7, INK), (layer, -7, MUTED)):
            shown, size = fit_text(text, _SIZE, _NAMES - 0.12)
            label(ax, shown, (0, row), offset=(-6, lift), size=size, color=color, **at)


def _draw_bars(ax: Axes, layers: Sequence[tuple[str, str]], effects: pd.DataFrame) -> None:
    """Draw both bars of every layer, each with its number, and the interval of the shift."""
    for row, (model, layer) in enumerate(layers):
        for _, values in rows_of(effects, model=model, layer=layer).iterrows():
            for place, (column, style) in zip((-0.5, 0.5), _BARS.items(), strict=True):
                value, at = float(values[column]), row + place * _THICK
                ax.barh([at], [value], height=_THICK * 0.92, **style)
                end = value
                if column == DELTA:
                    low, end = float(values[DELTA_LOW]), float(values[DELTA_HIGH])
                    if low < end:
                        ax.plot([low, end], [at, at], color=INK, linewidth=1.1)
                text = f"{format_number(value, 2)}%"
                color = style["color"] if column == DELTA else MUTED
                label(
                    ax, text, (max(end, value), at), inside=("data", "data"), offset=(4, 0),
                    size=_SIZE - 1, va="center", color=color,
                )  # fmt: skip


def describe(prepared: ContrastEffects) -> Words:
    """Compare the effects, and explain both."""
    final = prepared.data
    marks = count_shown(prepared)
    # Fewer than three seeds give no interval.
    if (final[DELTA_LOW] < final[DELTA_HIGH]).any():
        marks.append(gettext("Thin lines: 95%% intervals of the switch."))
    if (final[DELTA] == 0).any():
        marks.append(gettext("0%%: no shift that repeats from seed to seed was detected."))
    explanation = gettext(
        "Width: the standard deviation of the layer\u2019s weights when the training starts. "
        "Switching: the part of the shift from %(one)s to %(other)s that repeats from seed to "
        "seed (\u03b4). Another seed: the typical Wasserstein distance (W2) between two seeds of "
        "one arm.",
        one=prepared.arms[0],
        other=prepared.arms[1],
    )
    alt = gettext("Bars of both shifts, a panel per start and a row per layer.")
    if final.empty:
        reason = absence(prepared.arms)
        return Words(caption=reason, method=explanation, alt=f"{alt} {reason}")
    observation = count_cases(prepared)
    return Words(
        caption=" ".join([observation, *marks]),
        method=explanation,
        alt=" ".join([alt, observation, name_largest(prepared), *numbers_of(prepared)]),
    )
