"""Pixels as the specifications of the formats define them, in files that Pillow did not write."""

from __future__ import annotations

import io
import itertools
import struct
import zlib
from typing import Any

import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from normreport.errors import UnreadableImageError
from normreport.sources.decoding import decode_image
from tests.sources.images import picture

GENERATOR = np.random.default_rng(0)
SIDE = 16


def decoded(content: bytes) -> NDArray[np.int64]:
    """Return the pixels of an encoded image, or raise."""
    image = decode_image(io.BytesIO(content), source="memory", name="image")
    pixels: NDArray[np.int64] = np.array(image.convert("RGB"), dtype=np.int64)
    return pixels


def assert_rejected(content: bytes, why: str = "") -> None:
    with pytest.raises(UnreadableImageError, match=f"this image cannot be read {why}"):
        decoded(content)


def samples(bits: int, channels: int = 1) -> NDArray[np.int64]:
    """Return random samples of every level, shape (16, 16, channels)."""
    return GENERATOR.integers(0, 2**bits, (SIDE, SIDE, channels))


def shown(colors: NDArray[Any], alpha: NDArray[Any] | float = 1.0) -> NDArray[np.int64]:
    """Return RGB pixels for colours and opacities in [0, 1], on white."""
    on_white = colors * alpha + (1.0 - np.asarray(alpha))
    pixels: NDArray[np.float64] = np.broadcast_to(on_white, (SIDE, SIDE, 3))
    return np.rint(255 * pixels).astype(np.int64)


# TIFF


def tiff(data: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, data, **options)
    return stream.getvalue()


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
@pytest.mark.parametrize("bits", [1, 8, 16])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_grey_tiff_has_the_black_of_its_photometric_interpretation(
    photometric: str, bits: int, order: Any, compression: Any
) -> None:
    levels = samples(bits)[..., 0]
    data = levels.astype({1: "?", 8: "u1", 16: "u2"}[bits])
    grey = levels[..., None] / (2**bits - 1)
    content = tiff(data, photometric=photometric, byteorder=order, compression=compression)
    if (photometric, bits, order) == ("miniswhite", 16, ">"):
        assert_rejected(content, r"\(this kind of TIFF is not supported")
        return
    expected = shown(grey if photometric == "minisblack" else 1 - grey)
    assert np.array_equal(decoded(content), expected)


def written_tiff(strip: bytes, tags: dict[int, tuple[int, ...]]) -> bytes:
    """Write a TIFF of one strip by hand, 16 pixels a side."""
    tags = {256: (SIDE,), 257: (SIDE,), 259: (1,), 278: (SIDE,), 279: (len(strip),)} | tags
    start = 8 + 2 + 12 * (len(tags) + 1) + 4
    extra, entries = b"", b""
    for tag in sorted([*tags, 273]):
        values = tags.get(tag, (0,))
        packed = struct.pack(f"<{len(values)}H", *values)
        if len(packed) > 4:
            extra, packed = extra + packed, struct.pack("<I", start + len(extra))
        if tag == 273:  # the place of the strip, known at the end
            packed = b"here"
        entries += struct.pack("<HHI", tag, 3 if tag != 273 else 4, len(values))
        entries += packed.ljust(4, b"\0")
    header = b"II*\0" + struct.pack("<IH", 8, len(tags) + 1)
    place = struct.pack("<I", start + len(extra))
    return header + entries.replace(b"here", place) + bytes(4) + extra + strip


