"""Check the files that a user adds to the report: templates, a translation, a logo."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from xml.etree import ElementTree

from normreport.config.report import ReportSettings
from normreport.errors import ConfigError
from normreport.source_code import ROOT
from normreport.text.language import find_catalogue, read_catalogue

TEMPLATES = ROOT / "templates"
LARGEST = 300_000  # bytes

_EXPECTED = f"Expected an SVG, PNG, JPEG or WebP file of at most {LARGEST:,} bytes"


def check_own_files(settings: ReportSettings) -> None:
    """Check that the files of the report's settings exist and can be used.

    Raises
    ------
    ConfigError
        If one is missing or cannot be used.
    """
    if settings.logo:
        data_uri(Path(settings.logo))
    for section, path in settings.texts.items():
        read_text(section, path)
    if settings.templates:
        check_templates(Path(settings.templates))
    catalogue = find_catalogue(settings.language, settings.template_folders(TEMPLATES))
    if catalogue:
        read_catalogue(catalogue)


def check_templates(folder: Path) -> None:
    """Check that a folder of templates exists.

    Raises
    ------
    ConfigError
        If it does not.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: expected a folder of templates (report.templates), found "
            f"{'a file' if folder.exists() else 'nothing'}. Create it, or correct the key."
        )


def read_text(section: str, path: str) -> str:
    """Read the file of a section.

    Raises
    ------
    ConfigError
        If it cannot be read.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"report.texts.{section}: {path}: could not be read ({why}). Expected a Markdown file."
        ) from error


def data_uri(path: Path) -> str:
    """Encode a picture as a ``data:`` URI for an ``<img>``, where scripts of an SVG never run.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large or is not a picture of a supported format.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise _error(path, f"could not be read ({error.strerror})", "Correct the path") from error
    if len(content) > LARGEST:
        raise _error(path, f"is larger than {LARGEST:,} bytes", "Make it smaller")
    media_type = "image/svg+xml" if _is_svg(content) else _raster_type(content)
    if media_type is None:
        raise _error(path, "is damaged or not of a supported format", "Convert it")
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _error(path: Path, found: str, remedy: str) -> ConfigError:
    return ConfigError(f"report.logo: {path}: {found}. {_EXPECTED}. {remedy}, or set it to null.")


def _is_svg(content: bytes) -> bool:
    try:
        return ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
    except (ElementTree.ParseError, LookupError):  # not XML, or an unknown encoding
        return False


def _raster_type(content: bytes) -> str | None:
    from PIL import Image  # slow to import, and few reports have a logo

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            image.verify()
            return image.get_format_mimetype()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
