"""What the workflow makes, and what each job reads, for the default experiment and others."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from normreport.config import pages
from normreport.config.experiment import Config, load_config, with_layer_paths
from normreport.config.json_files import write_model
from normreport.config.manifests import FinishedStatus, LayerDigests, WeightDigests
from normreport.config.runs import Run
from normreport.errors import ConfigError, StorageError, WeightsError
from normreport.plan import workflow
from normreport.plan.resources import comparing_mb, measuring_mb
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


def test_a_design_with_holes_has_only_the_files_of_its_runs(small: dict[str, Any]) -> None:
    small["experiment"] |= {
        "exclude": [{"start": "pretrained"}, {"normalization": "unit", "seed": 1}],
        "include": [{"start": "scratch_head", "normalization": "unit", "seed": 4}],
    }
    plan = _plan(small)
    assert plan.of_runs("{start} {normalization} {seed}") == [
        "scratch unit 0",
        "scratch imagenet 0",
        "scratch imagenet 1",
        "scratch_head unit 4",
    ]
    assert plan.of_comparisons("{start} {layer}") == [
        "scratch features.0",
        "scratch features.10",
        "scratch_head features.0",
        "scratch_head features.10",
    ]
    assert plan.of_pretraining("{model}") == []
    assert plan.of_data_sets("{data}") == ["target"]
    assert not [path for path in plan.intermediate_files() if "pretrained" in path]


def test_the_jobs_of_other_runs_do_not_depend_on_the_design(small: dict[str, Any]) -> None:
    holes = {"include": [{"start": "scratch", "normalization": "unit", "seed": 4}]}
    sparse = small | {"experiment": small["experiment"] | holes}
    before, after = _plan(small), _plan(sparse)
    run = SimpleNamespace(model="vgg16", start="scratch", normalization="unit", seed="1")
    other = SimpleNamespace(model="vgg16", start="pretrained")
    assert after.run_settings(run) == before.run_settings(run)
    assert after.run_code(run) == before.run_code(run)
    assert after.compared_digests(other) == before.compared_digests(other)
    assert after.judge_settings() != before.judge_settings()
    for name in before.figures:
        figure = SimpleNamespace(figure=name)
        assert after.figure_settings(figure) == before.figure_settings(figure)


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


def test_a_large_report_has_pages_besides_the_article(
    small: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan(small)
    assert plan.supplement_pages() == []
    assert len(plan.attached_tables()) == len(plan.figures)
    monkeypatch.setattr(pages, "MOST_RUNS", len(plan.runs) - 1)
    names = ("vgg16", "vgg16-features.0", "vgg16-features.10")
    others = [f"results/report/supplement/{name}.html" for name in names]
    assert plan.supplement_pages() == others
    assert plan.report_files()[: 1 + len(others)] == ["results/report/index.html", *others]
    # The PDF has only the figures of the article's page.
    attached = {*plan.attached_tables()}
    assert "results/report/data/density-vgg16-scratch-features.0.csv" in attached
    assert "results/report/data/density-vgg16-scratch-features.10.csv" not in attached


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
        "results/comparisons/vgg16/pretrained/features.10/quantile_products.parquet",
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
    assert here.checkpoint_digests == fetched.checkpoint_digests == {}


def test_a_users_checkpoint_is_a_file_of_each_model_and_must_exist(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    values = changed({"pretraining.weights": "{start} mine/{model}.ckpt"})
    folder = Path("{start} mine")
    folder.mkdir()
    (folder / "vgg16.ckpt").touch()
    with pytest.raises(WeightsError, match=r"mobilenet_v2\.ckpt: this checkpoint does not exist"):
        _plan(values)
    (folder / "mobilenet_v2.ckpt").touch()
    assert list(_plan(values).checkpoint_digests) == ["vgg16", "mobilenet_v2"]


def test_models_with_equal_settings_share_one_pretraining(small: dict[str, Any]) -> None:
    vgg16 = small["models"]["vgg16"]
    slow = vgg16 | {"architecture": "vgg16", "learning_rate": 1e-5}
    other = slow | {"pretraining": vgg16["pretraining"] | {"epochs": 9}}
    models = small["models"] | {"slow": slow, "other": other}
    names = ["vgg16", "slow", "other"]
    plan = _plan(small | {"experiment": small["experiment"] | {"models": names}, "models": models})
    assert plan.of_pretraining("{model}") == ["vgg16", "other"]
    for model, weights in {"vgg16": "vgg16", "slow": "vgg16", "other": "other"}.items():
        wildcards = SimpleNamespace(model=model, start="pretrained")
        path = f"results/pretrained/{weights}/weights.safetensors"
        assert plan.pretrained_weights(wildcards) == path


@pytest.mark.parametrize(
    ("start", "weights"),
    [
        ("pretrained", "results/pretrained/vgg16/weights.safetensors"),
        ("pretrained_head", "results/pretrained/vgg16/weights.safetensors"),
        ("scratch", []),
    ],
)
def test_only_a_pretrained_run_reads_pretrained_weights(
    changed: Changed, start: str, weights: object
) -> None:
    wildcards = SimpleNamespace(model="vgg16", start=start)
    plan = _plan(changed({}))
    assert plan.pretrained_weights(wildcards) == weights


SWEEP = {"candidates": [1e-3, 1e-2], "seeds": [100, 101]}


class Sweeps:
    """Stand for Snakemake's checkpoints: every sweep is done."""

    @property
    def tune_rate(self) -> Sweeps:
        return self

    def get(self, **arm: str) -> SimpleNamespace:
        rate = "results/tuning/{model}/{start}/{normalization}/rate.json".format(**arm)
        return SimpleNamespace(output=SimpleNamespace(rate=rate))


