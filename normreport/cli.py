"""The command line: one subcommand per stage, and commands for people."""

from __future__ import annotations

import argparse
import contextlib
import importlib
import math
import os
import re
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normreport.errors import MissingToolError, NormreportError
from normreport.source_code import ROOT

Options = dict[str, dict[str, Any]]

SETTINGS = {"metavar": "JSON", "help": "settings of the stage, resolved by the workflow"}


def _in(text: str, **more: Any) -> dict[str, Any]:
    return {"type": Path, "metavar": "FILE", "help": f"read {text}"} | more


def _out(text: str) -> dict[str, Any]:
    return {"type": Path, "metavar": "FILE", "help": f"write {text}"}


def _report(text: str, metavar: str) -> dict[str, Any]:
    return _in(f"{text}: its index.html, or the folder that holds it", metavar=metavar)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = math.nan
    if not 0 <= share < math.inf:
        raise argparse.ArgumentTypeError(f"expected a number of 0 or more, found {text}")
    return share


IMAGES = _in("the prepared images (.safetensors)")
IMAGES_MANIFEST = _in("the manifest of the images (.json)")
SNAPSHOTS = _in("the weights saved after every epoch (.safetensors)")
MANIFEST = _in("the run's manifest (.json)")
CHECKPOINTS = {
    "type": Path,
    "metavar": "FOLDER",
    "help": "folder of checkpoints: an interrupted stage resumes from them",
}
OPTIONAL = {"required": False, "default": None}
MANY = {"nargs": "+"}
TEMPLATES = {
    "type": Path,
    "metavar": "FOLDER",
    "help": "folders of templates; the first folder that has a file wins",
    **MANY,
}
PRETRAINED = _in(
    "the manifests of the pretrained weights (.json)", nargs="*", required=False, default=[]
)
WEIGHTS = _in("the pretrained weights, for a pretrained start", nargs="?", **OPTIONAL)
TUNED = _in("the files of the sweeps (.json)", nargs="*", required=False, default=[])
LOGO = _in("the logo (.svg, .png, .jpg, .webp)", nargs="?", **OPTIONAL)
CATALOGUE = _in("translations for a report that is not in English (.po)", nargs="?", **OPTIONAL)
AXES = _in(
    "the axes of the densities of every start (.json)", nargs="*", required=False, default=()
)
FAILURES = _in("the runs that failed (.json)", nargs="?", **OPTIONAL)


CONFIG = _in(
    "configuration files (.yaml, - for standard input); later ones override earlier ones (default: "
    "those that snakemake reads here)",
    nargs="*",
)

# The bits of a matrix product depend on the number of threads. numpy's BLAS (OpenBLAS, on macOS
# Accelerate) reads these variables when it is loaded, and PyTorch does not: its threads are in the
# configuration.
SINGLE_THREADED_BLAS = {"OPENBLAS_NUM_THREADS": "1", "VECLIB_MAXIMUM_THREADS": "1"}

