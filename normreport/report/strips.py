"""Small pictures for the cells of a table: dots with intervals on a common horizontal axis.

Colours are attributes, because WeasyPrint does not apply the style sheets of a page to SVG. On the
screen, `article.css` replaces them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from normreport.report.axes import Axis
from normreport.statistics.verdict import Verdict
from normreport.text.formatting import format_number

WIDTH = 240  # units of the picture, about a CSS pixel
LINE = 12
_PAD = 5
_RADIUS = 3.6
_LETTER = 6.4  # about the width of a letter of a label
_GAP = 6  # at least, between two labels
_PAPER = "#ffffff"
_INK = "#1b2430"
_COLORS = {
    Verdict.SUPPORTED: "#0a6b4a",
    Verdict.REFUTED: "#a3341f",
    Verdict.MIXED: _INK,
    Verdict.INCONCLUSIVE: "#6b5a00",
    Verdict.NOT_EVALUABLE: "#566372",
}
# Shapes of markers around their middle, and the characters that stand for them in a text.
SHAPES = {
    "●": None,
    "■": "m-3.4-3.4h6.8v6.8h-6.8z",
    "▲": "m0-4.2l4 7.4h-8z",
    "◆": "m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z",
    "▼": "m0 4.2l4-7.4h-8z",
}
# Stands for a difference between two networks.
CROSS = "✕"
_CROSS_PATH = "m-3.2-3.2l6.4 6.4m0-6.4l-6.4 6.4"


@dataclass(frozen=True)
class Dot:
    """An estimate with its interval, on the scale of an axis.

    Attributes
    ----------
    value, low, high
        The estimate and the ends of its interval, which may be None.
    shape
        A key of `SHAPES`, or `CROSS`.
    verdict
        Decides the colour; an undecided dot is hollow.
    """

    value: float
    low: float | None
    high: float | None
    shape: str
    verdict: Verdict


def shape_of(number: int) -> str:
    """Return the shape of the network with this number, counted from 0."""
    return list(SHAPES)[number % len(SHAPES)]


def draw_strip(
    axis: Axis,
    dots: Sequence[Dot],
    words: str | None = None,
    claimed: tuple[float, float] | None = None,
) -> Markup:
    """Draw dots, each on a line of its own.

    What lies beyond the axis is an arrow at its end, with the number of a dot.

    Parameters
    ----------
    axis
        The axis.
    dots
        From the top down.
    words
        The alternative text. Without one, the picture is hidden from screen readers.
    claimed
        Where the claim puts the effect, which a line at the foot of the picture marks.
    """
    height = LINE * max(1, len(dots)) + 2 * _PAD
    body = "".join(
        _draw_dot(axis, dot, _PAD + LINE * (number + 0.5)) for number, dot in enumerate(dots)
    )
    if claimed:
        body = _draw_region(axis, claimed, height - 1) + body
    return _svg(height, body, words)


def draw_axis(axis: Axis, words: str | None = None) -> Markup:
    """Draw the labels of an axis, and a line below them where the claim puts the effect.

    A label without room is left out.
    """
    body = []
    taken = -float(_GAP)
    for value, text in axis.ticks:
        x = WIDTH * axis.share(value)
        width = _LETTER * len(text)
        anchor, left = "middle", x - width / 2
        if left < 0:
            anchor, left = "start", x
        elif x + width / 2 > WIDTH:
            anchor, left = "end", x - width
        if left < taken + _GAP:
            continue
        taken = left + width
        body.append(f'<text x="{_number(x)}" y="10" text-anchor="{anchor}">{escape(text)}</text>')
    style = f'font-size="11" font-family="sans-serif" fill="{_INK}"'
    region = _draw_region(axis, axis.claimed, 16) if axis.claimed else ""
    return _svg(17 if region else 14, f"<g {style}>{''.join(body)}</g>{region}", words)


def _draw_region(axis: Axis, region: tuple[float, float], y: float) -> str:
    left, right = (_number(WIDTH * axis.share(end)) for end in region)
    return f'<path stroke="#8a96a3" stroke-width="2" d="M{left} {_number(y)}H{right}"/>'


def _svg(height: float, body: str, words: str | None) -> Markup:
    described = f' role="img"><title>{escape(words)}</title>' if words else ' aria-hidden="true">'
    return Markup(f'<svg viewBox="0 0 {WIDTH} {_number(height)}"{described}{body}</svg>')


def _draw_dot(axis: Axis, dot: Dot, y: float) -> str:
    """Draw an interval with arrows where it leaves the axis, and its marker."""
    color = _COLORS[dot.verdict]
    marker, first, last = _draw_marker(axis, dot, y)
    interval = ""
    if dot.low is not None and dot.high is not None:
        left = max(first, WIDTH * axis.share(dot.low))
        right = min(last, WIDTH * axis.share(dot.high))
        path = f"M{_number(left)} {_number(y)}H{_number(right)}" if left < right else ""
        if dot.low < axis.low and first == 0:
            path += f"M4 {_number(y - 3)}l-4 3 4 3"
        if dot.high > axis.high and last == WIDTH:
            path += f"M{WIDTH - 4} {_number(y - 3)}l4 3-4 3"
        interval = f'<path d="{path}" fill="none"/>' if path else ""
    name = dot.verdict.lower().replace(" ", "-")
    return f'<g class="{name}" fill="{color}" stroke="{color}">{interval}{marker}</g>'


def _draw_marker(axis: Axis, dot: Dot, y: float) -> tuple[str, float, float]:
    """Draw the marker, and return it with the ends of the room that is left for the interval."""
    if not axis.holds(dot.value):
        return _draw_arrow(dot, y, to_the_right=dot.value > axis.high)
    x = _number(WIDTH * axis.share(dot.value))
    hollow = dot.verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_EVALUABLE)
    fill = f' fill="{_PAPER}"' if hollow else ""
    path = _CROSS_PATH if dot.shape == CROSS else SHAPES[dot.shape]
    if path is None:
        marker = f'<circle cx="{x}" cy="{_number(y)}" r="{_RADIUS}"{fill}/>'
    else:
        marker = f'<path d="M{x} {_number(y)}{path}"{fill}/>'
    return marker, 0, WIDTH


def _draw_arrow(dot: Dot, y: float, *, to_the_right: bool) -> tuple[str, float, float]:
    """Draw a bold arrow at an end of the axis, with the number that lies beyond it."""
    number = format_number(dot.value, 2)
    tip, base, text = (WIDTH, WIDTH - 8, WIDTH - 11) if to_the_right else (0, 8, 11)
    anchor = ' text-anchor="end"' if to_the_right else ""
    marker = (
        f'<path d="M{base} {_number(y - 4)}L{tip} {_number(y)} {base} {_number(y + 4)}z"/>'
        f'<text x="{text}" y="{_number(y + 3.5)}" font-size="10" stroke="none"{anchor}>'
        f"{number}</text>"
    )
    taken = 14 + _LETTER * len(number)
    return (marker, 0, WIDTH - taken) if to_the_right else (marker, taken, WIDTH)


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
