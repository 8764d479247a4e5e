"""A study from its configuration to its verdicts, on tiny networks: own arms, own claims.

`decay` is a positive control: it must narrow the weights by the predicted factor. `again` is a
placebo: its inputs are those of `plain`, rounded in another way, and nothing may be found.
"""

from __future__ import annotations

import math

import pytest
import yaml

from normreport.config.experiment import load_config
from normreport.io.files import canonical_json
from normreport.stages import compare_arms, judge_claims, train_run
from tests.stages.conftest import processed, read

STEPS, RATE, DECAY = 12 * 4, 0.003, 2.0
CONFIGURATION = f"""
experiment:
  models: [vgg_narrow_bn]
  starts: [scratch]
  normalizations: [plain, again, decay]
  contrast: [plain, decay]
  seeds: [0, 1, 2]
arms:
  plain: {{file: FOLDER/plain.py}}
  again: {{divide: 2, mean: 63.75, std: 63.75}}
  decay:
    normalization: plain
    training: {{optimizer: {{name: adamw, weight_decay: {DECAY}}}}}
claims:
  article: none
  own:
    - {{id: D1, statement: Decay narrows the weights., statistic: std, contrast: decay / plain,
        expect: below, margin: -10%, starts: [scratch]}}
    - {{id: D2, statement: Decay narrows them by the predicted factor., statistic: std,
        contrast: decay / plain, expect: within, margin: 40%, starts: [scratch]}}
    - {{id: S1, statement: The rounding shifts the weights., statistic: shift,
        contrast: again - plain, expect: above, margin: 5%, starts: [scratch]}}
    - {{id: S2, statement: The rounding widens the weights., statistic: std,
        contrast: again / plain, expect: above, margin: 2%, starts: [scratch]}}
training: {{epochs: 12, scheduler: {{name: constant}}}}
data:
  target: {{source: digits, train_images: 32, heldout_images: 20}}
  pretraining: {{source: digits, train_images: 32, heldout_images: 20}}
models:
  vgg_narrow_bn: {{layers: [features.0], train_images: 32, batch_size: 8, learning_rate: {RATE}}}
"""
PLAIN = """
import numpy as np

def transform(images, train_images):
    return (images.astype(np.float32) - np.float32(127.5)) / np.float32(127.5)
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp("arms")
    (folder / "plain.py").write_text(PLAIN)
    return load_config(yaml.safe_load(CONFIGURATION.replace("FOLDER", str(folder))))


@pytest.fixture(scope="module")
def results(narrow_vggs, config, dark_or_bright, tmp_path_factory):
    """Train, measure and compare all runs, and judge the claims."""
    runs = []
    for condition in config.runs():
        folder = tmp_path_factory.mktemp(f"{condition.normalization}-{condition.seed}")
        names = ("snapshots", "history", "layers", "manifest")
        paths = {name: folder / name for name in names}
        paths["snapshots"] = folder / "snapshots.safetensors"
        train_run.run(
            settings=canonical_json(config.planned_run(condition).model_dump(mode="json")),
            images=dark_or_bright.images,
            images_manifest=dark_or_bright.manifest,
            pretrained=None,
            checkpoints=folder / "checkpoints",
            **paths,
        )
        run = type("Run", (), paths)()
        runs.append(processed(folder, run))
    folder = tmp_path_factory.mktemp("judged")
    compare_arms.run(
        layer="features.0",
        digests=[run.digests for run in runs],
        snapshots=[run.snapshots for run in runs],
        densities=folder / "densities.parquet",
        axes=folder / "axes.json",
        histograms=folder / "histograms.parquet",
        products=folder / "products.parquet",
    )
    planned = config.planned_inputs().model_dump(mode="json")
    planned["data"] = {"target": read(dark_or_bright.manifest)["settings"]}
    judge_claims.run(
        settings=canonical_json(config.judge_settings().model_dump(mode="json")),
        planned=canonical_json(planned),
        manifests=[run.manifest for run in runs],
        histories=[run.history for run in runs],
        layers=[run.layers for run in runs],
        measures=[run.measures for run in runs],
        products=[folder / "products.parquet"],
        images=dark_or_bright.images,
        images_manifest=dark_or_bright.manifest,
        pretrained=[],
        cases=folder / "cases.csv",
        results=folder / "results.json",
        runs=folder / "runs.csv",
    )
    return read(folder / "results.json")


def test_the_planted_effect_is_found_and_the_placebo_is_not(results):
    verdicts = {claim["id"]: claim["verdict"] for claim in results["claims"]}
    assert verdicts["D1"] == "SUPPORTED"
    assert verdicts["S1"] != "SUPPORTED"
    assert verdicts["S2"] != "SUPPORTED"


def test_the_effect_has_the_predicted_size(results):
    effect = next(claim for claim in results["claims"] if claim["id"] == "D1")["cases"][0]["effect"]
    assert effect["mean"] == pytest.approx(STEPS * math.log1p(-RATE * DECAY), rel=0.25)


def test_the_headline_is_about_the_contrast_of_the_study(results):
    assert results["headline"]["contrast"] == ["plain", "decay"]
    (effect,) = results["headline"]["effects"]
    assert effect["delta"] > 0.1


def test_the_settings_of_the_model_are_those_without_the_treatment(results):
    assert results["settings"]["vgg_narrow_bn"]["optimizer"]["name"] == "adam"
    arms = results["experiment"]["arms"]
    assert arms["decay"]["training"] == {"optimizer.name": "adamw", "optimizer.weight_decay": 2.0}
    assert arms["plain"]["training"] == {}
