"""The command line: one subcommand per stage, and a few for people."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normreport.errors import NormreportError

Options = dict[str, dict[str, Any]]

SETTINGS = {"metavar": "JSON", "help": "the stage's settings, as the workflow resolves them"}


def _in(text: str, **more: Any) -> dict[str, Any]:
    return {"type": Path, "metavar": "FILE", "help": f"read {text}"} | more


def _out(text: str) -> dict[str, Any]:
    return {"type": Path, "metavar": "FILE", "help": f"write {text}"}


def _report(text: str, metavar: str) -> dict[str, Any]:
    return _in(f"{text}: its index.html or the folder of that", metavar=metavar)


IMAGES = _in("the prepared images (.safetensors)")
IMAGES_MANIFEST = _in("the manifest of the images (.json)")
SNAPSHOTS = _in("the weights kept after every epoch (.safetensors)")
MANIFEST = _in("the run's manifest (.json)")
CHECKPOINTS = {
    "type": Path,
    "metavar": "FOLDER",
    "help": "keep the state of the unfinished work here, and go on from it after a kill",
}
OPTIONAL = {"required": False, "default": None}
MANY = {"nargs": "+"}
TEMPLATES = {
    "type": Path,
    "metavar": "FOLDER",
    "help": "read the templates; what the first folder lacks is taken from the next",
    **MANY,
}
PRETRAINED = _in(
    "where pretrained weights come from (.json)", nargs="*", required=False, default=[]
)
LOGO = _in("the logo (.svg, .png, .jpg, .webp)", nargs="?", **OPTIONAL)
CATALOGUE = _in("translations, where the report is not English (.po)", nargs="?", **OPTIONAL)
FAILURES = _in("the runs that failed (.json)", nargs="?", **OPTIONAL)


CONFIG = _in(
    "a configuration (.yaml; - for standard input), and overlays, each over those before it",
    nargs="+",
)

# Stage: its line in the help, then its options; all of them are required unless said otherwise.
STAGES: dict[str, tuple[str, Options]] = {
    "prepare_data": (
        "turn a source of images into one file",
        {
            "settings": SETTINGS,
            "images": _out("images and labels (.safetensors)"),
            "manifest": _out("source, classes, counts, digests (.json)"),
            "checkpoints": CHECKPOINTS,
            "threads": {
                "type": int,
                "metavar": "N",
                "help": "images decoded at a time (1); the result does not depend on it",
                "required": False,
                "default": 1,
            },
        },
    ),
    "pretrain_model": (
        "train a model's pretrained weights, or fetch them",
        {
            "settings": SETTINGS,
            "images": _in("the prepared images; needed where weights are trained here", **OPTIONAL),
            "weights": _out("the weights (.safetensors)"),
            "manifest": _out("where they come from (.json)"),
            "checkpoints": CHECKPOINTS,
        },
    ),
    "train_run": (
        "train one run",
        {
            "settings": SETTINGS,
            "images": IMAGES,
            "images_manifest": IMAGES_MANIFEST,
            "pretrained": _in("weights to start from; from scratch without", **OPTIONAL),
            "snapshots": _out("the kept layers' weights after every epoch (.safetensors)"),
            "history": _out("loss and accuracy per epoch (.csv)"),
            "layers": _out("moments, displacement and cosine per epoch and measured layer (.csv)"),
            "manifest": _out("condition, status, seeds, digests (.json)"),
            "checkpoints": CHECKPOINTS,
        },
    ),
    "record_failures": (
        "record which runs failed, so that a report does without them",
        {
            "settings": SETTINGS,
            "failures": _out("what the end of each one's log says, where one failed (.json)"),
        },
    ),
    "digest_weights": (
        "check a run's snapshots and give their digests",
        {
            "snapshots": SNAPSHOTS,
            "manifest": MANIFEST,
            "digests": _out("one digest per layer and epoch (.json)"),
        },
    ),
    "measure_weights": (
        "compute the statistics of a run's weights",
        {
            "digests": _in("the digests (.json)"),
            "snapshots": SNAPSHOTS,
            "measures": _out("one row of statistics per layer and epoch (.parquet)"),
            "quantiles": _out("quantiles at fixed normal scores, per layer and epoch (.parquet)"),
        },
    ),
    "compare_arms": (
        "compare the runs of one model and start in one layer",
        {
            "layer": {"metavar": "NAME", "help": "the layer's module path"},
            "epochs": {"type": int, "metavar": "N", "help": "the last epoch"},
            "digests": _in("the digests, one file per run (.json)", **MANY),
            "snapshots": SNAPSHOTS | MANY,
            "densities": _out("densities on one grid, with one bandwidth (.parquet)"),
            "histograms": _out("numbers of weights in one set of bins (.parquet)"),
            "distances": _out("Wasserstein distances between runs (.parquet)"),
        },
    ),
    "judge_claims": (
        "judge every claim",
        {
            "settings": SETTINGS,
            "manifests": _in("the runs' manifests (.json)", **MANY),
            "histories": _in("the runs' histories (.csv)", **MANY),
            "layers": _in("the runs' layer summaries (.csv)", **MANY),
            "measures": _in("the runs' statistics (.parquet)", **MANY),
            "distances": _in("distances between runs (.parquet)", **MANY),
            "images": IMAGES,
            "images_manifest": IMAGES_MANIFEST,
            "results": _out("every number that the article's prose uses (.json)"),
            "pretrained": PRETRAINED,
            "failures": FAILURES,
            "catalogue": CATALOGUE,
            "runs": _out("the table of all runs (.csv)"),
            "cases": _out("the table of all cases of all claims (.csv)"),
        },
    ),
    "draw_figure": (
        "draw one figure",
        {
            "figure": {"metavar": "ID", "help": "such as density-vgg16-scratch-features.0"},
            "settings": SETTINGS,
            "inputs": _in("the tables or images that the figure shows", **MANY),
            "failures": FAILURES,
            "catalogue": CATALOGUE,
            "svg": _out("the figure (.svg)"),
            "table": _out("what it shows (.csv)"),
            "text": _out("caption and alternative text (.json)"),
        },
    ),
    "record_provenance": (
        "record what the report is made from",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "manifests": _in("the runs' manifests (.json)", **MANY),
            "data": _in("the manifests of the images (.json)", **MANY),
            "pretrained": PRETRAINED,
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "tables": _in("the tables of the report's folder (.csv)", **MANY),
            "templates": TEMPLATES,
            "root": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "the folder of all results, which files are named from",
            },
            "record": _out("settings, digests, versions, verdicts (.json)"),
            "metadata": _out("the report's folder as an RO-Crate (.json)"),
        },
    ),
    "render_html": (
        "write the article as one HTML file",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "record": _in("what the report is made from (.json)"),
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "templates": TEMPLATES,
            "logo": LOGO,
            "html": _out("the article (.html)"),
        },
    ),
    "render_pdf": (
        "write the article as PDF",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "record": _in("what the report is made from (.json)"),
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "attachments": _in("the numbers that the PDF carries with it (.json, .csv)", **MANY),
            "templates": TEMPLATES,
            "logo": LOGO,
            "pdf": _out("the article (.pdf)"),
        },
    ),
    "publish_site": (
        "copy the report to a folder for any static host",
        {
            "files": _in("the files of the report", **MANY),
            "report": {"type": Path, "metavar": "FOLDER", "help": "the folder that they lie in"},
            "site": {"type": Path, "metavar": "FOLDER", "help": "write the site"},
        },
    ),
}

# For people: (help, options of argparse by name; a name without dashes is positional).
COMMANDS: dict[str, tuple[str, Options]] = {
    "check": (
        "check a configuration, its models, layers and data without training",
        {
            "config": CONFIG,
            "--quick": {
                "action": "store_true",
                "help": "leave out the time and the disk to expect, for which steps are tried",
            },
        },
    ),
    "conditions": (
        "list every run of a configuration",
        {"config": CONFIG},
    ),
    "claims": (
        "list every claim, and with results its verdict",
        {"--results": _in("results of a report (.json)")},
    ),
    "layers": (
        "list the layers of an architecture whose weights can be kept",
        {"architecture": {"metavar": "NAME", "help": "as torchvision calls it, such as resnet18"}},
    ),
    "verify": (
        "check a report against results: its data, drawings, numbers and sentences",
        {
            "report": _report("the report", "REPORT"),
            "--results": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "the folder of all results; the one above the report's if left out",
            },
            "--rebuild": {
                "action": "store_true",
                "help": "make the results anew first, by snakemake in a folder for the purpose, "
                "with the configuration that the report holds and the code that is here",
            },
        },
    ),
    "diff": (
        "say what differs between two reports, and what may explain it",
        {
            "old": _report("the old report", "OLD"),
            "new": _report("the new report", "NEW"),
            "--json": {"action": "store_true", "help": "print everything, as JSON"},
        },
    ),
    "schema": (
        "print the JSON schema of the configuration",
        {"--results": {"action": "store_true", "help": "that of a report's results.json instead"}},
    ),
}


def parser() -> argparse.ArgumentParser:
    """Make the parser of the whole command line."""
    whole = argparse.ArgumentParser(
        prog="normreport",
        description="Ask whether input normalization changes what a network's weights look like. "
        "'make report' or 'snakemake --cores all' builds the whole report; these are its parts.",
        epilog="A mistake of yours ends with one message and exit status 2; a difference that "
        "verify or diff finds, with exit status 1.",
    )
    subparsers = whole.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    for name, (text, options) in COMMANDS.items():
        command = subparsers.add_parser(name, help=text, description=_sentence(text))
        for option, details in options.items():
            command.add_argument(option, **details)
    for name, (text, options) in STAGES.items():
        stage = subparsers.add_parser(
            name, help=text, description=_sentence(text) + " A stage of the workflow."
        )
        for option, details in options.items():
            required: dict[str, Any] = {"required": True}
            stage.add_argument(f"--{option.replace('_', '-')}", **(required | details))
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 where a comparison found differences."""
    options = vars(parser().parse_args(arguments))
    name = options.pop("command")
    module = importlib.import_module(
        f"normreport.stages.{name}" if name in STAGES else f"normreport.commands.{name}"
    )
    try:
        status: int | None = module.run(**options)
        sys.stdout.flush()
    except NormreportError as error:
        print(f"normreport {name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader has read enough; nothing is left to be flushed at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status or 0


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
