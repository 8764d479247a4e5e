"""The published pipelines "none" and "min/max" on every value that a pixel can have."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.ticker import MultipleLocator

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing, TrainingImages
from normreport.figures.page import Key, page, panel_title
from normreport.figures.style import MUTED, Marks, arm_styles, house_style, mark, tint
from normreport.normalizations import batches, normalize
from normreport.text.language import gettext, ngettext

_LEVELS = 256
_NONE = "published_none"
_MINMAX = "published_minmax"
_PLACEBO = "placebo"


KIND = Kind(order=(60, 1), arms=("published_none", "published_minmax", "placebo"))


def arguments(source: TrainingImages, settings: FigureSettings) -> dict[str, Any]:
    """Give the arguments of :func:`draw`; this goes once the kind has prepare and describe."""
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    arms = settings.normalizations
    levels = {arm: normalize(every, arm)[0, :, :, 0].ravel() for arm in arms}
    images, unequal = source.images, 0
    for part in batches(len(images), images.shape[1]):
        none, minmax = (normalize(images[part], arm).view(np.int32) for arm in arms[:2])
        unequal += int(np.count_nonzero(none != minmax))
    return {"levels": levels, "pixels": images.size, "unequal_pixels": unequal}


def draw(
    levels: dict[str, npt.NDArray[np.float32]], *, pixels: int, unequal_pixels: int
) -> Drawing:
    """Draw the input value of every level, and by how many last places two pipelines differ.

    Parameters
    ----------
    levels : dict of str to numpy.ndarray
        For the arms `published_none`, `published_minmax` and `placebo` the input values of the
        levels 0 to 255, shape (256,), not negative.
    pixels, unequal_pixels : int
        How many values the training images have, and how many of them have other bits under
        `published_minmax` than under `published_none`.

    Returns
    -------
    Drawing
        `data` has the columns `level`, `normalization`, `input` and `last_places` (the signed
        difference from `published_none`, in units of the last place of a float32).
    """
    reference = levels[_NONE].view(np.int32).astype(int)
    data = pd.concat(
        [
            pd.DataFrame(
                {
                    "level": range(_LEVELS),
                    "normalization": arm,
                    "input": values,
                    "last_places": values.view(np.int32).astype(int) - reference,
                }
            )
            for arm, values in levels.items()
        ],
        ignore_index=True,
    )
    styles = arm_styles(list(levels))
    marks: dict[str, Marks] = {
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
    title = gettext("Two published pipelines on every level of a pixel")
    with house_style():
        keys = [Key(styles[arm].label, look) for arm, look in marks.items()]
        sheet = page(title, keys, [], body=3.9)
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

    unequal = data[data["last_places"] != 0].groupby("normalization").size()
    pipelines = gettext(
        "The two pipelines differ in %(unequal)s of %(levels)s levels and in %(unequal_pixels)s of "
        "the %(pixels)s values of the training images.",
        unequal=unequal.get(_MINMAX, 0),
        levels=_LEVELS,
        unequal_pixels=f"{unequal_pixels:,}",
        pixels=f"{pixels:,}",
    )
    placebo = ngettext(
        "The placebo differs in %(unequal)s levels, by at most %(num)s last place.",
        "The placebo differs in %(unequal)s levels, by at most %(num)s last places.",
        int(data["last_places"].abs().max()),
        unequal=unequal.get(_PLACEBO, 0),
    )
    seen = f"{pipelines} {placebo}"
    return Drawing(
        figure=sheet.figure,
        data=data,
        caption=gettext(
            "What the network gets for each of the %(levels)s levels of a pixel from the article's "
            "pipelines without normalization (wide line) and with min/max scaling (narrow line "
            "upon it). Below, how many units of a float's last place lie between them; the "
            "placebo, which multiplies by 1/255 instead of dividing, shows that this view can see "
            "the smallest difference there is.",
            levels=_LEVELS,
        )
        + f" {seen}",
        alt=f"{title}. {seen}",
    )
