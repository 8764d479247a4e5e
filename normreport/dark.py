"""The figures' colours on a dark page: lightness turned round, hue kept."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

_COLOR = re.compile(r'\b(fill|stroke)="(#[0-9a-f]{6})"')
# Lightness (Oklab, 0 to 1) that white and black get: the dark page's paper, and nearly white.
_PAPER, _BRIGHT = 0.21, 1.11

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


def dark_rules(pictures: Iterable[str]) -> str:
    """Give every colour of some pictures its counterpart on a dark page, as CSS.

    Parameters
    ----------
    pictures
        SVG with colours as presentation attributes, over which any CSS rule wins.

    Returns
    -------
    str
        One rule per attribute and colour, sorted.
    """
    found = {match for picture in pictures for match in _COLOR.findall(picture)}
    return "\n".join(
        f'figure svg [{name}="{color}"] {{ {name}: {dark(color)}; }}'
        for name, color in sorted(found)
    )


def dark(color: str) -> str:
    """Turn the lightness of a colour round, ``#rrggbb`` to ``#rrggbb``.

    What stood out from white by so much stands out from the dark paper by about as much. A colour
    that no screen can show is made paler until one can.
    """
    channels = np.array([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    lightness, *hue = _OKLAB @ np.cbrt(_CONES @ linear)
    turned = min(_PAPER + (1 - lightness) * (_BRIGHT - _PAPER), 0.96)
    for share in np.linspace(1, 0, 51):
        shown = _linear_rgb(np.array([turned, *(share * value for value in hue)]))
        if (shown > -1e-6).all() and (shown < 1 + 1e-6).all():
            break
    shown = shown.clip(0, 1)
    encoded = np.where(shown <= 0.0031308, 12.92 * shown, 1.055 * shown ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{round(255 * value):02x}" for value in encoded)


def _linear_rgb(oklab: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.linalg.solve(_CONES, np.linalg.solve(_OKLAB, oklab) ** 3)
