"""What the workflow does before it trains: configurations, presets, messages, style of rules."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from normreport.commands.check import read_config
from tests.sources.images import write_classes
from tests.workflow.conftest import Clone

ROOT = Path(__file__).parents[2]
PRESETS = sorted((ROOT / "workflow/presets").glob("*.yaml"))


def test_the_default_experiment_trains_60_runs(clone):
    output = clone.snakemake("--cores", "2", "--dry-run").stdout
    assert re.search(r"train_run +60\n", output)
    assert re.search(r"pretrain_model +2\n", output)


RUNS_OF = {"article": 72, "evening": 188, "full": 3000, "imagenet": 60, "smoke": 8}


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.stem)
def test_every_preset_can_be_planned(clone, preset):
    """Of full.yaml one seed is planned, because a plan of 3,000 runs takes Snakemake a minute."""
    write_classes(clone.folder / "images", {"cat": 750, "dog": 750}, size=1)  # for article.yaml
    config, expected = read_config([ROOT / "config.yaml", preset]), RUNS_OF[preset.stem]
    assert len(config.design.runs) == expected
    files = [f"workflow/presets/{preset.name}"]
    if preset.stem == "full":
        (clone.folder / "one.yaml").write_text("experiment: {seeds: [0]}\n")
        files.append("one.yaml")
        expected = expected // len(config.experiment.seeds)
    output = clone.snakemake("--cores", "2", "--dry-run", "--configfile", *files).stdout
    assert re.search(rf"train_run +{expected}\n", output)


def test_a_training_asks_for_its_gpu_and_memory(clone):
    """Of the arms of this overlay, one enlarges 8 images a batch to 224 px: 1 GB of activations."""
    overlay = (
        "experiment: {normalizations: [unit, published_meanstd], seeds: [0]}\n"
        "training: {device: auto}\n"
    )
    (clone.folder / "mine.yaml").write_text(overlay)
    files = ("workflow/presets/smoke.yaml", "mine.yaml")
    output = clone.snakemake("--cores", "2", "--dry-run", "--configfile", *files).stdout
    gpus = re.findall(r"rule (\w+):(?:\n .*)*?\n    resources: .*\bgpu=(\d)", output)
    assert set(gpus) == {("pretrain_model", "1"), ("train_run", "1")}
    condition, resources = r"    wildcards: .*normalization=(\w+)", r"    resources: .*mem_mb=(\d+)"
    job = rf"rule train_run:(?:\n .*)*?\n{condition}(?:.*\n)*?{resources}"
    memory = {arm: int(mb) for arm, mb in re.findall(job, output)}
    assert memory.keys() == {"unit", "published_meanstd"}
    assert 1500 < memory["unit"] < 1600
    assert 2450 < memory["published_meanstd"] < 2650


FOLDER = """
data:
  target:
    source: {kind: imagefolder, path: images}
    train_images: 8
    heldout_images: 4