def packed_bits(levels: NDArray[Any], bits: int) -> bytes:
    """Pack samples of a few bits, with each row filled to whole bytes."""
    rows = levels.reshape(len(levels), -1)
    each = (rows[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(each.reshape(len(rows), -1).astype(np.uint8), axis=1).tobytes()


@pytest.mark.parametrize("bits", [1, 2, 4, 12])
@pytest.mark.parametrize("photometric", [0, 1])
def test_a_grey_tiff_of_few_bits_reaches_black_and_white(bits: int, photometric: int) -> None:
    levels = samples(bits)
    content = written_tiff(packed_bits(levels, bits), {258: (bits,), 262: (photometric,)})
    grey = levels / (2**bits - 1)
    if (bits, photometric) == (12, 0):
        assert_rejected(content, r"\(this kind of TIFF is not supported")
    else:
        assert np.array_equal(decoded(content), shown(grey if photometric else 1 - grey))


def test_a_tiff_that_does_not_say_which_grey_is_black_raises() -> None:
    strip = samples(8).astype("u1").tobytes()
    assert_rejected(written_tiff(strip, {258: (8,)}), r"\(it does not say whether zero is black")


@pytest.mark.parametrize("kind", ["i1", "i2", "i4", "u4", "f2", "f4", "f8", "u8"])
def test_a_tiff_without_defined_black_and_white_raises(kind: str) -> None:
    data = (100 * GENERATOR.random((SIDE, SIDE))).astype(kind)
    assert_rejected(tiff(data, photometric="minisblack"), r"\((its|this kind of TIFF)")


LAYOUTS = list(itertools.product(
    ["u1", "u2"],
    [("rgb", None), ("rgb", "unassalpha"), ("rgb", "assocalpha"), ("rgb", "unspecified"),
     ("minisblack", "unassalpha"), ("minisblack", "assocalpha"), ("minisblack", "unspecified"),
     ("miniswhite", "unassalpha"), ("separated", None)],
    ["contig", "separate"],
    [None, "zlib"],
))  # fmt: skip
# Pillow itself gives wrong pixels for some layouts; these must be rejected.
SUPPORTED = {
    ("u1", "rgb", None), ("u1", "rgb", "unassalpha"), ("u1", "rgb", "assocalpha"),
    ("u1", "rgb", "unspecified"), ("u1", "minisblack", "unassalpha"),
    ("u1", "minisblack", "unspecified"), ("u1", "separated", None), ("u2", "rgb", None),
    ("u2", "rgb", "unassalpha"), ("u2", "rgb", "assocalpha"), ("u2", "rgb", "unspecified"),
    ("u2", "separated", None),
}  # fmt: skip


@pytest.mark.parametrize(("kind", "meaning", "planes", "compression"), LAYOUTS)
def test_channels_of_a_tiff_mean_what_its_tags_say_or_raise(
    kind: str, meaning: tuple[str, str | None], planes: str, compression: Any
) -> None:
    photometric, extra = meaning
    colors = {"rgb": 3, "separated": 4}.get(photometric, 1)
    bits = 8 * int(kind[1])
    data = samples(bits, colors + bool(extra))
    if extra == "assocalpha":
        data[..., :-1] = np.minimum(data[..., :-1], data[..., -1:])
    share = data / (2**bits - 1)
    color, alpha = share[..., :colors], share[..., -1:] if extra else 1.0
    if photometric == "separated":
        color = (1 - color[..., :3]) * (1 - color[..., 3:])
    elif photometric == "miniswhite":
        color = 1 - color
    if extra == "assocalpha":
        expected = shown(color + 1 - alpha)
    else:
        expected = shown(color, 1.0 if extra == "unspecified" else alpha)
    stored = data.astype(kind)
    content = tiff(
        np.ascontiguousarray(np.moveaxis(stored, -1, 0)) if planes == "separate" else stored,
        photometric=photometric,
        extrasamples=[extra] if extra else None,
        planarconfig=planes,
        compression=compression,
    )
    try:
        found = decoded(content)
    except UnreadableImageError:
        assert planes == "separate" or (kind, *meaning) not in SUPPORTED
        return
    # Pillow truncates 16 bits to 8, for colour and opacity.
    assert np.abs(found - expected).max() <= (1 if kind == "u1" else 3)


@pytest.mark.parametrize("scale", [257, 1])
def test_a_palette_of_a_tiff_has_16_bits_or_8(scale: int) -> None:
    levels = samples(8)[..., 0].astype("u1")
    colors = GENERATOR.integers(0, 256, (3, 256)).astype("u2")
    content = tiff(levels, photometric="palette", colormap=colors * scale)
    assert np.array_equal(decoded(content), colors.T[levels])


def test_a_fourth_channel_of_a_tiff_that_is_not_described_raises() -> None:
    data = samples(8, 4)
    tags = {258: (8,) * 4, 262: (2,), 277: (4,)}
    content = written_tiff(data.astype("u1").tobytes(), tags)
    assert_rejected(content, r"\(it does not say what its fourth channel is")
    data[..., 3] = 255
    content = written_tiff(data.astype("u1").tobytes(), tags)
    assert np.array_equal(decoded(content), data[..., :3])


def test_ycbcr_of_a_tiff_is_converted_and_cielab_raises() -> None:
    data = samples(8, 3)
    y, blue, red = (data[..., i] - (128 if i else 0) for i in range(3))
    # ITU-R BT.601, full range
    expected = np.stack(
        [y + 1.402 * red, y - 0.344136 * blue - 0.714136 * red, y + 1.772 * blue], 2
    )
    found = decoded(tiff(data.astype("u1"), photometric="ycbcr"))
    assert np.abs(found - expected.clip(0, 255)).max() < 1
    assert_rejected(tiff(data.astype("u1"), photometric="cielab"), r"\(its colours are CIELAB")


@pytest.mark.parametrize("kind", ["u1", "u2"])
@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite"])
def test_a_tiff_of_any_kind_is_upright(kind: str, photometric: str) -> None:
    levels = samples(8)[..., 0].astype(kind)
    content, turned = (
        tiff(levels, photometric=photometric, extratags=[(274, "H", 1, number, True)])
        for number in (1, 6)
    )
    assert np.array_equal(decoded(turned), np.rot90(decoded(content), -1))


# PNG


def chunk(name: bytes, content: bytes, damage: int = 0) -> bytes:
    check = zlib.crc32(name + content) ^ damage
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)


def png(data: NDArray[Any], bits: int, color_type: int, *chunks: bytes) -> bytes:
    rows = data.reshape(SIDE, -1)
    if bits == 16:
        lines = [row.astype(">u2").tobytes() for row in rows]
    else:
        lines = [packed_bits(row[None], bits) for row in rows]
    header = struct.pack(">IIBBBBB", SIDE, SIDE, bits, color_type, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"".join(b"\0" + line for line in lines)))
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + b"".join(chunks) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_the_transparent_grey_of_a_png_becomes_white(bits: int) -> None:
    data = samples(bits)
    grey = shown(data / (2**bits - 1))
    assert np.array_equal(decoded(png(data, bits, 0)), grey)
    for key in {*range(min(2**bits, 16)), int(data[5, 5, 0]), 2**bits - 1}:
        content = png(data, bits, 0, chunk(b"tRNS", struct.pack(">H", key)))
        assert np.array_equal(decoded(content), np.where(data == key, 255, grey))