def test_a_tuned_model_has_one_sweep_for_each_start_and_arm(small: dict[str, Any]) -> None:
    assert _plan(small).of_sweeps() == []
    small["models"]["vgg16"]["learning_rate"] = SWEEP
    found = _plan(small).of_sweeps()
    arms = [(start, arm) for start in ("pretrained", "scratch") for arm in ("unit", "imagenet")]
    assert found == [
        f"results/tuning/vgg16/{start}/{arm}/{name}.json"
        for name in ("rate", "manifest")
        for start, arm in arms
    ]
    assert {*found} <= {*_plan(small).intermediate_files()}
    assert _plan(small).recorded_files()["tuned"] == found


def test_only_a_tuned_run_reads_a_learning_rate_and_has_none_in_its_settings(
    small: dict[str, Any],
) -> None:
    run = SimpleNamespace(model="vgg16", start="scratch", normalization="unit", seed="1")
    fixed = _plan(small)
    assert fixed.tuned_rate(Sweeps(), run) == []
    small["models"]["vgg16"]["learning_rate"] = SWEEP
    tuned = _plan(small)
    assert tuned.tuned_rate(Sweeps(), run) == "results/tuning/vgg16/scratch/unit/rate.json"
    settings = json.loads(fixed.run_settings(run))
    assert settings.pop("learning_rate") == 1e-4
    assert json.loads(tuned.run_settings(run)) == settings
    assert tuned.run_mb(run) == fixed.run_mb(run) == tuned.sweep_mb(run)
    assert tuned.sweep_mb(run, attempt=2) == 2 * tuned.sweep_mb(run)
    assert tuned.sweep_minutes(run, attempt=2) == 2 * tuned.sweep_minutes(run)


