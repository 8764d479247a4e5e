"""Atomic writes leave a complete file or nothing."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from normreport.errors import StorageError
from normreport.io import files
from normreport.io.atomic import atomic


def file_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_finished_block_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    with atomic(path) as temporary:
        assert temporary.parent == path.parent  # a rename within one file system
        temporary.write_text("whole")
        assert not path.exists()
    assert file_names(path.parent) == ["a.txt"]
    assert path.read_text() == "whole"
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_an_exception_leaves_no_file(tmp_path: Path, exception: type[BaseException]) -> None:
    def interrupted() -> None:
        with atomic(tmp_path / "a.txt") as temporary:
            temporary.write_text("half")
            raise exception("stop")

    with pytest.raises(exception, match="stop"):
        interrupted()
    assert file_names(tmp_path) == []


@pytest.mark.parametrize("exception", [ValueError, KeyboardInterrupt])
def test_an_exception_keeps_the_old_file(tmp_path: Path, exception: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def interrupted() -> None:
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise exception

    with pytest.raises(exception):
        interrupted()
    assert file_names(tmp_path) == ["a.txt"]
    assert path.read_text() == "old"


def test_a_killed_process_keeps_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from normreport.io.atomic import atomic\n"
        "with atomic(Path(sys.argv[1])) as temporary:\n"
        "    temporary.write_text('half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    ended = subprocess.run([sys.executable, "-c", program, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert path.read_text() == "old"
    # The next writer of the file removes the leftover.
    assert len(file_names(tmp_path)) == 2
    files.write_text(path, "new")
    assert file_names(tmp_path) == ["a.txt"]


def test_two_writers_of_the_same_file_do_not_interfere(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with atomic(path) as first:
        first.write_text("first")
        files.write_text(path, "second")
        assert first.exists()
    assert path.read_text() == "first"
    assert file_names(tmp_path) == ["a.txt"]


def write_partially(path: Path, progress: Path) -> Path:
    """Interrupt the writing of a file, and return the temporary path."""
    with suppress(ZeroDivisionError), atomic(path, progress=progress) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    return temporary


def test_a_partial_file_is_kept_and_continued_while_progress_exists(
    tmp_path: Path,
) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    assert not write_partially(path, progress).exists()
    progress.touch()
    first = write_partially(path, progress)
    assert not path.exists()
    with atomic(path, progress=progress) as again:
        assert (again, again.read_text()) == (first, "half")
        again.write_text("whole")
    assert file_names(tmp_path) == ["a.txt", "progress"]
    assert path.read_text() == "whole"


def test_a_partial_file_without_progress_is_removed(tmp_path: Path) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    progress.touch()
    first = write_partially(path, progress)
    progress.unlink()
    with atomic(path, progress=progress) as another:
        assert not first.exists()
        assert another.read_bytes() == b""
    assert file_names(tmp_path) == ["a.txt"]


def test_the_file_of_a_running_writer_is_not_claimed(tmp_path: Path) -> None:
    path, progress = tmp_path / "a.txt", tmp_path / "progress"
    progress.touch()
    with atomic(path, progress=progress) as first:
        first.write_text("first")
        with atomic(path, progress=progress) as second:
            assert second != first
            assert second.read_bytes() == b""
    assert file_names(tmp_path) == ["a.txt", "progress"]


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """Yield a folder without write permission, as a user who is not root."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.txt").write_text("old")
        Path(folder).chmod(0o555)
        user = os.geteuid()
        if user == 0:
            os.seteuid(65534)
        try:
            yield Path(folder)
        finally:
            os.seteuid(user)
            Path(folder).chmod(0o755)


def test_a_folder_without_write_permission_raises(read_only_folder: Path) -> None:
    path = read_only_folder / "a.txt"
    with pytest.raises(StorageError) as caught:
        files.write_text(path, "new")
    assert str(caught.value).startswith(f"{path}: could not be written (Permission denied)")
    assert "correct the permissions, then run the same command again" in str(caught.value)
    assert file_names(read_only_folder) == ["a.txt"]
    assert path.read_text() == "old"


def test_a_file_in_place_of_a_folder_raises(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    path = tmp_path / "results" / "a.json"
    with pytest.raises(StorageError, match=re.escape(f"{path}: could not be written")):
        files.write_json(path, 1)
