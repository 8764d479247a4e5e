"""A sweep chooses a learning rate before the runs, and they are trained again for a new choice."""

from __future__ import annotations

import json
import re

import yaml

SMOKE = "workflow/presets/smoke.yaml"
RUN = "results/runs/mobilenet_v2/scratch/unit/seed0/manifest.json"
RATE = "results/tuning/mobilenet_v2/scratch/unit/rate.json"


def configure(clone, *candidates, seeds=(0,)):
    """Tune the learning rate of a training of one epoch on a few images."""
    model = {"train_images": 16, "learning_rate": {"candidates": list(candidates), "seeds": [7]}}
    values = {
        "experiment": {"starts": ["scratch"], "normalizations": ["unit"], "seeds": list(seeds)},
        "training": {"epochs": 1},
        "data": {"target": {"train_images": 16, "heldout_images": 10}},
        "models": {"mobilenet_v2": model},
    }
    (clone.folder / "tuned.yaml").write_text(yaml.safe_dump(values))


def jobs(clone, *arguments):
    """Run snakemake, and name the stages whose jobs it started."""
    output = clone.snakemake(*arguments, "--cores", "2", "--configfile", SMOKE, "tuned.yaml").stdout
    return re.findall(r"^\d\d:\d\d:\d\d \[\d+/\d+\] (\w+)", output, re.M)


def planned(clone, *arguments):
    """Count the jobs of each stage that snakemake would start."""
    output = clone.snakemake(
        *arguments, "--cores", "2", "--dry-run", "--configfile", SMOKE, "tuned.yaml"
    ).stdout
    return dict(re.findall(r"^(\w+) +(\d+)$", output, re.M))


def read(clone, path):
    return json.loads((clone.folder / path).read_text())


def test_only_another_choice_trains_a_run_again(clone):
    # A rate of 100 is never the best one.
    configure(clone, 0.001, 100.0)
    assert jobs(clone, RUN) == ["prepare_data", "tune_rate", "train_run"]
    assert read(clone, RATE) == {"learning_rate": 0.001}
    before = read(clone, RUN)
    assert before["settings"]["learning_rate"] == 0.001

    configure(clone, 0.001, 90.0)
    assert jobs(clone, RUN) == ["tune_rate"]
    assert read(clone, RUN) == before
    assert jobs(clone, RUN) == []

    configure(clone, 0.002, 90.0)
    assert jobs(clone, RUN) == ["tune_rate", "train_run"]
    assert read(clone, RATE) == {"learning_rate": 0.002}
    after = read(clone, RUN)
    assert after["settings"]["learning_rate"] == 0.002
    assert after["digests"]["final_weights"] != before["digests"]["final_weights"]

    configure(clone, 0.002, 90.0, seeds=(0, 1))
    other = RUN.replace("seed0", "seed1")
    assert planned(clone, RUN, other) == {"train_run": "1", "total": "1"}


def test_each_start_and_arm_has_a_sweep_and_the_report_records_them(clone):
    configure(clone, 0.001, 0.002)
    found = planned(clone)
    assert (found["tune_rate"], found["train_run"]) == ("1", "1")
    (clone.folder / "more.yaml").write_text(
        "experiment: {starts: [scratch, pretrained], normalizations: [unit, imagenet]}"
    )
    output = clone.snakemake(
        *("--cores", "2", "--dry-run", "--configfile", SMOKE, "tuned.yaml", "more.yaml")
    ).stdout
    counts = dict(re.findall(r"^(\w+) +(\d+)$", output, re.M))
    assert (counts["tune_rate"], counts["train_run"], counts["pretrain_model"]) == ("4", "4", "1")
    (record,) = re.findall(r"^rule record_provenance:\n    input: (.+)$", output, re.M)
    assert {RATE, RATE.replace("rate", "manifest")} <= set(record.split(", "))
    # A pretrained sweep waits for the weights.
    sweeps = re.findall(
        r"^checkpoint tune_rate:\n    input: (.+)\n    output: (\S+),", output, re.M
    )
    weights = "results/pretrained/mobilenet_v2/weights.safetensors"
    waiting = {rate.split("/")[3] for inputs, rate in sweeps if weights in inputs.split(", ")}
    assert len(sweeps) == 4
    assert waiting == {"pretrained"}
