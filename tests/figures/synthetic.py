"""Tables as the earlier stages write them, filled with made-up but realistic numbers.

Gaussian weights with torchvision's sigma; matched seeds share epoch 0; arms drift slightly apart.
"""

import math
from collections.abc import Sequence
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from normreport.config.figure_kinds import figure_kinds
from normreport.config.manifests import DensityAxes
from normreport.config.report import FigureSettings
from normreport.figures.drawing import (
    Densities,
    Drawing,
    Source,
    TrainingImages,
    draw_prepared,
    kind_module,
    make_drawing,
)
from normreport.figures.kinds import resize
from normreport.statistics import comparison

LAYERS = {"features.0": 0.0589, "features.28": 0.0208}
VGG_CONVS = [f"features.{i}" for i in (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)]
MOBILENET_CONVS = [
    "features.0.0",
    "features.1.conv.0.0",
    "features.1.conv.1",
    *(f"features.{b}.conv.{c}" for b in range(2, 18) for c in ("0.0", "1.0", "2")),
    "features.18.0",
]
EIGHT = ("raw", "unit", "imagenet", "placebo", "double", "minmax", "standardize", "dataset")
TWELVE = (*EIGHT, "std_only", "mean_only", "clahe", "gamma")
_PERCENTILES = (1, 5, 25, 50, 75, 95, 99)
_PULL = {"raw": 0.004, "unit": 0.010, "imagenet": 0.022}  # growth of sigma until the last epoch


def runs(
    arms: Sequence[str] = ("raw", "unit", "imagenet"),
    seeds: int = 3,
    epochs: int = 35,
    starts: Sequence[str] = ("scratch", "pretrained"),
    model: str = "vgg16",
    layers: dict[str, float] | None = None,
    diverged: dict[tuple[str, int], int] | None = None,
) -> pd.DataFrame:
    """One row per run, layer and epoch, with the true mean and sigma of that layer's weights.

    `diverged` maps (arm, seed) of the scratch start to its last epoch.
    """
    rows = []
    for start in starts:
        for layer, sigma0 in (layers or LAYERS).items():
            for a, arm in enumerate(arms):
                for seed in range(seeds):
                    rng = np.random.default_rng([seed, len(layer), len(start)])
                    own = np.random.default_rng([seed, len(layer), len(start), a])
                    sigma = sigma0 * (1 + 0.017 * rng.standard_normal())
                    if start == "pretrained":
                        sigma *= 1.12
                    pull = _PULL.get(arm, 0.003 * a) * (0.3 if start == "pretrained" else 1.0)
                    steps = own.standard_normal(epochs + 1) * 0.0004
                    steps[0] = 0
                    last = epochs
                    if start == "scratch":
                        last = (diverged or {}).get((arm, seed), epochs)
                    for epoch in range(last + 1):
                        path = pull * (1 - np.exp(-epoch / 8)) + steps[: epoch + 1].sum()
                        mean = sigma0 * (0.02 * rng.standard_normal() if epoch == 0 else 0)
                        rows.append(
                            (model, start, arm, seed, layer, epoch, mean, sigma * (1 + path))
                        )
    columns = ["model", "start", "normalization", "seed", "layer", "epoch", "mean", "std"]
    return pd.DataFrame(rows, columns=columns)


def measures(table: pd.DataFrame) -> pd.DataFrame:
    """Make the `measures` table of `runs`: Gaussian percentiles."""
    out = table.copy()
    out["n"] = 1728
    out["kaiming_std"] = [LAYERS.get(layer, 0.05) for layer in out["layer"]]
    for p in _PERCENTILES:
        out[f"p{p:02}"] = out["mean"] + out["std"] * NormalDist().inv_cdf(p / 100)
    out["iqr_ratio"] = 1 + 0.01 * (out["seed"] - 1) + 0.02 * (out["layer"] == "features.0")
    return out


