"""Clones of the repository, each in a folder of its own, and one build of the smoke preset."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("Snakefile", "config.yaml", "workflow", "profiles", "normreport", "templates")
# The results, and Snakemake's metadata.
BUILT = ("results", ".snakemake")


class Clone:
    """A folder with the workflow, and snakemake to run in it."""

    output: str
    """What the first build printed, for the fixtures that build."""

    def __init__(self, folder):
        self.folder = folder
        self.copy(ROOT, PARTS)

    def copy(self, origin, parts, copy_function=shutil.copy2):
        """Copy parts of another folder into this one."""
        for part in parts:
            source, target = origin / part, self.folder / part
            if source.is_dir():
                shutil.copytree(
                    *(source, target),
                    ignore=shutil.ignore_patterns("__pycache__"),
                    copy_function=copy_function,
                )
            else:
                copy_function(source, target)

    @property
    def environment(self):
        """The environment: the programs beside this Python, and the code of the clone."""
        return os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder),
            "XDG_CACHE_HOME": str(self.folder / ".cache"),
        }

    def started(self, *arguments, **variables):
        """Start snakemake in a session of its own, which a test can kill with all its jobs."""
        return subprocess.Popen(
            ["snakemake", *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def snakemake(self, *arguments, check=True, **variables):
        """Run snakemake with more variables in its environment."""
        done = subprocess.run(
            ["snakemake", *arguments],
            cwd=self.folder,
            env=self.environment | variables,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if check:
            assert done.returncode == 0, done.stdout[-6000:] + self.logs()
        return done

    def logs(self):
        """Return the ends of all logs that are not empty, for the message of a failed test."""
        found = [(path, path.read_text().strip()) for path in self.folder.glob("logs/**/*.log")]
        return "".join(f"\n--- {path}\n{text[-500:]}" for path, text in found if text)


@pytest.fixture
def clone(tmp_path):
    """Return a fresh clone."""
    return Clone(tmp_path)


@pytest.fixture(scope="session")
def smoke(tmp_path_factory):
    """Build the smoke preset in a clone, one job after the other."""
    built = Clone(tmp_path_factory.mktemp("smoke"))
    built.output = built.snakemake(*SMOKE, "--cores", "1").stdout
    return built


def copy_of(built, folder):
    """Return a clone with a copy of a build, with other times, as on another machine."""
    copy = Clone(folder)
    copy.copy(built.folder, BUILT, shutil.copyfile)
    return copy


SMOKE = ("--cores", "2", "--configfile", "workflow/presets/smoke.yaml")
