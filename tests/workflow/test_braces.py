"""Snakemake expands no text of the configuration, and finds the workflow from any folder."""

from __future__ import annotations

import json
import os
import shutil

import numpy as np
import pytest
import torch
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torchvision.models import mobilenet_v2

from normreport.cli import main
from tests.workflow.conftest import SMOKE, Clone

TIMES = int(os.environ.get("FUZZ", "1"))
# What Snakemake, str.format or the shell would expand, and names of wildcards with a value.
FIELDS = ("model", "start", "normalization", "seed", "layer", "figure", "data", "unknown", "0", "")
TOKENS = [
    *(f"{{{field}}}" for field in FIELDS),
    *("{wildcards.model}", "{input}", "{input[0]}", "{output.html:q}", "{params.settings!r}"),
    *("{threads}", "{model,[a-z]+}", "{{model}}", "{", "}", "<results>", "%s", "$HOME", "`id`"),
    *("'", '"', " ", "\\", "ü", "a", "-"),
]
BRACES = st.lists(st.sampled_from(TOKENS), min_size=1, max_size=5).map("".join)


def write_configuration(folder, text):
    """Write files with a text in their names, and a configuration with it in every value."""
    name = f"{text}."  # neither "." nor ".."
    for part in ("images", "templates"):
        (folder / part / name).mkdir(parents=True)
    logo = folder / f"{name}svg"
    logo.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (folder / "templates" / name / f"{name}css").write_text("")
    noise = np.random.default_rng(0).integers(0, 256, (2, 20, 16, 16, 3), dtype=np.uint8)
    for class_name, images in zip((f"1{name}", f"2{name}"), noise, strict=True):
        (folder / "images" / name / class_name).mkdir()
        for number, image in enumerate(images):
            path = folder / "images" / name / class_name / f"{name}{number}.png"
            Image.fromarray(image).save(path)
    torch.manual_seed(0)
    weights = f"{{model}}{name}pth"  # this field is ours, not Snakemake's
    torch.save(mobilenet_v2().state_dict(), folder / weights.replace("{model}", "mobilenet_v2"))
    values = {
        "report": {
            **dict.fromkeys(("title", "abstract", "introduction", "logo_alt"), f"A {text}"),
            "authors": [f"A {text}"],
            "logo": logo.name,
            "templates": f"templates/{name}",
        },
        "experiment": {"starts": ["pretrained"], "seeds": [0]},
        "data": {
            "target": {
                "source": {"kind": "imagefolder", "path": f"images/{name}"},
                "train_images": 16,
                "heldout_images": 16,
                "image_size_px": 32,
            }
        },
        "models": {"mobilenet_v2": {"train_images": 16}},
        "training": {"epochs": 1},
        "pretraining": {"weights": weights},
    }
    (folder / "mine.yaml").write_text(yaml.safe_dump(values, allow_unicode=True))


@pytest.fixture(scope="module")
def clones(tmp_path_factory):
    """Return the function that makes a folder, and the clone whose workflow runs there."""
    clone = Clone(tmp_path_factory.mktemp("clone"))

    def snakemake(folder, *arguments):
        preset = str(clone.folder / SMOKE[-1])
        options = ("-s", str(clone.folder / "Snakefile"), *SMOKE[:-1], preset, "mine.yaml")
        elsewhere = Clone.__new__(Clone)  # a folder without the workflow
        elsewhere.folder = folder
        return elsewhere.snakemake(*options, *arguments, PYTHONPATH="")

    return lambda: tmp_path_factory.mktemp("{model} {x}"), snakemake


@settings(
    max_examples=3 * TIMES, deadline=None, suppress_health_check=list(HealthCheck), database=None
)
@given(text=BRACES)
def test_a_plan_has_every_text_of_the_configuration_as_it_is(clones, text):
    new_folder, snakemake = clones
    folder = new_folder()
    write_configuration(folder, text)
    output = snakemake(folder, "--dry-run", "--printshellcmds").stdout
    values = json.dumps(f"A {text}", ensure_ascii=False)
    # The shell's way to write an apostrophe within apostrophes.
    quoted = values.replace("'", "'\"'\"'")
    for key in ("title", "abstract", "introduction", "logo_alt"):
        assert f'"{key}":{quoted}' in output
    assert "weights/{" not in output


def test_a_small_build_elsewhere_shows_every_text_as_it_is_and_can_be_rebuilt_from_its_page(
    clones, capfd, monkeypatch
):
    new_folder, snakemake = clones
    folder = new_folder()
    text = "".join(token for token in TOKENS if "/" not in token)[:180]
    write_configuration(folder, text)
    snakemake(folder)
    report = folder / "results/report"
    results = json.loads((folder / "results/data/target/manifest.json").read_text())
    assert results["classes"] == [f"1{text}.", f"2{text}."]
    record = json.loads((report / "provenance.json").read_text())
    assert record["config"]["report"]["title"] == f"A {text}"
    assert "data:image/svg+xml" in (report / "index.html").read_text()
    monkeypatch.chdir(folder)
    assert main(["verify", "results/report"]) == 0
    assert capfd.readouterr().out.startswith("identical")
    # The page contains its configuration, so that nothing else is needed.
    (report / "index.html").rename("alone.html")
    shutil.rmtree("results")
    assert main(["verify", "alone.html", "--rebuild"]) == 0
    out, err = capfd.readouterr()
    assert out.startswith("identical")
    assert "Runs to be trained: 2 of 2" in out + err
