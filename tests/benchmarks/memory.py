"""The memory of trainings against what their rules ask for, where it is largest.

python -m tests.benchmarks.memory
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import yaml

from normreport.plan import paths
from normreport.source_code import ROOT
from tests.benchmarks.processes import jobs, snakemake
from tests.benchmarks.replicated import read_plan
from tests.benchmarks.tables import Results, table
from tests.workflow.conftest import Clone

CONFIG = "memory.yaml"
VGG16 = {"architecture": "vgg16", "train_images": 40, "batch_size": 20, "learning_rate": 1e-4}
# One run of each model, as long as a run of the default experiment.
STUDY = {
    "experiment": {
        "models": ["vgg16", "vgg16_all", "mobilenet_v2"],
        "starts": ["scratch"],
        "normalizations": ["unit", "imagenet"],
        "exclude": [{"normalization": "imagenet"}],
        "seeds": [0],
    },
    "models": {"vgg16_all": VGG16 | {"layers": ["all"]}},
}


def measure(changes: Results | None = None) -> Results:
    """Train one run per model and digest its weights.

    Parameters
    ----------
    changes
        A configuration to lay over that of the benchmark.
    """
    with tempfile.TemporaryDirectory() as place:
        clone = Clone(Path(place))
        (clone.folder / CONFIG).write_text(yaml.safe_dump(STUDY))
        (clone.folder / "changes.yaml").write_text(yaml.safe_dump(changes or {}))
        configs = [CONFIG, "changes.yaml"]
        plan = read_plan([ROOT / "config.yaml", *(clone.folder / name for name in configs)])
        _, output = snakemake(
            clone, "--configfile", *configs, "--printshellcmds",
            "--", *plan.of_runs(paths.WEIGHT_DIGESTS),
        )  # fmt: skip
        done = jobs(output, clone.folder)
        kept = {model: len(plan.config.models[model].layers) for model in plan.config.design.models}
    return {
        "epochs": plan.config.training.epochs,
        "jobs": sorted(
            (
                {
                    "stage": job.stage,
                    "model": job.name.split("/")[0],
                    "kept_layers": kept.get(job.name.split("/")[0]),
                    "peak_mb": job.usage.peak_mb,
                    "declared_mb": job.declared_mb,
                }
                for job in done
                if job.usage
            ),
            key=lambda job: (job["stage"], job["model"]),
        ),
    }


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    above = sum(job["peak_mb"] > job["declared_mb"] for job in results["jobs"])
    return (
        f"Each row is one job for a run of {results['epochs']} epochs, on one core. The memory "
        "that a rule asks for includes about 400 MB for Snakemake, which starts the job. Number of "
        f"jobs that exceed what their rule asks for (a cluster would kill them): {above}.\n\n"
        + table(
            ["stage", "of", "kept layers", "peak, MB", "declared, MB", "peak / declared"],
            [
                (f"`{job['stage']}`", job["model"], job["kept_layers"] or "",
                 f"{job['peak_mb']:,.0f}", f"{job['declared_mb']:,}",
                 f"{job['peak_mb'] / job['declared_mb']:.2f}")
                for job in results["jobs"]
            ],
        )
    )  # fmt: skip


if __name__ == "__main__":
    print(describe(measure()))
