"""Axes for effects: in units of a claim's margin, and in the unit that its effects are printed in.

The scorecard has one axis for all claims, so effects are divided by the margin. What "divided"
means depends on the statistic, see `in_margins`. The plot of one claim has the claim's own unit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from normreport.text.effects import format_effect

# Logarithms beyond this are as good as infinite on any axis, and their powers are still finite.
_LARGEST_LOG = 100.0
_MOST_TICKS = 5
_LEAST_LOG = math.log(2)
# Intervals may stretch an axis by this share of what the means and the margin span, on each side.
_MOST_STRETCH = 0.6


def in_margins(effect: float, *, margin: float, shown: str) -> float:
    """Return an effect in units of a margin: 1 is at the margin, 0 is no effect.

    Parameters
    ----------
    effect
        The effect, in the unit of the data.
    margin
        The margin, in the same unit; not 0 unless effects are logarithms of sizes.
    shown
        How effects are printed, a value of `normreport.claims.claim.Shown`.

    Returns
    -------
    float
        The quotient. For a logarithm of a ratio this is ``ln r / ln m``: +10% and -9.1% are
        equally far from 0. A size, or a multiple of a bound, is divided by the size at the margin,
        so it is never negative. Of a squared shift, the root with its sign is divided by the root
        of the margin.
    """
    match shown:
        case "size" | "multiple":
            return math.exp(min(effect - margin, _LARGEST_LOG))
        case "shift" | "shift_change":
            return _signed_root(effect) / math.sqrt(margin)
    return effect / margin


def on_axis(effect: float, shown: str) -> float:
    """Return where an effect stands on the axis of its own claim.

    Logarithms stay logarithms, squared shifts become roots with their sign, all else is linear.
    """
    return _signed_root(effect) if shown in ("shift", "shift_change") else effect


def _signed_root(value: float) -> float:
    return math.copysign(math.sqrt(abs(value)), value)


@dataclass(frozen=True)
class Axis:
    """A horizontal axis.

    Attributes
    ----------
    low, high
        Its ends.
    ticks
        Places and labels.
    band
        Where effects are smaller than the margin; None if the margin is 0.
    claimed
        Where the claim puts the effect; an end may be infinite. None for an axis of many claims.
    zero
        Where there is no effect; None if it is not on the axis.
    """

    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    band: tuple[float, float] | None = None
    claimed: tuple[float, float] | None = None
    zero: float | None = 0.0

    @property
    def style(self) -> str:
        """CSS variables that place the zero and the band, in percent of the length."""
        first, last = self.band or (self.low, self.high)
        places = {"from": self.share(first), "to": self.share(last)}
        # Left of the axis it is not drawn.
        places["zero"] = -1.0 if self.zero is None else self.share(self.zero)
        return ";".join(f"--{name}:{100 * share:.4g}%" for name, share in places.items())

    def share(self, value: float) -> float:
        """Return how far a value is from the left end, as a share of the length, from 0 to 1."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    def holds(self, value: float) -> bool:
        """Return whether a value lies on the axis."""
        return self.low <= value <= self.high


def claimed_region(side: str, margin: float) -> tuple[float, float]:
    """Return where a claim puts effects, given the place of its margin on an axis."""
    return {
        "above": (margin, math.inf),
        "below": (-math.inf, margin),
        "within": (-margin, margin),
    }[side]


def effect_axis(
    means: Iterable[float], ends: Iterable[float], *, margin: float, side: str, shown: str
) -> Axis:
    """Make the axis of one claim.

    All means and the margin are on it, and no effect unless effects are sizes. Long intervals
    reach beyond it.

    Parameters
    ----------
    means, ends
        Effects, and ends of their intervals, in the unit of the data.
    margin, side, shown
        Of the claim.
    """
    is_size = shown in ("size", "multiple")
    edge = on_axis(margin, shown)
    band = (-math.inf, edge) if is_size else (-abs(edge), abs(edge))
    marks = [edge, *(on_axis(mean, shown) for mean in means)]
    marks += [] if is_size else [0.0]
    marks += [-edge] if side == "within" else []
    low, high = min(marks), max(marks)
    reach = _MOST_STRETCH * (high - low)
    reached = [on_axis(end, shown) for end in ends]
    low = max(min([low, *reached]), low - reach)
    high = min(max([high, *reached]), high + reach)
    pad = 0.12 * (high - low) or 1.0
    if is_size:
        # Labels have two digits: closer sizes would have the same.
        pad = max(pad, (_LEAST_LOG - (high - low)) / 2)
    low, high = low - pad, high + pad
    return Axis(
        low,
        high,
        tuple(_ticks(low, high, shown)),
        band=band if margin or is_size else None,
        claimed=claimed_region(side, edge),
        zero=None if is_size else 0.0,
    )


def _ticks(low: float, high: float, shown: str) -> Iterator[tuple[float, str]]:
    """Yield places on an axis with round labels, from the left."""
    if shown in ("size", "multiple", "ratio"):
        ends = math.exp(low), math.exp(high)
        if ends[1] > 4 * ends[0]:
            values = _decade_ticks(*ends)
        else:
            # Changes are round relative to 1, sizes relative to 0.
            base = 1.0 if shown == "ratio" else 0.0
            values = [base + tick for tick in _even_ticks(ends[0] - base, ends[1] - base)]
        places = [math.log(value) for value in values]
    else:
        # A squared shift below 0 is printed as 0.
        places = [tick for tick in _even_ticks(low, high) if tick >= 0 or shown != "shift"]
    for place in places:
        effect = math.copysign(place**2, place) if shown.startswith("shift") else place
        yield place, _tick_label(effect, shown)


def _tick_label(effect: float, shown: str) -> str:
    if shown == "points":
        effect, shown = 100 * effect, "number"
    text = format_effect(effect, shown)
    digits, unit = (text[:-1], "%") if text.endswith("%") else (text, "")
    if "." in digits and "×" not in digits:
        digits = digits.rstrip("0").rstrip(".")
    return digits + unit


def _even_ticks(low: float, high: float) -> list[float]:
    """Return at most `_MOST_TICKS` multiples of 1, 2 or 5 times a power of ten."""
    power = math.floor(math.log10((high - low) / _MOST_TICKS))
    for step in (factor * 10.0**exponent for exponent in count(power) for factor in (1, 2, 5)):
        first, last = math.ceil(low / step), math.floor(high / step)
        if last - first < _MOST_TICKS:
            return [step * number for number in range(first, last + 1)]
    raise AssertionError


def _decade_ticks(low: float, high: float) -> list[float]:
    """Return 1, 2 and 5 times powers of ten, or fewer of them if there are too many."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for step in count(1):
        for factors in ((1, 2, 5), (1, 3), (1,)) if step == 1 else ((1,),):
            values = [
                factor * 10.0**decade
                for decade in decades
                if decade % step == 0
                for factor in factors
                if low <= factor * 10.0**decade <= high
            ]
            if len(values) <= _MOST_TICKS:
                return values
    raise AssertionError