def test_the_transparent_colour_of_a_png_becomes_white_or_raises() -> None:
    data = samples(8, 3)
    key = chunk(b"tRNS", struct.pack(">HHH", *map(int, data[5, 5])))
    is_key = (data == data[5, 5]).all(axis=2, keepdims=True)
    assert np.array_equal(decoded(png(data, 8, 2, key)), np.where(is_key, 255, data))
    assert np.abs(decoded(png(data * 257, 16, 2)) - data).max() == 0
    assert_rejected(png(data * 257, 16, 2, key), r"\(its transparent colour has 16 bits a channel")


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_of_a_png_may_have_opacities(bits: int) -> None:
    data, size = samples(bits), 2**bits
    colors, alpha = GENERATOR.integers(0, 256, (size, 3)), GENERATOR.integers(0, 256, (size, 1))
    palette = chunk(b"PLTE", colors.astype("u1").tobytes())
    opacity = chunk(b"tRNS", alpha.astype("u1").tobytes())
    levels = data[..., 0]
    assert np.array_equal(decoded(png(data, bits, 3, palette)), colors[levels])
    found = decoded(png(data, bits, 3, palette, opacity))
    assert np.abs(found - shown(colors[levels] / 255, alpha[levels] / 255)).max() <= 1


@pytest.mark.parametrize(("color_type", "channels"), [(4, 2), (6, 4)])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_png_with_an_opacity_channel_is_on_white(
    color_type: int, channels: int, bits: int
) -> None:
    data = samples(bits, channels)
    share = data / (2**bits - 1)
    expected = shown(share[..., :-1], share[..., -1:])
    assert np.abs(decoded(png(data, bits, color_type)) - expected).max() <= 2


MEGABYTES = b"a" * 5_000_000
# What no viewer minds.
HARMLESS = {
    "a long text": chunk(b"tEXt", b"Comment\0" + MEGABYTES * 20),
    "a long compressed text": chunk(b"zTXt", b"Comment\0\0" + zlib.compress(MEGABYTES)),
    "a long international text": chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(MEGABYTES)),
    "a long colour profile": chunk(b"iCCP", b"profile\0\0" + zlib.compress(MEGABYTES)),
    "a damaged colour profile": chunk(b"iCCP", b"profile\0\0 no deflate stream"),
    "a text with a wrong checksum": chunk(b"tEXt", b"Comment\0text", damage=1),
    "a time with a wrong checksum": chunk(b"tIME", bytes(7), damage=1),
    "a text without a key": chunk(b"iTXt", b""),
    "a physical size of a wrong length": chunk(b"pHYs", b"\0"),
    "a private chunk": chunk(b"prVt", b"anything"),
    "damaged EXIF data": chunk(b"eXIf", b"MM\0*\0\0\0\x08\xff\xff no directory"),
    "EXIF data with a wrong checksum": chunk(b"eXIf", b"MM\0*", damage=1),
    "EXIF data that are none": chunk(b"eXIf", b"no EXIF"),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", HARMLESS)
