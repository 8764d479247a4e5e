from __future__ import annotations

import csv
import json
from types import SimpleNamespace

import jsonschema
import pytest

from normreport.claims.registry import CLAIMS
from normreport.errors import StorageError
from normreport.io.files import canonical_json
from normreport.stages import judge_claims
from tests.stages.conftest import LAYER, read, run_settings


def judge(folder, data, pretrained, runs, comparisons, **changes):
    images = {"source": "digits", "train_images": 32, "heldout_images": 20}
    planned = {
        "data": {"target": images},
        "pretraining": {"mobilenet_v2": read(pretrained.manifest)["origin"]["settings"]},
        "pretrained_as": {"mobilenet_v2": "mobilenet_v2"},
        "sweeps": [],
        "runs": [
            json.loads(run_settings(start=start, normalization=arm, **changes))
            for start in ("pretrained", "scratch")
            for arm in ("unit", "imagenet")
        ],
    }
    settings = {
        "models": ["mobilenet_v2"],
        "architectures": {"mobilenet_v2": "mobilenet_v2"},
        "built_as": {"mobilenet_v2": "mobilenet_v2"},
        "layers": {"mobilenet_v2": [LAYER]},
        "starts": ["pretrained", "scratch"],
        "normalizations": ["unit", "imagenet"],
        "seeds": [0],
        "planned": [
            {"model": "mobilenet_v2", "start": start, "normalization": arm, "seeds": [0]}
            for start in ("pretrained", "scratch")
            for arm in ("unit", "imagenet")
        ],
        "epochs": 2,
        "target": images,
        "pretraining": images,
    }
    judge_claims.run(
        settings=canonical_json(settings),
        planned=canonical_json(planned),
        manifests=[run.manifest for run in runs],
        histories=[run.history for run in runs],
        layers=[run.layers for run in runs],
        measures=[run.measures for run in runs],
        products=[comparison.products for comparison in comparisons.values()],
        images=data.images,
        images_manifest=data.manifest,
        pretrained=[pretrained.manifest],
        cases=folder / "cases.csv",
        results=folder / "results.json",
        runs=folder / "runs.csv",
    )


@pytest.fixture(scope="module")
def judged(tmp_path_factory, data, pretrained, runs, comparisons):
    folder = tmp_path_factory.mktemp("judged")
    judge(folder, data, pretrained, runs, comparisons)
    return folder


@pytest.mark.parametrize("table", ["history", "layers"])
def test_a_table_that_lost_a_row_is_named_and_judges_nothing(
    tmp_path, data, pretrained, runs, comparisons, table
):
    cut = tmp_path / f"{table}.csv"
    rows = getattr(runs[1], table).read_text().splitlines(keepends=True)
    cut.write_text("".join(rows[:-1]))
    damaged = SimpleNamespace(**{**vars(runs[1]), table: cut})
    with pytest.raises(StorageError, match=rf"{table}\.csv: could not be read .*its manifest"):
        judge(tmp_path, data, pretrained, [runs[0], damaged, *runs[2:]], comparisons)
    assert not (tmp_path / "results.json").exists()


def test_runs_of_other_settings_are_named_and_nothing_is_judged(
    tmp_path, data, pretrained, runs, comparisons
):
    with pytest.raises(StorageError, match=r"scratch/unit/seed0: epochs: expected 3, found 2"):
        judge(tmp_path, data, pretrained, runs[2:], comparisons, epochs=3)
    assert not list(tmp_path.iterdir())


def test_every_claim_is_in_the_results_with_a_verdict_or_a_reason(judged):
    results = read(judged / "results.json")
    assert [claim["id"] for claim in results["claims"]] == [claim.id for claim in CLAIMS]
    for claim in results["claims"]:
        # One seed: what is not exact cannot be judged.
        exact = claim["id"] in {"C0", "H3"}
        assert claim["verdict"] == ("REFUTED" if exact else "NOT EVALUABLE")
        assert exact or claim["reason"]


def test_the_results_follow_their_schema(judged, root):
    schema = read(root / "workflow" / "schemas" / "results.schema.json")
    results = read(judged / "results.json")
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(results)) == []
    assert results["schema_version"] == 4
    assert len(results["runs"]) == 4


def test_the_arms_that_pretraining_has_not_seen_are_told(judged):
    (row,) = read(judged / "results.json")["pretraining"]
    assert (row["kind"], row["normalization"]) == ("trained", "imagenet")
    assert row["other_arms"] == ["unit"]


def test_results_are_json_without_nan(judged):
    text = (judged / "results.json").read_text()
    json.loads(text, parse_constant=lambda constant: pytest.fail(constant))


def test_the_table_of_runs_has_one_row_per_run(judged):
    with (judged / "runs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["id"] for row in rows] == [
        f"mobilenet_v2/{start}/{arm}/seed0"
        for start in ("pretrained", "scratch")
        for arm in ("unit", "imagenet")
    ]
    assert {row["state"] for row in rows} == {"OK"}


def test_the_table_of_cases_has_every_case_with_its_p_values(judged):
    with (judged / "cases.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    results = read(judged / "results.json")
    assert len(rows) == sum(len(claim["cases"]) for claim in results["claims"])
    p_values = ("p_support", "p_refute", "sign_flip_support", "sign_flip_refute")
    # One seed has none.
    assert all(row[column] == "" for row in rows for column in p_values)
