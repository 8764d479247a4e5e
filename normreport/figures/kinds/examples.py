"""Example images as the network sees them under each arm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, TrainingImages, Words
from normreport.figures.page import page
from normreport.figures.pictures import displayed
from normreport.figures.style import (
    MUTED,
    WIDTH,
    Marks,
    arm_styles,
    house_style,
    label,
    row_labels,
    text_width,
)
from normreport.normalizations import normalize
from normreport.text.formatting import format_compact, join_with_and
from normreport.text.language import gettext, ngettext

KIND = Kind(order=(10, 1), arms="all", in_article=True)

_EXAMPLES = 8  # images
_SIZE = 8.5  # of the labels
_HEAD = 0.2  # inches, for the images' labels
_GAP = 0.06
_LARGEST = 0.9  # inches, of an image


@dataclass(frozen=True)
class Prepared:
    """The same images under every arm.

    Attributes
    ----------
    examples : mapping of str to numpy.ndarray
        For each arm the k images after its normalization, float32 of shape (k, H, W, 3).
    labels : sequence of str
        The classes of the k images.
    """

    examples: Mapping[str, npt.NDArray[np.float32]]
    labels: Sequence[str]

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("Example images as the network sees them")

    @property
    def ranges(self) -> dict[str, str]:
        """The smallest and the largest value of each arm, in words."""
        return {
            arm: gettext(
                "%(low)s to %(high)s",
                low=format_compact(images.min()),
                high=format_compact(images.max()),
            )
            for arm, images in self.examples.items()
        }

    @property
    def data(self) -> pd.DataFrame:
        """The values behind the colours, one row per arm and channel.

        Columns `normalization`, `channel`, `min`, `max`, `mean`, `std` (of all values of the
        arm's images, ddof 0).
        """
        rows = [
            (arm, channel, values.min(), values.max(), values.mean(), values.std())
            for arm, images in self.examples.items()
            for channel, values in zip("rgb", np.moveaxis(images.astype(float), -1, 0), strict=True)
        ]
        columns = ["normalization", "channel", "min", "max", "mean", "std"]
        return pd.DataFrame(rows, columns=columns)


def prepare(source: TrainingImages, settings: FigureSettings) -> Prepared:
    """Put the first images through the pipeline of every arm.

    Parameters
    ----------
    source : TrainingImages
        The first images are of different classes.
    settings : FigureSettings
        `normalizations`.

    Returns
    -------
    Prepared
        The normalized images.
    """
    first = source.images[:_EXAMPLES]
    return Prepared(
        examples={
            arm: normalize(first, settings.applied(arm), source.images)
            for arm in settings.normalizations
        },
        labels=[source.classes[label] for label in source.labels[:_EXAMPLES]],
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw one row per arm, and one column per image."""
    styles = arm_styles(list(prepared.examples))
    columns = len(prepared.labels)
    names = row_labels([style.label for style in styles.values()], _SIZE)
    beside = [*prepared.ranges.values(), *names]
    # The names are bold, which is wider than the estimate.
    left = 1.15 * max(text_width(text, _SIZE) for text in beside) + 0.18
    side = min(_LARGEST, (WIDTH - left - _GAP) / columns - _GAP)
    with house_style():
        height, width = next(iter(prepared.examples.values())).shape[1:3]
        body = _HEAD + len(prepared.examples) * (side * height / width + _GAP)
        sheet = page(prepared.title, [], [], body=body)
        panels = sheet.panels(
            len(prepared.examples) * columns,
            columns,
            left=left,
            right=WIDTH - left - columns * (side + _GAP) + _GAP,
            head=_HEAD,
            foot=_GAP,
            gap=(_GAP, _GAP),
        )
        examples = prepared.examples.values()
        rows = displayed([*examples], [(images.min(), images.max()) for images in examples])
        for i, (arm, pictures) in enumerate(zip(prepared.examples, rows, strict=True)):
            row = panels[i * columns : (i + 1) * columns]
            _draw_row(row, pictures, names[i], styles[arm].color, prepared.ranges[arm])
        for ax, text in zip(panels[:columns], prepared.labels, strict=True):
            label(ax, _shortened(text, side), (0.5, 1), offset=(0, 4), ha="center", size=_SIZE)
    return Canvas(figure=sheet.figure)


def _draw_row(
    row: Sequence[Axes], pictures: npt.NDArray[np.uint8], name: str, color: str, values: str
) -> None:
    """Draw the images of one arm, with its name and the range of its values on the left."""
    for ax, image in zip(row, pictures, strict=True):
        ax.imshow(image, interpolation="none")
        ax.set_axis_off()
    look: Marks = {"ha": "right", "size": _SIZE}
    label(row[0], name, (0, 0.5), offset=(-8, 3), weight="bold", color=color, **look)
    label(row[0], values, (0, 0.5), offset=(-8, -9), color=MUTED, **look)


def describe(prepared: Prepared) -> Words:
    """Say how the values become colours, and give their ranges."""
    columns = len(prepared.labels)
    ranges = prepared.ranges.items()
    spans = [gettext("%(range)s in %(arm)s", range=values, arm=arm) for arm, values in ranges]
    observation = gettext("The values range from %(spans)s.", spans=join_with_and(spans))
    count = ngettext(
        "%(num)s example image after each arm's normalization, one row per arm.",
        "%(num)s example images after each arm's normalization, one row per arm.",
        columns,
    )
    reading = gettext(
        "A network gets the numbers, not the colours: for display each row's own range, "
        "printed beside it, is mapped linearly to black and full colour, so rows that look "
        "alike may differ in scale."
    )
    alt = ngettext(
        "%(title)s: %(num)s image in one row per arm.",
        "%(title)s: %(num)s images in one row per arm.",
        columns,
        title=prepared.title,
    )
    return Words(caption=observation, method=f"{count} {reading}", alt=f"{alt} {observation}")


def _shortened(text: str, room: float) -> str:
    """Cut a label to the width of its image."""
    # A class may be a folder whose name is not valid UTF-8.
    text = text.encode(errors="replace").decode()
    fits = max(1, int(room / text_width("x", _SIZE)))
    return text if len(text) <= fits + 1 else text[:fits] + "\u2026"
