"""Example images as the network sees them under each arm."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing, TrainingImages
from normreport.figures.page import page
from normreport.figures.pictures import displayed
from normreport.figures.style import (
    MUTED,
    WIDTH,
    Marks,
    arm_styles,
    house_style,
    label,
    text_width,
)
from normreport.normalizations import normalize
from normreport.text.formatting import compact, listing
from normreport.text.language import gettext, ngettext

_SIZE = 8.5  # of the labels
_HEAD = 0.2  # inches, for the images' labels
_GAP = 0.06
_LARGEST = 0.9  # inches, of an image


KIND = Kind(order=(10, 1), arms="all")

EXAMPLES = 8


def arguments(source: TrainingImages, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    # The first images are of different classes.
    first = source.images[:EXAMPLES]
    return {
        "examples": {arm: normalize(first, arm, source.images) for arm in settings.normalizations},
        "labels": [source.classes[label] for label in source.labels[:EXAMPLES]],
    }


def draw(examples: dict[str, npt.NDArray[np.float32]], *, labels: list[str]) -> Drawing:
    """Draw example images: one row per arm, one column per image.

    Parameters
    ----------
    examples : dict of str to numpy.ndarray
        For each arm the same k images after its normalization, shape (k, H, W, 3).
    labels : list of str
        What the k images show.

    Returns
    -------
    Drawing
        `data` has one row per arm and channel: `normalization`, `channel`, `min`, `max`, `mean`,
        `std` (of all values of the arm's images, ddof 0).
    """
    styles = arm_styles(list(examples))
    data = pd.DataFrame(
        [
            (arm, channel, part.min(), part.max(), part.mean(), part.std())
            for arm, images in examples.items()
            for channel, part in zip("rgb", np.moveaxis(images.astype(float), -1, 0), strict=True)
        ],
        columns=["normalization", "channel", "min", "max", "mean", "std"],
    )
    ranges = {
        arm: gettext("%(low)s to %(high)s", low=compact(images.min()), high=compact(images.max()))
        for arm, images in examples.items()
    }
    columns = len(labels)
    beside = [*ranges.values(), *(style.label for style in styles.values())]
    left = max(text_width(text, _SIZE) for text in beside) + 0.18
    side = min(_LARGEST, (WIDTH - left - _GAP) / columns - _GAP)
    title = gettext("Example images as the network sees them")
    with house_style():
        height, width = next(iter(examples.values())).shape[1:3]
        body = _HEAD + len(examples) * (side * height / width + _GAP)
        sheet = page(title, [], [], body=body)
        panels = sheet.panels(
            len(examples) * columns,
            columns,
            left=left,
            right=WIDTH - left - columns * (side + _GAP) + _GAP,
            head=_HEAD,
            foot=_GAP,
            gap=(_GAP, _GAP),
        )
        for i, (arm, images) in enumerate(examples.items()):
            row = panels[i * columns : (i + 1) * columns]
            for ax, image in zip(row, displayed(images, images.min(), images.max()), strict=True):
                ax.imshow(image, interpolation="none")
                ax.set_axis_off()
            look: Marks = {"ha": "right", "size": _SIZE}
            name, color = styles[arm].label, styles[arm].color
            label(row[0], name, (0, 0.5), offset=(-8, 3), weight="bold", color=color, **look)
            label(row[0], ranges[arm], (0, 0.5), offset=(-8, -9), color=MUTED, **look)
        for ax, text in zip(panels, labels, strict=False):  # the first row only
            label(ax, _shortened(text, side), (0.5, 1), offset=(0, 4), ha="center", size=_SIZE)

    spans = [gettext("%(range)s in %(arm)s", range=r, arm=arm) for arm, r in ranges.items()]
    seen = gettext("The values range from %(spans)s.", spans=listing(spans))
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=ngettext(
            "%(num)s example image after each arm's normalization, one row per arm.",
            "%(num)s example images after each arm's normalization, one row per arm.",
            columns,
        )
        + " "
        + gettext(
            "A network gets the numbers, not the colours: for display each row's own range, "
            "printed beside it, is mapped linearly to black and full colour, so rows that look "
            "alike may differ in scale."
        )
        + f" {seen}",
        alt=ngettext(
            "%(title)s: %(num)s image in one row per arm.",
            "%(title)s: %(num)s images in one row per arm.",
            columns,
            title=title,
        )
        + f" {seen}",
    )


def _shortened(text: str, room: float) -> str:
    """Cut a label to the width of its image; a class may be a folder with an undecodable name."""
    text = text.encode(errors="replace").decode()
    fits = max(1, int(room / text_width("x", _SIZE)))
    return text if len(text) <= fits + 1 else text[:fits] + "\u2026"