def quantiles(table: pd.DataFrame) -> pd.DataFrame:
    """Make the `quantiles` table of `runs`: tails that grow heavier, most in the last arms."""
    scores = np.arange(-24, 25) / 8
    arms = {arm: i for i, arm in enumerate(table["normalization"].unique())}
    heavier = 0.0005 * table["epoch"] * (1 + table["normalization"].map(arms))
    heavier += 0.002 * table["seed"]
    rows = table.drop(columns=["mean", "std"]).assign(n=1728)
    rows = rows.loc[rows.index.repeat(len(scores))].reset_index(drop=True)
    bent = scores + heavier.to_numpy()[:, None] * scores**3
    return rows.assign(score=np.tile(scores, len(table)), quantile=bent.ravel())


def densities(table: pd.DataFrame, points: int = 200) -> pd.DataFrame:
    """Make the `densities` table of `runs`: Gaussian curves with wiggles."""
    parts = []
    for (_, _, layer), group in table.groupby(["model", "start", "layer"], sort=False):
        half = 4.2 * group["std"].max()
        x = np.linspace(-half, half, points)
        z = (x - group["mean"].to_numpy()[:, None]) / group["std"].to_numpy()[:, None]
        wiggle = np.zeros_like(z)
        for seed in group["seed"].unique():
            rng = np.random.default_rng([seed, len(str(layer)), len(group["start"].iloc[0])])
            own = group["seed"].to_numpy() == seed
            for k in range(2, 8):
                height, phase = 0.03 * rng.standard_normal(), 6 * rng.random()
                wiggle[own] += height * np.sin(k * z[own] / 2 + phase)
        y = np.exp(-(z**2) / 2) * np.clip(1 + wiggle, 0, None)
        y /= y.sum(axis=1, keepdims=True) * (x[1] - x[0])
        keys = group[["model", "start", "normalization", "seed", "layer", "epoch"]]
        rows = keys.loc[keys.index.repeat(points)].reset_index(drop=True)
        values = {"weight": np.tile(x, len(group)), "density": y.ravel(), "bandwidth": 0.0125}
        parts.append(rows.assign(**values))
    return pd.concat(parts, ignore_index=True)


def histograms(table: pd.DataFrame, bins: int = 60) -> pd.DataFrame:
    """Make the `histograms` table of `runs`: samples, of which matched seeds share the first.

    Of 1,728 weights in the first layer, and of 50 times as many in another.
    """
    parts = []
    first = table["layer"].iloc[0]
    for (_, _, layer), group in table.groupby(["model", "start", "layer"], sort=False):
        n = 1728 if layer == first else 86_400
        start = len(group["start"].iloc[0])
        normal = {
            seed: np.random.default_rng([seed, len(str(layer)), start]).standard_normal(n)
            for seed in group["seed"].unique()
        }
        rows: list[Any] = list(group.itertuples())
        low, high = (
            [row.mean + row.std * end(normal[row.seed]) for row in rows] for end in (np.min, np.max)
        )
        edges = np.linspace(min(low), max(high), bins + 1)
        counts = [np.histogram(row.mean + row.std * normal[row.seed], edges)[0] for row in rows]
        keys = group[["model", "start", "normalization", "seed", "layer", "epoch"]]
        left, right = (np.tile(side, len(group)) for side in (edges[:-1], edges[1:]))
        bars = keys.loc[keys.index.repeat(bins)].reset_index(drop=True)
        parts.append(bars.assign(left=left, right=right, count=np.concatenate(counts)))
    return pd.concat(parts, ignore_index=True)


