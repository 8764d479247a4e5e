"""Whole studies with a known truth, as tables."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement, product

import numpy as np
import pandas as pd

from normreport.claims.study import IndexedTable, Study
from normreport.config.data import DataSettings
from normreport.config.judging import JudgeSettings, PlannedArm
from normreport.config.training import FitSettings

ARMS = ("raw", "unit", "imagenet")
LAYERS = {
    "vgg16": ("features.0", "features.10"),
    "mobilenet_v2": ("features.0.0", "features.17.conv.0.0"),
}
EPOCHS = 2
# Root mean square of the inputs, per arm.
INPUT_SIZES = {"raw": 100.0, "unit": 0.4, "imagenet": 2.0}
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
    displacement=None,
    drift=0.0,
    std_order=("imagenet", "raw", "unit"),
    iqr_ratio=None,
    excess_kurtosis=0.0,
    loss=None,
    jumps=None,
    between_seeds=0.05,
    accuracy=None,
    better=None,
    candidates=None,
    variants=(),
    sizes=None,
    wider=None,
    optimizers=None,
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
        Per start: shift between any two arms over sigma, and displacement at the last epoch. The
        placebo has no shift from `unit`.
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
    between_seeds
        W2 between two seeds of one arm over sigma, at every epoch.
    accuracy
        Per start: held-out accuracy.
    better
        Per arm: what is added to the held-out accuracy.
    candidates
        Per tuned model: the candidates for its learning rate; the middle one was chosen.
    variants
        The models with another optimizer than another model of their architecture.
    optimizers
        Per model: settings of the optimizer, Adam without weight decay if None.
    wider
        Per arm: ln of the factor on the standard deviation, besides `std_order`.
    sizes
        The number of weights of a layer, if it is not 2000.
    """
    layers = layers or LAYERS
    apart = apart or {"pretrained": 0.005, "scratch": 0.1}
    displacement = displacement or {"pretrained": 0.01, "scratch": 0.2}
    jumps, rougher, w1_normal = jumps or {}, rougher or {}, w1_normal or {}
    moved, sizes, wider = moved or {}, sizes or {}, wider or {}
    better, candidates = better or {}, candidates or {}
    accuracy = accuracy or {"pretrained": 0.9, "scratch": 0.7}
    loss = loss or {"pretrained": 0.1, "scratch": 0.1}
    iqr_ratio = iqr_ratio or {"vgg16": 1.1, "mobilenet_v2": 1.0}
    generator = np.random.default_rng(0)

    def jitter():
        return float(generator.normal(0, noise))

    runs, moments, measures = [], [], []
    for model, start, arm, seed in product(layers, starts, arms, seeds):
        run = {"model": model, "start": start, "normalization": arm, "seed": seed}
        reached = accuracy.get(start, 0.9)
        gates = {"finite": True, "learned": True, "moved": True}
        finals = {
            "train_loss": 0.1,
            "train_accuracy": reached,
            "heldout_loss": 0.5,
            "heldout_accuracy": reached + better.get(arm, 0.0) + jitter(),
            "learning_rate": middle(candidates.get(model, (0.01,))),
            "probe_accuracy": reached,
            "input_mean": INPUT_SIZES.get(arm, 1.0),
            "input_std": 0.0,
        }
        runs.append({**run, "state": "OK", **gates, **finals})
        width = 0.002 * (len(std_order) - std_order.index(arm)) if arm in std_order else 0.0
        for layer, epoch in product(layers[model], range(EPOCHS + 1)):
            share = epoch / EPOCHS
            row = {**run, "layer": layer, "epoch": epoch, "n": sizes.get(layer, 2000)}
            row["mean"] = 0.0
            row["std"] = np.exp(share * (drift + wider.get(arm, 0.0) + jitter())) * (
                1 + share * width
            )
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
                "l_skewness": 0.0,
                "l_kurtosis": 0.1226 + jitter(),
                "w1_normal": w1_normal.get(model, 0.02) + jitter(),
                "iqr_ratio": iqr_ratio.get(model, 1.0) + jitter(),
                "cosine": 1.0,
                "roughness": 0.2 * np.exp(rougher.get(arm, 0.0) + jitter()),
            })  # fmt: skip
    rows = [
        row
        for model, start in product(layers, starts)
        for layer in layers[model]
        for row in product_rows(
            {"model": model, "start": start, "layer": layer},
            arms,
            seeds,
            apart=apart.get(start, 0.1),
            between_seeds=between_seeds,
            noise=noise,
        )
    ]
    settings = JudgeSettings(
        models=tuple(layers),
        architectures=architectures or {model: model for model in layers},
        built_as={model: (built_as or {}).get(model, model) for model in layers},
        layers=layers,
        starts=starts,
        normalizations=arms,
        seeds=seeds,
        planned=tuple(
            PlannedArm(model=model, start=start, normalization=arm, seeds=seeds)
            for model, start, arm in product(layers, starts, arms)
        ),
        candidates=candidates,
        optimizer_variants=variants,
        epochs=EPOCHS,
        target=DIGITS,
        pretraining=PHOTOGRAPHS,
    )
    histories = [
        {**{key: run[key] for key in ("model", "start", "normalization", "seed")}, "epoch": epoch,
         "learning_rate": 0.01,
         "train_loss": 2.3 * loss.get(run["start"], 0.1) ** (epoch / EPOCHS) * np.exp(jitter())
         + jumps.get(run["start"], 0.0) * (epoch % 2)}
        for run, epoch in product(runs, range(EPOCHS + 1))
    ]  # fmt: skip
    return Study(
        settings=settings,
        runs=IndexedTable(pd.DataFrame(runs)),
        layers=IndexedTable(pd.DataFrame(moments)),
        measures=IndexedTable(pd.DataFrame(measures)),
        products=IndexedTable(pd.DataFrame(rows)),
        histories=IndexedTable(pd.DataFrame(histories)),
        images=generator.integers(0, 200, (8, 32, 32, 3), dtype=np.uint8),
        classes=10,
        fits={
            model: FitSettings(
                model=model, architecture=(built_as or {}).get(model, model), train_images=40,
                batch_size=10, learning_rate=0.01, epochs=EPOCHS,
                optimizer=(optimizers or {}).get(model, {}),
            )
            for model in layers
        },
    )  # fmt: skip