def test_what_does_not_decide_the_pixels_of_a_png_is_ignored(kind: str) -> None:
    data = samples(8, 3)
    assert np.array_equal(decoded(png(data, 8, 2, HARMLESS[kind])), data)


@pytest.mark.parametrize("name", [b"PLTE", b"IHDR"])
def test_a_wrong_checksum_of_what_decides_the_pixels_raises(name: bytes) -> None:
    content = bytearray(png(samples(2), 2, 3, chunk(b"PLTE", bytes(12))))
    place = content.index(name)
    (length,) = struct.unpack_from(">I", content, place - 4)
    content[place + 4 + length] ^= 1
    assert_rejected(bytes(content))


# BMP


def bmp(header: int, bits: int, compression: int, masks: tuple[int, ...], rows: bytes) -> bytes:
    """Write a bitmap with a header of 40 to 124 bytes; its rows begin at the bottom."""
    body = struct.pack(
        "<IiiHHIIiiII", header, SIDE, SIDE, 1, bits, compression, len(rows), 0, 0, 0, 0
    )
    count = 3 if header < 56 else 4
    if header > 40 or compression == 3:
        body += struct.pack(f"<{count}I", *masks[:count])
    body = body.ljust(header, b"\0")
    start = 14 + len(body)
    return b"BM" + struct.pack("<IHHI", start + len(rows), 0, 0, start) + body + rows


MASKS = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
NO_ALPHA = (*MASKS[:3], 0)


@pytest.mark.parametrize("opacity", ["zero", "full", "any"])
@pytest.mark.parametrize(
    ("header", "compression", "masks"),
    [(40, 0, NO_ALPHA), (40, 3, NO_ALPHA), (52, 3, NO_ALPHA), (56, 3, NO_ALPHA),
     (108, 3, NO_ALPHA), (124, 3, NO_ALPHA), (108, 0, MASKS),
     (56, 3, MASKS), (108, 3, MASKS), (124, 3, MASKS)],
)  # fmt: skip
def test_a_bitmap_of_32_bits_is_opaque_unless_it_uses_its_opacities(
    opacity: str, header: int, compression: int, masks: tuple[int, ...]
) -> None:
    data = samples(8, 4)
    if opacity != "any":
        data[..., 3] = 255 if opacity == "full" else 0
    content = bmp(
        header, 32, compression, masks, data[::-1, :, [2, 1, 0, 3]].astype("u1").tobytes()
    )
    uses_opacity = opacity == "any" and compression == 3 and masks == MASKS
    expected = shown(data[..., :3] / 255, data[..., 3:] / 255 if uses_opacity else 1.0)
    assert np.abs(decoded(content) - expected).max() <= 1


@pytest.mark.parametrize("bits", [(5, 5, 5), (5, 6, 5)])
def test_a_bitmap_of_16_bits_reaches_black_and_white(bits: tuple[int, int, int]) -> None:
    values = samples(16)[..., 0]
    shifts = (bits[1] + bits[2], bits[2], 0)
    pairs = list(zip(bits, shifts, strict=True))
    masks = tuple((2**n - 1) << shift for n, shift in pairs)
    content = bmp(40, 16, 3, masks, values[::-1].astype("<u2").tobytes())
    shares = [((values >> shift) & (2**n - 1)) / (2**n - 1) for n, shift in pairs]
    assert np.abs(decoded(content) - shown(np.stack(shares, axis=2))).max() <= 1


def test_channels_of_other_widths_of_a_bitmap_raise() -> None:
    rows = GENERATOR.integers(0, 2**32, (SIDE, SIDE)).astype("<u4").tobytes()
    assert_rejected(bmp(40, 32, 3, (0x3FF00000, 0xFFC00, 0x3FF), rows))


# Other formats