def histories(table: pd.DataFrame, classes: int = 10) -> pd.DataFrame:
    """Make the `histories` table of the runs in `runs`."""
    keys = ["model", "start", "normalization", "seed", "epoch"]
    out = table[keys].drop_duplicates().reset_index(drop=True)
    final = out["epoch"].max()
    rows = []
    row: Any
    for row in out.itertuples():
        rng = np.random.default_rng([row.seed, row.epoch, len(row.start), len(row.normalization)])
        speed = {"raw": 7.0, "unit": 9.0, "imagenet": 4.0}.get(row.normalization, 6.0)
        speed *= 0.5 if row.start == "pretrained" else 1.0
        loss = np.log(classes) * np.exp(-row.epoch / speed) + 0.004
        loss *= np.exp(0.1 * rng.standard_normal()) if row.epoch else 1.0
        held = max(loss, 0.12 + 0.1 * rng.random()) * 1.05
        accuracy = 0.97 - 0.87 * np.exp(-row.epoch / speed) - 0.01 * rng.random()
        rows.append((loss, 1 - loss / 4, held, accuracy))
    columns = ["train_loss", "train_accuracy", "heldout_loss", "heldout_accuracy"]
    out[columns] = rows
    ends = out.groupby(keys[:4])["epoch"].transform("max")
    out["status"] = np.where(ends < final, "DIVERGED", "OK")
    return out.assign(
        classes=classes, heldout_images=24, learning_rate=1e-3, batch_loss=out["train_loss"]
    )


def final_runs(table: pd.DataFrame) -> pd.DataFrame:
    """Make the `runs` table of `runs`: no accuracy if a run diverged, a better probe pretrained."""
    run = ["model", "start", "normalization", "seed"]
    rows = histories(table).groupby(run, sort=False).last().reset_index()
    better = rows["start"] == "pretrained"
    accuracy = rows["heldout_accuracy"] - np.where(better, 0.0, 0.1 + 0.02 * rows["seed"])
    return rows[run].assign(
        heldout_accuracy=accuracy.where(rows["status"] == "OK"),
        probe_accuracy=0.5 + 0.2 * better + 0.01 * rows["seed"] * better,
    )


def layer_summaries(table: pd.DataFrame, names: Sequence[str] = VGG_CONVS) -> pd.DataFrame:
    """Make the `layers` table of the runs in `runs`, for the layers `names`."""
    keys = ["model", "start", "normalization", "seed", "epoch"]
    ends = table[keys].drop_duplicates()
    parts = []
    for i, name in enumerate(names):
        rows = ends.assign(layer=name, n=1728)
        arm = rows["normalization"].map(lambda a: 1 + 2 * _PULL.get(a, 0.005) * 20)
        size = np.where(rows["start"] == "pretrained", 0.012, 0.09) * (1 + 0.6 * np.sin(i / 2))
        noise = np.exp(0.12 * np.sin(17.0 * rows["seed"] + 3 * i))
        kurtosis = 0.4 * np.sin(i) + 0.05 * rows["epoch"] * (i % 3 == 0) + 0.01 * rows["seed"]
        rows["excess_kurtosis"] = kurtosis
        rows["displacement"] = size * arm * noise * (1 - np.exp(-rows["epoch"] / 6))
        parts.append(rows)
    layers = pd.concat(parts)
    order = {name: i for i, name in enumerate(names)}
    runs = {values: i for i, values in enumerate(ends.itertuples(index=False, name=None))}
    layers["run"] = [runs[values] for values in layers[keys].itertuples(index=False, name=None)]
    layers["rank"] = layers["layer"].map(order)
    layers = layers.sort_values(["run", "rank"], ignore_index=True)
    return layers.drop(columns=["run", "rank"])


def products(table: pd.DataFrame) -> pd.DataFrame:
    """Make the `products` table of `runs`, for exact Gaussians of their means and sigmas.

    The quantile function of N(m, s^2) is m + s z, so a product is that of the pairs (m, s). Sigma
    at epoch 0 is that of `LAYERS`.
    """
    parts = []
    keys = ["model", "start", "layer", "epoch"]
    for values, group in table.groupby(keys, sort=False):
        group = group.reset_index(drop=True)
        i, j = np.triu_indices(len(group))
        a, b = group.iloc[i].reset_index(drop=True), group.iloc[j].reset_index(drop=True)
        points = group[["mean", "std"]].to_numpy() / LAYERS.get(str(values[2]), 0.05)
        points -= points.mean(axis=0)
        pairs = pd.DataFrame(dict(zip(keys, values, strict=True)), index=range(len(i)))
        for side, part in (("a", a), ("b", b)):
            pairs[f"normalization_{side}"] = part["normalization"]
            pairs[f"seed_{side}"] = part["seed"]
        parts.append(pairs.assign(product=(points[i] * points[j]).sum(axis=1)))
    return pd.concat(parts, ignore_index=True)


