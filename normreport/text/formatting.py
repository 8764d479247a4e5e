"""Format numbers and lists for sentences, in captions, the article and the terminal."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from normreport.text.language import N_, gettext

SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def format_number(value: float | None, digits: int = 3) -> str:
    """Format a number with significant digits: 0.0589, −2.12, 12,300, 1.50 × 10⁻⁷.

    Parameters
    ----------
    value : float or None
        A finite number; None becomes "not available".
    digits : int
        Significant digits.

    Returns
    -------
    str
        With a minus sign (U+2212); as a power of ten below 0.0001 and from a million.
    """
    if value is None:
        return gettext("not available")
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)  # after rounding: 0.9996 is 1.00
    if -4 <= exponent < 6:
        text = f"{float(f'{mantissa}e{exponent}'):,.{max(digits - 1 - exponent, 0)}f}"
    else:
        text = f"{mantissa} × 10{str(exponent).translate(SUPERSCRIPTS)}"
    return text.replace("-", "−")


def format_compact(value: float, digits: int = 3) -> str:
    """Format a number like `format_number`, without trailing zeros: 0.5, 255, -2.12, 10^6."""
    mantissa, times, power = format_number(value, digits).partition(" × ")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return power if times and mantissa == "1" else mantissa + times + power


def format_percent(share: float | None, digits: int = 2) -> str:
    """Format a share as a percentage: 0.0123 is 1.2%."""
    return format_number(None) if share is None else format_number(100 * share, digits) + "%"


def format_integer(value: float) -> str:
    """Format a rounded number with thousands separators."""
    return f"{round(value):,}".replace("-", "−")


def format_change(share: float) -> str:
    """Format a relative change with its sign: +1.2%, -0.34%."""
    return ("+" if share > 0 else "") + format_percent(share)


def join_with_and(values: Iterable[Any]) -> str:
    """Join words with "and": a, b and c."""
    return _joined(values, N_("%(all_but_last)s and %(last)s"))


def join_with_or(values: Iterable[Any]) -> str:
    """Join words with "or": a, b or c."""
    return _joined(values, N_("%(all_but_last)s or %(last)s"))


def _joined(values: Iterable[Any], pattern: str) -> str:
    texts = [str(value) for value in values]
    if len(texts) < 2:
        return "".join(texts)
    return gettext(pattern, all_but_last=", ".join(texts[:-1]), last=texts[-1])


def format_extremes(
    values: Mapping[str, float], write: Callable[[float], str] = format_number
) -> str:
    """Format the smallest and the largest value with their names: 0.06 (raw) to 0.07 (unit)."""
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    if len(values) == 1:
        return f"{write(values[low])} ({low})"
    if write(values[low]) == write(values[high]):
        return gettext("all %(value)s", value=write(values[low]))
    return gettext(
        "%(low)s (%(low_name)s) to %(high)s (%(high_name)s)",
        low=write(values[low]),
        low_name=low,
        high=write(values[high]),
        high_name=high,
    )