# Stage: its help, then its options, which are required unless stated otherwise.
STAGES: dict[str, tuple[str, Options]] = {
    "prepare_data": (
        "convert a source of images to one file",
        {
            "settings": SETTINGS,
            "images": _out("images and labels (.safetensors)"),
            "manifest": _out("source, classes, counts, digests (.json)"),
            "checkpoints": CHECKPOINTS,
            "threads": {
                "type": int,
                "metavar": "N",
                "help": "number of decoding threads (default: 1); the result does not change",
                "required": False,
                "default": 1,
            },
        },
    ),
    "pretrain_model": (
        "train or fetch the pretrained weights of a model",
        {
            "settings": SETTINGS,
            "images": _in("the prepared images, if the weights are trained here", **OPTIONAL),
            "weights": _out("the weights (.safetensors)"),
            "manifest": _out("their source, settings and digests (.json)"),
            "checkpoints": CHECKPOINTS,
        },
    ),
    "tune_rate": (
        "choose the learning rate of one model, start and normalization by trial runs",
        {
            "settings": SETTINGS,
            "images": IMAGES,
            "images_manifest": IMAGES_MANIFEST,
            "pretrained": WEIGHTS,
            "rate": _out("the chosen learning rate (.json)"),
            "manifest": _out("candidates, losses, digests (.json)"),
            "checkpoints": CHECKPOINTS,
        },
    ),
    "train_run": (
        "train one run",
        {
            "settings": SETTINGS,
            "images": IMAGES,
            "images_manifest": IMAGES_MANIFEST,
            "pretrained": WEIGHTS,
            "tuned_rate": _in("the learning rate, if a sweep chose it", nargs="?", **OPTIONAL),
            "snapshots": _out("the weights of the kept layers after every epoch (.safetensors)"),
            "history": _out("loss and accuracy per epoch (.csv)"),
            "layers": _out("moments, displacement and cosine per measured layer and epoch (.csv)"),
            "manifest": _out("condition, status, seeds, digests (.json)"),
            "checkpoints": CHECKPOINTS,
        },
    ),
    "record_failures": (
        "record the runs that failed, for a partial report",
        {
            "settings": SETTINGS,
            "failures": _out("the failed runs with the ends of their logs (.json)"),
        },
    ),
    "digest_weights": (
        "check the snapshots of a run and compute their digests",
        {
            "snapshots": SNAPSHOTS,
            "manifest": MANIFEST,
            "digests": _out("one digest per layer and epoch (.json)"),
        },
    ),
    "measure_weights": (
        "compute the statistics of the weights of a run",
        {
            "digests": _in("the digests (.json)"),
            "snapshots": SNAPSHOTS,
            "measures": _out("one row of statistics per layer and epoch (.parquet)"),
            "quantiles": _out("quantiles at fixed normal scores, per layer and epoch (.parquet)"),
        },
    ),
    "compare_arms": (
        "compare the weights of one layer between runs of one model and start",
        {
            "layer": {"metavar": "NAME", "help": "module path of the layer"},
            "digests": _in("the digests, one file per run (.json)", **MANY),
            "snapshots": SNAPSHOTS | MANY,
            "densities": _out("densities on one grid, with one bandwidth (.parquet)"),
            "axes": _out("the axes of the densities (.json)"),
            "histograms": _out("histograms with equal bins (.parquet)"),
            "products": _out("products of the runs' quantile functions (.parquet)"),
        },
    ),
    "judge_claims": (
        "judge every claim",
        {
            "settings": SETTINGS,
            "planned": {
                "metavar": "JSON",
                "help": "settings that the manifests must have, resolved by the workflow",
            },
            "manifests": _in("the runs' manifests (.json)", **MANY),
            "histories": _in("the runs' histories (.csv)", **MANY),
            "layers": _in("the runs' layer summaries (.csv)", **MANY),
            "measures": _in("the runs' statistics (.parquet)", **MANY),
            "products": _in("products of the runs' quantile functions (.parquet)", **MANY),
            "images": IMAGES,
            "images_manifest": IMAGES_MANIFEST,
            "results": _out("every number in the text of the article (.json)"),
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
            "figure": {"metavar": "ID", "help": "for example density-vgg16-scratch-features.0"},
            "settings": SETTINGS,
            "inputs": _in("tables or images that the figure shows", **MANY),
            "axes": AXES,
            "failures": FAILURES,
            "catalogue": CATALOGUE,
            "svg": _out("the figure (.svg)"),
            "table": _out("the data that it shows (.csv)"),
            "text": _out("caption and alt text (.json)"),
        },
    ),
    "record_provenance": (
        "record the provenance of the report",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "manifests": _in("the runs' manifests (.json)", **MANY),
            "data": _in("the manifests of the images (.json)", **MANY),
            "pretrained": PRETRAINED,
            "tuned": TUNED,
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "tables": _in("the tables in the folder of the report (.csv)", **MANY),
            "templates": TEMPLATES,
            "root": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "folder of all results; file names in the record are relative to it",
            },
            "record": _out("settings, digests, versions and verdicts (.json)"),
            "metadata": _out("RO-Crate metadata of the folder of the report (.json)"),
        },
    ),
    "render_html": (
        "write the article as HTML, in one file unless the study is large",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "record": _in("the provenance record (.json)"),
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "templates": TEMPLATES,
            "logo": LOGO,
            "html": _out(
                "the article (.html); the pages of a large study lie in supplement/ beside it"
            ),
        },
    ),
    "render_pdf": (
        "write the article as PDF",
        {
            "settings": SETTINGS,
            "results": _in("the results (.json)"),
            "record": _in("the provenance record (.json)"),
            "figures": _in("the figures (.svg), each with its .json beside it", **MANY),
            "attachments": _in("files to attach to the PDF (.json, .csv)", **MANY),
            "templates": TEMPLATES,
            "logo": LOGO,
            "pdf": _out("the article (.pdf)"),
        },
    ),
    "publish_site": (
        "copy the report to a folder for a static web host",
        {
            "files": _in("the files of the report", **MANY),
            "report": {"type": Path, "metavar": "FOLDER", "help": "folder of these files"},
            "site": {"type": Path, "metavar": "FOLDER", "help": "write the site to this folder"},
        },
    ),
}

