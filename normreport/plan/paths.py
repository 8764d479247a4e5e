"""The path of every file that the workflow writes; no other module or rule spells one.

Names in braces are Snakemake's wildcards. Fill them in with :func:`of_run` or ``str.format``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from normreport.config.pages import ARTICLE
from normreport.config.runs import Run

ARM = "{model}/{start}/{normalization}"
RUN = f"{ARM}/seed{{seed}}"
COMPARISON = "{model}/{start}/{layer}"

RESULTS = "results"
DATA = f"{RESULTS}/data"
DATA_IMAGES = f"{DATA}/{{data}}/images.safetensors"
DATA_MANIFEST = f"{DATA}/{{data}}/manifest.json"
TARGET_IMAGES = DATA_IMAGES.format(data="target")
TARGET_MANIFEST = DATA_MANIFEST.format(data="target")
PRETRAINING_IMAGES = DATA_IMAGES.format(data="pretraining")
# Checkpoints are parameters of their rules: Snakemake deletes the outputs of a killed job. No model
# has this folder, because its name would have no hyphen.
DATA_CHECKPOINTS = f"{RESULTS}/checkpoints/{{data}}-images"

PRETRAINED_WEIGHTS = f"{RESULTS}/pretrained/{{model}}/weights.safetensors"
PRETRAINED_MANIFEST = f"{RESULTS}/pretrained/{{model}}/manifest.json"
PRETRAINING_CHECKPOINTS = f"{RESULTS}/checkpoints/{{model}}/pretraining"

TUNED_RATE = f"{RESULTS}/tuning/{ARM}/rate.json"
TUNING_MANIFEST = f"{RESULTS}/tuning/{ARM}/manifest.json"
TUNING_CHECKPOINTS = f"{RESULTS}/checkpoints/{ARM}/tuning"

RUN_SNAPSHOTS = f"{RESULTS}/runs/{RUN}/snapshots.safetensors"
RUN_HISTORY = f"{RESULTS}/runs/{RUN}/history.csv"
RUN_LAYERS = f"{RESULTS}/runs/{RUN}/layers.csv"
RUN_MANIFEST = f"{RESULTS}/runs/{RUN}/manifest.json"
RUN_CHECKPOINTS = f"{RESULTS}/checkpoints/{RUN}"
FAILURES = f"{RESULTS}/failures.json"
# No rule ever makes this file: a build that lacks a run must fail.
ALL_RUNS = f"{RESULTS}/all-runs"

WEIGHT_DIGESTS = f"{RESULTS}/weights/{RUN}.json"
MEASURES = f"{RESULTS}/measures/{RUN}.parquet"
QUANTILES = f"{RESULTS}/quantiles/{RUN}.parquet"
DENSITIES = f"{RESULTS}/comparisons/{COMPARISON}/densities.parquet"
DENSITY_AXES = f"{RESULTS}/comparisons/{COMPARISON}/axes.json"
HISTOGRAMS = f"{RESULTS}/comparisons/{COMPARISON}/histograms.parquet"
PRODUCTS = f"{RESULTS}/comparisons/{COMPARISON}/quantile_products.parquet"

FIGURE_SVG = f"{RESULTS}/figures/{{figure}}.svg"
FIGURE_TEXT = f"{RESULTS}/figures/{{figure}}.json"

REPORT = f"{RESULTS}/report"
RESULTS_JSON = f"{REPORT}/results.json"
RECORD = f"{REPORT}/provenance.json"
RO_CRATE = f"{REPORT}/ro-crate-metadata.json"
HTML = f"{REPORT}/{ARTICLE}"
# The pages of a large report besides the article, see `normreport.config.pages`.
PAGE = f"{REPORT}/{{page}}"
PDF = f"{REPORT}/report.pdf"
RUNS_TABLE = f"{REPORT}/data/runs.csv"
CASES_TABLE = f"{REPORT}/data/cases.csv"
FIGURE_TABLE = f"{REPORT}/data/{{figure}}.csv"
SITE = "public"

# Snakemake's own folder: what each file was made of, and the lock of a build.
METADATA = ".snakemake"
LAYER_NAMES = f"{METADATA}/layers"

# The tables that figures are drawn from, by the names that kinds of figure use.
TABLES_OF_RUNS: Mapping[str, str] = {
    "measures": MEASURES,
    "quantiles": QUANTILES,
    "layers": RUN_LAYERS,
    "history": RUN_HISTORY,
    "runs": RUN_MANIFEST,
}
TABLES_OF_COMPARISONS: Mapping[str, str] = {
    "densities": DENSITIES,
    "histograms": HISTOGRAMS,
    "products": PRODUCTS,
}


def of_run(pattern: str, run: Run) -> str:
    """Fill a run into a path: ``results/runs/vgg16/scratch/unit/seed0/history.csv``."""
    return pattern.format(**asdict(run))


def log(stage: str, name: str) -> str:
    """Return the path of a job's log; `name` tells the jobs of a stage apart."""
    return f"logs/{stage}/{name}.log"
