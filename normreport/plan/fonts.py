"""The fonts that the PDF can use, as fontconfig lists them. WeasyPrint crashes without any."""

from __future__ import annotations

import ctypes
import ctypes.util
import unicodedata
from collections.abc import Iterator
from functools import cache

# Categories of characters that no font draws: controls, marks of direction, spaces.
INVISIBLE = ("Cc", "Cf", "Zs", "Zl", "Zp")


class _FontSet(ctypes.Structure):
    """fontconfig's FcFontSet."""

    _fields_ = (
        ("count", ctypes.c_int),
        ("size", ctypes.c_int),
        ("fonts", ctypes.POINTER(ctypes.c_void_p)),
    )


@cache
def _fontconfig() -> ctypes.CDLL | None:
    name = ctypes.util.find_library("fontconfig")
    if name is None:
        return None
    library = ctypes.CDLL(name)
    library.FcInitLoadConfigAndFonts.restype = ctypes.c_void_p
    library.FcConfigGetFonts.restype = ctypes.POINTER(_FontSet)
    library.FcConfigGetFonts.argtypes = [ctypes.c_void_p, ctypes.c_int]
    library.FcPatternGetCharSet.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p),
    ]  # fmt: skip
    library.FcPatternGetBool.argtypes = [
        ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int, ctypes.POINTER(ctypes.c_int),
    ]  # fmt: skip
    library.FcCharSetHasChar.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
    return library


@cache
def _charsets() -> tuple[ctypes.c_void_p, ...]:
    """Return the set of characters of every font that can be scaled."""
    library = _fontconfig()
    if library is None:
        return ()
    found = library.FcConfigGetFonts(library.FcInitLoadConfigAndFonts(), 0)
    return tuple(_of_fonts(library, found.contents)) if found else ()


def _of_fonts(library: ctypes.CDLL, fonts: _FontSet) -> Iterator[ctypes.c_void_p]:
    for font in fonts.fonts[: fonts.count]:
        scalable, charset = ctypes.c_int(), ctypes.c_void_p()
        library.FcPatternGetBool(font, b"scalable", 0, ctypes.byref(scalable))
        if (
            scalable
            and library.FcPatternGetCharSet(font, b"charset", 0, ctypes.byref(charset)) == 0
        ):
            yield charset


def has_fonts() -> bool:
    """Return whether the system has a font."""
    return bool(_charsets())


def missing_letters(text: str) -> str:
    """Return the characters of a text that no font of the system has, each once, in order."""
    library = _fontconfig()
    if library is None:
        return ""
    return "".join(
        letter
        for letter in dict.fromkeys(text)
        if unicodedata.category(letter) not in INVISIBLE
        and not any(library.FcCharSetHasChar(charset, ord(letter)) for charset in _charsets())
    )
