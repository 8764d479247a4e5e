"""Draw one figure, write what it shows as a table, and its caption."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import NDArray

from normreport import files
from normreport.figures.drawing import Drawing, to_svg
from normreport.input_histograms import input_histograms
from normreport.normalizations import normalize
from normreport.settings.base import parse
from normreport.settings.report import FigureSettings
from normreport.source_code import source_digest
from normreport.statistics import init_std_quantiles
from normreport.tables import read_tables

EXAMPLES = 8


def run(
    *, figure: str, settings: str, inputs: Sequence[Path], svg: Path, table: Path, text: Path
) -> None:
    """Write the SVG, the CSV, and caption, alternative text and what they were made from."""
    chosen = parse(FigureSettings, settings, where="draw_figure --settings")
    # A rule names the one module that draws, so that an edit of another kind draws nothing anew.
    kind = importlib.import_module(f"normreport.figures.{chosen.kind}")
    shown, options = _arguments(chosen, inputs)
    drawing: Drawing = kind.draw(shown, **options)
    files.write_text(svg, to_svg(drawing, figure))
    files.write_text(table, drawing.data.to_csv(index=False, lineterminator="\n"))
    files.write_json(
        text,
        {
            "id": figure,
            "caption": drawing.caption,
            "alt": drawing.alt,
            **chosen.model_dump(mode="json", include={"kind", "model", "start", "layer"}),
            "made_from": {
                "settings": chosen.model_dump(mode="json"),
                # One digest, however many tables.
                "inputs": files.text_digest(" ".join(map(files.file_digest, inputs))),
                "code": source_digest(__name__, kind.__name__),
            },
        },
    )


def _arguments(settings: FigureSettings, inputs: Sequence[Path]) -> tuple[Any, dict[str, Any]]:
    """Read what the kind's ``draw`` takes: its table, and what it is to show of it."""
    if settings.model is None:
        images, manifest = inputs
        return _of_the_input(settings, files.read_arrays(images), files.read_json(manifest))
    table = read_tables(inputs)
    options: dict[str, Any] = settings.model_dump(
        include={"model", "start", "layer"}, exclude_none=True
    )
    if settings.layer is not None:
        table = table[table["layer"] == settings.layer]
    if settings.kind == "density":
        drawn = table[table["start"] == settings.start]
        options |= {"epoch": settings.density_epoch, "bandwidth": float(drawn["bandwidth"].iloc[0])}
    if settings.kind == "spread" and "scratch" in set(table["start"]):
        options["init_band"] = _init_band(table[(table["start"] == "scratch")])
    return table, options


def _init_band(scratch: pd.DataFrame) -> tuple[float, float] | None:
    """Range of the std that the random init alone gives, for every start: they share axes.

    None where the weights were not drawn as VGG's and MobileNet's are: then no seed's std at
    epoch 0 is what that law allows.
    """
    n, sigma = int(scratch["n"].iloc[0]), float(scratch["kaiming_std"].iloc[0])
    low, high = init_std_quantiles(n, sigma, 0.999999)
    first = scratch[scratch["epoch"] == 0]["std"]
    return init_std_quantiles(n, sigma) if first.between(low, high).all() else None


def _of_the_input(
    settings: FigureSettings, arrays: dict[str, NDArray[Any]], manifest: dict[str, Any]
) -> tuple[Any, dict[str, Any]]:
    images = arrays["train_images"]
    if settings.kind == "histogram":
        inputs = {arm: normalize(images, arm) for arm in settings.normalizations}
        return input_histograms(inputs), {}
    # Images are ordered so that the first ones are of different classes.
    first = {arm: normalize(images[:EXAMPLES], arm, images) for arm in settings.normalizations}
    labels = [manifest["classes"][label] for label in arrays["train_labels"][:EXAMPLES]]
    return first, {"labels": labels}
