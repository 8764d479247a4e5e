"""The validated configuration, and what rules ask of it. No rules."""

import os
import re
import subprocess
import sys
from dataclasses import asdict
from functools import cache, partial
from pathlib import Path

from snakemake.exceptions import WorkflowError

from normreport.plan.existing_results import (
    HOW,
    check_adoption,
    is_remembered,
    missing_metadata_error,
)
from normreport.config.experiment import load_config, with_layer_paths
from normreport.config.runs import Run
from normreport.config.yaml_files import read_values
from normreport.errors import NormreportError
from normreport.plan.figure_index import (
    figure_index,
    figure_settings as resolved_figure,
)
from normreport.config.figure_kinds import figure_kinds
from normreport.io.files import canonical_json
from normreport.text.language import find_catalogue
from normreport.training.layer_names import measured_layers
from normreport.normalizations import source as source_of_arm
from normreport.normalizations.published_meanstd import SIZE_PX
from normreport.report.user_files import check_own_files
from normreport.provenance.record import FLOW, versions as page_versions
from normreport.provenance.revision import revision
from normreport.config.failures import FailedRun, FailureSettings
from normreport.config.record import RecordSettings
from normreport.source_code import (
    figure_modules,
    package_versions,
    run_modules,
    source_files,
)
from normreport.sources.fingerprint import files_digest
from normreport.plan.system import claim_folder, pdf_unavailable_reason

# Given with --config only: a report from the runs that there are, where some fail for good.
IS_PARTIAL = config.pop("partial", False)
# Likewise: results that Snakemake does not remember are those of this configuration and code.
IS_ADOPTION = config.pop("adopt", False)
try:
    # Snakemake has read and merged these files already, and takes of two equal keys the last.
    for path in workflow.configfiles:
        read_values(Path(path))
    study = with_layer_paths(
        load_config(config, where="configuration"),
        partial(measured_layers, folder=Path(".snakemake/layers")),
    )
    data_digests = {
        name: files_digest(settings.source)
        for name, settings in study.data_sets().items()
    }
    check_own_files(study.report)
except NormreportError as error:
    raise WorkflowError(str(error))

PDF_UNAVAILABLE_REASON = pdf_unavailable_reason()


def missing_stage(run):
    """The stage without whose output there is no such run, or None where it is there."""
    outputs = {"train_run": f"results/runs/{run.id}/manifest.json"}
    if run.start.startswith("pretrained"):
        outputs |= {"pretrain_model": f"results/pretrained/{run.model}/manifest.json"}
    missing = [stage for stage, path in outputs.items() if not Path(path).exists()]
    return missing[-1] if missing else None


def failed_run(run):
    stage = missing_stage(run)
    log = Path("logs", stage, run.model if stage == "pretrain_model" else run.id)
    path = f"{log}.log"
    return FailedRun(
        **asdict(run), stage=stage, log=path if Path(path).exists() else None
    )


FAILED = {run for run in study.runs() if IS_PARTIAL and missing_stage(run)}
RUNS = [run for run in study.runs() if run not in FAILED]
failed = FailureSettings(
    runs=[failed_run(run) for run in study.runs() if run in FAILED]
)
if not RUNS:
    raise WorkflowError("partial=true: no run of the experiment is there to report on.")
SHOWN = {(run.model, run.start) for run in RUNS}
FIGURES = {figure.id: resolved_figure(study, figure) for figure in figure_index(study)}
FIGURES = {
    name: figure
    for name, figure in FIGURES.items()
    if any(figure.shows(model=model, start=start) for model, start in SHOWN)
}


wildcard_constraints:
    data="|".join(data_digests),
    model="[A-Za-z0-9_]+",
    start="[a-z_]+",
    normalization="[A-Za-z0-9_]+",
    seed="[0-9]+",
    layer="[A-Za-z0-9_.-]+",
    # Only what there is: runs.csv and cases.csv lie beside the figures' tables.
    figure="|".join(re.escape(figure) for figure in FIGURES),


@cache  # every job of a rule asks again
def code(*modules):
    """Source files that decide what a stage computes, relative to the working directory."""
    return [os.path.relpath(path) for path in source_files(*modules)]


@cache
def versions(*modules):
    """Versions of the packages that decide what a stage computes, as a text."""
    return package_versions(*modules)


def as_json(settings):
    """A group of settings as canonical JSON: equal settings, equal text."""
    return canonical_json(settings.model_dump(mode="json"))


def run_paths(pattern, model=None, start=None):
    """The path of every run that is used, or of those of one model and start, in order."""
    return [
        pattern.format(run=run.id)
        for run in RUNS
        if model in (None, run.model) and start in (None, run.start)
    ]


def comparison_paths(pattern, models, layers=None):
    """The path of every comparison of the given models, in all their layers or in `layers`."""
    return [
        pattern.format(model=model, start=start, layer=layer)
        for model in models
        for start in study.experiment.starts
        if run_paths("{run}", model, start)
        for layer in layers or study.models[model].layers
    ]


