"""Format the effects of claims in units that a reader understands."""

from __future__ import annotations

import math

from normreport.text.formatting import format_change, format_number, format_percent
from normreport.text.language import gettext


def format_effect(value: float, shown: str) -> str:
    """Format an effect, or an end of its interval.

    Parameters
    ----------
    value
        The effect in the units of the data.
    shown
        How the claim's effects are printed, a value of `normreport.claims.claim.Shown`.

    Returns
    -------
    str
        ``+31%`` for ln of a ratio, ``1.4%`` for a squared shift of 0.0002.
    """
    match shown:
        case "percent":
            return format_percent(value)
        case "points":
            return gettext("%(number)s points", number=format_number(100 * value, 2))
        case "ratio":
            return format_change(math.expm1(value))
        case "size":
            return format_percent(math.exp(value))
        case "multiple":
            return format_number(math.exp(value), 2)
        case "shift":
            return format_percent(math.sqrt(max(value, 0.0)))
        case "shift_change":
            return format_change(math.copysign(math.sqrt(abs(value)), value))
    return format_number(value)


def format_margin(margin: float, shown: str) -> str:
    """Format the margin of a claim; a change has no sign."""
    if shown == "ratio":
        return format_percent(math.expm1(margin))
    if shown == "shift_change":
        return format_effect(margin, "shift")
    return format_effect(margin, shown)


def format_interval(mean: float, low: float | None, high: float | None, shown: str) -> str:
    """Format an effect with its interval: 2.2% [1.9%, 2.5%], 3.2 points [1.5, 4.9]."""
    text = format_effect(mean, shown)
    if low is None or high is None:
        return text
    if shown == "points":
        return f"{text} [{format_number(100 * low, 2)}, {format_number(100 * high, 2)}]"
    return f"{text} [{format_effect(low, shown)}, {format_effect(high, shown)}]"