def test_a_sweep_depends_on_its_candidates_and_not_on_the_seeds_of_the_experiment(
    small: dict[str, Any],
) -> None:
    small["models"]["vgg16"]["learning_rate"] = SWEEP
    arm = SimpleNamespace(model="vgg16", start="scratch", normalization="unit", seed="1")
    before = _plan(small)
    small["experiment"]["seeds"] = [0, 1, 2]
    small["models"]["vgg16"]["layers"] = ["features.28"]
    assert _plan(small).sweep_settings(arm) == before.sweep_settings(arm)
    small["models"]["vgg16"]["learning_rate"] = SWEEP | {"candidates": [1e-3, 1e-1]}
    after = _plan(small)
    assert after.sweep_settings(arm) != before.sweep_settings(arm)
    assert json.loads(after.sweep_settings(arm))["candidates"] == [1e-3, 1e-1]
    # The runs depend on the choice alone.
    small["models"]["vgg16"]["layers"] = ["features.0", "features.10"]
    assert _plan(small).run_settings(arm) == before.run_settings(arm)
    assert {Path(path).stem for path in after.sweep_code(arm)} >= {"tune_rate", "unit", "loop"}


def test_the_comparison_of_all_networks_leaves_tuned_ones_out(changed: Changed) -> None:
    figure = SimpleNamespace(figure="switch_or_seed")
    fixed = _plan(changed({}))
    tuned = _plan(changed({"models.vgg16.learning_rate": SWEEP}))
    assert {path.split("/")[2] for path in fixed.figure_inputs(figure)} == {*LAYERS}
    assert {path.split("/")[2] for path in tuned.figure_inputs(figure)} == {"mobilenet_v2"}
    every = {f"models.{model}.learning_rate": SWEEP for model in LAYERS}
    assert _plan(changed(every)).figure_inputs(figure) == fixed.figure_inputs(figure)


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
    of_model = SimpleNamespace(model="vgg16")
    for requested in (
        functools.partial(plan.run_mb, run),
        functools.partial(plan.pretrain_mb, of_model),
    ):
        first = requested()
        assert [requested(attempt=attempt) for attempt in (2, 3)] == [2 * first, 3 * first]
    for asked in (
        functools.partial(plan.run_minutes, run),
        functools.partial(plan.pretrain_minutes, of_model),
    ):
        assert asked(attempt=2) == 2 * asked()


def test_the_digests_of_runs_tell_the_memory_to_measure_and_compare_them(
    small: dict[str, Any], tmp_path: Path
) -> None:
    plan = _plan(small)
    path = tmp_path / "digests.json"
    run = SimpleNamespace(model="vgg16", start="scratch", normalization="unit", seed="1")
    arms = [SimpleNamespace(layer=layer, **vars(run)) for layer in ("features.0", "features.10")]
    one, two = SimpleNamespace(digests=str(path)), SimpleNamespace(digests=[str(path)] * 50)
    for requested in (
        functools.partial(plan.measuring_mb, run, one),
        functools.partial(plan.comparing_mb, arms[0], two),
    ):
        # Snakemake takes this for a file that another job will make.
        with pytest.raises(FileNotFoundError) as caught:
            requested()
        assert caught.value.filename == str(path)
    weights = {"features.0": (64, 3, 3, 3), "features.10": (256, 4096, 3, 3)}
    layers = {
        name: LayerDigests(weights=math.prod(shape), shape=shape, epochs=("a",))
        for name, shape in weights.items()
    }
    digests = WeightDigests(
        run=Run("vgg16", "scratch", "unit", 1), status=FinishedStatus(), layers=layers
    )
    write_model(path, digests)
    largest = 256 * 4096 * 9
    assert plan.measuring_mb(run, one) == measuring_mb(largest)
    assert plan.measuring_mb(run, one, attempt=3) == 3 * measuring_mb(largest)
    first, last = (plan.comparing_mb(arm, two) for arm in arms)
    assert last == comparing_mb(50 * largest) > first + 50 * largest * 4 / 1e6 - 100
    assert plan.comparing_mb(arms[0], two, attempt=2) == 2 * first
    path.write_text("damaged")  # which the stages report
    assert plan.measuring_mb(run, one) == measuring_mb(0)


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
            ["results/comparisons/vgg16/scratch/features.10/densities.parquet"],
        ),
        (
            "separation-vgg16",
            [
                f"results/comparisons/vgg16/{start}/{layer}/quantile_products.parquet"
                for start in ("pretrained", "scratch")
                for layer in ("features.0", "features.10")
            ],
        ),
    ],
)
def test_a_figure_is_drawn_from_what_its_table_has_of_its_subject(
    small: dict[str, Any], figure: str, inputs: list[str]
) -> None:
    assert sorted(_plan(small).figure_inputs(SimpleNamespace(figure=figure))) == sorted(inputs)


