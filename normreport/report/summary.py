"""The numbers that the article's prose and tables print besides the claims."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath
from typing import Any

import numpy as np
import pandas as pd

from normreport.claims.base import Study, select
from normreport.claims.distances import PLACEBO, PLACEBO_OF, arms_apart, compared_arms
from normreport.config.runs import run_id
from normreport.normalizations import Images, Inputs, normalize, published_meanstd, unit

# Tells arms apart by the values that they make: neither black nor white, as an arm that stretches
# an image to them would do nothing to those, and of the size that none of them resizes.
PROBE = (
    np.random.default_rng(0)
    .integers(40, 200, (1, published_meanstd.SIZE_PX, published_meanstd.SIZE_PX, 3))
    .astype(np.uint8)
)

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
            "id": run_id(run),
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


def failed_rows(failures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows like those of `run_rows` for runs that failed: they pass no gate and have no numbers."""
    return [
        {
            **dict.fromkeys(RUN_COLUMNS),
            **{key: run[key] for key in ("model", "start", "normalization", "seed", "what")},
            "id": run_id(run),
            "state": "FAILED",
            **dict.fromkeys(("finite", "learned", "moved"), False),
            "epochs": 0,
        }
        for run in failures
    ]


CASE_COLUMNS = (
    "claim", "model", "start", "layer", "contrast", "verdict",
    "mean", "low", "high", "level", "p_support", "p_refute", "sign_flip_support",
    "sign_flip_refute", "null", "values", "reason",
)  # fmt: skip


def case_rows(claims: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """One row per case of every judged claim; the values of its seeds separated by spaces."""
    return [
        {
            "claim": claim["id"],
            **(case["place"] or {}),
            "verdict": case["verdict"],
            **{key: (case["effect"] or {}).get(key) for key in ("mean", "low", "high", "level")},
            **{f"p_{side}": p for side, p in (case["p"] or {}).items()},
            **{f"sign_flip_{side}": p for side, p in (case["sign_flip"] or {}).items()},
            "null": case["null"],
            "values": " ".join(map(repr, case["values"])),
            "reason": case["reason"],
        }
        for claim in claims
        for case in claim["cases"]
    ]


def pretraining_rows(
    manifests: Sequence[dict[str, Any]], arms: Sequence[str], train_images: Images
) -> list[dict[str, Any]]:
    """One row per model: where its pretrained weights come from and how good they were.

    Parameters
    ----------
    manifests
        What ``pretrain_model`` wrote.
    arms
        The experiment's.
    train_images : array of uint8, shape (N, H, W, 3)
        Of the target data.
    """
    rows = []
    for manifest in manifests:
        # A training that was not made here has no settings that mean anything.
        here = manifest["settings"] if "history" in manifest else {}
        last = manifest.get("history", [{}])[-1]
        preprocessing = manifest["preprocessing"]
        seen = _seen_in_pretraining(here.get("normalization"), preprocessing)
        rows.append({
            "model": manifest["model"],
            "weights": PurePath(manifest["source"]).name,
            "file": manifest["file"],
            **{key: here.get(key) for key in ("train_images", "epochs", "normalization")},
            "preprocessing": preprocessing,
            "other_arms": None if seen is None else [
                arm
                for arm in arms
                if not np.allclose(normalize(PROBE, arm, train_images), seen, rtol=0, atol=1e-4)
            ],
            "heldout_loss": last.get("heldout_loss"),
            "heldout_accuracy": last.get("heldout_accuracy"),
        })  # fmt: skip
    return rows


def _seen_in_pretraining(
    normalization: str | None, preprocessing: Mapping[str, Any] | None
) -> Inputs | None:
    """Give what pretrained weights were trained with for `PROBE`, if that is known."""
    if normalization:
        return normalize(PROBE, normalization)
    if preprocessing:
        mean, std = (np.float32(preprocessing[key]) for key in ("mean", "std"))
        return (unit.apply(PROBE) - mean) / std
    return None


def headline(study: Study) -> dict[str, Any]:
    """Tables by model, start and layer, and by model, start and arm."""
    return {
        "layers": _layers(study),
        "arms": _arms(study),
        "runs": {
            "total": len(study.runs),
            "diverged": int((study.runs["state"] == "DIVERGED").sum()),
            "failed": int((study.runs["state"] == "FAILED").sum()),
            "learned": int(study.runs["learned"].sum()),
        },
    }


def _layers(study: Study) -> list[dict[str, Any]]:
    """One row per kept layer: spread, movement, the ladder of noise, PERMANOVA of the arms.

    The ladder: an arm and its placebo with one seed, two arms with one seed, one arm with two
    seeds. What an arm does is seen only above the first.
    """
    rows = []
    for model, start, layer in study.kept_layers(study.settings.starts):
        place = {"model": model, "start": start, "layer": layer}
        mean = _mean_unless(study.ended_early(model=model, start=start))
        measures = study.rows("measures", **place)
        first = measures[measures["epoch"] == 0]
        last = study.last(measures)
        distances = study.last(study.rows("distances", **place))
        same_seed = distances["seed_a"] == distances["seed_b"]
        arms = distances[["normalization_a", "normalization_b"]]
        same_arm = distances["normalization_a"] == distances["normalization_b"]
        compared = arms.isin(compared_arms(study)).all(axis=1)
        placebo = arms.isin([PLACEBO, PLACEBO_OF]).all(axis=1)
        pseudo_f, p_value = arms_apart(study, model, start, layer)
        rows.append({
            **place,
            "weights": int(measures["n"].iloc[0]) if len(measures) else None,
            "std_first": mean(first["std"]),
            "std_last": mean(last["std"]),
            "displacement": mean(last["displacement"]),
            **{
                rung: mean(distances[pairs]["w1_over_sigma0"])
                for rung, pairs in (
                    ("between_placebo", same_seed & ~same_arm & placebo),
                    ("between_arms", same_seed & ~same_arm & compared),
                    ("between_seeds", ~same_seed & same_arm & compared),
                )
            },
            "pseudo_f": pseudo_f,
            "permanova_p": p_value,
        })  # fmt: skip
    return rows


def _arms(study: Study) -> list[dict[str, Any]]:
    rows = []
    for model in study.settings.models:
        for start in study.settings.starts:
            for arm in study.settings.normalizations:
                place = {"model": model, "start": start, "normalization": arm}
                mean = _mean_unless(study.ended_early(**place))
                runs = select(study.runs, **place)
                rows.append({
                    **place,
                    "runs": len(runs),
                    "diverged": int((runs["state"] == "DIVERGED").sum()),
                    "failed": int((runs["state"] == "FAILED").sum()),
                    "learned": int(runs["learned"].sum()),
                    "train_loss": mean(runs["train_loss"]),
                    "heldout_loss": mean(runs["heldout_loss"]),
                    "heldout_accuracy": mean(runs["heldout_accuracy"]),
                })  # fmt: skip
    return rows


def _mean_unless(ended_early: bool) -> Callable[[pd.Series], float | None]:
    """Give the mean of a group of runs, or None for one with a run that ended early.

    An average over the survivors would say something else.
    """

    def mean(values: pd.Series) -> float | None:
        numbers = np.asarray(values, dtype=np.float64)
        if ended_early or not len(numbers) or not np.isfinite(numbers).all():
            return None
        return math.fsum(numbers) / len(numbers)

    return mean
