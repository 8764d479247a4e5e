"""Numbers and lists in sentences."""

from collections.abc import Callable, Mapping, Sequence

_SUPERSCRIPT = str.maketrans(
    "-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"
)


def number(value: float, digits: int = 3) -> str:
    """Write a number with so many significant digits: 0.0589, -2.12, 1.50 x 10^-7.

    Parameters
    ----------
    value : float
        Any finite number.
    digits : int
        Significant digits.

    Returns
    -------
    str
        With a true minus sign; below 0.0001 and from a million on as a power of ten.
    """
    if value == 0:
        return "0"
    mantissa, _, power = f"{value:.{digits - 1}e}".partition("e")
    exponent = int(power)
    if -4 <= exponent < 6:
        text = f"{float(f'{mantissa}e{exponent}'):.{max(digits - 1 - exponent, 0)}f}"
    else:
        text = f"{mantissa} \u00d7 10{str(exponent).translate(_SUPERSCRIPT)}"
    return text.replace("-", "\u2212")


def compact(value: float, digits: int = 3) -> str:
    """Write a number like `number`, without trailing zeros: 0.5, 255, -2.12, 10^6."""
    mantissa, times, power = number(value, digits).partition(" \u00d7 ")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").rstrip(".")
    return power if times and mantissa == "1" else mantissa + times + power


def percent(share: float, digits: int = 3) -> str:
    """Write a share as a percentage: 0.0123 as 1.23%."""
    return number(100 * share, digits) + "%"


def change(share: float, digits: int = 2) -> str:
    """Write a relative change with its sign: +1.2%, -0.34%."""
    return ("+" if share > 0 else "") + percent(share, digits)


def count(n: int, noun: str) -> str:
    """Write a number of things: 1 seed, 3 seeds."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def listing(items: Sequence[str]) -> str:
    """Join words as a sentence does: a, b and c."""
    if len(items) < 2:
        return "".join(items)
    return ", ".join(items[:-1]) + " and " + items[-1]


def extremes(values: Mapping[str, float], write: Callable[[float], str] = number) -> str:
    """Name the smallest and the largest of some values: 0.0598 (raw) to 0.0608 (imagenet)."""
    low, high = min(values, key=values.__getitem__), max(values, key=values.__getitem__)
    if len(values) == 1:
        return f"{write(values[low])} ({low})"
    if write(values[low]) == write(values[high]):
        return f"all {write(values[low])}"
    return f"{write(values[low])} ({low}) to {write(values[high])} ({high})"