def report_files():
    """The report; the PDF only where the system can."""
    names = ["index.html", "results.json", "provenance.json", "ro-crate-metadata.json"]
    names += [] if PDF_UNAVAILABLE_REASON else ["report.pdf"]
    return [*expand("results/report/{name}", name=names), *table_files()]


def table_files():
    """The tables beside the report."""
    return expand("results/report/data/{table}.csv", table=[*FIGURES, "runs", "cases"])


def kept_files():
    """What the report rests on: where it is there, Snakemake would not miss any of these.

    And what a build without all of its runs lacks, so that it cannot end well.
    """
    of_a_run = ["snapshots.safetensors", "history.csv", "layers.csv", "manifest.json"]
    models = study.experiment.models
    comparisons = "results/comparisons/{model}/{start}/{layer}"
    return [
        *expand("results/data/{data}/images.safetensors", data=prepared_data()),
        *data_manifests(),
        *expand(
            "results/pretrained/{model}/weights.safetensors", model=pretrained_models()
        ),
        *pretrained_manifests(),
        *expand("results/runs/{run.id}/{file}", run=RUNS, file=of_a_run),
        *run_paths("results/weights/{run}.json"),
        *run_paths("results/measures/{run}.parquet"),
        *run_paths("results/quantiles/{run}.parquet"),
        *comparison_paths(f"{comparisons}/densities.parquet", models),
        *comparison_paths(f"{comparisons}/histograms.parquet", models),
        *comparison_paths(f"{comparisons}/distances.parquet", models),
        *expand(
            "results/figures/{figure}.{kind}", figure=FIGURES, kind=["svg", "json"]
        ),
        *(["results/whole"] if failed.runs else []),
    ]


# prepare_data


def data_settings(wildcards):
    return as_json(study.data_sets()[wildcards.data])


def data_files(wildcards):
    return data_digests[wildcards.data]


# train_run and pretrain_model

# One GPU, or a share of it: `--resources gpu=N` lets N trainings at a time use those of a machine.
GPUS_PER_TRAINING = 0 if study.training.device == "cpu" else 1


def training_mb(settings, data):
    """Memory that a training takes, rounded up from what VGG16 and MobileNetV2 were measured at.

    MB, at 32 px and 32 images a step: 1,700 of VGG16; at 224 px: 5,500 and 4,300.
    """
    size = (
        SIZE_PX if settings.normalization == "published_meanstd" else data.image_size_px
    )
    values = 3 * size**2 * (data.train_images + data.heldout_images)
    activations = 2500 * size**2 * settings.batch_size
    # Weights with Adam's moments: below 64 px VGG's first linear layer is folded.
    weights = 2000 if size < 64 else 4000
    # In bytes per value: 25 at most while images are normalized, in float64, 1 + 4 from then on.
    return round(
        max(500 + 25 * values / 1e6, weights + (5 * values + activations) / 1e6)
    )


# pretrain_model

# Memory that reading and writing VGG16's weights takes.
FETCHING_MB = 2000


def pretrain_modules():
    arms = [study.pretraining.normalization] if study.is_pretrained_here else []
    return ["normreport.stages.pretrain_model", *map(source_of_arm, arms)]


def pretrain_settings(wildcards):
    return as_json(study.pretrain_settings(wildcards.model))


def pretrain_mb(wildcards):
    if not study.is_pretrained_here:
        return FETCHING_MB
    return training_mb(
        study.pretrain_settings(wildcards.model), study.data_sets()["pretraining"]
    )


def pretraining_checkpoint(wildcards):
    weights = study.pretrain_settings(wildcards.model).weights
    return weights if weights.endswith((".pth", ".pt", ".safetensors")) else []


def pretraining_images(wildcards):
    return (
        "results/data/pretraining/images.safetensors"
        if study.is_pretrained_here
        else []
    )


# train_run


def run_code(wildcards):
    return code(*run_modules(wildcards.normalization))


def run_versions(wildcards):
    return versions(*run_modules(wildcards.normalization))


def resolved_run(wildcards):
    run = Run(
        wildcards.model, wildcards.start, wildcards.normalization, int(wildcards.seed)
    )
    return study.run_settings(run)


def run_settings(wildcards):
    return as_json(resolved_run(wildcards))


def run_mb(wildcards):
    return training_mb(resolved_run(wildcards), study.data.target)


def pretrained_weights(wildcards):
    weights = f"results/pretrained/{wildcards.model}/weights.safetensors"
    return weights if wildcards.start.startswith("pretrained") else []


def pretrained_option(wildcards):
    return "--pretrained" if wildcards.start.startswith("pretrained") else ""


# compare_arms


def arm_digests(wildcards):
    return run_paths("results/weights/{run}.json", wildcards.model, wildcards.start)


def arm_snapshots(wildcards):
    pattern = "results/runs/{run}/snapshots.safetensors"
    return ancient(run_paths(pattern, wildcards.model, wildcards.start))


# judge_claims


def judge_modules():
    arms = {*study.experiment.normalizations, study.pretraining.normalization}
    return ["normreport.stages.judge_claims", *map(source_of_arm, sorted(arms))]