def distances(products: pd.DataFrame) -> pd.DataFrame:
    """Compute W2 over sigma of every two runs of a `products` table, pair by pair."""
    names = ["model", "start", "layer", "epoch"]
    value = {
        tuple(row): row[-1]
        for row in products[
            [*names, "normalization_a", "seed_a", "normalization_b", "seed_b", "product"]
        ].itertuples(index=False)
    }
    own = {key[:6]: product for key, product in
           ((key, value[key]) for key in value) if key[4:6] == key[6:8]}  # fmt: skip
    rows = []
    for key, product in value.items():
        a, b = key[:6], (*key[:4], *key[6:8])
        if a != b:
            rows.append([*key[:8], math.sqrt(max(0.0, own[a] + own[b] - 2 * product))])
    columns = [*names, "normalization_a", "seed_a", "normalization_b", "seed_b", "w2_over_sigma0"]
    return pd.DataFrame(rows, columns=columns)


_PIPELINES = {
    "raw": (1.0, np.zeros(3), np.ones(3)),
    "unit": (255.0, np.zeros(3), np.ones(3)),
    "imagenet": (255.0, np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])),
}


def pixels(k: int = 8, side: int = 32) -> np.ndarray:
    """Make grey digits: bright strokes on black, uint8 of shape (k, side, side, 3)."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:side, 0:side] / side
    images = []
    for _ in range(k):
        cx, cy, r = 0.5 + 0.1 * rng.random(), 0.5 + 0.1 * rng.random(), 0.2 + 0.1 * rng.random()
        ring = np.exp(-(((np.hypot(x - cx, y - cy) - r) / 0.06) ** 2))
        images.append(np.round(255 * ring * (ring > 0.05)))
    return np.repeat(np.array(images, dtype=np.uint8)[..., None], 3, axis=-1)


def examples(
    arms: Sequence[str] = ("raw", "unit", "imagenet"), k: int = 8, side: int = 32
) -> dict[str, np.ndarray]:
    """Put the same images through each arm's pipeline, float32."""
    images = pixels(k, side).astype(np.float64)
    out = {}
    for i, arm in enumerate(arms):
        scale, mean, std = _PIPELINES.get(arm, (255.0 / (i + 1), np.full(3, 0.1 * i), np.ones(3)))
        out[arm] = ((images / scale - mean) / std).astype(np.float32)
    return out


def levels() -> dict[str, np.ndarray]:
    """Every level of a pixel under the pipelines that `levels` compares."""
    every = np.arange(256).astype(np.float32)
    unit = every / np.float32(255)
    return {
        "published_none": unit,
        "published_minmax": unit.copy(),
        "placebo": every * np.float32(1 / 255),
    }


def resized(k: int = 3, side: int = 16, times: int = 4) -> dict[str, np.ndarray]:
    """Make images and the same ones enlarged, each pixel to a square of equal ones."""
    images = examples(["imagenet"], k, side)["imagenet"]
    return {
        "imagenet": images,
        "published_meanstd": images.repeat(times, axis=1).repeat(times, axis=2),
    }


