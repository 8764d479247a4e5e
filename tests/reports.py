"""A small report on disk with everything that a record rests on, made without training."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from normreport.config.experiment import load_config
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
UNKNOWN = {"commit": None, "date": None, "state": "unknown"}
REVISION = {"commit": "c0ffee" * 6 + "c0ff", "date": "2026-01-31", "state": "clean"}


def run_row(name: str, **changes: Any) -> dict[str, Any]:
    values = {"state": "OK", "epochs": 2, "train_loss": 0.25, "heldout_loss": 0.5}
    return {"id": name, **values, "heldout_accuracy": 0.75, **changes}


def manifest(name: str, **digests: Any) -> dict[str, Any]:
    return {
        "digests": {
            "code": text_digest("code"),
            "data": IMAGES,
            "initial_weights": text_digest("initial"),
            "final_weights": text_digest(name),
            "order": text_digest("order"),
            "pretrained": None,
            **digests,
        },
        "versions": {"python": "3.11.0", "torch": "2.14.1"},
    }


def words(name: str, **changes: Any) -> dict[str, Any]:
    kind, model, *place = name.split("-")
    shown = {"kind": kind, "model": model, "start": None, "layer": None}
    shown |= dict(zip(("start", "layer"), place, strict=False))
    made = {"settings": shown | {"density_epoch": None, "normalizations": []}}
    made |= {"inputs": text_digest(f"tables of {name}"), "code": text_digest(f"code of {kind}")}
    made |= changes.pop("made_from", {})
    caption = f"What {name} shows: 0.123 of it."
    return {
        "id": name,
        **shown,
        "caption": caption,
        "alt": "A picture.",
        "made_from": made,
        **changes,
    }


def write_manifest(folder: Path, names: Sequence[str], values: dict[str, Any]) -> None:
    """Write files of a stage, and the manifest that tells of them."""
    for name in names:
        write_text(folder / name, f"The content of {name}.")
    known = {name: file_digest(folder / name) for name in names}
    write_json(folder / "manifest.json", values | {"files": known})


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
    whole = study(layers={"vgg16": ("features.0",)}, **outcome)
    runs = [run_row(name, **(rows or {}).get(name, {})) for name in RUNS]
    write_json(report / "results.json", results_of(whole) | {"runs": runs})
    for name in RUNS:
        found = manifest(name, **(digests or {}).get(name, {}))
        write_manifest(results / f"runs/{name}", ("snapshots.safetensors", "history.csv"), found)
    write_manifest(results / "data/target", ("images.safetensors",), {"digests": IMAGES})
    made = {"weights": text_digest("w"), "code": text_digest("c")}
    write_manifest(
        results / "pretrained/vgg16", ("weights.safetensors",), {"model": "vgg16", "digests": made}
    )
    for name in FIGURES:
        write_text(results / f"figures/{name}.svg", drawing(name))
        write_json(results / f"figures/{name}.json", words(name, **(figures or {}).get(name, {})))
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
