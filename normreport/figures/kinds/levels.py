"""The published pipelines "none" and "min/max" on every value that a pixel can have."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.ticker import MultipleLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, TrainingImages, Words
from normreport.figures.page import Key, page, panel_title
from normreport.figures.style import MUTED, ArmStyle, Marks, arm_styles, house_style, mark, tint
from normreport.normalizations import batches, normalize
from normreport.text.language import gettext, ngettext

KIND = Kind(
    order=(60, 1),
    arms=("published_none", "published_minmax", "placebo"),
    is_of_the_article=True,
)

_LEVELS = 256
_NONE = "published_none"
_MINMAX = "published_minmax"
_PLACEBO = "placebo"


@dataclass(frozen=True)
class Prepared:
    """The input value of every level of a pixel.

    Attributes
    ----------
    levels : mapping of str to numpy.ndarray
        For the arms `published_none`, `published_minmax` and `placebo` the input values of the
        levels 0 to 255, float32 of shape (256,), not negative.
    pixels : int
        How many values the training images have.
    unequal_pixels : int
        How many of these values have other bits under `published_minmax` than under
        `published_none`.
    """

    levels: Mapping[str, npt.NDArray[np.float32]]
    pixels: int
    unequal_pixels: int

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("Two published pipelines on every level of a pixel")

    @property
    def data(self) -> pd.DataFrame:
        """What is drawn.

        Columns `level`, `normalization`, `input` and `last_places` (the signed difference from
        `published_none`, in units of the last place of a float32).
        """
        # Neighbouring floats of one sign are neighbouring integers.
        reference = self.levels[_NONE].view(np.int32).astype(int)
        tables = [
            pd.DataFrame(
                {
                    "level": range(_LEVELS),
                    "normalization": arm,
                    "input": values,
                    "last_places": values.view(np.int32).astype(int) - reference,
                }
            )
            for arm, values in self.levels.items()
        ]
        return pd.concat(tables, ignore_index=True)


def prepare(source: TrainingImages, settings: FigureSettings) -> Prepared:
    """Put every level through the pipelines, and compare them on the training images.

    Parameters
    ----------
    source : TrainingImages
        All training images.
    settings : FigureSettings
        `normalizations`, the two pipelines that are compared first.

    Returns
    -------
    Prepared
        The levels, and how many values of the images differ.
    """
    arms = settings.normalizations
    every = np.arange(_LEVELS, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    images, unequal = source.images, 0
    for batch in batches(len(images), images.shape[1]):
        none, minmax = (normalize(images[batch], arm).view(np.int32) for arm in arms[:2])
        unequal += int(np.count_nonzero(none != minmax))
    return Prepared(
        levels={arm: normalize(every, arm)[0, :, :, 0].ravel() for arm in arms},
        pixels=images.size,
        unequal_pixels=unequal,
    )


def draw(prepared: Prepared) -> Canvas:
    """Draw the input values, and below by how many last places they differ."""
    data, styles = prepared.data, arm_styles(list(prepared.levels))
    marks = _marks(styles)
    with house_style():
        keys = [Key(styles[arm].label, look) for arm, look in marks.items()]
        sheet = page(prepared.title, keys, [], body=3.9)
        panels = sheet.panels(2, 1, head=0.08, gap=(0.0, 0.28), shares=(0.64, 0.36))
        below = gettext("difference from none, in units of the last place")
        panel_title(panels[1], below, MUTED)
        panels[0].set_ylabel(gettext("input value"))
        panels[1].set_xlabel(gettext("level of the pixel"))
        panels[1].yaxis.set_major_locator(MultipleLocator(1))
        for ax, column in zip(panels, ("input", "last_places"), strict=True):
            ax.set_xlim(-4, _LEVELS + 3)
            ax.xaxis.set_major_locator(MultipleLocator(51))
            ax.margins(y=0.12)
            shown = (_NONE, _MINMAX) if column == "input" else (_MINMAX, _PLACEBO)
            for arm in shown:
                rows = data[data["normalization"] == arm]
                ax.plot(rows["level"], rows[column], **marks[arm], **mark(line=styles[arm].label))
    return Canvas(figure=sheet.figure)


def _marks(styles: Mapping[str, ArmStyle]) -> dict[str, Marks]:
    """Give the looks of the arms: a wide line, a narrow line upon it, and points."""
    return {
        _NONE: {"color": tint(styles[_NONE].color, 0.35), "linewidth": 6},
        _MINMAX: {"color": styles[_MINMAX].color, "linewidth": 1.4},
        _PLACEBO: {
            "color": styles[_PLACEBO].color,
            "linestyle": "none",
            "marker": styles[_PLACEBO].marker,
            "markersize": 2.4,
            "markeredgewidth": 0,
        },
    }


def describe(prepared: Prepared) -> Words:
    """Say what is compared, and count the differences."""
    method = gettext(
        "What the network gets for each of the %(levels)s levels of a pixel from the article's "
        "pipelines without normalization (wide line) and with min/max scaling (narrow line "
        "upon it). Below, how many units of a float's last place lie between them; the "
        "placebo, which multiplies by 1/255 instead of dividing, shows that this view can see "
        "the smallest difference there is.",
        levels=_LEVELS,
    )
    observation = _observation(prepared)
    return Words(caption=observation, method=method, alt=f"{prepared.title}. {observation}")


def _observation(prepared: Prepared) -> str:
    """Count the levels and the values of images that differ."""
    data = prepared.data
    unequal = data[data["last_places"] != 0].groupby("normalization").size()
    pipelines = gettext(
        "The two pipelines differ in %(unequal)s of %(levels)s levels and in %(unequal_pixels)s of "
        "the %(pixels)s values of the training images.",
        unequal=unequal.get(_MINMAX, 0),
        levels=_LEVELS,
        unequal_pixels=f"{prepared.unequal_pixels:,}",
        pixels=f"{prepared.pixels:,}",
    )
    placebo = ngettext(
        "The placebo differs in %(unequal)s levels, by at most %(num)s last place.",
        "The placebo differs in %(unequal)s levels, by at most %(num)s last places.",
        int(data["last_places"].abs().max()),
        unequal=unequal.get(_PLACEBO, 0),
    )
    return f"{pipelines} {placebo}"
