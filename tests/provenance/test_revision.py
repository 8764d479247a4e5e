"""Which commit a folder is: asked of real repositories and of a real archive."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from normreport.provenance.revision import commit_unavailable_reason, revision

IDENTITY = {
    f"GIT_{role}_{what}": value
    for role in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "A"), ("EMAIL", "a@b"), ("DATE", "2026-01-31T12:00:00Z"))
}


def git(folder: Path, *arguments: str) -> str:
    environment = os.environ | IDENTITY | {"GIT_CONFIG_GLOBAL": os.devnull}
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


@pytest.fixture
def clone(tmp_path: Path, root: Path) -> Path:
    """Give a repository of one commit with a template, notes and what archives are marked by."""
    folder = tmp_path / "clone"
    (folder / "templates").mkdir(parents=True)
    (folder / "templates/a.j2").write_text("a")
    (folder / "notes.txt").write_text("notes")
    for name in (".gitattributes", ".git_archival.json"):
        shutil.copy(root / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_clean_clone_is_its_commit(clone: Path) -> None:
    found = revision(clone)
    assert (found.commit, found.date) == (git(clone, "rev-parse", "HEAD"), "2026-01-31")
    assert found.state == "clean"


@pytest.mark.parametrize("name", ["templates/a.j2", "templates/new.j2", "Snakefile"])
def test_a_changed_or_new_file_that_decides_a_report_makes_it_changed(
    clone: Path, name: str
) -> None:
    (clone / name).write_text("b")
    assert revision(clone).state == "changed"


@pytest.mark.parametrize("name", ["notes.txt", "mine.yaml"])
def test_a_file_that_decides_nothing_leaves_it_clean(clone: Path, name: str) -> None:
    (clone / name).write_text("b")
    assert revision(clone).state == "clean"


def test_an_archive_knows_its_commit_but_not_what_was_changed_since(
    clone: Path, tmp_path: Path
) -> None:
    git(clone, "archive", "--output", str(tmp_path / "a.tar"), "HEAD")
    shutil.unpack_archive(tmp_path / "a.tar", tmp_path / "archive")
    found = revision(tmp_path / "archive")
    assert (found.commit, found.date) == (git(clone, "rev-parse", "HEAD"), "2026-01-31")
    assert found.state == "unknown"


def test_a_copy_without_git_knows_nothing(clone: Path) -> None:
    shutil.rmtree(clone / ".git")
    found = revision(clone)
    assert (found.commit, found.date, found.state) == (None, None, "unknown")
    (clone / ".git_archival.json").unlink()
    assert revision(clone) == found


def test_a_repository_that_encloses_the_folder_is_not_asked(clone: Path) -> None:
    inner = clone / "templates"
    assert revision(inner).commit is None


def test_a_repository_without_a_commit_knows_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    assert revision(tmp_path).commit is None


def test_without_the_program_nothing_is_known(clone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert revision(clone).commit is None


# Git that does not tell


def test_a_worktree_has_a_commit_of_its_own(clone: Path, tmp_path: Path) -> None:
    first = git(clone, "rev-parse", "HEAD")
    git(clone, "worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "other")
    (tmp_path / "tree/templates/a.j2").write_text("b")
    assert revision(tmp_path / "tree").state == "changed"
    git(tmp_path / "tree", "commit", "--quiet", "--all", "--message", "second")
    found = revision(tmp_path / "tree")
    assert (found.commit, found.state) == (git(tmp_path / "tree", "rev-parse", "HEAD"), "clean")
    assert revision(clone).commit == first != found.commit


def test_a_clone_that_tells_its_commit_has_no_reason(clone: Path, tmp_path: Path) -> None:
    assert commit_unavailable_reason(clone) is None
    git(clone, "archive", "--output", str(tmp_path / "a.tar"), "HEAD")
    shutil.unpack_archive(tmp_path / "a.tar", tmp_path / "archive")
    assert commit_unavailable_reason(tmp_path / "archive") is None


def test_the_remedy_of_git_for_a_clone_of_another_user_is_told(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Git's own switch for its tests of this.
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("LANG", "de_DE.UTF-8")
    assert revision(clone).commit is None
    reason = commit_unavailable_reason(clone)
    assert reason is not None
    assert reason.startswith("git says: fatal: ")
    assert f"git config --global --add safe.directory {clone}" in reason


def test_damage_of_a_repository_is_told_in_the_words_of_git(clone: Path) -> None:
    (clone / ".git/HEAD").write_text("nothing")
    reason = commit_unavailable_reason(clone)
    assert reason is not None
    assert reason.startswith("git says: fatal: ")


def test_a_clone_without_the_program_git_is_told(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "")
    assert commit_unavailable_reason(clone) == (
        "git cannot be run (No such file or directory). Install it and run the same command again."
    )
