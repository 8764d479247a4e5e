"""A small report on disk with everything that a record rests on, made without training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from normreport.config.experiment import Config, load_config
from normreport.config.figure_words import FigureWords
from normreport.config.json_files import write_model
from normreport.config.manifests import ImagesManifest, PretrainingManifest, RunManifest
from normreport.config.results import RunResult
from normreport.config.runs import Run
from normreport.config.training import TrainedWeights
from normreport.io.files import (
    canonical_json,
    file_digest,
    text_digest,
    write_csv,
    write_json,
    write_text,
)
from normreport.stages import record_provenance, render_html
from tests.articles import TEMPLATES, results_of
from tests.claims.studies import study

RUNS = ("vgg16/scratch/unit/seed0", "vgg16/scratch/imagenet/seed0")
FIGURES = ("curves-vgg16", "density-vgg16-scratch-features.0")
IMAGES = {
    f"{split}_{what}": text_digest(f"{split} {what}")
    for split in ("train", "heldout")
    for what in ("images", "labels")
}
VERSIONS = {"python": "3.11.0", "torch": "2.14.1"}
UNKNOWN = {"commit": None, "date": None, "state": "unknown"}
REVISION = {"commit": "c0ffee" * 6 + "c0ff", "date": "2026-01-31", "state": "clean"}


def condition(name: str) -> Run:
    """Take the name of a run apart."""
    model, start, normalization, seed = name.split("/")
    return Run(model, start, normalization, int(seed.removeprefix("seed")))


def run_row(name: str, **changes: Any) -> dict[str, Any]:
    """Give the result of a run, as JSON."""
    values = {"state": "OK", "epochs": 2, "train_loss": 0.25, "heldout_loss": 0.5}
    values |= {"heldout_accuracy": 0.75, "finite": True, "learned": True, "moved": True}
    empty = dict.fromkeys(RunResult.model_fields)
    result = empty | asdict(condition(name)) | {"id": name} | values | changes
    return RunResult.model_validate(result).model_dump(mode="json")


def manifest(name: str, config: Config, **digests: Any) -> RunManifest:
    """Give the manifest of a run that was not trained, with other digests."""
    run = condition(name)
    return RunManifest.model_validate({
        "run": run,
        "status": {"state": "OK"},
        "checks": {"finite": True, "learned": True, "moved": True},
        "classes": 10,
        "images": {"train": 4, "heldout": 2, "epoch_heldout": 1},
        "epochs": 2,
        "final": None,
        "heldout": {"initial": None, "final": None, "probe_accuracy": None},
        "parameters": 1000,
        "folded": {},
        "first_batch": {"dtype": "float32", "shape": [2, 3, 32, 32], "min": 0.0, "max": 1.0,
                        "mean": 0.5, "std": 0.25},
        "settings": config.run_settings(run),
        "seeds": {"init": 1, "head": 2},
        "digests": {
            "code": text_digest("code"),
            "data": IMAGES,
            "initial_weights": text_digest("initial"),
            "final_weights": text_digest(name),
            "order": text_digest("order"),
            "pretrained": None,
            **digests,
        },
        "files": {},
        "versions": VERSIONS,
    })  # fmt: skip


def images_manifest(config: Config) -> ImagesManifest:
    """Give the manifest of images that were not prepared."""
    return ImagesManifest(
        settings=config.data.target.without_place().model_dump(mode="json"),
        classes=("0", "1"),
        images_per_class={"train": [2, 2], "heldout": [1, 1]},
        skipped=(),
        unused=(),
        digests=IMAGES,
        files={},
    )


def pretraining_manifest(config: Config) -> PretrainingManifest:
    """Give the manifest of weights that were neither trained nor fetched."""
    settings = config.pretrain_settings("vgg16")
    how: dict[str, dict[str, Any]] = {
        "trained": {"classes": 10, "data": IMAGES, "history": [],
                    "evaluation": {"loss": 1.5, "accuracy": 0.5, "images": 2}},
        "fetched": {"file": text_digest("file"), "preprocessing": None, "unwrapping": None},
    }  # fmt: skip
    kind = "trained" if isinstance(settings, TrainedWeights) else "fetched"
    return PretrainingManifest.model_validate({
        "model": "vgg16",
        "origin": {"kind": kind, "settings": settings, **how[kind]},
        "digests": {"weights": text_digest("w"), "code": text_digest("c")},
        "files": {},
        "versions": VERSIONS,
    })  # fmt: skip


def words(name: str, **changes: Any) -> FigureWords:
    """Give the words of a figure, with other values."""
    kind, model, *place = name.split("-")
    shown = {"kind": kind, "model": model} | dict(zip(("start", "layer"), place, strict=False))
    made = {"settings": shown, "inputs": text_digest(f"tables of {name}")}
    made |= {"code": text_digest(f"code of {kind}")} | changes.pop("made_from", {})
    caption = f"What {name} shows: 0.123 of it."
    values: dict[str, Any] = {
        "start": None,
        "layer": None,
        **shown,
        "id": name,
        "alt": "A picture.",
    }
    values |= {"caption": caption, "made_from": made}
    return FigureWords.model_validate(values | changes)


def write_manifest(
    folder: Path, names: Sequence[str], value: RunManifest | ImagesManifest | PretrainingManifest
) -> None:
    """Write files of a stage, and the manifest with their digests."""
    for name in names:
        write_text(folder / name, f"The content of {name}.")
    digests = {name: file_digest(folder / name) for name in names}
    write_model(folder / "manifest.json", value.model_copy(update={"files": digests}))


def drawing(name: str) -> str:
    return f'<svg id="{name}"><g id="patch_1"><path d="M 10.5 20.25 L 30 40"/></g></svg>'


def write_report(
    results: Path,
    values: dict[str, Any],
    *,
    rows: dict[str, dict[str, Any]] | None = None,
    digests: dict[str, dict[str, Any]] | None = None,
    figures: dict[str, dict[str, Any]] | None = None,
    revision: dict[str, Any] = REVISION,
    templates: Sequence[Path] = (TEMPLATES,),
    **outcome: Any,
) -> Path:
    """Write the results of a study and their report; give the report's page.

    `rows`, `digests` and `figures` change what is known of a run or a figure, by its name.
    """
    report = results / "report"
    config = load_config(values)
    whole = study(layers={"vgg16": ("features.0",)}, **outcome)
    runs = [run_row(name, **(rows or {}).get(name, {})) for name in RUNS]
    write_json(report / "results.json", results_of(whole) | {"runs": runs})
    for name in RUNS:
        found = manifest(name, config, **(digests or {}).get(name, {}))
        write_manifest(results / f"runs/{name}", ("snapshots.safetensors", "history.csv"), found)
    write_manifest(results / "data/target", ("images.safetensors",), images_manifest(config))
    folder = results / "pretrained/vgg16"
    write_manifest(folder, ("weights.safetensors",), pretraining_manifest(config))
    for name in FIGURES:
        write_text(results / f"figures/{name}.svg", drawing(name))
        write_model(results / f"figures/{name}.json", words(name, **(figures or {}).get(name, {})))
        write_csv(report / f"data/{name}.csv", ("epoch", "loss"), [{"epoch": 0, "loss": 2.5}])
    write_csv(report / "data/runs.csv", tuple(runs[0]), runs)
    write_csv(report / "data/cases.csv", ("claim",), [{"claim": "F1"}])
    render(results, values, revision=revision, templates=templates)
    return report / "index.html"


def render(
    results: Path, values: dict[str, Any], *, revision: dict[str, Any], templates: Sequence[Path]
) -> None:
    """Record where the results come from, and render the page."""
    report = results / "report"
    svgs = [results / f"figures/{name}.svg" for name in FIGURES]
    config = load_config(values)
    record_provenance.run(
        settings=canonical_json({"config": values, "revision": revision, "with_pdf": False}),
        results=report / "results.json",
        manifests=[results / f"runs/{name}/manifest.json" for name in RUNS],
        data=[results / "data/target/manifest.json"],
        pretrained=[results / "pretrained/vgg16/manifest.json"],
        figures=svgs,
        tables=[report / f"data/{name}.csv" for name in (*FIGURES, "runs", "cases")],
        templates=templates,
        root=results,
        record=report / "provenance.json",
        metadata=report / "ro-crate-metadata.json",
    )
    render_html.run(
        settings=canonical_json(config.render_settings(with_pdf=False).model_dump(mode="json")),
        results=report / "results.json",
        record=report / "provenance.json",
        figures=svgs,
        templates=templates,
        logo=Path(config.report.logo) if config.report.logo else None,
        html=report / "index.html",
    )
