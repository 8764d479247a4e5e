"""Results without Snakemake's metadata are refused, or adopted if their record matches."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.config.record import RecordSettings, Revision
from normreport.config.report import FigureSettings
from normreport.config.training import ArmInputs
from normreport.errors import StorageError
from normreport.plan.existing_results import (
    check_adoption,
    has_metadata,
    missing_metadata_error,
)
from normreport.provenance.figure_code import figure_code
from normreport.provenance.stage_code import run_code
from tests.articles import TEMPLATES
from tests.reports import FIGURES, RUNS, UNKNOWN, write_report

Values = dict[str, Any]


@pytest.mark.parametrize(
    ("metadata", "results", "expected"),
    [
        ([], [], True),
        ([], ["results/data/target/manifest.json"], False),
        ([".snakemake/log/a.log"], ["results/report/index.html"], False),
        ([".snakemake/metadata/cmVz"], ["results/report/index.html"], True),
        ([".snakemake/incomplete/cmVz"], ["results/data/target/manifest.json"], True),
        ([".snakemake/metadata.db"], ["results/report/index.html"], True),
    ],
)
def test_one_job_in_the_metadata_is_enough(
    tmp_path: Path, metadata: list[str], results: list[str], expected: bool
) -> None:
    for name in (*metadata, *results):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert has_metadata(tmp_path / "results", tmp_path / ".snakemake") is expected


def test_results_without_metadata_are_an_error_that_names_both_folders_and_the_ways_out() -> None:
    message = str(missing_metadata_error(Path("results"), Path(".snakemake")))
    assert message.startswith("results is here, but not .snakemake")
    assert "--touch --forceall --config adopt=true" in message


@pytest.fixture
def results(tmp_path: Path, default_values: Values) -> Path:
    code = {name: run_code(ArmInputs(normalization=name.split("/")[2])) for name in RUNS}
    code |= {name: figure_code(FigureSettings(kind=name.split("-")[0])) for name in FIGURES}
    codes = {name: {"code": one.digest()} for name, one in code.items()}
    write_report(
        tmp_path / "results",
        default_values,
        digests={name: codes[name] for name in RUNS},
        figures={name: {"made_from": codes[name]} for name in FIGURES},
    )
    return tmp_path / "results"


def settings(values: Values) -> RecordSettings:
    """Give what a build would record now."""
    return RecordSettings(config=load_config(values), revision=Revision(**UNKNOWN), with_pdf=True)


def test_results_of_this_configuration_and_code_are_adopted_from_any_commit(
    results: Path, default_values: Values
) -> None:
    check_adoption(results, settings(default_values), [TEMPLATES])


def test_results_of_another_configuration_are_refused(results: Path, changed: Any) -> None:
    other = settings(changed({"training.epochs": 7}))
    with pytest.raises(
        StorageError, match=r"this configuration .*: config\.training\.epochs\. Exp"
    ):
        check_adoption(results, other, [TEMPLATES])


@pytest.mark.parametrize("key", ["code.train_run", "versions.torch"])
def test_results_of_other_code_are_refused(results: Path, default_values: Values, key: str) -> None:
    path = results / "report/provenance.json"
    record = json.loads(path.read_text())
    part, name = key.split(".")
    record[part][name] = "another"
    path.write_text(json.dumps(record))
    with pytest.raises(StorageError, match=key):
        check_adoption(results, settings(default_values), [TEMPLATES])


@pytest.mark.parametrize("part", ["runs", "figures"])
def test_results_of_another_arm_or_kind_of_figure_are_refused(
    results: Path, default_values: Values, part: str
) -> None:
    path = results / "report/provenance.json"
    record = json.loads(path.read_text())
    name, changed = {
        "runs": (RUNS[1], record["runs"][1]),
        "figures": (FIGURES[0], record["figures"][FIGURES[0]]),
    }[part]
    changed["code"] = "another"
    path.write_text(json.dumps(record))
    with pytest.raises(StorageError, match=f"complete: code of {name}. Exp"):
        check_adoption(results, settings(default_values), [TEMPLATES])


def test_results_of_other_templates_are_refused(results: Path, default_values: Values) -> None:
    with pytest.raises(StorageError, match="templates"):
        check_adoption(results, settings(default_values), [TEMPLATES / "sections"])


def test_a_changed_or_missing_file_is_named(results: Path, default_values: Values) -> None:
    (results / "data/target/images.safetensors").unlink()
    (results / "report/results.json").write_text("{}")
    names = r"data/target/images\.safetensors, report/results\.json\. Expected"
    with pytest.raises(StorageError, match=names):
        check_adoption(results, settings(default_values), [TEMPLATES])


def test_an_interrupted_build_cannot_be_adopted(tmp_path: Path, default_values: Values) -> None:
    with pytest.raises(StorageError, match=r"provenance\.json: could not be read"):
        check_adoption(tmp_path, settings(default_values), [TEMPLATES])
