"""Which pictures a report may carry as its logo."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path

import pytest
from PIL import Image

from normreport.errors import ConfigError
from normreport.report.user_files import LARGEST, data_uri

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"/>'


def pixels(kind: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (64, 64), "#b5400a").save(file, kind)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "media_type"),
    [
        (SVG, "image/svg+xml"),
        (pixels("PNG"), "image/png"),
        (pixels("JPEG"), "image/jpeg"),
        (pixels("WEBP"), "image/webp"),
        (SVG + b" " * (LARGEST - len(SVG)), "image/svg+xml"),
    ],
)
def test_a_picture_is_known_by_its_bytes(tmp_path: Path, content: bytes, media_type: str) -> None:
    path = tmp_path / "logo.of-any-name"
    path.write_bytes(content)
    head, _, data = data_uri(path).partition(",")
    assert head == f"data:{media_type};base64"
    assert base64.b64decode(data) == content


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (None, "could not be read (No such file or directory)"),
        (SVG + b" " * LARGEST, "is larger than 300,000 bytes"),
        (b"", "is damaged or not of a supported format"),
        (
            b"<svg viewBox='0 0 9 9'/>",
            "is damaged or not of a supported format",
        ),  # no browser shows it without its namespace
        (
            b"<html xmlns='http://www.w3.org/1999/xhtml'/>",
            "is damaged or not of a supported format",
        ),
        (
            b'<?xml version="1.0" encoding="klingon"?><svg/>',
            "is damaged or not of a supported format",
        ),
        (pixels("GIF"), "is damaged or not of a supported format"),
        (pixels("PNG")[:60], "is damaged or not of a supported format"),
        (pixels("JPEG")[:100], "is damaged or not of a supported format"),
    ],
)
def test_anything_else_is_one_message(tmp_path: Path, content: bytes | None, found: str) -> None:
    path = tmp_path / "logo.png"
    if content is not None:
        path.write_bytes(content)
    remedy = "Expected an SVG, PNG, JPEG or WebP file of at most 300,000 bytes. "
    message = rf"report\.logo: .*logo\.png: {re.escape(found)}.*{remedy}.*or set it to null\."
    with pytest.raises(ConfigError, match=message):
        data_uri(path)


def test_a_folder_is_no_logo(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"could not be read \(Is a directory\)"):
        data_uri(tmp_path)
