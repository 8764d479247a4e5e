"""The same configuration, code and packages: the same bytes, wherever and however it is run."""

from __future__ import annotations

import pytest

from tests.workflow.conftest import SMOKE, Clone


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """Give a second build: another folder, number of cores, order of jobs, time zone, language."""
    clone = Clone(tmp_path_factory.mktemp("another folder"))
    _cores, _two, *configuration = SMOKE
    clone.snakemake("--cores", "4", *configuration, TZ="Pacific/Auckland", LC_ALL="C")
    return clone


def contents(clone):
    results = clone.folder / "results"
    files = (path for path in results.rglob("*") if path.is_file())
    return {path.relative_to(results).as_posix(): path.read_bytes() for path in files}


def test_every_file_of_the_results_has_the_same_bytes(smoke, again):
    first, second = contents(smoke), contents(again)
    assert {"report/index.html", "report/report.pdf", "report/results.json"} < first.keys()
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
