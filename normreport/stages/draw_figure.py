"""Draw one figure, write what it shows as a table, and its caption."""

from __future__ import annotations

from collections.abc import Sequence, Set
from pathlib import Path

from normreport.config.base import parse
from normreport.config.failures import Failure, Failures
from normreport.config.figure_words import FigureWords, MadeFrom
from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import ImagesManifest
from normreport.config.report import FigureSettings
from normreport.figures.drawing import Source, TrainingImages, kind_module, make_drawing
from normreport.figures.svg import to_svg
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.report.failures import explain_absence
from normreport.source_code import figure_modules, source_digest
from normreport.text.language import set_language


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
    """Write the SVG, the CSV, and the caption and alt text with what they were made from."""
    set_language(catalogue)
    chosen = parse(FigureSettings, settings, where="draw_figure --settings")
    failed = read_model(Failures, failures).runs if failures else ()
    drawing = make_drawing(_source(chosen, inputs, {run.seed for run in failed}), chosen)
    files.write_text(svg, to_svg(drawing, figure))
    files.write_text(table, drawing.data.to_csv(index=False, lineterminator="\n"))
    words = FigureWords(
        id=figure,
        kind=chosen.kind,
        model=chosen.model,
        start=chosen.start,
        layer=chosen.layer,
        caption=" ".join([drawing.caption, *_failed_runs(chosen, failed)]),
        alt=drawing.alt,
        made_from=MadeFrom(
            settings=chosen,
            inputs=_digest([*inputs, failures] if failures else inputs),
            code=source_digest(*figure_modules(chosen.kind, chosen.normalizations)),
        ),
    )
    write_model(text, words)


def _digest(paths: Sequence[Path]) -> str:
    """Return one digest for all input files."""
    return files.text_digest(" ".join(map(files.file_digest, paths)))


def _failed_runs(settings: FigureSettings, failed: Sequence[Failure]) -> list[str]:
    """Name each failed run that the figure would show."""
    return [
        explain_absence(run) for run in failed if settings.shows(model=run.model, start=run.start)
    ]


def _source(settings: FigureSettings, inputs: Sequence[Path], failed_seeds: Set[int]) -> Source:
    """Read the images, or those rows of the table that share the axes of the figure."""
    if kind_module(settings.kind).KIND.is_of_the_input:
        images, manifest = inputs
        arrays = files.read_arrays(images, ["train_images", "train_labels"])
        classes = read_model(ImagesManifest, manifest).classes
        return TrainingImages(arrays["train_images"], arrays["train_labels"], classes)
    table = read_tables(inputs)
    if failed_seeds and "seed" in table:
        # Every arm should have every seed: no mean may hide that a run failed.
        table["seeds"] = len(failed_seeds | set(table["seed"]))
    if settings.layer is not None:
        table = table[table["layer"] == settings.layer]
    if settings.only_start is not None:
        table = table[table["start"] == settings.only_start]
    return table
