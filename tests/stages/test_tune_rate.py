"""A sweep trains every candidate as a run would, and chooses the one with the lowest loss."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from normreport.config.json_files import read_model
from normreport.config.manifests import RunManifest
from normreport.config.tuning import Trial
from normreport.errors import ConfigError, StorageError
from normreport.io.files import canonical_json
from normreport.stages import train_run, tune_rate
from normreport.stages.tune_rate import choose_rate
from tests.stages.conftest import FIT, LAYER, read, run_settings, trained

SWEEP: dict[str, Any] = {
    key: value for key, value in FIT.items() if key not in ("learning_rate", "seed")
}
SWEEP |= {"start": "scratch", "normalization": "unit"}
SWEEP |= {"candidates": [0.0001, 0.003], "seeds": [100, 101]}


def tuned(folder, data, pretrained=None, **changes):
    """Run a sweep into a folder and give the paths of what it wrote."""
    paths = SimpleNamespace(rate=folder / "rate.json", manifest=folder / "tuning.json")
    tune_rate.run(
        settings=canonical_json({**SWEEP, **changes}),
        images=data.images,
        images_manifest=data.manifest,
        pretrained=pretrained,
        checkpoints=folder / "sweep",
        **vars(paths),
    )
    return paths


@pytest.fixture(scope="module")
def sweep(data, tmp_path_factory):
    return tuned(tmp_path_factory.mktemp("sweep"), data)


def test_each_loss_is_the_final_held_out_loss_of_a_run_with_that_rate_and_seed(
    sweep, data, tmp_path
):
    trials = read(sweep.manifest)["trials"]
    assert [trial["learning_rate"] for trial in trials] == SWEEP["candidates"]
    for trial in trials:
        expected = []
        for seed in SWEEP["seeds"]:
            folder = tmp_path / f"{trial['learning_rate']}-{seed}"
            run = trained(
                folder, data.images, data.manifest,
                seed=seed, learning_rate=trial["learning_rate"], layers=[],
            )  # fmt: skip
            expected.append(read(run.manifest)["heldout"]["final"]["loss"])
        assert trial["heldout_losses"] == expected
        assert trial["mean_heldout_loss"] == pytest.approx(sum(expected) / 2, rel=1e-12)


def test_the_candidate_with_the_lowest_mean_loss_is_chosen_and_recorded(sweep):
    manifest = read(sweep.manifest)
    means = {trial["mean_heldout_loss"]: trial["learning_rate"] for trial in manifest["trials"]}
    assert len(means) == 2
    assert read(sweep.rate) == {"learning_rate": means[min(means)]}
    assert manifest["learning_rate"] == means[min(means)]
    assert manifest["heldout_images"] == 20
    assert manifest["settings"]["seeds"] == [100, 101]


def test_a_pretrained_sweep_begins_with_the_pretrained_weights(data, pretrained, tmp_path):
    few = {"candidates": [0.001, 0.002], "seeds": [100], "epochs": 1, "start": "pretrained"}
    manifest = read(tuned(tmp_path, data, pretrained.weights, **few).manifest)
    (tmp_path / "run").mkdir()
    run = trained(
        tmp_path / "run", data.images, data.manifest, pretrained.weights,
        seed=100, start="pretrained", epochs=1,
    )  # fmt: skip
    first = manifest["trials"][0]
    assert first["heldout_losses"] == [read(run.manifest)["heldout"]["final"]["loss"]]
    assert manifest["digests"]["pretrained"] == read(run.manifest)["digests"]["pretrained"]


def test_a_run_trains_with_the_chosen_rate_and_records_it(sweep, data, tmp_path):
    """The bytes are those of a run that has the same rate in its settings."""
    rate = read(sweep.rate)["learning_rate"]
    settings = {key: value for key, value in FIT.items() if key != "learning_rate"}
    settings |= {"start": "scratch", "normalization": "unit", "layers": [LAYER]}
    written = {
        name: tmp_path / f"{name}.out" for name in ("snapshots", "history", "layers", "manifest")
    }
    train_run.run(
        settings=canonical_json(settings),
        images=data.images,
        images_manifest=data.manifest,
        pretrained=None,
        tuned_rate=sweep.rate,
        checkpoints=tmp_path / "checkpoints",
        **written,
    )
    assert read_model(RunManifest, written["manifest"]).settings.learning_rate == rate
    (tmp_path / "fixed").mkdir()
    fixed = trained(tmp_path / "fixed", data.images, data.manifest, learning_rate=rate)
    for name in ("snapshots", "history", "layers"):
        assert written[name].read_bytes() == getattr(fixed, name).read_bytes()


def test_a_tuned_run_has_no_rate_in_its_settings(sweep):
    with pytest.raises(ConfigError, match=r"train_run --settings: .*\n  learning_rate: unknown"):
        train_run.parse_settings(run_settings(), sweep.rate)


def test_a_damaged_choice_is_named(tmp_path):
    (tmp_path / "rate.json").write_text('{"learning_rate": 0}')
    settings = {**FIT, "start": "scratch", "normalization": "unit", "layers": []}
    del settings["learning_rate"]
    with pytest.raises(StorageError, match=r"rate\.json: .*\n  learning_rate: expected greater"):
        train_run.parse_settings(canonical_json(settings), tmp_path / "rate.json")


def test_a_candidate_that_diverges_is_worse_than_one_that_learns_nothing(data, tmp_path):
    vgg = {"model": "vgg11", "architecture": "vgg11", "optimizer": {"name": "sgd"}}
    hopeless = {"normalization": "raw", "epochs": 3, "candidates": [100.0, 1e-9], "seeds": [100]}
    paths = tuned(tmp_path, data, **vgg, **hopeless)
    diverged, idle = read(paths.manifest)["trials"]
    assert diverged["heldout_losses"] == [None]
    assert diverged["mean_heldout_loss"] is None
    assert idle["mean_heldout_loss"] > 0
    assert read(paths.rate) == {"learning_rate": 1e-9}


@pytest.mark.parametrize(
    ("means", "expected"),
    [
        ({0.1: 2.0, 0.01: 1.0, 0.001: 3.0}, 0.01),
        ({0.1: None, 0.01: 900.0}, 0.01),
        ({0.1: 1.0, 0.01: 1.0}, 0.01),
        ({0.1: None, 0.01: None}, 0.01),
    ],
)
def test_of_equal_candidates_the_lower_rate_is_chosen(means, expected):
    trials = [
        Trial(learning_rate=rate, heldout_losses=(mean,), mean_heldout_loss=mean)
        for rate, mean in means.items()
    ]
    assert choose_rate(trials) == choose_rate(trials[::-1]) == expected


def test_an_invalid_setting_is_named():
    files = ("images", "images_manifest", "rate", "manifest", "checkpoints")
    with pytest.raises(ConfigError, match=r"tune_rate --settings: .*\n  candidates\.0: expected "):
        tune_rate.run(
            settings=canonical_json({**SWEEP, "candidates": [0]}),
            pretrained=None,
            **dict.fromkeys(files, Path()),
        )
