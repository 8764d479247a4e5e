"""Give the figures' colours dark-mode counterparts: inverted lightness, the same hue."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_COLOR = re.compile(r'\b(fill|stroke)="(#[0-9a-f]{6})"')
# Lightness (Oklab, 0 to 1) that white and black become: the dark background, and nearly white.
_BACKGROUND, _FOREGROUND = 0.21, 1.11

# Björn Ottosson's Oklab (2020): linear sRGB to cone responses, and their cube roots to L, a, b.
_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def color_rules(pictures: Iterable[str]) -> str:
    """Write CSS that maps the colours of pictures to variables of the page's theme.

    Parameters
    ----------
    pictures
        SVG with colours as presentation attributes, which any CSS rule overrides.

    Returns
    -------
    str
        The variables, such as ``--c-0b5cad`` with its light and its dark value, and one rule per
        attribute and colour, sorted.
    """
    pairs = sorted({match for picture in pictures for match in _COLOR.findall(picture)})
    variables = [
        f"--c-{color[1:]}: light-dark({color}, {darken(color)});"
        for color in sorted({color for _, color in pairs})
    ]
    rules = [
        f'figure svg [{name}="{color}"] {{ {name}: var(--c-{color[1:]}); }}'
        for name, color in pairs
    ]
    return "\n".join([":root {", *variables, "}", *rules])


def darken(color: str) -> str:
    """Invert the lightness of a colour, ``#rrggbb`` to ``#rrggbb``.

    The contrast with the dark background is about the former contrast with white. A colour outside
    the sRGB gamut is desaturated until it fits.
    """
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    lightness, *hue = _OKLAB @ np.cbrt(_CONES @ linear)
    inverted = min(_BACKGROUND + (1 - lightness) * (_FOREGROUND - _BACKGROUND), 0.96)
    for share in np.linspace(1, 0, 51):
        shown = _linear_rgb(np.array([inverted, *(share * value for value in hue)]))
        if (shown > -1e-6).all() and (shown < 1 + 1e-6).all():
            break
    shown = shown.clip(0, 1)
    encoded = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * value):02x}" for value in encoded)


def _linear_rgb(oklab: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.solve(_CONES, np.linalg.solve(_OKLAB, oklab) ** 3)
