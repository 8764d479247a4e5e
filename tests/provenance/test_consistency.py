"""Results that were made with other settings than the configuration's are found, whatever it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from normreport.config.experiment import load_config
from normreport.config.tuning import TuningManifest
from normreport.errors import StorageError
from normreport.provenance.consistency import Manifests, check_manifests, find_mismatches
from tests.reports import IMAGES, RUNS, VERSIONS, images_manifest, manifest, pretraining_manifest

Changed = Callable[..., dict[str, Any]]
PRETRAINED = "vgg16/pretrained/unit/seed0"


def made_with(values: dict[str, Any]) -> Manifests:
    """Give the manifests of two runs from scratch, of one pretrained run and its inputs."""
    config = load_config(values)
    pretrained = pretraining_manifest(config)
    return Manifests(
        data={"target": images_manifest(config)},
        pretrained=[pretrained],
        runs=[
            *(manifest(name, config) for name in RUNS),
            manifest(PRETRAINED, config, pretrained=pretrained.digests.weights),
        ],
    )


@pytest.fixture
def planned(default_values: dict[str, Any]) -> Any:
    return load_config(default_values).planned_inputs()


def test_results_of_the_configuration_fit_it(planned: Any, default_values: dict[str, Any]) -> None:
    manifests = made_with(default_values)
    assert [*find_mismatches(planned, manifests)] == []
    check_manifests(planned, manifests)


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("training.epochs", 1, "runs/{run}: epochs: expected 35, found 1"),
        ("training.optimizer", {"name": "sgd"}, "runs/{run}: optimizer.name: expected adam, found"),
        ("training.precision", "bf16", "runs/{run}: precision: expected fp32, found bf16"),
        ("data.target.seed", 7, "data/target: seed: expected 0, found 7"),
        ("data.target.source", "photographs", "data/target: source: expected digits, found photog"),
        ("pretraining.seed", 7, "pretrained/vgg16: seed: expected 1000, found 7"),
        ("pretraining.weights", "IMAGENET1K_V1", "pretrained/vgg16: "),
    ],
)
def test_a_result_of_other_settings_is_named(
    planned: Any, changed: Changed, key: str, value: Any, line: str
) -> None:
    lines = [*find_mismatches(planned, made_with(changed({key: value})))]
    expected = line.format(run=RUNS[0])
    assert any(found.startswith(expected) for found in lines), lines
    with pytest.raises(StorageError, match=r"(?s)^results: .* mix two configurations"):
        check_manifests(planned, made_with(changed({key: value})))


def test_only_the_run_of_other_settings_is_named(
    planned: Any, default_values: dict[str, Any], changed: Changed
) -> None:
    both = made_with(default_values).runs[:1], made_with(changed({"training.epochs": 1})).runs[1:2]
    lines = [*find_mismatches(planned, Manifests(runs=[*both[0], *both[1]]))]
    assert lines == [f"runs/{RUNS[1]}: epochs: expected 35, found 1"]


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"data": IMAGES | {"train_images": "0" * 64}}, "images.train_images"),
        ({"pretrained": "0" * 64}, "pretrained_weights"),
    ],
)
def test_a_run_of_other_images_or_weights_is_named(
    planned: Any, default_values: dict[str, Any], changes: dict[str, Any], what: str
) -> None:
    manifests = made_with(default_values)
    weights = {"pretrained": manifests.pretrained[0].digests.weights}
    other = manifest(PRETRAINED, load_config(default_values), **weights | changes)
    manifests = Manifests(data=manifests.data, pretrained=manifests.pretrained, runs=[other])
    (line,) = find_mismatches(planned, manifests)
    assert line.startswith(f"runs/{PRETRAINED}: {what}: expected ")
    assert line.endswith(f"found {'0' * 64}")


@pytest.mark.parametrize("rate", [0.001, 0.01])
def test_a_tuned_run_has_the_rate_of_its_sweep(changed: Changed, rate: float) -> None:
    config = load_config(
        changed({"models.vgg16.learning_rate": {"candidates": [0.001, 0.01], "seeds": [7]}})
    )
    run = manifest(RUNS[0], config)  # with the first candidate
    sweep = TuningManifest.model_validate({
        "settings": config.sweep_settings("vgg16", "scratch", "unit"),
        "classes": 2,
        "heldout_images": 2,
        "trials": [],
        "learning_rate": rate,
        "digests": {"data": IMAGES, "pretrained": None, "code": "c"},
        "files": {},
        "versions": VERSIONS,
    })  # fmt: skip
    lines = [*find_mismatches(config.planned_inputs(), Manifests(sweeps=[sweep], runs=[run]))]
    other = f"runs/{RUNS[0]}: learning_rate: expected 0.01, found 0.001"
    assert lines == ([] if rate == 0.001 else [other])
    slow = sweep.settings.model_copy(update={"epochs": 1})
    sweep = sweep.model_copy(update={"settings": slow})
    (line,) = find_mismatches(config.planned_inputs(), Manifests(sweeps=[sweep]))
    assert line == "tuning/vgg16/scratch/unit: epochs: expected 35, found 1"


def test_a_run_that_the_configuration_lacks_is_named(
    changed: Changed, default_values: dict[str, Any]
) -> None:
    planned = load_config(changed({"experiment.models": ["mobilenet_v2"]})).planned_inputs()
    lines = [*find_mismatches(planned, made_with(default_values))]
    assert f"runs/{RUNS[0]}: the configuration has no such result" in lines


def test_at_most_three_results_are_named(planned: Any, changed: Changed) -> None:
    others = changed({"training.epochs": 1, "data.target.seed": 7})
    with pytest.raises(StorageError) as error:
        check_manifests(planned, made_with(others))
    assert str(error.value).count("expected") == 1 + 3
    assert "\n  and 1 more\n" in str(error.value)
