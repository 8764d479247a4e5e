"""Draw one figure, write what it shows as a table, and its caption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from normreport.config.base import parse
from normreport.config.failures import Failure, Failures
from normreport.config.figure_kinds import Kind
from normreport.config.figure_words import FigureWords, MadeFrom
from normreport.config.json_files import read_model, write_model
from normreport.config.manifests import DensityAxes, ImagesManifest, RunManifest
from normreport.config.report import FigureSettings
from normreport.figures.counts import seeds_sentence, shown_runs, with_planned_numbers
from normreport.figures.drawing import Densities, Source, TrainingImages, kind_module, make_drawing
from normreport.figures.svg import to_svg
from normreport.io import files
from normreport.io.tables import read_tables
from normreport.provenance.figure_code import figure_code
from normreport.report.failures import explain_absence
from normreport.text.language import set_language

RUN = ("model", "start", "normalization", "seed")
# The tables with many rows for each run, layer and epoch.
_LARGE = ("densities", "histograms", "quantiles")


def run(
    *,
    figure: str,
    settings: str,
    inputs: Sequence[Path],
    svg: Path,
    table: Path,
    text: Path,
    axes: Sequence[Path] = (),
    failures: Path | None = None,
    catalogue: Path | None = None,
) -> None:
    """Write the SVG, the CSV, and the caption and alt text with what they were made from."""
    set_language(catalogue)
    chosen = parse(FigureSettings, settings, where="draw_figure --settings")
    failed = read_model(Failures, failures).runs if failures else ()
    source = _source(chosen, inputs, axes, failed)
    drawing = make_drawing(source, chosen)
    files.write_text(svg, to_svg(drawing, figure))
    files.write_text(table, drawing.data.to_csv(index=False, lineterminator="\n"))
    words = FigureWords(
        id=figure,
        kind=chosen.kind,
        model=chosen.model,
        start=chosen.start,
        layer=chosen.layer,
        caption=" ".join(
            [drawing.caption, *_seed_counts(chosen, source), *_failed_runs(chosen, failed)]
        ),
        method=drawing.method,
        alt=drawing.alt,
        made_from=MadeFrom(
            settings=chosen,
            inputs=_digest([*inputs, *axes, *([failures] if failures else [])]),
            code=figure_code(chosen).digest(),
        ),
    )
    write_model(text, words)


def _digest(paths: Sequence[Path]) -> str:
    """Return one digest for all input files."""
    return files.text_digest(" ".join(map(files.file_digest, paths)))


def _seed_counts(settings: FigureSettings, source: Source) -> list[str]:
    """Say how many seeds the arms of a figure have, if they differ."""
    if isinstance(source, TrainingImages) or settings.normalizations:
        return []
    table = source.table if isinstance(source, Densities) else source
    sentence = seeds_sentence(shown_runs(table, model=settings.model, start=settings.start))
    return [sentence] if sentence else []


def _failed_runs(settings: FigureSettings, failed: Sequence[Failure]) -> list[str]:
    """Name each failed run that the figure would show."""
    return [
        explain_absence(run) for run in failed if settings.shows(model=run.model, start=run.start)
    ]


def _source(
    settings: FigureSettings,
    inputs: Sequence[Path],
    axes: Sequence[Path],
    failed: Sequence[Failure],
) -> Source:
    """Read the images, or what a figure needs of its table."""
    kind = kind_module(settings.kind).KIND
    if kind.is_of_the_input:
        images, manifest = inputs
        arrays = files.read_arrays(images, ["train_images", "train_labels"])
        classes = read_model(ImagesManifest, manifest).classes
        return TrainingImages(arrays["train_images"], arrays["train_labels"], classes)
    if kind.table == "runs":
        table = _read_runs(inputs, failed)
        return table[table["start"].isin(kind.compared_starts)] if kind.compared_starts else table
    table = _read_table(kind, settings, inputs)
    if failed:
        table = with_planned_numbers(
            table, [(run.model, run.start, run.normalization, run.seed) for run in failed]
        )
    if kind.table == "densities":
        return Densities(table, [read_model(DensityAxes, path) for path in axes])
    return table


def _read_table(kind: Kind, settings: FigureSettings, paths: Sequence[Path]) -> pd.DataFrame:
    """Read the columns, rows and epochs that a kind of figure needs."""
    wanted = {"layer": settings.layer, "start": settings.only_start}
    sides = ("_a", "_b") if kind.table == "products" else ("",)
    filters: list[tuple[str, str, object]] = [
        (name, "==", value) for name, value in wanted.items() if value is not None
    ]
    if kind.compared_starts:
        filters.append(("start", "in", kind.compared_starts))
    if settings.normalizations:
        filters += [(f"normalization{side}", "in", settings.normalizations) for side in sides]
    place = ["model", "start", *([] if kind.table == "history" else ["layer"])]
    names = [*place, *(f"{name}{side}" for side in sides for name in ("normalization", "seed"))]
    columns = [*names, "epoch", *kind.columns] if kind.columns else None
    chosen = [filters] if filters else None
    if kind.epochs == "all":
        categories = [*place, "normalization"] if kind.table in _LARGE else []
        return read_tables(paths, columns, chosen, categories)
    # One file after the other, so that no more than one has all epochs in memory.
    tables = [_ends(read_tables([path], columns, chosen), names) for path in paths]
    return pd.concat([table for table in tables if len(table)] or tables, ignore_index=True)


def _ends(table: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Select the first and the last epoch of each run, or of each pair of runs."""
    last = table.groupby(list(names), sort=False)["epoch"].transform("max")
    return table[(table["epoch"] == 0) | (table["epoch"] == last)]


def _read_runs(manifests: Sequence[Path], failed: Sequence[Failure]) -> pd.DataFrame:
    """Make one row per planned run; a run that diverged or failed has no final accuracy."""
    rows: list[dict[str, object]] = []
    for path in manifests:
        manifest = read_model(RunManifest, path)
        final = manifest.heldout.final
        rows.append({
            **asdict(manifest.run),
            "heldout_accuracy": final.accuracy if final else None,
            "probe_accuracy": manifest.heldout.probe_accuracy,
        })  # fmt: skip
    rows += [run.model_dump(include={*RUN}) for run in failed]
    accuracies = ["heldout_accuracy", "probe_accuracy"]
    table = pd.DataFrame(rows, columns=[*RUN, *accuracies])
    return table.astype(dict.fromkeys(accuracies, float))
