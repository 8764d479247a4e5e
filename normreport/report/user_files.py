"""Files that a user adds to the report: templates, translations, a small picture as logo."""

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
    """Check that what the report's settings name is there and can be used.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if settings.logo:
        data_uri(Path(settings.logo))
    if settings.templates:
        check_templates(Path(settings.templates))
    catalogue = find_catalogue(settings.language, settings.template_folders(TEMPLATES))
    if catalogue:
        read_catalogue(catalogue)


def check_templates(folder: Path) -> None:
    """Check that there is a folder of templates.

    Raises
    ------
    ConfigError
        If it is not.
    """
    if not folder.is_dir():
        raise ConfigError(
            f"{folder}: expected a folder of templates (report.templates), found "
            f"{'a file' if folder.exists() else 'nothing'}. Make it, or mend the key."
        )


def data_uri(path: Path) -> str:
    """Give a picture as the ``data:`` URI of an ``<img>``, in which an SVG's scripts never run.

    Raises
    ------
    ConfigError
        If the file cannot be read, is too large or no picture of these kinds.
    """
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except OSError as error:
        raise _error(path, f"could not be read ({error.strerror})", "Mend the path") from error
    if len(content) > LARGEST:
        raise _error(path, f"is larger than {LARGEST:,} bytes", "Make it smaller")
    media_type = "image/svg+xml" if _is_svg(content) else _raster_type(content)
    if media_type is None:
        raise _error(path, "is no picture of a known kind, or damaged", "Convert it")
    return f"data:{media_type};base64,{base64.b64encode(content).decode()}"


def _error(path: Path, found: str, remedy: str) -> ConfigError:
    return ConfigError(f"report.logo: {path}: {found}. {_EXPECTED}. {remedy}, or set it to null.")


def _is_svg(content: bytes) -> bool:
    try:
        return ElementTree.fromstring(content).tag == "{http://www.w3.org/2000/svg}svg"
    except (ElementTree.ParseError, LookupError):  # no XML, or an encoding that nobody knows
        return False


def _raster_type(content: bytes) -> str | None:
    from PIL import Image  # takes its time, and few reports have a logo

    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as image:
            image.verify()
            return image.get_format_mimetype()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return None
