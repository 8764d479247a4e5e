"""How the stages after training, Snakemake's planning and the page grow with the number of runs.

    python -m tests.benchmarks.growth [NUMBER OF RUNS ...]

The runs are not trained: :mod:`tests.benchmarks.replicated` writes what later stages read. The jobs
are those of the workflow: Snakemake runs them, and their logs say what they took.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import yaml

from normreport.config.figure_words import FigureWords
from normreport.config.json_files import read_model, write_model
from normreport.config.yaml_files import read_values
from normreport.io.files import read_text, write_text
from normreport.plan import paths
from normreport.plan.workflow import Plan
from normreport.source_code import ROOT
from tests.benchmarks.processes import Job, jobs, snakemake
from tests.benchmarks.replicated import read_plan, replicate, write_snapshots
from tests.benchmarks.tables import Results, table
from tests.workflow.conftest import Clone

ARMS = ["unit", "imagenet", "raw", "placebo", "double", "minmax", "standardize", "dataset"]
STARTS = ["scratch", "pretrained", "scratch_uniform", "scratch_laplace"]


def _experiment(models: Sequence[str], starts: int, arms: int, seeds: int) -> dict[str, Any]:
    lists = {"models": [*models], "starts": STARTS[:starts], "normalizations": ARMS[:arms]}
    return {"experiment": lists | {"seeds": [*range(seeds)], "exclude": []}}


SIZES: dict[int, dict[str, Any]] = {
    12: _experiment(["mobilenet_v2"], 2, 3, 2),
    192: _experiment(["vgg16", "mobilenet_v2"], 2, 6, 8),
    768: _experiment(["vgg16", "mobilenet_v2"], 4, 8, 12),
    3000: dict(read_values(ROOT / "workflow/presets/full.yaml")),
}
CONFIG = "size.yaml"
SNAKEMAKE = ("--configfile", CONFIG)
# Prints a job's resources and log before it runs.
FORCED = ("--force", "--printshellcmds")
COSTLIEST = 5
"""So many kinds of figure are named."""


def measure(sizes: Sequence[int] = tuple(SIZES)) -> Results:
    """Measure studies of several sizes, one after the other."""
    return {"sizes": [measure_size(SIZES[size]) for size in sizes]}


def measure_size(config: dict[str, Any]) -> Results:
    """Measure one study: planning it, one job of each kind after the training, and its page."""
    with tempfile.TemporaryDirectory() as place:
        clone = Clone(Path(place))
        (clone.folder / CONFIG).write_text(yaml.safe_dump(config))
        plan = read_plan([ROOT / "config.yaml", clone.folder / CONFIG])
        dry_run, _ = snakemake(clone, *SNAKEMAKE, "--dry-run")
        # Snakemake must know where results come from; this job needs no other.
        snakemake(clone, *SNAKEMAKE, "--", paths.FAILURES)
        compared = plan.runs[0].model, plan.runs[0].start
        layer = plan.config.models[compared[0]].layers[0]
        replicate(plan, clone.folder)
        write_snapshots(plan, clone.folder, *compared, layer)
        _equalize_times(clone.folder)
        drawn = first_of_each_kind(plan)
        comparison = plan.of_comparisons(paths.DENSITIES, compared[0], layer)[0]
        figures = [paths.FIGURE_SVG.format(figure=figure) for figure in drawn.values()]
        done = _force(clone, [comparison, paths.RESULTS_JSON, *figures])
        _copy_figures(plan, clone.folder, drawn)
        done += _force(clone, [paths.RECORD, paths.HTML])
        write_text(clone.folder / paths.PDF, "")
        no_op, output = snakemake(clone, *SNAKEMAKE)
        if "Nothing to be done" not in output:
            raise RuntimeError(f"expected that nothing is to be done, found:\n{output[:2000]}")
        return {
            "runs": len(plan.runs),
            "figures": len(plan.figures),
            "compared_runs": len(plan.of_runs(paths.MEASURES, *compared)),
            "page_bytes": (clone.folder / paths.HTML).stat().st_size,
            "dry_run": asdict(dry_run),
            "no_op": asdict(no_op),
            "jobs": {_label(job, plan): _cost(job) for job in done},
        }


def _equalize_times(folder: Path) -> None:
    """Make all results equally old, as results that are up to date are."""
    for path in (folder / paths.RESULTS).rglob("*"):
        os.utime(path, (0, (folder / CONFIG).stat().st_mtime))


def _force(clone: Clone, targets: Sequence[str]) -> list[Job]:
    _, output = snakemake(clone, *SNAKEMAKE, *FORCED, "--", *targets)
    return jobs(output, clone.folder)


def first_of_each_kind(plan: Plan) -> dict[str, str]:
    """Return the name of the first figure of each kind."""
    first: dict[str, str] = {}
    for name, figure in plan.figures.items():
        first.setdefault(figure.kind, name)
    return first


def _copy_figures(plan: Plan, folder: Path, drawn: dict[str, str]) -> None:
    """Write a copy of the drawn figure of the same kind for every other figure."""
    for name, settings in plan.figures.items():
        original = drawn[settings.kind]
        if name == original:
            continue
        for pattern in (paths.FIGURE_SVG, paths.FIGURE_TABLE):
            source, copy = (folder / pattern.format(figure=one) for one in (original, name))
            write_text(copy, read_text(source).replace(original, name))
        pattern = paths.FIGURE_TEXT
        words = read_model(FigureWords, folder / pattern.format(figure=original))
        place = {"model": settings.model, "start": settings.start, "layer": settings.layer}
        made_from = words.made_from.model_copy(update={"settings": settings})
        write_model(
            folder / pattern.format(figure=name),
            words.model_copy(update={"id": name, "made_from": made_from, **place}),
        )


def _label(job: Job, plan: Plan) -> str:
    """Name a job by its stage, and a figure by its kind."""
    return f"figure {plan.figures[job.name].kind}" if job.name in plan.figures else job.stage


def _cost(job: Job) -> Results:
    return {**(asdict(job.usage) if job.usage else {}), "declared_mb": job.declared_mb}


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    sizes = results["sizes"]
    largest = sizes[-1]["jobs"]
    figures = [name for name in largest if name.startswith("figure ")]
    costliest = sorted(figures, key=lambda name: -largest[name]["seconds"])[:COSTLIEST]
    stages = ["compare_arms", "judge_claims", *costliest, "record_provenance", "render_html"]
    rows: list[tuple[object, ...]] = [
        ("`snakemake --dry-run`, nothing made", *(_cell(size["dry_run"]) for size in sizes)),
        ("`snakemake`, nothing to be done", *(_cell(size["no_op"]) for size in sizes)),
        *((_title(name), *(_cell(size["jobs"].get(name)) for size in sizes)) for name in stages),
        ("page, MB", *(f"{size['page_bytes'] / 1e6:.1f}" for size in sizes)),
    ]
    slowest = max(largest, key=lambda name: largest[name]["seconds"])
    return (
        "The runs are synthetic: a generator writes the files that training and measuring would "
        "write. Snakemake then runs one job of each kind. `compare_arms` compares the first layer "
        "of one model and "
        f"start ({sizes[-1]['compared_runs']} runs in the largest study); only the slowest kinds "
        "of figure are listed. To measure the page, one figure of each kind is drawn and copied "
        "for the others of that kind. If nothing is to be done, all files are equally old, and "
        f"Snakemake compares only times.\n\nWith {sizes[-1]['runs']:,} runs {_title(slowest)} "
        "takes longest. "
        f"{_describe_excess(largest)}\n\n"
        "Processor time, peak memory and, in brackets, the memory that the rule asks for, in MB:"
        "\n\n" + table(["", *(f"{size['runs']:,} runs" for size in sizes)], rows)
    )


def _describe_excess(costs: Results) -> str:
    """Name the jobs whose memory exceeds what their rules ask for."""
    above = [_title(name) for name, cost in costs.items() if cost["peak_mb"] > cost["declared_mb"]]
    if not above:
        return "No job takes more memory than its rule asks for."
    return f"More memory than the rule asks for: {', '.join(above)}."


def _title(name: str) -> str:
    kind = name.removeprefix("figure ")
    return f"`draw_figure`, {kind.replace('_', ' ')}" if kind != name else f"`{name}`"


def _cell(cost: Results | None) -> str:
    if not cost:
        return ""
    declared = f" ({cost['declared_mb']:,})" if cost.get("declared_mb") else ""
    return f"{cost['seconds']:.1f} s, {cost['peak_mb']:,.0f} MB{declared}"


if __name__ == "__main__":
    print(describe(measure([*map(int, sys.argv[1:])] or [*SIZES])))