models: {mobilenet_v2: {train_images: 8, batch_size: 4}}
"""


def test_an_edited_image_prepares_the_images_again_and_another_file_does_not(clone):
    write_classes(clone.folder / "images", {"cat": 6, "dog": 6})
    (clone.folder / "mine.yaml").write_text(FOLDER)
    one = ("results/data/target/manifest.json", "--cores", "1")
    mine = (*one, "--configfile", "workflow/presets/smoke.yaml", "mine.yaml")
    clone.snakemake(*mine)
    log = (clone.folder / "logs/prepare_data/target.log").read_text()
    assert log.startswith("heldout: 4 of 4 images\ntrain: 8 of 8 images\n")
    (clone.folder / "images/about.txt").write_text("not an image")
    assert "Nothing to be done" in clone.snakemake(*mine, "--dry-run").stdout
    write_classes(clone.folder / "images", {"cow": 1})
    assert re.search(r"prepare_data +1\n", clone.snakemake(*mine, "--dry-run").stdout)


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        (FOLDER, "images: could not be read (No such file or directory). Expected a folder of im"),
        ("training: {epochs: 3}\ntraining: {epochs: 4}\n", "key 'training' is duplicated"),
        ("report: {logo: no.svg}", "report.logo: no.svg: could not be read (No such file or dire"),
    ],
)
def test_an_error_that_the_files_show_stops_before_anything_is_planned(clone, overlay, message):
    (clone.folder / "mine.yaml").write_text(overlay)
    smoke = "workflow/presets/smoke.yaml"
    done = clone.snakemake("--cores", "2", "--configfile", smoke, "mine.yaml", check=False)
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (clone.folder / "results").exists()


def test_every_profile_compares_files_of_any_size_by_content():
    profiles = (ROOT / "workflow/profiles").glob("*/config.yaml")
    found = {path.parent.name: yaml.safe_load(path.read_text()) for path in profiles}
    assert {"default", "slurm"} <= found.keys()
    assert {values["max-checksum-file-size"] for values in found.values()} == {"1TB"}


def test_only_the_page_and_the_pdf_read_the_logo(clone):
    (clone.folder / "logo.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"/>')
    (clone.folder / "overlay.yaml").write_text("report: {logo: logo.svg}\n")
    options = ("--cores", "2", "--dry-run", "--printshellcmds", "--configfile", "overlay.yaml")
    jobs = clone.snakemake(*options).stdout.split("\nrule ")
    readers = {job.partition(":")[0] for job in jobs if "--logo logo.svg" in job}
    assert readers == {"render_html", "render_pdf"}


def test_an_overlay_changes_only_what_it_names(clone):
    (clone.folder / "overlay.yaml").write_text("experiment: {seeds: [7], models: [vgg16]}\n")
    output = clone.snakemake("--cores", "2", "--dry-run", "--configfile", "overlay.yaml").stdout
    assert re.search(r"train_run +6\n", output)
    assert "results/runs/vgg16/scratch/imagenet/seed7/manifest.json" in output


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ({"experiment": {"normalizations": ["unit", "imagnet"]}}, "Did you mean 'imagenet'?"),
        ({"training": {"epoch": 3}}, "Did you mean 'epochs'?"),
        (
            {"training": {"epochs": 0}},
            "training.epochs: expected greater than or equal to 1",
        ),
        ({"experiment": {"models": ["vgg61"]}}, "Did you mean 'vgg16'?"),
    ],
)
def test_a_wrong_value_stops_before_anything_is_planned(clone, overlay, message):
    (clone.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    done = clone.snakemake("--cores", "2", "--configfile", "overlay.yaml", check=False)
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (clone.folder / "results").exists()


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        (
            {"models": {"mobilenet_v2": {"layers": ["features.0.1"]}}},
            "mobilenet_v2 has no convolution or linear layer 'features.0.1' before its last",
        ),
        (
            {
                "data": {"target": {"image_size_px": 16}, "pretraining": {"image_size_px": 16}},
                "experiment": {"models": ["vgg16"]},
                "models": {"vgg16": {"train_images": 64, "pretraining": {"train_images": 64}}},
            },
            "vgg16 cannot take images of 16 px",
        ),
        (
            {"pretraining": {"weights": "IMAGENET1K_V9"}},
            "torchvision has no weights 'IMAGENET1K_V9' for mobilenet_v2. Did you mean",
        ),
        (
            {"data": {"target": {"train_images": 2000}}},
            "digits: train_images + heldout_images is 2032, but the source has only 1797 ",
        ),
    ],
)
def test_an_error_that_only_torch_or_the_data_show_stops_before_training(clone, overlay, message):
    (clone.folder / "overlay.yaml").write_text(yaml.safe_dump(overlay))
    done = clone.snakemake(
        *("--cores", "2", "--configfile", "workflow/presets/smoke.yaml", "overlay.yaml"),
        check=False,
    )
    assert done.returncode != 0
    assert message in done.stdout
    assert "Traceback" not in done.stdout
    assert not (clone.folder / "logs/train_run").exists()
    assert not (clone.folder / "results/runs").exists()


def test_without_pango_the_html_is_built_and_the_pdf_is_explained(clone):
    system = clone.folder / "normreport/plan/system.py"
    system.write_text(system.read_text().replace('"pango-1.0"', '"pango-that-is-not-here"'))
    output = clone.snakemake("--cores", "2", "--dry-run").stdout
    assert "render_html" in output
    assert "render_pdf" not in output
    message = "The PDF is left out: the system lacks pango-that-is-not-here"
    assert message in clone.snakemake("--cores", "2", "results/data/target/manifest.json").stdout


def test_a_start_of_snakemake_imports_no_large_package():
    rules = (ROOT / "workflow/rules/common.smk").read_text()
    imports = re.findall(r"^from normreport[^(\n]*(?:\([^)]*\))?", rules, re.M)
    heavy = "import sys; print(sys.modules.keys() & {'torch', 'pandas', 'scipy', 'matplotlib'})"
    command = [sys.executable, "-c", "\n".join([*imports, heavy])]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert len(imports) > 10
    assert done.stdout == "set()\n"


def test_the_snakefile_and_the_shared_rules_stay_short():
    assert len((ROOT / "Snakefile").read_text().splitlines()) <= 45
    assert len((ROOT / "workflow/rules/common.smk").read_text().splitlines()) <= 150


RULES = sorted({*(ROOT / "workflow/rules").glob("*.smk")} - {ROOT / "workflow/rules/common.smk"})


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_fills_one_file_of_at_most_30_lines_and_has_a_log(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 30
    assert re.findall(r"^(?:rule|checkpoint) (\w+):", text, re.M) == [path.stem]
    assert "    log:\n" in text
    assert "lambda" not in text
    assert not re.search(r"^ +run:", text, re.M)


def test_every_rule_file_is_included_once():
    included = re.findall(r'^include: "(.+)"$', (ROOT / "Snakefile").read_text(), re.M)
    assert sorted(included) == sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "workflow/rules").glob("*.smk")
    )


@pytest.mark.parametrize("path", RULES, ids=lambda path: path.stem)
def test_a_rule_quotes_every_path_that_it_gives_to_the_shell(path):
    command = path.read_text().split("    shell:\n")[1]
    # Options and numbers of the workflow itself.
    plain = {"{threads}", "{params.epochs}", "{params.images}"}
    assert {place for place in re.findall(r"{[^}]+}", command) if ":q" not in place} <= plain


def test_a_new_study_is_planned_with_its_own_arms_and_results(tmp_path):
    folder = tmp_path / "my study"
    command = [sys.executable, "-m", "normreport", "new", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    study = Clone.__new__(Clone)  # a folder without the workflow
    study.folder = folder
    output = study.snakemake("--cores", "2", "--dry-run", PYTHONPATH="").stdout
    assert re.search(r"train_run +6\n", output)
    assert "results/runs/mobilenet_v2/scratch/decay/seed2/manifest.json" in output
    assert "results/figures/answer.svg" in output
    assert "results/figures/levels.svg" not in output
    (folder / "arms/plain.py").unlink()
    refused = study.snakemake("--cores", "2", "--dry-run", check=False, PYTHONPATH="")
    assert refused.returncode == 1
    assert "arms.plain.file: arms/plain.py: no such file" in refused.stdout
    assert "Traceback" not in refused.stdout


def test_snakemake_expands_no_text_of_the_configuration(clone):
    texts = {
        "title": "{model} {wildcards.seed}",
        "abstract": "{input.images}",
        "introduction": "{unknown}",
        "logo_alt": "{layer}",
    }
    (clone.folder / "mine.yaml").write_text(yaml.safe_dump({"report": texts}))
    files = ("--configfile", "workflow/presets/smoke.yaml", "mine.yaml")
    output = clone.snakemake("--cores", "2", "--dry-run", "--printshellcmds", *files).stdout
    for key, text in texts.items():
        assert f'"{key}":"{text}"' in output