def middle(rates):
    """Give the middle one of an odd number of rates."""
    return sorted(rates)[len(rates) // 2]


def product_rows(place, arms, seeds, *, apart, between_seeds, noise):
    """Make the products of runs of one layer, from points in a space with a dimension per effect.

    An arm moves its runs along a dimension of its own and so does a seed, which makes all arms and
    all seeds equally far apart. The placebo stays where `unit` is. Arms move and noise grows after
    epoch 0.
    """
    generator = np.random.default_rng(1)
    runs = list(product(arms, seeds))
    scatter = generator.normal(0, noise, (len(runs), len(arms) + len(seeds)))
    for epoch in range(EPOCHS + 1):
        share = epoch / EPOCHS
        points = share * scatter
        for point, (arm, seed) in zip(points, runs, strict=True):
            point[len(arms) + seeds.index(seed)] += between_seeds / np.sqrt(2)
            moved = "unit" if arm == "placebo" and "unit" in arms else arm
            point[arms.index(moved)] += share * apart / np.sqrt(2)
        points -= points.mean(axis=0)
        for a, b in combinations_with_replacement(range(len(runs)), 2):
            yield {
                **place, "epoch": epoch,
                "normalization_a": runs[a][0], "seed_a": runs[a][1],
                "normalization_b": runs[b][0], "seed_b": runs[b][1],
                "product": float(points[a] @ points[b]),
                "correlation": 0.0,
            }  # fmt: skip


def with_holes(whole, is_planned):
    """Leave out the runs that are not planned: ``is_planned(model, start, arm, seed)`` is false."""

    def planned(table, side=""):
        columns = ["model", "start", f"normalization{side}", f"seed{side}"]
        return np.array([is_planned(*run) for run in table[columns].itertuples(index=False)], bool)

    arms = [
        arm.model_copy(update={"seeds": seeds})
        for arm in whole.settings.planned
        if (
            seeds := tuple(
                seed
                for seed in arm.seeds
                if is_planned(arm.model, arm.start, arm.normalization, seed)
            )
        )
    ]
    tables = ("runs", "layers", "measures", "histories")
    sparse = replace_tables(
        whole,
        products=lambda table: table[planned(table, "_a") & planned(table, "_b")],
        **dict.fromkeys(tables, lambda table: table[planned(table)]),
    )
    settings = whole.settings.model_copy(update={"planned": tuple(arms)})
    return replace(sparse, settings=settings)


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
        products=lambda table: table[~(met(table, "_a") | met(table, "_b"))],
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

    def cut_pairs(table):
        ended = np.zeros(len(table), dtype=bool)
        for side in "ab":
            names = {key: f"{key}_{side}" if f"{key}_{side}" in table else key for key in condition}
            same = [table[names[key]] == value for key, value in condition.items()]
            ended |= np.logical_and.reduce(same)
        return table[~(ended & (table["epoch"] > 0))] if gate == "finite" else table

    def cut(table):
        same = np.logical_and.reduce([table[key] == value for key, value in condition.items()])
        return table[~(same & (table["epoch"] > 0))] if gate == "finite" else table

    return replace_tables(
        whole, runs=lambda table: runs, layers=cut, measures=cut, products=cut_pairs
    )


def replace_tables(whole, **changes):
    """Copy a study; each change maps the rows of the named table to other rows."""
    tables = {
        name: IndexedTable(change(getattr(whole, name).rows)) for name, change in changes.items()
    }
    return replace(whole, **tables)