def pretrained_models():
    return dict.fromkeys(run.model for run in RUNS if "pretrained" in run.start)


def pretrained_manifests():
    return expand("results/pretrained/{model}/manifest.json", model=pretrained_models())


# draw_figure, judge_claims


def catalogue():
    """Translations of what figures and verdicts say, where the report is not English."""
    folders = study.report.template_folders(Path("templates"))
    return find_catalogue(study.report.language, folders) or []


# Where the tables lie that a kind of figure shows. Figures that are to be compared get those of
# all starts, for their axes.
TABLES = {
    "densities": "results/comparisons/{model}/{start}/{layer}/densities.parquet",
    "histograms": "results/comparisons/{model}/{start}/{layer}/histograms.parquet",
    "distances": "results/comparisons/{model}/{start}/{layer}/distances.parquet",
    "measures": "results/measures/{run}.parquet",
    "quantiles": "results/quantiles/{run}.parquet",
    "layers": "results/runs/{run}/layers.csv",
    "history": "results/runs/{run}/history.csv",
}


def figure_inputs(wildcards):
    figure = FIGURES[wildcards.figure]
    if figure_kinds()[figure.kind].is_of_the_input:
        return [
            "results/data/target/images.safetensors",
            "results/data/target/manifest.json",
        ]
    pattern = TABLES[figure_kinds()[figure.kind].table]
    if "{run}" in pattern:
        return run_paths(pattern, figure.model)
    return comparison_paths(
        pattern, [figure.model], [figure.layer] if figure.layer else None
    )


def figure_failures(wildcards):
    is_of_the_input = figure_kinds()[
        FIGURES[wildcards.figure].kind
    ].is_of_the_input
    return [] if is_of_the_input else "results/failures.json"


def drawing_modules(wildcards):
    figure = FIGURES[wildcards.figure]
    return figure_modules(figure.kind, figure.normalizations)


def figure_code(wildcards):
    return code(*drawing_modules(wildcards))


def figure_versions(wildcards):
    return versions(*drawing_modules(wildcards))


def figure_settings(wildcards):
    return as_json(FIGURES[wildcards.figure])


# record_provenance

STAGES = [f"normreport.stages.{stage}" for stage in FLOW]


def prepared_data():
    return ["target", *(["pretraining"] if study.is_pretrained_here else [])]


def data_manifests():
    return expand("results/data/{data}/manifest.json", data=prepared_data())


def record_settings():
    """The whole configuration and the commit: they enter here and change nothing before it."""
    return RecordSettings(
        config=study,
        revision=revision(Path(workflow.basedir)),
        with_pdf=not PDF_UNAVAILABLE_REASON,
    )


# render_html


def template_folders():
    return [str(folder) for folder in study.report.template_folders(Path("templates"))]


def template_files():
    """Every file of the templates: the record, which page and PDF print, tells their digest."""
    paths = [path for folder in template_folders() for path in Path(folder).rglob("*")]
    return sorted(str(path) for path in paths if path.is_file())


def logo():
    return study.report.logo or []


def render_settings():
    return as_json(study.render_settings(with_pdf=not PDF_UNAVAILABLE_REASON))


RESULTS, MEMORY = Path("results"), Path(".snakemake")
# Jobs on other machines read the workflow while the first files are made.
if workflow.is_main_process and not is_remembered(RESULTS, MEMORY):
    try:
        if not IS_ADOPTION:
            raise missing_metadata_error(RESULTS, MEMORY)
        check_adoption(
            RESULTS, record_settings(), [Path(folder) for folder in template_folders()]
        )
    except NormreportError as error:
        raise WorkflowError(str(error))


onstart:
    if IS_ADOPTION and not workflow.touch:
        raise WorkflowError(f"adopt=true goes with --touch: {HOW}")
    try:
        claim_folder(Path(".snakemake"))
    except NormreportError as error:
        raise WorkflowError(str(error))
    training = [
        job for job in workflow.dag.needrun_jobs() if job.rule.name == "train_run"
    ]
    print(
        f"Runs to be trained: {len(training)} of {len(list(study.runs()))}",
        file=sys.stderr,
    )
    if training:
        # Names of models and layers are torchvision's to judge, which takes seconds to import:
        # they are checked once, before anything is trained, not whenever the workflow is read.
        checked = subprocess.run(
            [sys.executable, "-m", "normreport", "check", "--quick", "-"],
            input=canonical_json(study.model_dump(mode="json")),
            text=True,
            capture_output=True,
        )
        if checked.returncode:
            raise WorkflowError(checked.stderr.strip())
    if PDF_UNAVAILABLE_REASON:
        print(f"The PDF is left out: {PDF_UNAVAILABLE_REASON}", file=sys.stderr)


onerror:
    print(
        "What went wrong is at the end of the log named above; snakemake --show-failed-logs"
        " prints it. When all else is done (--keep-going), --config partial=true reports the runs"
        " that there are.",
        file=sys.stderr,
    )


onsuccess:
    if Path("results/report/index.html").exists():
        print("The report: results/report/index.html", file=sys.stderr)
