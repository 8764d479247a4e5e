"""Whole studies with a known truth, as tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pandas as pd

from normreport.claims.study import IndexedTable, Study
from normreport.config.data import DataSettings
from normreport.config.judging import JudgeSettings

ARMS = ("raw", "unit", "imagenet")
LAYERS = {
    "vgg16": ("features.0", "features.10"),
    "mobilenet_v2": ("features.0.0", "features.17.conv.0.0"),
}
EPOCHS = 2
DIGITS = DataSettings(source="digits", train_images=128, heldout_images=64)
PHOTOGRAPHS = DataSettings(source="photographs", train_images=2000, heldout_images=100)


def study(
    *,
    seeds=(0, 1, 2),
    arms=ARMS,
    starts=("pretrained", "scratch"),
    layers=None,
    architectures=None,
    built_as=None,
    apart=None,
    floor=0.0,
    displacement=None,
    drift=0.0,
    std_order=("imagenet", "raw", "unit"),
    iqr_ratio=None,
    excess_kurtosis=0.0,
    loss=None,
    jumps=None,
    grown=0.0,
    rougher=None,
    kurtosis=None,
    w1_normal=None,
    moved=None,
    noise=1e-4,
):
    """Make a study; effects are the same for every model and layer, with a little noise.

    Parameters
    ----------
    architectures
        The model that stands for each of them; every model for its own if None.
    built_as
        The architecture of a model that has another name.
    apart, displacement
        Per start: distance between arms over sigma, and displacement at the last epoch.
    floor
        Distance between `unit` and `placebo` of one seed, where `arms` has both.
    drift
        ln(std_T / std_0), but for what `std_order` adds, at most 0.006.
    std_order
        The arms from the widest to the narrowest.
    iqr_ratio
        Per model.
    loss
        Per start: the last train loss over the first.
    jumps
        Per start: what is added to the loss of every second epoch.
    rougher
        Per arm: ln of the factor on the roughness.
    kurtosis
        Excess kurtosis at the first and the last epoch, instead of 0 and `excess_kurtosis`.
    w1_normal, moved
        Per model: distance from the normal, and a factor on the displacement.
    grown
        ln of the growth of the distance between runs of different seeds.
    """
    layers = layers or LAYERS
    apart = apart or {"pretrained": 0.005, "scratch": 0.1}
    displacement = displacement or {"pretrained": 0.01, "scratch": 0.2}
    jumps, rougher, w1_normal = jumps or {}, rougher or {}, w1_normal or {}
    moved = moved or {}
    loss = loss or {"pretrained": 0.1, "scratch": 0.1}
    iqr_ratio = iqr_ratio or {"vgg16": 1.1, "mobilenet_v2": 1.0}
    generator = np.random.default_rng(0)

    def jitter():
        return float(generator.normal(0, noise))

    runs, moments, measures, distances = [], [], [], []
    for model, start, arm, seed in product(layers, starts, arms, seeds):
        run = {"model": model, "start": start, "normalization": arm, "seed": seed}
        gates = {"finite": True, "learned": True, "moved": True}
        finals = {"train_loss": 0.1, "heldout_loss": 0.5, "heldout_accuracy": 0.9}
        runs.append({**run, "state": "OK", **gates, **finals})
        width = 0.002 * (len(std_order) - std_order.index(arm)) if arm in std_order else 0.0
        for layer, epoch in product(layers[model], range(EPOCHS + 1)):
            share = epoch / EPOCHS
            row = {**run, "layer": layer, "epoch": epoch, "n": 2000}
            row["std"] = np.exp(share * (drift + jitter())) * (1 + share * width)
            goal = displacement.get(start, 0.2) * moved.get(model, 1.0)
            row["displacement"] = share * abs(goal + jitter())
            moments.append(row)
            measures.append({
                **row,
                "excess_kurtosis": (
                    kurtosis[0] + share * (kurtosis[1] - kurtosis[0])
                    if kurtosis
                    else share * excess_kurtosis
                )
                + jitter(),
                "skewness": jitter(),
                "l_kurtosis": 0.1226 + jitter(),
                "w1_normal": w1_normal.get(model, 0.02) + jitter(),
                "iqr_ratio": iqr_ratio.get(model, 1.0) + jitter(),
                "cosine": 1.0,
                "roughness": 0.2 * np.exp(rougher.get(arm, 0.0) + jitter()),
            })  # fmt: skip
    conditions = list(product(arms, seeds))
    for model, start, epoch in product(layers, starts, (0, EPOCHS)):
        for layer, ((a, i), (b, j)) in product(layers[model], combinations(conditions, 2)):
            distance = (floor if {a, b} == {"unit", "placebo"} else apart.get(start, 0.1)) * (
                epoch > 0
            )
            if i != j:
                distance = 0.05 * np.exp(grown * (epoch > 0) + jitter())
            distances.append({
                "model": model, "start": start, "layer": layer, "epoch": epoch,
                "normalization_a": a, "seed_a": i, "normalization_b": b, "seed_b": j,
                "w1": distance, "w1_over_sigma0": distance + (jitter() if epoch else 0.0),
            })  # fmt: skip
    settings = JudgeSettings(
        models=tuple(layers),
        architectures=architectures or {model: model for model in layers},
        built_as={model: (built_as or {}).get(model, model) for model in layers},
        layers=layers,
        starts=starts,
        normalizations=arms,
        seeds=seeds,
        epochs=EPOCHS,
        target=DIGITS,
        pretraining=PHOTOGRAPHS,
    )
    histories = [
        {**{key: run[key] for key in ("model", "start", "normalization", "seed")}, "epoch": epoch,
         "train_loss": 2.3 * loss.get(run["start"], 0.1) ** (epoch / EPOCHS) * np.exp(jitter())
         + jumps.get(run["start"], 0.0) * (epoch % 2)}
        for run, epoch in product(runs, range(EPOCHS + 1))
    ]  # fmt: skip
    columns = ["model", "start", "layer", "epoch", "normalization_a", "seed_a"]
    columns += ["normalization_b", "seed_b", "w1", "w1_over_sigma0"]
    return Study(
        settings=settings,
        runs=IndexedTable(pd.DataFrame(runs)),
        layers=IndexedTable(pd.DataFrame(moments)),
        measures=IndexedTable(pd.DataFrame(measures)),
        distances=IndexedTable(pd.DataFrame(distances, columns=columns)),
        histories=IndexedTable(pd.DataFrame(histories)),
        images=generator.integers(0, 200, (8, 32, 32, 3), dtype=np.uint8),
        classes=10,
    )


def without_runs(whole, **condition):
    """Make the runs of a study that meet a condition such as failed: no table has any of them."""

    def met(table, side=""):
        names = {
            key: f"{key}{side}" if key in ("normalization", "seed") else key for key in condition
        }
        found = [table[names[key]] == value for key, value in condition.items()]
        return np.logical_and.reduce(found)

    failed = {"state": "FAILED", "what": "it was made to fail", "learned": False}
    failed |= {"finite": False, "moved": False, "train_loss": np.nan}
    runs = whole.runs.rows.assign(what=None)
    runs.loc[met(runs), list(failed)] = list(failed.values())
    return replace_tables(
        whole,
        runs=lambda table: runs,
        distances=lambda table: table[~(met(table, "_a") | met(table, "_b"))],
        **dict.fromkeys(("layers", "measures", "histories"), lambda table: table[~met(table)]),
    )


def with_failed_run(whole, *, gate, **condition):
    """Make one run of a study fail a gate; a run that diverged has no later epochs."""
    runs = whole.runs.rows.copy()
    mask = np.logical_and.reduce([runs[key] == value for key, value in condition.items()])
    assert mask.sum() == 1
    runs.loc[mask, gate] = False
    if gate == "finite":
        runs.loc[mask, "state"] = "DIVERGED"

    def cut(table):
        same = np.logical_and.reduce([table[key] == value for key, value in condition.items()])
        return table[~(same & (table["epoch"] > 0))] if gate == "finite" else table

    return replace_tables(whole, runs=lambda table: runs, layers=cut, measures=cut)


def replace_tables(whole, **changes):
    """Copy a study; each change maps the rows of the named table to other rows."""
    tables = {
        name: IndexedTable(change(getattr(whole, name).rows)) for name, change in changes.items()
    }
    return replace(whole, **tables)
