"""What another arm does to a layer's distribution, beside what another seed does."""

from collections.abc import Sequence

import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.contrast_effects import (
    DELTA,
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
from normreport.figures.page import (
    Key,
    columns_of_starts,
    epoch_axis,
    log_axis,
    page,
    panel_title,
)
from normreport.figures.runs import in_order, rows_of, run_notes
from normreport.figures.style import BOLD, MUTED, Marks, empty_panel, house_style, label, mark
from normreport.text.formatting import format_number
from normreport.text.labels import model_label, start_label
from normreport.text.language import gettext

KIND = Kind(order=(45, 1), table="products", columns=("product",), arms="contrast", in_article=True)

_LINES: dict[str, Marks] = {
    DELTA: {"color": "#b5400a", "linewidth": BOLD, "linestyle": "-"},
    SEED: {"color": MUTED, "linewidth": BOLD, "linestyle": (0, (4.5, 2.0))},
}
_NUMBER = 8.0  # size of the numbers at the lines' ends


def prepare(source: pd.DataFrame, settings: FigureSettings) -> ContrastEffects:
    """Compute both effects for every layer, start and epoch."""
    return contrast_effects(source, settings)


def _title(prepared: ContrastEffects) -> str:
    one, other = prepared.arms
    return gettext(
        "From %(one)s to %(other)s, or to another seed: what changes the weights more?",
        one=one,
        other=other,
    )


def draw(prepared: ContrastEffects) -> Canvas:
    """Draw a row of panels per layer and a panel per start, with a line per effect."""
    places, drawn = prepared.places, prepared.drawn
    columns = columns_of_starts(len(prepared.starts))
    with house_style():
        rows = -(-len(places) // columns)
        sheet = page(_title(prepared), _keys(prepared), _notes(prepared), body=0.4 + 1.42 * rows)
        panels = sheet.panels(
            len(places), columns, left=0.72, right=0.42, head=0.26, gap=(0.5, 0.34)
        )
        for i, ((model, layer, start), ax) in enumerate(zip(places, panels, strict=True)):
            effects = rows_of(drawn, model=model, layer=layer, start=start)
            panel_title(ax, f"{model_label(model)}, {layer}, {start_label(start)}")
            epoch_axis(ax, prepared.last)
            log_axis(ax.yaxis, drawn[[DELTA, SEED]], unit="%")
            if i % columns == 0:
                ax.set_ylabel(gettext("of \u03c3\u2080"))
            if i + columns >= len(panels):
                ax.set_xlabel(gettext("epoch"))
            if effects.empty:
                empty_panel(ax, absence(prepared.arms))
            else:
                _draw_effects(ax, effects, prepared.arms)
                if effects["epoch"].max() < prepared.last:
                    _draw_stop(ax, effects.iloc[-1])
    return Canvas(figure=sheet.figure)


def _keys(prepared: ContrastEffects) -> list[Key]:
    one, other = prepared.arms
    switched = gettext("switching from %(one)s to %(other)s (\u03b4)", one=one, other=other)
    return [Key(switched, _LINES[DELTA]), Key(gettext("another seed (W2)"), _LINES[SEED])]


def _notes(prepared: ContrastEffects) -> list[str]:
    """Name the runs that ended early."""
    means = gettext("A line ends with the first of its runs.")
    notes = []
    for model, runs in prepared.runs.groupby("model", sort=False):
        by_start = {start: rows_of(runs, start=start) for start in in_order(runs["start"])}
        arms = in_order(runs["normalization"])
        for note in run_notes(by_start, arms, prepared.last, means=means):
            if note != means:
                named = gettext("%(model)s: %(note)s", model=model_label(str(model)), note=note)
                notes.append(named)
    return [*notes, means] if notes else []


def _draw_effects(ax: Axes, effects: pd.DataFrame, arms: Sequence[str]) -> None:
    """Draw both lines, and write their last values at their ends."""
    switched = gettext("switching from %(one)s to %(other)s", one=arms[0], other=arms[1])
    names = {DELTA: switched, SEED: gettext("another seed")}
    point: Marks = {"marker": "o", "markersize": 4} if len(effects) == 1 else {}
    for column, style in _LINES.items():
        marks = style | point | mark(line=names[column])
        ax.plot(effects["epoch"], effects[column], **marks)
    end = effects.iloc[-1]
    for column, lift in _lifts(ax, end).items():
        text = f"{format_number(float(end[column]), 2)}%"
        at = (float(end["epoch"]), float(end[column]))
        style = {"size": _NUMBER, "va": "center", "color": _LINES[column]["color"]}
        label(ax, text, at, inside=("data", "data"), offset=(5, lift), **style)


def _draw_stop(ax: Axes, end: pd.Series) -> None:
    """Say why the lines end, at the height that is farthest from their numbers."""
    heights = [ax.transData.transform((0.0, end[column]))[1] for column in _LINES]
    room = [ax.bbox.y0 + share * ax.bbox.height for share in (0.06, 0.5, 0.92)]
    free = max(room, key=lambda y: min(abs(y - height) for height in heights))
    at = (float(end["epoch"]), float((free - ax.bbox.y0) / ax.bbox.height))
    style: Marks = {"size": _NUMBER, "va": "center", "color": MUTED}
    text = gettext("a run diverged")
    label(ax, text, at, inside=("data", "axes fraction"), offset=(5, 0), **style)


def _lifts(ax: Axes, end: pd.Series) -> dict[str, float]:
    """Return how far to lift each number, in points, so that they do not overlap."""
    # A figure has 72 dots per inch, so that dots are points.
    heights = {column: ax.transData.transform((0.0, end[column]))[1] for column in _LINES}
    low, high = sorted(heights, key=heights.__getitem__)
    overlap = max(0.0, _NUMBER + 1 - (heights[high] - heights[low]))
    return {low: -overlap / 2, high: overlap / 2}


def describe(prepared: ContrastEffects) -> Words:
    """Compare the effects at the last epoch, and explain both."""
    final = prepared.final
    explanation = gettext(
        "Percent of \u03c3\u2080, the standard deviation of the layer\u2019s weights at epoch 0; "
        "all panels share a logarithmic axis with 0 at its foot. \u03b4 is the part of the shift "
        "between the distributions of %(one)s and %(other)s that repeats from seed to seed: the "
        "root of the mean product of the shifts of two different seeds, 0 if that is negative. "
        "W2 is the root mean square of the Wasserstein-2 distance between two seeds of one arm.",
        one=prepared.arms[0],
        other=prepared.arms[1],
    )
    alt = gettext("%(title)s By epoch, a panel per layer and start.", title=_title(prepared))
    if final.empty:
        reason = absence(prepared.arms)
        return Words(caption=reason, method=explanation, alt=f"{alt} {reason}")
    observation = f"{count_cases(prepared)} {name_largest(prepared)}"
    return Words(
        caption=observation,
        method=" ".join([explanation, *count_shown(prepared)]),
        alt=" ".join([alt, observation, *numbers_of(prepared)]),
    )
