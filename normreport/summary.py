"""The numbers that the article's prose and tables print besides the claims."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from normreport.claims.base import Study, select

RUN_COLUMNS = (
    "id", "model", "start", "normalization", "seed", "state", "step", "what",
    "finite", "learned", "moved", "epochs",
    "train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy",
    "input_min", "input_max", "input_mean", "input_std",
    "initial_weights", "final_weights",
)  # fmt: skip


def run_rows(manifests: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One flat row per run: condition, status, gates, final losses, first batch, digests."""
    rows = []
    for manifest in manifests:
        run, final, batch = manifest["run"], manifest["final"] or {}, manifest["first_batch"]
        rows.append({
            "id": f"{run['model']}/{run['start']}/{run['normalization']}/seed{run['seed']}",
            **run,
            "state": manifest["status"]["state"],
            "step": manifest["status"].get("step"),
            "what": manifest["status"].get("what"),
            **manifest["gates"],
            "epochs": manifest["epochs"],
            **{
                key: final.get(key)
                for key in ("train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy")
            },
            **{f"input_{key}": batch[key] for key in ("min", "max", "mean", "std")},
            "initial_weights": manifest["digests"]["initial_weights"],
            "final_weights": manifest["digests"]["final_weights"],
        })  # fmt: skip
    return rows


def headline(study: Study, histories: pd.DataFrame) -> dict[str, Any]:
    """Tables by model, start and layer, and by model, start and arm."""
    return {
        "layers": _layers(study),
        "arms": _arms(study, histories),
        "runs": {
            "total": len(study.runs),
            "diverged": int((study.runs["state"] == "DIVERGED").sum()),
            "learned": int(study.runs["learned"].sum()),
        },
    }


def _layers(study: Study) -> list[dict[str, Any]]:
    rows = []
    for model in study.settings.models:
        for start in study.settings.starts:
            for layer in study.settings.layers[model]:
                place = {"model": model, "start": start, "layer": layer}
                measures = select(study.measures, **place)
                first = measures[measures["epoch"] == 0]
                last = study.last(measures)
                distances = select(study.last(study.distances), **place)
                same_arm = distances["normalization_a"] == distances["normalization_b"]
                same_seed = distances["seed_a"] == distances["seed_b"]
                rows.append({
                    **place,
                    "weights": int(measures["n"].iloc[0]),
                    "std_first": _mean(first["std"]),
                    "std_last": _mean(last["std"]),
                    "displacement": _mean(last["displacement"]),
                    "cosine": _mean(last["cosine"]),
                    "excess_kurtosis": _mean(last["excess_kurtosis"]),
                    "iqr_ratio": _mean(last["iqr_ratio"]),
                    "w1_normal": _mean(last["w1_normal"]),
                    "between_arms": _mean(distances[same_seed & ~same_arm]["w1_over_sigma0"]),
                    "between_seeds": _mean(distances[same_arm & ~same_seed]["w1_over_sigma0"]),
                })  # fmt: skip
    return rows


def _arms(study: Study, histories: pd.DataFrame) -> list[dict[str, Any]]:
    rows = []
    for model in study.settings.models:
        for start in study.settings.starts:
            for arm in study.settings.normalizations:
                place = {"model": model, "start": start, "normalization": arm}
                runs = select(study.runs, **place)
                history = select(histories, **place)
                tail = history[history["epoch"] > study.settings.epochs - 5]
                rows.append({
                    **place,
                    "runs": len(runs),
                    "diverged": int((runs["state"] == "DIVERGED").sum()),
                    "learned": int(runs["learned"].sum()),
                    "train_loss": _mean(runs["train_loss"]),
                    "heldout_loss": _mean(runs["heldout_loss"]),
                    "heldout_accuracy": _mean(runs["heldout_accuracy"]),
                    "late_train_loss": _mean(tail["train_loss"]),
                })  # fmt: skip
    return rows


def _mean(values: pd.Series) -> float | None:
    """Mean of the numbers that are there; None where one is missing or none is there."""
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers) or not np.isfinite(numbers).all():
        return None
    return math.fsum(numbers) / len(numbers)
