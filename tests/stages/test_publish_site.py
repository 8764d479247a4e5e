from __future__ import annotations

import pytest

from normreport.errors import StorageError
from normreport.stages.publish_site import run


@pytest.fixture
def report(tmp_path):
    folder = tmp_path / "report"
    (folder / "data").mkdir(parents=True)
    (folder / "index.html").write_text("page")
    (folder / "data/table.csv").write_text("a\n1\n")
    return folder


def test_the_site_holds_the_report_and_nothing_of_an_older_one(report, tmp_path):
    site = tmp_path / "public"
    site.mkdir()
    (site / "old.html").write_text("old")
    run(files=[report / "index.html", report / "data/table.csv"], report=report, site=site)
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    assert found == [".nojekyll", "data/table.csv", "index.html"]


def test_a_file_that_is_missing_leaves_the_site_as_it_was(report, tmp_path):
    site = tmp_path / "public"
    site.mkdir()
    (site / "index.html").write_text("old")
    with pytest.raises(StorageError, match="public: could not be written"):
        run(files=[report / "index.html", report / "gone.csv"], report=report, site=site)
    assert (site / "index.html").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["public", "report"]