def input_histograms(
    arms: Sequence[str] = ("raw", "unit", "imagenet"), bins: int = 64
) -> pd.DataFrame:
    """Count the values of `examples` per bin."""
    parts = []
    for arm, images in examples(arms).items():
        edges = np.linspace(float(images.min()), float(images.max()), bins + 1)
        for i, channel in enumerate("rgb"):
            counts, _ = np.histogram(images[..., i], edges)
            parts.append(
                pd.DataFrame(
                    {
                        "normalization": arm,
                        "channel": channel,
                        "left": edges[:-1],
                        "right": edges[1:],
                        "share": counts / counts.sum(),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def with_axes(table: pd.DataFrame, start: str) -> Densities:
    """Give the densities of a start with the axes of every start, as `draw_figure` does."""
    axes = []
    for _, rows in table.groupby(["start", "layer"], sort=False):
        columns = {name: rows[name].to_numpy() for name in ("epoch", "weight", "density")}
        points = rows["weight"].nunique()
        axes.append(DensityAxes(**comparison.density_axes(columns, points)))
    return Densities(table[table["start"] == start], axes)


def drawn(kind: str, source: pd.DataFrame | TrainingImages, **settings: Any) -> Drawing:
    """Draw a kind as `draw_figure` does, also with names that no configuration allows.

    Densities are those of all starts.
    """
    if figure_kinds()[kind].table == "densities":
        table = source[source["layer"] == settings["layer"]]
        return drawn_from(kind, with_axes(table, settings["start"]), **settings)
    return drawn_from(kind, source, **settings)


def drawn_from(kind: str, source: Source, **settings: Any) -> Drawing:
    """Draw a kind from what `draw_figure` gives it."""
    if kind == "pretraining_gain":
        settings = {"contrast": ("unit", "imagenet"), **settings}
    # Names are not validated: some tests choose hostile ones.
    return make_drawing(source, FigureSettings.model_construct(kind=kind, **settings))


def drawn_prepared(kind: str, **fields: Any) -> Drawing:
    """Draw a kind from values that its `prepare` would compute."""
    module: Any = kind_module(kind)
    return draw_prepared(module, module.Prepared(**fields))


def x_values(line: Line2D) -> NDArray[Any]:
    """Return the x coordinates of a line."""
    return np.asarray(line.get_xdata())


def y_values(line: Line2D) -> NDArray[Any]:
    """Return the y coordinates of a line."""
    return np.asarray(line.get_ydata())


def drawings(table: pd.DataFrame) -> dict[str, Drawing]:
    """Draw every kind for the first model and layer of a `runs` table, from scratch."""
    model, layer = str(table["model"].iloc[0]), str(table["layer"].iloc[0])
    arms = [str(arm) for arm in table["normalization"].unique()]
    key = {"model": model, "start": "scratch", "layer": layer}
    dense, measured = densities(table), measures(table)
    from_scratch = measured[measured["start"] == "scratch"]
    return {
        "density": drawn("density", dense, **key),
        "ribbon": drawn("ribbon", measured, **key),
        "violin": drawn("violin", dense, **key),
        "spread": drawn("spread", measured, **key),
        "curves": drawn("curves", histories(table), model=model),
        "displacement": drawn("displacement", layer_summaries(table), model=model),
        "seeds": drawn("seeds", dense, normalizations=(arms[0], arms[-1]), **key),
        "inits": drawn("inits", from_scratch if len(from_scratch) else measured),
        "histogram": drawn("histogram", histograms(table), model=model),
        "quantiles": drawn("quantiles", quantiles(table), model=model),
        "kurtosis": drawn("kurtosis", layer_summaries(table), model=model),
        "centre": drawn("centre", measured),
        "pretraining_gain": drawn("pretraining_gain", final_runs(table)),
        "levels": drawn_prepared("levels", levels=levels(), pixels=3072, unequal_pixels=0),
        "resize": draw_prepared(kind_module("resize"), resize.compare(resized())),
        "separation": drawn("separation", products(table), model=model),
        "switch_or_seed": drawn(
            "switch_or_seed", products(table), normalizations=(arms[0], arms[-1])
        ),
        "answer": drawn("answer", products(table), normalizations=(arms[0], arms[-1])),
        "examples": drawn_prepared(
            "examples", examples=examples(arms, k=3), labels=["zero", "one", "two"]
        ),
        "inputs": drawn_prepared("inputs", histograms=input_histograms(arms)),
    }


def significant(value: float, digits: int) -> str:
    """Write a number with so many significant digits, independently of the package."""
    return f"{value:#.{digits}g}".rstrip(".").replace("-", "\u2212")


two = partial(significant, digits=2)
three = partial(significant, digits=3)
