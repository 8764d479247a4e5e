"""The validated configuration, and what rules ask of it. No rules."""

import os
import subprocess
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

from normreport.config import Run, load_config
from normreport.errors import NormreportError
from normreport.figure_index import figure_index, figure_settings as resolved_figure
from normreport.files import canonical_json
from normreport.source_code import source_files
from normreport.system import pdf_hindrance

try:
    study = load_config(config, where="config.yaml")
except NormreportError as error:
    raise WorkflowError(str(error))

FIGURES = {figure.id: figure for figure in figure_index(study)}
PDF_HINDRANCE = pdf_hindrance()


wildcard_constraints:
    data="target|pretraining",
    model="[A-Za-z0-9_]+",
    start="scratch|pretrained",
    normalization="[A-Za-z0-9_]+",
    seed="[0-9]+",
    layer="[A-Za-z0-9_.]+",
    figure="[A-Za-z0-9_.-]+",


def code(*modules):
    """Source files that decide what a stage computes, relative to the working directory."""
    return [os.path.relpath(path) for path in source_files(*modules)]


def as_json(settings):
    """A group of settings as canonical JSON: equal settings, equal text."""
    return canonical_json(settings.model_dump(mode="json"))


def run_paths(pattern, model=None, start=None):
    """The path of every run, or of those of one model and start, in the configuration's order."""
    return [
        pattern.format(run=run.id)
        for run in study.runs()
        if model in (None, run.model) and start in (None, run.start)
    ]


def comparison_paths(pattern, models, layers=None):
    """The path of every comparison of the given models, in all their layers or in `layers`."""
    return [
        pattern.format(model=model, start=start, layer=layer)
        for model in models
        for start in study.experiment.starts
        for layer in layers or study.models[model].layers
    ]


def report_files():
    """What `snakemake` builds; the PDF only where the system can."""
    paths = ["results/report/index.html", "results/report/results.json"]
    return paths if PDF_HINDRANCE else [*paths, "results/report/report.pdf"]


onstart:
    # Names of models and layers are torchvision's to judge, which takes seconds to import: they
    # are checked here, once, before anything is trained, and not whenever the workflow is read.
    checked = subprocess.run(
        [sys.executable, "-m", "normreport", "check", "-"],
        input=canonical_json(study.model_dump(mode="json")),
        text=True,
        capture_output=True,
    )
    if checked.returncode:
        raise WorkflowError(checked.stderr.strip())
    print(checked.stdout, end="", file=sys.stderr)
    if PDF_HINDRANCE:
        print(f"The PDF is left out: {PDF_HINDRANCE}", file=sys.stderr)


onsuccess:
    print("The report: results/report/index.html", file=sys.stderr)
