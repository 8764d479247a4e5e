"""Draw one figure, write what it shows as a table, and its caption."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence, Set
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from normreport.config.base import parse
from normreport.config.figure_kinds import KINDS
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Drawing, to_svg
from normreport.figures.input_histograms import input_histograms
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.normalizations import batches, normalize
from normreport.report.failures import sentence
from normreport.source_code import figure_modules, source_digest
from normreport.statistics.initialization import init_std_quantiles, init_std_range
from normreport.text.language import set_language

EXAMPLES = 8
# Enough images for the mean spectrum; at 224 pixels a side they take 19 MB.
RESIZED = 32
# How many inits the article's plot compares, where the experiment has a single one.
PUBLISHED_PIPELINES = 3

Arguments = tuple[Any, dict[str, Any]]


def run(
    *,
    figure: str,
    settings: str,
    inputs: Sequence[Path],
    svg: Path,
    table: Path,
    text: Path,
    failures: Path | None = None,
    catalogue: Path | None = None,
) -> None:
    """Write the SVG, the CSV, and caption, alternative text and what they were made from."""
    set_language(catalogue)
    chosen = parse(FigureSettings, settings, where="draw_figure --settings")
    # A rule names the one module that draws, so that an edit of another kind draws nothing anew.
    kind = importlib.import_module(f"normreport.figures.kinds.{chosen.kind}")
    failed = files.read_json(failures) if failures else []
    shown, options = _arguments(chosen, inputs, {run["seed"] for run in failed})
    drawing: Drawing = kind.draw(shown, **options)
    rests_on = [*inputs, failures] if failures else inputs
    files.write_text(svg, to_svg(drawing, figure))
    files.write_text(table, drawing.data.to_csv(index=False, lineterminator="\n"))
    files.write_json(
        text,
        {
            "id": figure,
            "caption": " ".join([drawing.caption, *_absent(chosen, failed)]),
            "alt": drawing.alt,
            **chosen.model_dump(mode="json", include={"kind", "model", "start", "layer"}),
            "made_from": {
                "settings": chosen.model_dump(mode="json"),
                # One digest, however many tables.
                "inputs": files.text_digest(" ".join(map(files.file_digest, rests_on))),
                "code": source_digest(*figure_modules(chosen.kind, chosen.normalizations)),
            },
        },
    )


def _absent(settings: FigureSettings, failed: Sequence[Mapping[str, Any]]) -> list[str]:
    """Name each failed run that the figure would show."""
    return [
        sentence(run) for run in failed if settings.shows(model=run["model"], start=run["start"])
    ]


def _arguments(
    settings: FigureSettings, inputs: Sequence[Path], failed_seeds: Set[int]
) -> Arguments:
    """Read what the kind's ``draw`` takes: its table or images, and what it is to show of them."""
    if KINDS[settings.kind].is_of_the_input:
        images, manifest = inputs
        arrays = files.read_arrays(images, ["train_images", "train_labels"])
        return OF_THE_INPUT[settings.kind](settings, arrays, files.read_json(manifest))
    table = read_tables(inputs)
    if failed_seeds and "seed" in table:
        # Every arm should have every seed: no mean is drawn over those that are left.
        table["seeds"] = len(failed_seeds | set(table["seed"]))
    if settings.layer is not None:
        table = table[table["layer"] == settings.layer]
    if only := KINDS[settings.kind].start:
        table = table[table["start"] == only]
    place = settings.model_dump(include={"model", "start", "layer"}, exclude_none=True)
    more = OF_TABLES.get(settings.kind)
    return table, place | (more(settings, table) if more else {})


def _density(settings: FigureSettings, table: pd.DataFrame) -> dict[str, Any]:
    drawn = table[table["start"] == settings.start]
    return {"epoch": settings.density_epoch, "bandwidth": float(drawn["bandwidth"].iloc[0])}


def _spread(settings: FigureSettings, table: pd.DataFrame) -> dict[str, Any]:
    scratch = table[table["start"] == "scratch"]
    return {"init_band": _init_band(scratch)} if len(scratch) else {}


def _seeds(settings: FigureSettings, table: pd.DataFrame) -> dict[str, Any]:
    return {"normalizations": settings.normalizations}


def _inits(settings: FigureSettings, table: pd.DataFrame) -> dict[str, Any]:
    return {"limits": _init_limits(table)}


def _init_band(scratch: pd.DataFrame) -> tuple[float, float] | None:
    """Range of the std that the random init alone gives, for every start: they share axes.

    None where the weights were not drawn as VGG's and MobileNet's are: then no seed's std at
    epoch 0 is what that law allows.
    """
    n, sigma = int(scratch["n"].iloc[0]), float(scratch["kaiming_std"].iloc[0])
    low, high = init_std_quantiles(n, sigma, 0.999999)
    first = scratch[scratch["epoch"] == 0]["std"]
    return init_std_quantiles(n, sigma) if first.between(low, high).all() else None


def _init_limits(scratch: pd.DataFrame) -> pd.DataFrame:
    """How far the stds of random inits lie apart, for every layer that is drawn by the law."""
    seeds = scratch["seed"].nunique()
    inits = seeds if seeds > 1 else PUBLISHED_PIPELINES
    rows = []
    for (model, layer), runs in scratch.groupby(["model", "layer"], sort=False):
        if _init_band(runs) is not None:
            n, sigma = int(runs["n"].iloc[0]), float(runs["kaiming_std"].iloc[0])
            rows.append((model, layer, n, sigma, inits, 100 * init_std_range(n, inits)))
    columns = ["model", "layer", "weights", "std_at_init", "inits", "limit_percent"]
    return pd.DataFrame(rows, columns=columns)


def _examples(
    settings: FigureSettings, arrays: dict[str, NDArray[Any]], manifest: dict[str, Any]
) -> Arguments:
    # Images are ordered so that the first ones are of different classes.
    images = arrays["train_images"]
    first = {arm: normalize(images[:EXAMPLES], arm, images) for arm in settings.normalizations}
    labels = [manifest["classes"][label] for label in arrays["train_labels"][:EXAMPLES]]
    return first, {"labels": labels}


def _inputs(
    settings: FigureSettings, arrays: dict[str, NDArray[Any]], manifest: dict[str, Any]
) -> Arguments:
    return input_histograms(arrays["train_images"], settings.normalizations), {}


def _levels(
    settings: FigureSettings, arrays: dict[str, NDArray[Any]], manifest: dict[str, Any]
) -> Arguments:
    every = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1).repeat(3, axis=3)
    arms = settings.normalizations
    levels = {arm: normalize(every, arm)[0, :, :, 0].ravel() for arm in arms}
    images, unequal = arrays["train_images"], 0
    for part in batches(len(images), images.shape[1]):
        none, minmax = (normalize(images[part], arm).view(np.int32) for arm in arms[:2])
        unequal += int(np.count_nonzero(none != minmax))
    return levels, {"pixels": images.size, "unequal_pixels": unequal}


def _resize(
    settings: FigureSettings, arrays: dict[str, NDArray[Any]], manifest: dict[str, Any]
) -> Arguments:
    # Equal but for the Resize, as both go on with ImageNet's mean and std.
    images = arrays["train_images"][:RESIZED]
    return {arm: normalize(images, arm) for arm in settings.normalizations}, {}


OF_TABLES = {"density": _density, "spread": _spread, "seeds": _seeds, "inits": _inits}
OF_THE_INPUT = {
    "examples": _examples,
    "inputs": _inputs,
    "levels": _levels,
    "resize": _resize,
}
