"""Missing prerequisites are named with their remedy; a folder has one build at a time."""

from __future__ import annotations

import ctypes.util
import inspect
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from snakemake.scheduling.job_scheduler import JobScheduler

from normreport.errors import StorageError
from normreport.plan import system


def _without(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    monkeypatch.setattr(
        ctypes.util, "find_library", lambda name: None if name in missing else f"lib{name}.so.0"
    )


def test_a_system_with_pango_can_make_the_pdf(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without(monkeypatch)
    monkeypatch.setattr(system, "has_fonts", lambda: True)
    assert system.pdf_unavailable_reason() is None
    system.warn()
    assert capsys.readouterr() == ("", "")


def test_missing_libraries_are_named_with_the_command_that_installs_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _without(monkeypatch, "pangoft2-1.0", "fontconfig")
    assert system.pdf_unavailable_reason() == (
        "the system lacks pangoft2-1.0, fontconfig, which WeasyPrint needs. Install it (on "
        "Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0) and run "
        "the same command again."
    )


def test_the_warning_says_that_only_the_pdf_is_missing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _without(monkeypatch, "pango-1.0")
    system.warn()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("The report will have no PDF: the system lacks pango-1.0, which")


def test_the_check_agrees_with_an_import_of_weasyprint() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import weasyprint"], capture_output=True, text=True, check=False
    )
    assert (system.pdf_unavailable_reason() is None) == (ended.returncode == 0), ended.stderr


def test_the_check_needs_no_installed_package(root: Path) -> None:
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


LOCK = (
    "import sys, time; from pathlib import Path; from normreport.plan.system import lock_folder\n"
    "lock_folder(Path(sys.argv[1])); print('locked', flush=True); time.sleep(60)\n"
)


def test_one_process_locks_a_folder_until_it_ends_even_by_a_kill(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", LOCK, str(tmp_path)], stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with pytest.raises(StorageError, match=r"another snakemake is at work here.*Wait until"):
            system.lock_folder(tmp_path)
        other.kill()
    system.lock_folder(tmp_path)


def test_the_scheduler_of_snakemake_works_without_its_rate_limit() -> None:
    scheduler = SimpleNamespace(job_rate_limiter="100 per second")
    system.lift_rate_limit(scheduler)
    assert scheduler.job_rate_limiter is None
    used = inspect.getsource(JobScheduler)
    assert "self.job_rate_limiter is None" in used
    assert "self.job_rate_limiter is not None" in used
