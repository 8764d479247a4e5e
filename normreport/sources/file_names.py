"""Which files and folders may be images, by their names alone."""

from __future__ import annotations

import re

SUFFIXES = (
    ".jpg", ".jpeg", ".jpe", ".jfif", ".jif", ".pjpeg", ".pjp", ".png", ".apng", ".webp", ".tif",
    ".tiff", ".gif", ".bmp", ".dib", ".avif", ".avifs", ".ppm", ".pgm", ".pbm", ".pnm",
)  # fmt: skip
# Social networks append the size to the suffix: photo.jpg_large, photo.png:orig.
_IMAGE = re.compile(
    rf"({'|'.join(re.escape(suffix) for suffix in SUFFIXES)})"
    r"([_:-](large|orig|medium|small|thumb))?",
    re.IGNORECASE,
)
# Folders that file servers and systems make by themselves, with thumbnails or deleted files.
SYSTEM_FOLDERS = frozenset({
    "@eadir", "@recycle", "@recently-snapshot", "@__thumb", "@tmp", "#recycle", "#snapshot",
    "#recently-snapshot", "$recycle.bin", "recycler", "system volume information", "lost+found",
    "__macosx", "__pycache__", "network trash folder", "temporary items", "~snapshot",
})  # fmt: skip
# Files that accompany images. Streams of Windows and Synology have a suffix of their own.
COMPANIONS = frozenset({
    ".txt", ".md", ".rst", ".csv", ".tsv", ".json", ".jsonl", ".xml", ".yaml", ".yml", ".toml",
    ".html", ".htm", ".log", ".ini", ".db", ".py", ".ipynb", ".sh", ".bat", ".xmp", ".aae", ".lnk",
    ".url", ".webloc", ".sha256", ".md5", ".crc",
})  # fmt: skip
_STREAM = re.compile(r":zone\.identifier$|@syno\w+$", re.IGNORECASE)
_TEXTS = frozenset({"readme", "license", "licence", "copying", "makefile", "attribution", "icon\r"})


def is_image(name: str) -> bool:
    """Tell whether a file has the suffix of an image; the decoder looks at its content."""
    stem, dot, rest = name.rpartition(".")
    return bool(stem and _IMAGE.fullmatch(dot + rest))


def is_system_folder(name: str) -> bool:
    """Tell whether a folder is hidden or made by a system or file server."""
    return name.startswith(".") or name.casefold() in SYSTEM_FOLDERS


def may_be_image(name: str) -> bool:
    """Tell whether a file without the suffix of an image should be named as not used."""
    is_known = name.casefold() in _TEXTS or suffix(name) in COMPANIONS
    return not (is_known or name.startswith(".") or _STREAM.search(name))


def suffix(name: str) -> str:
    """Return the suffix of a file in lower case, ``""`` if it has none."""
    found = re.search(r"(?<=.)\.[A-Za-z0-9_-]{1,12}$", name)
    return found[0].lower() if found else ""
