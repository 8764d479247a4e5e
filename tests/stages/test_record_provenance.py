from __future__ import annotations

import hashlib
import json
import re
import shutil

import pytest

from normreport.config import pages
from normreport.normalizations import module_name
from normreport.provenance.record import Record, read_page
from normreport.source_code import source_digest
from tests import reports
from tests.articles import TEMPLATES
from tests.reports import FIGURES, IMAGES, REVISION, RUNS, UNKNOWN, write_report


@pytest.fixture(scope="module")
def results(tmp_path_factory, default_values):
    folder = tmp_path_factory.mktemp("here") / "results"
    write_report(folder, default_values)
    return folder


@pytest.fixture(scope="module")
def record(results):
    return json.loads((results / "report/provenance.json").read_text())


@pytest.fixture(scope="module")
def crate(results):
    return json.loads((results / "report/ro-crate-metadata.json").read_text())


def test_a_record_is_of_its_type(record):
    assert Record.model_validate(record).model_dump(mode="json") == record


def test_every_file_that_the_page_rests_on_has_its_digest(results, record):
    assert len(record["files"]) == 1 + 3 * len(RUNS) + 2 * 2 + 3 * len(FIGURES) + 2
    for path, digest in record["files"].items():
        assert hashlib.sha256((results / path).read_bytes()).hexdigest() == digest


def test_runs_have_losses_and_digests(record):
    first = record["runs"][0]
    assert [run["id"] for run in record["runs"]] == list(RUNS)
    assert (first["state"], first["train_loss"]) == ("OK", 0.25)
    assert first["final_weights"] == hashlib.sha256(RUNS[0].encode()).hexdigest()
    joint = " ".join(IMAGES[name] for name in sorted(IMAGES))
    assert first["data"] == hashlib.sha256(joint.encode()).hexdigest()


def test_a_run_of_other_code_than_is_here_is_marked(record, tmp_path, default_values):
    assert all(run["older_code"] for run in record["runs"])  # their code is a made-up one
    here = source_digest("normreport.stages.train_run", module_name("unit"))
    write_report(tmp_path, default_values, digests={RUNS[0]: {"code": here}})
    found = json.loads((tmp_path / "report/provenance.json").read_text())
    assert [run["older_code"] for run in found["runs"]] == [False, True]


def test_an_arm_that_only_include_has_is_recorded(tmp_path, changed):
    run = {"model": "vgg16", "start": "scratch", "normalization": "imagenet", "seed": 0}
    included = {
        "experiment.normalizations": ["unit"],
        "experiment.exclude": [],
        "experiment.include": [run],
    }
    write_report(tmp_path, changed(included))
    found = json.loads((tmp_path / "report/provenance.json").read_text())
    assert [run["normalization"] for run in found["runs"]] == ["unit", "imagenet"]


def test_figures_have_number_settings_and_digests(record):
    # The article shows densities; training curves are in the supplement.
    for number, name in zip(("S1", "1"), FIGURES, strict=True):
        figure = record["figures"][name]
        assert figure["number"] == number
        assert figure["settings"]["kind"] == name.split("-")[0]
        caption = f"What {name} shows: 0.123 of it."
        assert figure["caption"] == hashlib.sha256(caption.encode()).hexdigest()


def test_configuration_commit_and_versions_are_recorded(record, default_values):
    assert record["config"]["training"]["epochs"] == default_values["training"]["epochs"]
    assert record["revision"] == REVISION
    assert record["trained_with"] == [{"python": "3.11.0", "torch": "2.14.1"}]


def test_the_page_holds_the_record_that_lies_beside_it(results, record):
    assert read_page(results / "report")[1].model_dump(mode="json") == record


def test_another_folder_gives_the_same_bytes_and_no_path_is_told(results, tmp_path, default_values):
    write_report(tmp_path / "there/results", default_values)
    for name in ("index.html", "provenance.json", "ro-crate-metadata.json"):
        text = (results / "report" / name).read_text()
        assert text == (tmp_path / "there/results/report" / name).read_text()
        assert str(results.parent) not in text


def test_another_commit_changes_the_commit_and_nothing_else(results, record, tmp_path):
    copied = tmp_path / "results"
    shutil.copytree(results, copied)
    other = REVISION | {"commit": "f" * 40}
    reports.render(copied, record["config"], revision=other, templates=[TEMPLATES])
    found = json.loads((copied / "report/provenance.json").read_text())
    assert found == record | {"revision": other}


# The RO-Crate: what its specification, 1.1, demands


def test_the_crate_is_flat_json_ld_whose_references_lead_somewhere(crate):
    assert crate["@context"][0] == "https://w3id.org/ro/crate/1.1/context"
    ids = [entity["@id"] for entity in crate["@graph"]]
    assert len(ids) == len(set(ids))
    for entity in crate["@graph"]:
        assert entity["@type"]
        for value in entity.values():
            for item in value if isinstance(value, list) else [value]:
                if isinstance(item, dict):
                    assert list(item) == ["@id"]
                    assert item["@id"] in ids or item["@id"].startswith("https://w3id.org/")


def test_the_crate_describes_itself_and_its_root(crate):
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    descriptor = entities["ro-crate-metadata.json"]
    assert descriptor["@type"] == "CreativeWork"
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = entities[descriptor["about"]["@id"]]
    assert root["@type"] == "Dataset"
    for key in ("name", "description", "license"):
        assert root[key]
    assert root["datePublished"] == REVISION["date"]


def test_every_file_of_the_report_is_part_of_the_crate(crate, results):
    entities = {entity["@id"]: entity for entity in crate["@graph"]}
    report = results / "report"
    found = {path.relative_to(report).as_posix() for path in report.rglob("*") if path.is_file()}
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    assert parts == found - {"ro-crate-metadata.json"}
    for part in parts:
        entity = entities[part]
        assert entity["@type"] == "File"
        assert re.fullmatch(r"[a-z]+/[a-z]+", entity["encodingFormat"])
        if "sha256" in entity:
            digest = hashlib.sha256((report / part).read_bytes()).hexdigest()
            assert entity["sha256"] == digest
    assert {part for part in parts if "sha256" not in entities[part]} == {
        "index.html",
        "provenance.json",
    }


def test_the_pages_of_a_large_report_are_parts_of_the_crate(tmp_path, default_values, monkeypatch):
    monkeypatch.setattr(pages, "MOST_FIGURES", 0)
    write_report(tmp_path, default_values)
    report = tmp_path / "report"
    graph = json.loads((report / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    found = {path.relative_to(report).as_posix() for path in report.rglob("*.html")}
    assert found == {"index.html", "supplement/vgg16.html"}
    assert found < {part["@id"] for part in entities["./"]["hasPart"]}
    assert entities["supplement/vgg16.html"]["name"] == "The supplement's figures of vgg16"


def test_a_crate_without_a_commit_claims_no_date_and_no_version(tmp_path, default_values):
    values = default_values | {"report": {"title": "t", "authors": ["A. Author"]}}
    write_report(tmp_path, values, revision=UNKNOWN)
    graph = json.loads((tmp_path / "report/ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert "datePublished" not in entities["./"]
    assert "version" not in entities["#normreport"]
    assert entities["./"]["author"] == [{"@id": "#author-1"}]
    assert entities["#author-1"]["name"] == "A. Author"
