"""Printed digits, drawn with the fonts that matplotlib ships."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from string import digits

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from normreport.config.data import DataSettings
from normreport.sources.pool import ImagePool, SourceImages

FONTS = (
    "DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif",
    "DejaVuSerif-Bold", "DejaVuSerif-Italic", "STIXGeneral", "STIXGeneralBol",
    "STIXGeneralItalic", "cmb10", "cmr10", "cmss10", "cmtt10",
)  # fmt: skip
# Height and width of a drawing, and of the reduced image, which is as small as scikit-learn's.
CANVAS_PX, IMAGE_PX = 96, 8
# Ranges of the random numbers.
FONT_SIZE_PX = (90, 125)
TURN_DEGREES = (-15.0, 15.0)
STRETCH = (0.75, 1.1)  # of width and height
SHEAR = (-0.25, 0.25)
SHIFT_PX = (-6.0, 6.0)  # on the canvas
BACKGROUND = (0.0, 140.0)
CONTRAST = 40.0  # smallest difference between digit and background


def list_printed_digits(settings: DataSettings) -> SourceImages:
    """List random drawings of the ten digits; the class is the digit."""
    import matplotlib

    folder = Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = [folder / f"{name}.ttf" for name in FONTS]

    def drawings(count: int, stream: int) -> ImagePool:
        labels = np.resize(np.arange(len(digits)), count)
        return ImagePool(
            labels,
            np.arange(count),
            # Each drawing has its own generator, so the order of drawing does not matter.
            lambda i: draw_digit(
                digits[labels[i]],
                fonts,
                np.random.default_rng([settings.seed, stream, i]),
            ),
        )

    return SourceImages(
        name="printed_digits",
        classes=tuple(digits),
        # At least one drawing of each digit, even if fewer are needed.
        train=drawings(max(settings.train_images, len(digits)), 0),
        heldout=drawings(settings.heldout_images, 1),
    )


def draw_digit(digit: str, fonts: Sequence[Path], generator: np.random.Generator) -> Image.Image:
    """Draw a light digit on a darker background, 8 x 8 pixels.

    Font, size, turn, stretch, shear, position and both grey levels are random.
    """
    canvas = Image.new("L", (CANVAS_PX, CANVAS_PX))
    middle = CANVAS_PX / 2
    font = ImageFont.truetype(
        fonts[int(generator.integers(len(fonts)))], int(generator.integers(*FONT_SIZE_PX))
    )
    ImageDraw.Draw(canvas).text((middle, middle), digit, fill=255, font=font, anchor="mm")
    turned = canvas.rotate(generator.uniform(*TURN_DEGREES), Image.Resampling.BILINEAR)
    width, height = generator.uniform(*STRETCH, size=2)
    # Pillow wants the map from the result to the canvas.
    back = np.array([[1 / width, generator.uniform(*SHEAR)], [0.0, 1 / height]])
    # No `@`: the last bits of a BLAS product depend on the kind of processor.
    x, y = middle - (back * (middle + generator.uniform(*SHIFT_PX, size=2))).sum(axis=1)
    stretched = turned.transform(
        canvas.size,
        Image.Transform.AFFINE,
        (*back[0], x, *back[1], y),
        Image.Resampling.BILINEAR,
    )
    strokes = np.asarray(stretched.resize((IMAGE_PX, IMAGE_PX), Image.Resampling.BOX)) / 255
    background = generator.uniform(*BACKGROUND)
    light = generator.uniform(background + CONTRAST, 255.0)
    return Image.fromarray(np.rint(background + (light - background) * strokes).astype(np.uint8))
