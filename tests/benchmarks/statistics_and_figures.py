"""Densities of a network's weights, and figures of them, against seaborn on the same weights.

    python -m tests.benchmarks.statistics_and_figures

The weights are normal numbers in the shapes of two layers of VGG16, which drift over the epochs as
those of a run do. Everything runs in one process, one after the other.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import matplotlib as mpl
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import gaussian_kde

from normreport.config.manifests import DensityAxes
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Densities, make_drawing
from normreport.figures.svg import to_svg
from normreport.statistics import comparison
from normreport.statistics.comparison import GRID_POINTS
from normreport.statistics.density import density, scott_bandwidth
from normreport.statistics.initialization import kaiming_fan_out_std
from tests.benchmarks.tables import Results, table

Weights = NDArray[np.float32]
T = TypeVar("T")

MODEL, START, ARM = "vgg16", "scratch", "unit"
LAYERS = {"features.0": (64, 3, 3, 3), "features.10": (256, 128, 3, 3)}
EPOCHS = 35
FIGURES = ("density", "violin")
GOAL, LARGEST_ERROR = 50, 1e-5


def measure(layers: Mapping[str, tuple[int, ...]] = LAYERS, *, epochs: int = EPOCHS) -> Results:
    """Compare curves and figures of one run of one network."""
    mpl.use("agg")
    weights = {layer: made_up(shape, epochs) for layer, shape in layers.items()}
    # The first figure of a process takes longer, because of fonts.
    _our_figures("features.0", made_up((8, 3, 3, 3), 1))
    _seaborn_figures(made_up((8, 3, 3, 3), 1))
    curves = [compare_curves(layer, values) for layer, values in weights.items()]
    figures = [compare_figures(layer, values) for layer, values in weights.items()]
    ours, theirs = (sum(row[side] for row in figures) for side in ("ours", "seaborn"))
    return {
        "epochs": epochs,
        "curves": curves,
        "figures": figures,
        "ratio": theirs / ours,
        "error": max(row["error"] for row in curves),
    }


def made_up(shape: tuple[int, ...], epochs: int) -> Weights:
    """Return weights at every epoch, shape (epochs + 1, C_out, C_in, k, k)."""
    generator = np.random.default_rng(0)
    initial = generator.standard_normal(shape) * kaiming_fan_out_std(shape[0], *shape[2:])
    growth = np.linspace(1, 1.1, epochs + 1).reshape(-1, *[1] * len(shape))
    return (initial * growth).astype(np.float32)


def compare_curves(layer: str, weights: Weights) -> Results:
    """Time the density of every epoch, and compare it with the sum over all weights.

    That sum is what seaborn's kdeplot and violinplot compute, by `scipy.stats.gaussian_kde`.
    """
    last = weights[-1].astype(np.float64).ravel()
    bandwidth = scott_bandwidth(float(last.std(ddof=1)), last.size)
    reach = 3 * bandwidth
    grid = np.linspace(last.min() - reach, last.max() + reach, GRID_POINTS)
    ours = theirs = error = 0.0
    for values in weights.reshape(len(weights), -1):
        sample = values.astype(np.float64)
        relative = bandwidth / float(sample.std(ddof=1))
        mine, seconds = timed(lambda: density(values, bandwidth, grid))  # noqa: B023
        exact, exact_seconds = timed(lambda: gaussian_kde(sample, relative)(grid))  # noqa: B023
        ours, theirs = ours + seconds, theirs + exact_seconds
        error = max(error, float(np.abs(mine - exact).max() / exact.max()))
    return {"layer": layer, "weights": last.size, "ours": ours, "seaborn": theirs, "error": error}


def compare_figures(layer: str, weights: Weights) -> Results:
    """Time two figures of a layer, from the weights to SVG, with a curve for every epoch."""
    _, ours = timed(lambda: _our_figures(layer, weights))
    _, theirs = timed(lambda: _seaborn_figures(weights))
    return {"layer": layer, "weights": weights[0].size, "ours": ours, "seaborn": theirs}


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """Return a result, and the processor time that it took, in seconds."""
    began = time.process_time()
    result = call()
    return result, time.process_time() - began


def _our_figures(layer: str, weights: Weights) -> list[str]:
    """Compute the densities as `compare_arms` does, and draw both figures as `draw_figure` does."""
    run = {"normalization": ARM, "seed": 0}
    curves = comparison.densities([(run, list(weights))])
    table = pd.DataFrame(curves).assign(model=MODEL, start=START, layer=layer)
    source = Densities(table, [DensityAxes(**comparison.density_axes(curves))])
    return [
        to_svg(
            make_drawing(source, FigureSettings(kind=kind, model=MODEL, start=START, layer=layer)),
            kind,
        )
        for kind in FIGURES
    ]


def _seaborn_figures(weights: Weights) -> list[bytes]:
    """Draw both figures by seaborn, which computes the curves when it draws them."""
    import seaborn
    from matplotlib.figure import Figure

    flat = weights.reshape(len(weights), -1)
    data = pd.DataFrame({
        "epoch": np.repeat(np.arange(len(flat)), flat.shape[1]),
        "weight": flat.ravel().astype(np.float64),
    })  # fmt: skip
    files = []
    for kind in FIGURES:
        figure = Figure(figsize=(7, 4))
        axes = figure.subplots()
        if kind == "density":
            seaborn.kdeplot(
                data, x="weight", hue="epoch", gridsize=GRID_POINTS, common_norm=False, ax=axes
            )
        else:
            seaborn.violinplot(
                data, x="epoch", y="weight", gridsize=GRID_POINTS, inner=None, ax=axes
            )
        file = io.BytesIO()
        figure.savefig(file, format="svg")
        files.append(file.getvalue())
    return files


def describe(results: Results) -> str:
    """Describe the results in Markdown."""
    columns = ["layer", "weights", "normreport, s", "seaborn, s", "times faster"]
    curves = [(*_cells(row), f"{row['error']:.0e}") for row in results["curves"]]
    slower = min(results["figures"], key=lambda row: row["seaborn"] / row["ours"])
    return (
        f"seaborn takes {results['ratio']:.0f} times as long as normreport to draw two figures of "
        f"each of two layers as SVG, from the weights of {results['epochs']} epochs (goal: "
        f"{GOAL}). The two figures are `kdeplot` and `violinplot`, with a curve for every epoch. "
        f"Drawing limits this ratio: it takes most of the time for the {slower['weights']:,} "
        f"weights of `{slower['layer']}`.\n\n"
        + table(columns, map(_cells, results["figures"]))
        + "\nThe densities alone, on the same grid with the same bandwidth. seaborn sums over all "
        "weights (`scipy.stats.gaussian_kde`). The error is the largest difference from that sum, "
        f"relative to its peak (goal: {LARGEST_ERROR:.0e}).\n\n"
        + table([*columns, "error"], curves)
    )


def _cells(row: Results) -> tuple[str, ...]:
    ratio = row["seaborn"] / row["ours"]
    times = (f"{row[side]:.3f}" for side in ("ours", "seaborn"))
    return (f"`{row['layer']}`", f"{row['weights']:,}", *times, f"{ratio:.0f}")


if __name__ == "__main__":
    print(describe(measure()))
