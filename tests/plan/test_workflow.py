"""What the workflow makes, and what each job reads, for the default experiment and others."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from normreport.config.experiment import Config, load_config, with_layer_paths
from normreport.errors import ConfigError, StorageError
from normreport.plan.workflow import Plan, verbatim
from normreport.source_code import source_files

Changed = Callable[..., dict[str, Any]]
LAYERS = {"vgg16": ("features.0", "features.10"), "mobilenet_v2": ("features.0.0",)}


def _config(values: dict[str, Any]) -> Config:
    return with_layer_paths(load_config(values), lambda architecture, _: LAYERS[architecture])


def _plan(values: dict[str, Any], *, is_partial: bool = False, with_pdf: bool = True) -> Plan:
    return Plan.make(_config(values), is_partial=is_partial, with_pdf=with_pdf)


@pytest.fixture
def small(changed: Changed) -> dict[str, Any]:
    """Give an experiment of eight runs of VGG16."""
    return changed(
        {
            "experiment.models": ["vgg16"],
            "experiment.normalizations": ["unit", "imagenet"],
            "experiment.seeds": [0, 1],
        }
    )


@pytest.fixture
def partial(small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plan:
    """Plan a partial report in a folder with one complete run."""
    monkeypatch.chdir(tmp_path)
    manifest = Path("results/runs/vgg16/scratch/imagenet/seed1/manifest.json")
    manifest.parent.mkdir(parents=True)
    manifest.touch()
    return _plan(small, is_partial=True)


def test_every_run_of_the_experiment_is_used_in_its_order(small: dict[str, Any]) -> None:
    plan = _plan(small)
    assert [run.id for run in plan.runs] == [
        f"vgg16/{start}/{arm}/seed{seed}"
        for start in small["experiment"]["starts"]
        for arm in ("unit", "imagenet")
        for seed in (0, 1)
    ]
    assert plan.failures.runs == ()


def test_a_partial_report_uses_the_complete_runs_and_their_figures(partial: Plan) -> None:
    assert [run.id for run in partial.runs] == ["vgg16/scratch/imagenet/seed1"]
    assert len(partial.failures.runs) == 7
    assert "curves-vgg16" in partial.figures
    assert "density-vgg16-scratch-features.0" in partial.figures
    assert not [name for name in partial.figures if "pretrained" in name]
    assert partial.of_pretraining("{model}") == []
    assert partial.of_comparisons("{model} {start} {layer}") == [
        "vgg16 scratch features.0",
        "vgg16 scratch features.10",
    ]


def test_only_a_partial_report_asks_for_a_file_that_is_never_made(
    partial: Plan, small: dict[str, Any]
) -> None:
    assert "results/all-runs" in partial.intermediate_files()
    assert "results/all-runs" not in _plan(small).intermediate_files()


def test_a_partial_report_of_no_run_is_an_error(
    small: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StorageError, match=r"^partial=true: no run of the experiment is complete"):
        _plan(small, is_partial=True)


def test_the_report_has_one_table_for_each_figure_and_two_more(small: dict[str, Any]) -> None:
    plan = _plan(small, with_pdf=False)
    assert plan.report_files()[:4] == [
        "results/report/index.html",
        "results/report/results.json",
        "results/report/provenance.json",
        "results/report/ro-crate-metadata.json",
    ]
    tables = {f"results/report/data/{name}.csv" for name in [*plan.figures, "runs", "cases"]}
    assert set(plan.report_files()[4:]) == tables
    assert {*_plan(small).report_files()} - {*plan.report_files()} == {"results/report/report.pdf"}


def test_a_deleted_intermediate_file_would_be_missed(small: dict[str, Any]) -> None:
    wanted = _plan(small).intermediate_files()
    assert len(wanted) == len(set(wanted))
    run = "vgg16/pretrained/unit/seed0"
    assert {
        "results/data/target/images.safetensors",
        "results/data/pretraining/manifest.json",
        "results/pretrained/vgg16/weights.safetensors",
        f"results/runs/{run}/snapshots.safetensors",
        f"results/runs/{run}/history.csv",
        f"results/runs/{run}/layers.csv",
        f"results/runs/{run}/manifest.json",
        f"results/weights/{run}.json",
        f"results/measures/{run}.parquet",
        f"results/quantiles/{run}.parquet",
        "results/comparisons/vgg16/pretrained/features.10/distances.parquet",
        "results/figures/inits.svg",
        "results/figures/inits.json",
    } <= set(wanted)


def test_fetched_weights_need_no_images_and_no_gpu(changed: Changed) -> None:
    here = _plan(changed({"training.device": "auto"}))
    fetched = _plan(changed({"training.device": "auto", "pretraining.weights": "IMAGENET1K_V1"}))
    model = SimpleNamespace(model="vgg16")
    assert here.pretraining_images(model) == "results/data/pretraining/images.safetensors"
    assert fetched.pretraining_images(model) == []
    assert (here.pretraining_gpus(), fetched.pretraining_gpus()) == (1, 0)
    assert list(here.data_digests) == ["target", "pretraining"]
    assert list(fetched.data_digests) == ["target"]
    assert here.pretraining_checkpoint(model) == fetched.pretraining_checkpoint(model) == []


def test_a_user_s_checkpoint_is_a_file_of_each_model(changed: Changed) -> None:
    plan = _plan(changed({"pretraining.weights": "mine/{model}.pth"}))
    assert plan.pretraining_checkpoint(SimpleNamespace(model="vgg16")) == "mine/vgg16.pth"


@pytest.mark.parametrize(
    ("start", "weights", "option"),
    [
        ("pretrained", "results/pretrained/vgg16/weights.safetensors", "--pretrained"),
        ("pretrained_head", "results/pretrained/vgg16/weights.safetensors", "--pretrained"),
        ("scratch", [], ""),
    ],
)
def test_only_a_pretrained_run_reads_pretrained_weights(
    changed: Changed, start: str, weights: object, option: str
) -> None:
    wildcards = SimpleNamespace(model="vgg16", start=start)
    plan = _plan(changed({}))
    assert plan.pretrained_weights(wildcards) == weights
    assert plan.pretrained_option(wildcards) == option


def test_a_run_depends_on_its_own_arm_and_its_own_settings(small: dict[str, Any]) -> None:
    plan = _plan(small)
    run = SimpleNamespace(model="vgg16", start="scratch", normalization="unit", seed="1")
    arms = {Path(path).name for path in plan.run_code(run) if "normalizations" in path}
    assert arms == {"__init__.py", "unit.py"}
    settings = json.loads(plan.run_settings(run))
    assert {key: settings[key] for key in ("model", "start", "normalization", "seed")} == {
        "model": "vgg16",
        "start": "scratch",
        "normalization": "unit",
        "seed": 1,
    }
    assert "report" not in settings
    assert plan.run_mb(run) > 1700  # measured


def test_arms_are_compared_within_one_start(small: dict[str, Any]) -> None:
    wildcards = SimpleNamespace(model="vgg16", start="scratch")
    runs = [f"vgg16/scratch/{arm}/seed{seed}" for arm in ("unit", "imagenet") for seed in (0, 1)]
    plan = _plan(small)
    assert plan.compared_digests(wildcards) == [f"results/weights/{run}.json" for run in runs]
    assert plan.compared_snapshots(wildcards) == [
        f"results/runs/{run}/snapshots.safetensors" for run in runs
    ]


@pytest.mark.parametrize(
    ("figure", "inputs"),
    [
        (
            "examples",
            ["results/data/target/images.safetensors", "results/data/target/manifest.json"],
        ),
        (
            "density-vgg16-scratch-features.10",
            [
                f"results/comparisons/vgg16/{start}/features.10/densities.parquet"
                for start in ("pretrained", "scratch")
            ],
        ),
    ],
)
def test_a_figure_is_drawn_from_its_table_for_every_start(
    small: dict[str, Any], figure: str, inputs: list[str]
) -> None:
    assert sorted(_plan(small).figure_inputs(SimpleNamespace(figure=figure))) == sorted(inputs)


def test_a_figure_of_single_runs_reads_those_of_its_model(changed: Changed) -> None:
    plan = _plan(changed({"experiment.seeds": [0], "experiment.normalizations": ["unit"]}))
    assert sorted(plan.figure_inputs(SimpleNamespace(figure="curves-vgg16"))) == [
        "results/runs/vgg16/pretrained/unit/seed0/history.csv",
        "results/runs/vgg16/scratch/unit/seed0/history.csv",
    ]
    assert len(plan.figure_inputs(SimpleNamespace(figure="inits"))) == 4


def test_only_figures_of_runs_wait_for_the_list_of_failed_runs(small: dict[str, Any]) -> None:
    plan = _plan(small)
    assert plan.figure_failures(SimpleNamespace(figure="examples")) == []
    assert plan.figure_failures(SimpleNamespace(figure="inits")) == "results/failures.json"


def test_a_figure_depends_on_its_own_kind(small: dict[str, Any]) -> None:
    found = _plan(small).figure_code(SimpleNamespace(figure="inits"))
    kinds = {Path(path).stem for path in found if "figures/kinds/" in path}
    assert kinds == {"__init__", "inits"}
    assert {Path(path).resolve() for path in found} == set(
        source_files("normreport.stages.draw_figure", "normreport.figures.kinds.inits")
    )


def test_templates_of_the_user_come_before_ours(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for path in ("mine/screen.css", "templates/screen.css", "templates/languages/de.po"):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()
    plan = _plan(changed({"report.templates": "mine", "report.language": "de"}))
    assert plan.template_folders() == ["mine", "templates"]
    assert plan.template_files() == [
        "mine/screen.css",
        "templates/languages/de.po",
        "templates/screen.css",
    ]
    assert plan.catalogue() == ["templates/languages/de.po"]
    assert _plan(changed({})).catalogue() == []


@pytest.mark.parametrize(("logo", "expected"), [(None, []), ("my logo.svg", ["my logo.svg"])])
def test_a_report_has_at_most_one_logo(changed: Changed, logo: object, expected: object) -> None:
    assert _plan(changed({"report.logo": logo})).logo() == expected


def test_a_value_that_is_passed_verbatim_ignores_the_wildcards() -> None:
    assert verbatim("{model}")(SimpleNamespace(model="vgg16")) == "{model}"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("report.logo", "{my}.svg"),
        ("report.templates", "{model}/mine"),
        ("pretraining.weights", "{model}/{start}.pth"),
    ],
)
def test_a_path_with_braces_is_an_error(changed: Changed, key: str, path: str) -> None:
    with pytest.raises(ConfigError, match=f"^{key}: expected a path without braces"):
        _plan(changed({key: path}))
