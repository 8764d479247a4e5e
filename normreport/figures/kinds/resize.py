"""What the Resize step, which one published pipeline alone has, changes in the input."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes

from normreport.config.figure_kinds import Kind
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Canvas, TrainingImages, Words
from normreport.figures.page import Key, page, panel_title
from normreport.figures.pictures import displayed
from normreport.figures.style import (
    MUTED,
    WIDTH,
    Marks,
    arm_styles,
    house_style,
    label,
    mark,
    mean_line,
    text_width,
)
from normreport.normalizations import normalize
from normreport.text.formatting import format_number, format_percent
from normreport.text.language import gettext, ngettext

KIND = Kind(order=(60, 2), arms=("imagenet", "published_meanstd"), is_of_the_article=True)

# Equal but for the Resize: both go on with the mean and std of ImageNet.
_BEFORE = "imagenet"
_AFTER = "published_meanstd"
_SIZE = 8.5  # of the rows' labels
_SIDE = 0.92  # inches, of an image
_GAP = 0.06
_IMAGES = 3  # of a row
# Enough images for the mean spectrum; at 224 pixels a side they take 19 MB.
_RESIZED = 32
_FREQUENCIES = np.linspace(0, 0.5, 101)  # cycles per pixel; 0.5 is a period of two pixels


@dataclass(frozen=True)
class Prepared:
    """Images with and without the Resize.

    Attributes
    ----------
    inputs : mapping of str to numpy.ndarray
        The same k images under `imagenet`, float32 of shape (k, H, W, 3), and under
        `published_meanstd`, which resizes them first, of shape (k, H', W', 3).
    data : pandas.DataFrame
        Columns `normalization`, `pixels` (of an image), `std` (of an image's values),
        `neighbour_difference` (mean absolute, of two pixels side by side or above each other),
        `frequency` (cycles per pixel) and `share` (of an image's variance at or below it). All
        are means over the k images.
    """

    inputs: Mapping[str, npt.NDArray[np.float32]]
    data: pd.DataFrame

    @property
    def title(self) -> str:
        """The title of the figure."""
        return gettext("What Resize does to the input of one published pipeline")

    @property
    def rows(self) -> dict[str, npt.NDArray[np.float32]]:
        """The rows of images by their names; the last is the centre, in the size of the first."""
        before, after = self.inputs[_BEFORE], self.inputs[_AFTER]
        height, width = (
            min(pair) for pair in zip(before.shape[1:3], after.shape[1:3], strict=True)
        )
        top, left = (after.shape[1] - height) // 2, (after.shape[2] - width) // 2
        return {
            gettext("without Resize"): before,
            gettext("after Resize"): after,
            gettext("after Resize, centre"): after[:, top : top + height, left : left + width],
        }


def prepare(source: TrainingImages, settings: FigureSettings) -> Prepared:
    """Normalize the first images in both ways, and compute their spectra.

    Parameters
    ----------
    source : TrainingImages
        The training images.
    settings : FigureSettings
        `normalizations`.

    Returns
    -------
    Prepared
        Images and spectra.
    """
    images = source.images[:_RESIZED]
    return compare({arm: normalize(images, arm) for arm in settings.normalizations})


def compare(inputs: Mapping[str, npt.NDArray[np.float32]]) -> Prepared:
    """Compute the spectra of images under `imagenet` and under `published_meanstd`."""
    tables = [_described(arm, inputs[arm]) for arm in (_BEFORE, _AFTER)]
    return Prepared(inputs, pd.concat(tables, ignore_index=True))


def draw(prepared: Prepared) -> Canvas:
    """Draw images before and after the Resize, and their spectra."""
    rows = prepared.rows
    styles = arm_styles([_BEFORE, _AFTER])
    lines = {_BEFORE: {**mean_line(styles[_BEFORE]), "linestyle": "-"}}
    lines[_AFTER] = mean_line(styles[_AFTER])
    beside = max(text_width(name, _SIZE) for name in rows) + 0.14
    shown = min(_IMAGES, len(prepared.inputs[_BEFORE]))
    with house_style():
        keys = [Key(name, lines[arm]) for name, arm in zip(rows, lines, strict=False)]
        sheet = page(prepared.title, keys, [], body=0.1 + 3 * (_SIDE + _GAP) + 0.34)
        pictures = sheet.panels(
            3 * shown,
            shown,
            left=beside,
            right=WIDTH - beside - shown * (_SIDE + _GAP) + _GAP,
            head=0.1,
            foot=0.34,
            gap=(_GAP, _GAP),
        )
        limits = prepared.inputs[_BEFORE].min(), prepared.inputs[_BEFORE].max()
        visible = displayed([images[:shown] for images in rows.values()], [limits] * len(rows))
        for i, (name, images) in enumerate(rows.items()):
            _draw_row(pictures[i * shown : (i + 1) * shown], visible[i], name, images.shape[1:3])
        (spectrum,) = sheet.panels(1, 1, left=beside + shown * (_SIDE + _GAP) + 0.6, head=0.3)
        panel_title(spectrum, gettext("variance up to a frequency"), MUTED)
        spectrum.set(xlim=(-0.01, 0.51), ylim=(0, 1.03))
        spectrum.set_xlabel(gettext("cycles per pixel"))
        spectrum.set_ylabel(gettext("share of the variance"))
        curves = prepared.data.groupby("normalization", sort=False)
        for name, (arm, curve) in zip(rows, curves, strict=False):
            spectrum.plot(curve["frequency"], curve["share"], **lines[str(arm)], **mark(line=name))
    return Canvas(figure=sheet.figure)


def _draw_row(
    row: Sequence[Axes], pictures: npt.NDArray[np.uint8], name: str, size: tuple[int, int]
) -> None:
    """Draw a row of pictures, with its name and the size of an image on the left."""
    for ax, image in zip(row, pictures, strict=True):
        ax.imshow(image, interpolation="none")
        ax.set_axis_off()
    height, width = size
    look: Marks = {"ha": "right", "size": _SIZE}
    label(row[0], name, (0, 0.5), offset=(-8, 3), weight="bold", **look)
    label(row[0], f"{height} \u00d7 {width} px", (0, 0.5), offset=(-8, -9), color=MUTED, **look)


def describe(prepared: Prepared) -> Words:
    """Say what the rows are, and compare the numbers before and after."""
    method = gettext(
        "Training images as the network gets them with ImageNet\u2019s mean and standard "
        "deviation, without the Resize that only this published pipeline has and after it, "
        "and the centre of the latter at the size of the former: as much as filters of the "
        "same size see. Right, how much of an image\u2019s variance lies at or below a spatial "
        "frequency."
    )
    alt = gettext("%(title)s: images before and after, and their spectrum.", title=prepared.title)
    observation = _observation(prepared.data, len(prepared.inputs[_BEFORE]))
    return Words(caption=observation, method=method, alt=f"{alt} {observation}")


def _described(arm: str, images: npt.NDArray[np.float32]) -> pd.DataFrame:
    """Compute the numbers of one arm, see :class:`Prepared`."""
    steps = [np.abs(np.diff(images, axis=axis)).mean(dtype=float) for axis in (1, 2)]
    return pd.DataFrame(
        {
            "normalization": arm,
            "pixels": images.shape[1] * images.shape[2],
            "std": images.std(axis=(1, 2, 3), dtype=float).mean(),
            "neighbour_difference": np.mean(steps),
            "frequency": _FREQUENCIES,
            "share": np.mean([_variance_up_to(image.mean(axis=2)) for image in images], axis=0),
        }
    )


def _variance_up_to(image: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Return the share of a grey image's variance at or below each of the frequencies."""
    # Mirrored, so that no jump from one edge to the other counts as detail.
    half = np.concatenate([image, image[::-1]])
    mirrored = np.concatenate([half, half[:, ::-1]], axis=1).astype(float)
    power = np.abs(np.fft.fft2(mirrored - mirrored.mean())) ** 2
    rows, columns = (np.fft.fftfreq(size) for size in mirrored.shape)
    frequency = np.hypot(rows[:, None], columns[None, :])
    order = np.argsort(frequency, axis=None)
    cumulated = np.cumsum(power.ravel()[order])
    below = np.searchsorted(frequency.ravel()[order], _FREQUENCIES, side="right")
    return cumulated[below - 1] / (cumulated[-1] or 1.0)


def _observation(data: pd.DataFrame, images: int) -> str:
    """Compare pixels, contrast, neighbours and the median frequency."""
    before, after = (data[data["normalization"] == arm] for arm in (_BEFORE, _AFTER))
    detail = [
        1 - float(np.interp(0.125, rows["frequency"], rows["share"])) for rows in (before, after)
    ]
    return ngettext(
        "Over %(num)s image: Resize makes %(pixels_after)s pixels of %(pixels_before)s. The "
        "standard deviation of an image goes from %(std_before)s to %(std_after)s, the mean "
        "difference of neighbouring pixels from %(step_before)s to %(step_after)s, and the share "
        "of the variance in detail finer than eight pixels from %(detail_before)s to "
        "%(detail_after)s.",
        "Over %(num)s images: Resize makes %(pixels_after)s pixels of %(pixels_before)s. The "
        "standard deviation of an image goes from %(std_before)s to %(std_after)s, the mean "
        "difference of neighbouring pixels from %(step_before)s to %(step_after)s, and the share "
        "of the variance in detail finer than eight pixels from %(detail_before)s to "
        "%(detail_after)s.",
        images,
        pixels_before=f"{before['pixels'].iloc[0]:,}",
        pixels_after=f"{after['pixels'].iloc[0]:,}",
        std_before=format_number(before["std"].iloc[0]),
        std_after=format_number(after["std"].iloc[0]),
        step_before=format_number(before["neighbour_difference"].iloc[0]),
        step_after=format_number(after["neighbour_difference"].iloc[0]),
        detail_before=format_percent(detail[0]),
        detail_after=format_percent(detail[1]),
    )
