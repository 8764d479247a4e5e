"""The pixels of an open image as a viewer shows them, with what Pillow leaves undone.

What cannot be decided from the file raises ValueError: nothing is guessed.
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile, TiffImagePlugin
from PIL.ExifTags import Base

# Grey samples of a PNG with few bits are spread over 0 to 255; its transparent grey is not.
_PNG_SPREAD = {"L;2": 85, "L;4": 17}
_WHITE_IS_ZERO = 0
_PALETTE = 3
_TRANSPOSE = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def to_rgb(image: Image.Image) -> Image.Image:
    """Decode an open image to mode L or RGB, upright, on white.

    Raises
    ------
    ValueError
        If the file does not define how its pixels look.
    """
    match image.format:
        case "TIFF":
            decoded = _tiff_to_rgb(image)
        case "PNG":
            decoded = _png_to_rgb(image)
        case "BMP" | "DIB":
            decoded = _bmp_to_rgb(image)
        case "GIF":
            decoded = _gif_to_rgb(image)
        case "PPM" if image.mode == "I":
            decoded = _grey(np.asarray(image), 65535)  # Pillow scales other ranges to this one
        case _:
            decoded = _on_white(image)
    return _upright(image, decoded)


def _tiff_to_rgb(image: Image.Image) -> Image.Image:
    assert isinstance(image, TiffImagePlugin.TiffImageFile)
    tags = image.tag_v2
    bits = tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,))
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    if any(kind != 1 for kind in tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))):
        raise ValueError("its values are floats or signed, which have no defined black and white")
    if photometric is None and image.mode not in ("RGB", "YCbCr"):
        raise ValueError("it does not say whether zero is black or white")
    if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 and (
        len(bits) == 2 or (len(bits) > 1 and bits[0] != 8)
    ):
        raise ValueError(f"it has separate planes of {bits[0]} bits, which are not supported")
    if image.mode == "LAB":
        raise ValueError("its colours are CIELAB, which is not supported")
    if image.mode.startswith("I"):
        if bits[0] > 16:
            raise ValueError(f"its grey values have {bits[0]} bits, which viewers show differently")
        grey = _grey(np.asarray(image), 2 ** bits[0] - 1)
        return grey.point(lambda value: 255 - value) if photometric == _WHITE_IS_ZERO else grey
    colors = tags.get(TiffImagePlugin.COLORMAP, ()) if photometric == _PALETTE else ()
    if colors and max(colors) < 256:  # the writer forgot to scale them to 16 bits
        levels = np.array(colors, dtype=np.uint8).reshape(3, -1)
        return Image.fromarray(levels.T[np.asarray(image)])
    is_described = image.mode != "RGBA" or tags.get(TiffImagePlugin.EXTRASAMPLES)
    if not is_described and image.getchannel("A").getextrema() != (255, 255):
        raise ValueError("it does not say what its fourth channel is")
    return _on_white(image)


def _png_to_rgb(image: Image.Image) -> Image.Image:
    tiles = _tiles(image)
    rawmode = tiles[0].args if tiles else None
    key = image.info.get("transparency")
    if key is None:
        return _grey(np.asarray(image), 65535) if image.mode == "I;16" else _on_white(image)
    if image.mode == "I;16":
        values = np.asarray(image)
        grey = np.asarray(_grey(values, 65535)).copy()
        grey[values == key] = 255
        return Image.fromarray(grey)
    if rawmode == "RGB;16B":
        raise ValueError("its transparent colour has 16 bits a channel, which is not supported")
    if rawmode in _PNG_SPREAD:
        image.load()
        image.info["transparency"] = key * _PNG_SPREAD[rawmode]
    return _on_white(image)


def _bmp_to_rgb(image: Image.Image) -> Image.Image:
    # Many programs write zeros in place of transparency, so viewers ignore it then.
    if image.mode == "RGBA" and image.getchannel("A").getextrema()[1] == 0:
        return image.convert("RGB")
    return _on_white(image)


def _gif_to_rgb(image: Image.Image) -> Image.Image:
    tiles = _tiles(image)
    box = tiles[0].extents if tiles else None
    decoded = _on_white(image)
    if box is None or box == (0, 0, *image.size):
        return decoded
    # Pillow fills the rest with a colour, viewers leave it transparent.
    white = Image.new("RGB", image.size, "white")
    white.paste(decoded.crop(box), box)
    return white


def _tiles(image: Image.Image) -> list[Any]:
    """Return what Pillow will decode; nothing once it has."""
    assert isinstance(image, ImageFile.ImageFile)
    return list(image.tile)


def _grey(values: NDArray[np.int32] | NDArray[np.uint16], white: int) -> Image.Image:
    """Scale grey values, 0 to white, to 8 bits, and round."""
    scaled = (values.astype(np.uint32) * 255 + white // 2) // white
    return Image.fromarray(scaled.astype(np.uint8))


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        raise ValueError("its grey values have no defined black and white")
    if image.has_transparency_data:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("RGB")


def _upright(image: Image.Image, decoded: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; viewers ignore EXIF data that are damaged."""
    try:
        orientation = image.getexif().get(Base.Orientation)
    except (SyntaxError, ValueError, OSError, struct.error):
        return decoded
    method = _TRANSPOSE.get(orientation) if isinstance(orientation, int) else None
    return decoded if method is None else decoded.transpose(method)
