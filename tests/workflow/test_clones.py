"""A clone runs its own code, whatever other copies of the package Python could import."""

from __future__ import annotations

import subprocess

import pytest

from tests.workflow.conftest import SMOKE, Clone

# Imported by every command: the log of a job shows whose code ran.
SIGNED = """
import os, sys
if os.path.basename(sys.argv[0]) != "snakemake":
    print("the code of {name}", file=sys.stderr)
"""
TARGET = ("results/failures.json", "--forceall", *SMOKE)


def signed_clone(folder, name):
    """Give a clone whose commands sign their logs."""
    folder.mkdir()
    clone = Clone(folder)
    cli = folder / "normreport/cli.py"
    cli.write_text(cli.read_text() + SIGNED.format(name=name))
    return clone


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    """Give two clones with different code."""
    folder = tmp_path_factory.mktemp("clones")
    return signed_clone(folder / "first", "first"), signed_clone(folder / "second", "second")


def log(clone):
    return signature(clone.folder)


def signature(folder):
    """Return the first line of a log; the last one names the memory of the job."""
    return (folder / "logs/record_failures/failures.log").read_text().splitlines()[0]


def test_a_clone_runs_its_own_code_beside_an_installed_package(clones):
    """The package that is installed beside this Python is another copy than either clone."""
    for clone, name in zip(clones, ("first", "second"), strict=True):
        clone.snakemake(*TARGET, PYTHONPATH="")
        assert log(clone) == f"the code of {name}"


def test_a_clone_runs_its_own_code_though_another_one_comes_first(clones):
    first, second = clones
    second.snakemake(*TARGET, PYTHONPATH=str(first.folder))
    assert log(second) == "the code of second"


def test_a_clone_runs_its_own_code_from_another_working_directory(clones, tmp_path):
    first, second = clones
    preset = str(second.folder / SMOKE[-1])
    options = (*TARGET[:-1], preset, "--directory", str(tmp_path))
    second.snakemake(*options, PYTHONPATH=str(first.folder))
    assert signature(tmp_path) == "the code of second"


def test_code_of_another_clone_that_was_imported_already_stops_the_workflow(clones):
    first, second = clones
    site = first.folder / "sitecustomize.py"
    site.write_text("import normreport\n")
    stopped = second.snakemake(*TARGET, check=False, PYTHONPATH=str(first.folder))
    site.unlink()
    assert stopped.returncode != 0
    assert "Another copy of normreport was imported" in stopped.stdout
    assert str(first.folder / "normreport") in stopped.stdout
    assert str(second.folder / "normreport") in stopped.stdout
    assert "Traceback" not in stopped.stdout


def git(folder, *arguments):
    identity = ("-c", "user.name=A", "-c", "user.email=a@b")
    command = ["git", "-C", str(folder), *identity, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_a_worktree_runs_its_own_code_and_names_its_own_commit(tmp_path):
    first = signed_clone(tmp_path / "first", "first")
    git(first.folder, "init", "--quiet")
    git(first.folder, "add", ".")
    git(first.folder, "commit", "--quiet", "--message", "first")
    git(first.folder, "worktree", "add", "--quiet", str(tmp_path / "second"), "-b", "second")
    second = Clone.__new__(Clone)  # the worktree has the files already
    second.folder = tmp_path / "second"
    cli = second.folder / "normreport/cli.py"
    cli.write_text(cli.read_text().replace("code of first", "code of second"))
    git(second.folder, "commit", "--quiet", "--all", "--message", "second")
    output = second.snakemake(*TARGET, PYTHONPATH=str(first.folder)).stdout
    assert log(second) == "the code of second"
    assert "will name no commit" not in output
    planned = second.snakemake(*SMOKE, "--dry-run", "--printshellcmds", PYTHONPATH="").stdout
    commits = [git(clone.folder, "rev-parse", "HEAD") for clone in (first, second)]
    assert [f'"commit":"{commit}"' in planned for commit in commits] == [False, True]
    assert '"state":"clean"' in planned