def test_what_the_first_frame_of_a_gif_does_not_cover_is_white() -> None:
    small = Image.new("P", (8, 8), 3)
    small.putpalette([10, 20, 30, 200, 0, 0, 0, 0, 200, 0, 200, 0])
    stream = io.BytesIO()
    small.save(stream, "GIF", optimize=False)
    content = bytearray(stream.getvalue())
    struct.pack_into("<HH", content, 6, SIDE, SIDE)  # the size of the canvas
    place = content.index(b"\x2c" + struct.pack("<HHHH", 0, 0, 8, 8))
    struct.pack_into("<HH", content, place + 1, 4, 4)
    expected = np.full((SIDE, SIDE, 3), 255)
    expected[4:12, 4:12] = (0, 200, 0)
    assert np.array_equal(decoded(bytes(content)), expected)


@pytest.mark.parametrize("white", [1, 100, 255, 1000, 65535])
@pytest.mark.parametrize("magic", ["P2", "P3", "P5", "P6"])
def test_a_netpbm_file_has_the_white_that_it_names(white: int, magic: str) -> None:
    channels = 1 if magic in ("P2", "P5") else 3
    data = GENERATOR.integers(0, white + 1, (SIDE, SIDE, channels))
    if magic in ("P2", "P3"):
        body = " ".join(map(str, data.ravel())).encode()
    else:
        body = data.astype(">u2" if white > 255 else "u1").tobytes()
    content = f"{magic}\n{SIDE} {SIDE}\n{white}\n".encode() + body
    assert np.abs(decoded(content) - shown(data / white)).max() <= 1


def test_floats_of_a_netpbm_file_raise() -> None:
    body = GENERATOR.random((SIDE, SIDE)).astype("<f4").tobytes()
    assert_rejected(f"Pf\n{SIDE} {SIDE}\n-1.0\n".encode() + body)


def test_an_avif_file_is_read() -> None:
    stream = io.BytesIO()
    Image.new("RGBA", (SIDE, SIDE), (200, 100, 50, 255)).save(stream, "AVIF", quality=100)
    assert np.abs(decoded(stream.getvalue()) - (200, 100, 50)).max() <= 2


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize(
    "exif",
    [b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0 no TIFF", b"Exif\0\0MM\0*\xff\xff\xff\xff",
     b"Exif\0\0II*\0\x08\0\0\0\1\0\x12\1\3\0\1\0\0\0\x09\0\0\0"],
)  # fmt: skip
def test_damaged_exif_data_are_ignored(kind: str, exif: bytes) -> None:
    plain, damaged = io.BytesIO(), io.BytesIO()
    picture(0).save(plain, kind)
    picture(0).save(damaged, kind, exif=exif)
    assert b"*" in damaged.getvalue() or b"no TIFF" in damaged.getvalue()
    assert np.array_equal(decoded(damaged.getvalue()), decoded(plain.getvalue()))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
def test_no_change_of_a_byte_of_the_exif_data_costs_the_image(kind: str) -> None:
    exif = Image.Exif()
    exif.update({0x0112: 1, 0x010F: "maker", 0x0132: "2026:01:31", 0x011A: 72.0})
    whole = exif.tobytes()
    for place, value in itertools.product(range(len(whole)), (0, 1, 7, 0x80, 0xFF)):
        stream = io.BytesIO()
        changed = whole[:place] + bytes([value]) + whole[place + 1 :]
        picture(0).save(stream, kind, exif=changed)
        assert decoded(stream.getvalue()).size == 3 * picture(0).width * picture(0).height


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG", "TIFF", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_applied(kind: str, orientation: int) -> None:
    # The corners of an upright picture, and what a camera stores for each orientation.
    upright = np.arange(4).reshape(2, 2) * 60 + 20
    stored = {
        1: upright, 2: upright[:, ::-1], 3: upright[::-1, ::-1], 4: upright[::-1],
        5: upright.T, 6: np.rot90(upright, 1), 7: upright[::-1, ::-1].T, 8: np.rot90(upright, -1),
    }[orientation]  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    large = np.kron(stored, np.ones((8, 8))).astype(np.uint8)
    Image.fromarray(large).convert("RGB").save(stream, kind, exif=exif, quality=100)
    found = decoded(stream.getvalue())[4::8, 4::8, 0]
    assert np.abs(found - upright).max() <= 3


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC is not supported"),
        (b"\xff\x0a\0\0", "JPEG XL is not supported"),
        (b"II*\0\x08\0\0\0\0\0", "this kind of TIFF is not supported"),
        (b"<!DOCTYPE html>", "not an image of a known format"),
    ],
)
def test_an_image_of_another_format_is_named(content: bytes, what: str) -> None:
    assert_rejected(content, rf"\({what}\)")
