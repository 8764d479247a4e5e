"""What is missing is told beforehand, with what to do about it."""

from __future__ import annotations

import ctypes.util
import subprocess
import sys
from pathlib import Path

import pytest

from normreport.errors import StorageError
from normreport.plan import system


def _without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    monkeypatch.setattr(
        ctypes.util, "find_library", lambda name: None if name in missing else f"lib{name}.so.0"
    )


def test_a_system_with_pango_hinders_no_pdf(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without(monkeypatch)
    assert system.pdf_unavailable_reason() is None
    system.warn()
    assert capsys.readouterr() == ("", "")


def test_what_is_missing_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _without(monkeypatch, "pangoft2-1.0", "fontconfig")
    assert system.pdf_unavailable_reason() == (
        "the system lacks pangoft2-1.0, fontconfig, which WeasyPrint needs. Install it (on "
        "Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0) and run "
        "the same command again."
    )


def test_the_warning_says_that_only_the_pdf_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without(monkeypatch, "pango-1.0")
    system.warn()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("The report will have no PDF: the system lacks pango-1.0, which")


def test_the_answer_here_is_whether_weasyprint_can_be_imported() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import weasyprint"], capture_output=True, text=True, check=False
    )
    assert (system.pdf_unavailable_reason() is None) == (ended.returncode == 0), ended.stderr


def test_the_system_can_be_asked_before_anything_is_installed(root: Path) -> None:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import normreport.plan.system as s; s.warn()"
    )
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program, str(root)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr


CLAIM = (
    "import sys, time; from pathlib import Path; from normreport.plan.system import claim_folder\n"
    "claim_folder(Path(sys.argv[1])); print('claimed', flush=True); time.sleep(60)\n"
)


def test_a_folder_is_claimed_by_one_process_until_it_ends_even_by_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", CLAIM, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        with pytest.raises(StorageError, match=r"another snakemake is at work here.*Wait until"):
            system.claim_folder(tmp_path)
        other.kill()
    system.claim_folder(tmp_path)