def test_densities_share_the_axes_of_every_start(small: dict[str, Any]) -> None:
    plan = _plan(small)
    figure = SimpleNamespace(figure="violin-vgg16-scratch-features.10")
    assert plan.figure_axes(figure) == [
        f"results/comparisons/vgg16/{start}/features.10/axes.json"
        for start in ("pretrained", "scratch")
    ]
    assert plan.figure_axes(SimpleNamespace(figure="ribbon-vgg16-scratch-features.10")) == []


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
    ours = tmp_path / "clone/templates"
    for path in (Path("{mine}/screen.css"), ours / "screen.css", ours / "languages/de.po"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    monkeypatch.setattr(workflow, "ROOT", tmp_path / "clone")
    plan = _plan(changed({"report.templates": "{mine}", "report.language": "de"}))
    assert plan.template_folders() == ["{mine}", "clone/templates"]
    assert plan.template_files() == [
        "clone/templates/languages/de.po",
        "clone/templates/screen.css",
    ]
    assert plan.catalogue() == ["clone/templates/languages/de.po"]
    assert _plan(changed({})).catalogue() == []


def test_an_edit_of_a_file_of_the_user_changes_its_digest(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    template, catalogue = Path("mine/screen.css"), Path("mine/languages/de.po")
    files = (Path("logo.svg"), Path("vgg16.pth"), template, catalogue)
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("old")
    own = {"report.logo": "logo.svg", "report.templates": "mine", "report.language": "de"}
    values = changed(own | {"pretraining.weights": "{model}.pth", "experiment.models": ["vgg16"]})
    model = SimpleNamespace(model="vgg16")

    def digests() -> list[str | None]:
        plan = _plan(values)
        return [
            plan.logo_digest(),
            plan.checkpoint_digest(model),
            plan.templates_digest(),
            plan.catalogue_digest(),
        ]

    before = digests()
    assert None not in before
    assert digests() == before
    changes = []
    for path in files:
        path.write_text("newer")
        after = digests()
        changes.append([old != new for old, new in zip(before, after, strict=True)])
        before = after
    # The catalogue is one of the templates.
    assert changes == [
        [True, False, False, False],
        [False, True, False, False],
        [False, False, True, False],
        [False, False, True, True],
    ]
    nothing = _plan(changed({}))
    assert nothing.logo_digest() is nothing.templates_digest() is None
    assert nothing.catalogue_digest() is nothing.checkpoint_digest(model) is None


@pytest.mark.parametrize(("logo", "expected"), [(None, []), ("my logo.svg", ["my logo.svg"])])
def test_a_report_has_at_most_one_logo(changed: Changed, logo: object, expected: object) -> None:
    assert _plan(changed({"report.logo": logo})).logo() == expected


def test_a_value_that_is_passed_verbatim_ignores_the_wildcards() -> None:
    assert verbatim("{model}")(SimpleNamespace(model="vgg16")) == "{model}"


@pytest.mark.parametrize("name", ["-logo.svg", "--html"])
def test_the_name_of_a_file_is_not_taken_for_an_option(changed: Changed, name: str) -> None:
    assert _plan(changed({"report.logo": name})).logo() == [f"./{name}"]


def test_a_clone_whose_path_has_braces_is_an_error_from_elsewhere(
    changed: Changed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = tmp_path / "{my} clone"
    clone.mkdir()
    monkeypatch.setattr(workflow, "ROOT", clone)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="expected a clone in a folder without braces"):
        _plan(changed({}))
    monkeypatch.chdir(clone)
    assert _plan(changed({})).runs