# Commands for people: help, then options of argparse; a name without dashes is positional.
COMMANDS: dict[str, tuple[str, Options]] = {
    "check": (
        "validate a configuration, its models, layers and data; estimate time, disk and figures",
        {
            "config": CONFIG,
            "--quick": {
                "action": "store_true",
                "help": "skip the estimates, which time a few training steps",
            },
        },
    ),
    "new": (
        "write the folder of a new study, with an example to change",
        {"folder": {"type": Path, "metavar": "FOLDER", "help": "a new or an empty folder"}},
    ),
    "conditions": (
        "list every run of a configuration",
        {"config": CONFIG},
    ),
    "claims": (
        "list the claims and, given results, their verdicts",
        {"--results": _in("results of a report (.json)")},
    ),
    "layers": (
        "list the layers of an architecture whose weights can be saved",
        {
            "architecture": {
                "metavar": "NAME",
                "help": "a name in torchvision, for example resnet18",
            }
        },
    ),
    "verify": (
        "check that a report matches its results: data, figures, numbers and sentences",
        {
            "report": _report("the report", "REPORT"),
            "--results": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "folder of all results (default: the parent of the folder of the report)",
            },
            "--rebuild": {
                "action": "store_true",
                "help": "first rebuild the results in a temporary folder, from the configuration "
                "in the report and the code here",
            },
            "--tolerance": {
                "type": _share,
                "metavar": "SHARE",
                "help": "with --rebuild: exit with status 0 if every verdict is the same and no "
                "effect differs by more than this share of its claim's margin",
            },
        },
    ),
    "diff": (
        "list the differences between two reports and their possible causes",
        {
            "old": _report("the old report", "OLD"),
            "new": _report("the new report", "NEW"),
            "--json": {"action": "store_true", "help": "print all differences as JSON"},
        },
    ),
    "schema": (
        "print the JSON schema of the configuration or of results.json",
        {"--results": {"action": "store_true", "help": "print the schema of results.json"}},
    ),
}


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    command_line = argparse.ArgumentParser(
        prog="normreport",
        description="Test whether input normalization changes what a network's weights look like. "
        "'make report' or 'snakemake --cores all' builds the report from these commands.",
        epilog="Invalid input gives one message and exit status 2. verify and diff exit with "
        "status 1 if they find a difference.",
    )
    subparsers = command_line.add_subparsers(
        dest="command", required=True, metavar="COMMAND", title="commands"
    )
    for name, (text, options) in COMMANDS.items():
        command = subparsers.add_parser(name, help=text, description=_sentence(text))
        for option, details in options.items():
            command.add_argument(option, **details)
    for name, (text, options) in STAGES.items():
        stage = subparsers.add_parser(
            name,
            help=text,
            description=_sentence(text) + " A stage of the workflow. With - instead of options, "
            "it reads them from standard input, each followed by a null byte.",
        )
        for option, details in options.items():
            required: dict[str, Any] = {"required": True}
            stage.add_argument(f"--{option.replace('_', '-')}", **(required | details))
    return command_line


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status: 0, or 1 if a comparison found differences."""
    os.environ.update(SINGLE_THREADED_BLAS)
    options = vars(
        parser().parse_args(_from_stdin(sys.argv[1:] if arguments is None else arguments))
    )
    name = options.pop("command")
    folder = "stages" if name in STAGES else "commands"
    try:
        _check_clone()
        module = importlib.import_module(f"normreport.{folder}.{name}")
        status: int | None = module.run(**options)
        sys.stdout.flush()
        if arguments is None and name in STAGES:
            _print_usage()
    except NormreportError as error:
        print(f"normreport {name}: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:
        # The reader closed the pipe; prevent a second error when Python flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status or 0


def _from_stdin(arguments: Sequence[str]) -> Sequence[str]:
    """Replace the `-` of a stage by the options on standard input.

    Systems limit the length of a command line, and the paths of thousands of runs are longer.
    """
    if len(arguments) != 2 or arguments[0] not in STAGES or arguments[1] != "-":
        return arguments
    *options, _ = sys.stdin.buffer.read().split(b"\0")
    return [arguments[0], *map(os.fsdecode, options)]


def peak_memory() -> int:
    """Return the largest memory that this process has had, in bytes."""
    # On Linux, ru_maxrss may be that of the process that started this one.
    with contextlib.suppress(OSError):
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        if found := re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE):
            return int(found[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (
        1 if sys.platform == "darwin" else 1024
    )


def _print_usage() -> None:
    """Print the memory and the processor time of this process: the last line of a job's log."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(
        f"peak memory {peak_memory() / 1e6:.0f} MB, "
        f"processor time {used.ru_utime + used.ru_stime:.1f} s",
        file=sys.stderr,
    )


def _check_clone() -> None:
    """Check that this is the code of the workflow that runs it, or of the clone that one is in.

    An environment may hold an editable install of another clone.

    Raises
    ------
    MissingToolError
        If it is the code of another clone.
    """
    here = Path.cwd()
    is_clone = all((here / name).is_file() for name in ("Snakefile", "normreport/cli.py"))
    expected = Path(os.environ.get("NORMREPORT_CLONE") or (here if is_clone else ROOT))
    if expected.exists() and not expected.samefile(ROOT):
        raise MissingToolError(
            f"expected the code of {expected}, found that of {ROOT}, which this environment has "
            "installed. Run the command as `python -m normreport ...` in your clone, or install "
            "your clone: pip install --no-deps --editable ."
        )


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
