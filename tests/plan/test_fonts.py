"""Fonts: whether there is one, and which letters no font has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from normreport.config.report import ReportSettings
from normreport.plan import fonts, notices

PRIVATE = "\U0010fffd"  # a character for private use, which no font of a system has


@pytest.fixture
def without_fonts(tmp_path: Path) -> dict[str, str]:
    """Give the environment of a system without fonts."""
    (tmp_path / "fonts.conf").write_text('<?xml version="1.0"?><fontconfig></fontconfig>')
    return os.environ | {"FONTCONFIG_FILE": str(tmp_path / "fonts.conf")}


def _printed(program: str, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_system_without_fonts_cannot_make_the_pdf(without_fonts: dict[str, str]) -> None:
    program = "from normreport.plan import system; print(system.pdf_unavailable_reason())"
    assert _printed(program, without_fonts) == (
        "the system has no font, and WeasyPrint needs one. Install one (on Debian: apt-get install "
        "fonts-dejavu) and run the same command again."
    )
    assert _printed(program, dict(os.environ)) == "None"


def test_letters_that_no_font_has_are_named_once_in_their_order() -> None:
    assert fonts.missing_letters(f"{PRIVATE} a{PRIVATE}b\u200f\n\xad \u2029") == PRIVATE
    assert fonts.missing_letters("What a network's weights look like: é, ×, “ß”?") == ""
    assert fonts.missing_letters("a\ud800") == "\ud800"


def test_the_letters_agree_with_the_list_of_fonts_of_fontconfig() -> None:
    for letter in "aéя日א":
        done = subprocess.run(
            ["fc-list", f":charset={ord(letter):x}:scalable=true", "file"],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert bool(fonts.missing_letters(letter)) == (not done.stdout), letter


@pytest.mark.parametrize("key", ["title", "abstract", "introduction", "authors"])
def test_a_text_of_the_report_with_letters_that_no_font_has_is_named(
    key: str, tmp_path: Path
) -> None:
    text = f"A {PRIVATE} title"
    report = ReportSettings.model_validate({key: [text] if key == "authors" else text})
    (notice,) = notices.notices(report, None, tmp_path)
    assert notice.startswith(f"report.{key}: no installed font has {PRIVATE}, and the PDF will")
    # A report without a PDF has only the page, and its reader has other fonts.
    assert [*notices.notices(report, "no Pango.", tmp_path)] == ["The PDF is left out: no Pango."]


def test_at_most_ten_letters_are_named(tmp_path: Path) -> None:
    letters = "".join(chr(0x10FF00 + number) for number in range(12))
    (notice,) = notices.notices(ReportSettings(title=letters), None, tmp_path)
    assert f"{' '.join(letters[:10])} and 2 more, and the PDF" in notice
